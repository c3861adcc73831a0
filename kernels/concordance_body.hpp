// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include "kernels/dispatch.hpp"
#include "kernels/types.hpp"

/// What concordances() and its bodies in kernels/simd/concordance.cpp say to each other: plain pointers.
namespace chorale::kernels {

inline constexpr Index most_samples = 4;  ///< side by side

/// Twice the concordant pairs and once those of equal risk, and all pairs: by count (Harrell), by time_weight (Uno).
struct PairSums {
  double harrell, harrell_pairs, uno, uno_pairs;
};

/// One stratum of an order. A tree of sums of weights by rank: a node is 16 numbers, the k-th the sum over its first k
/// sixteenths; level 0 parts single ranks. The nodes of all samples stand side by side.
template <class Number>
struct ConcordanceWalk {
  const std::int32_t* row_begin;
  Index first_slot, past_slot;
  const std::int32_t* rank;
  Index n_samples;
  const Number* weight[most_samples];
  const double* time_weight[most_samples];  ///< per slot, all null unless Uno's is asked for
  Number* tree;                             ///< all zero
  Index n_levels;
  Index level_begin[8];  ///< place of the level's first node in `tree`
};

// clang-format off

/// Adds the stratum's pairs to sums[sample].
CHORALE_DECLARE_LEVELS(void concordance_walk(const ConcordanceWalk<std::uint32_t>& walk, PairSums* sums);
                       void concordance_walk(const ConcordanceWalk<double>& walk, PairSums* sums))
// clang-format on

}  // namespace chorale::kernels
