// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include "kernels/dispatch.hpp"
#include "kernels/types.hpp"

/// What SampleConcordances and its bodies in kernels/simd/concordance.cpp say to each other: plain pointers.
namespace chorale::kernels {

inline constexpr Index most_packs = 4;  ///< side by side
inline constexpr int most_packed = 3;   ///< samples in one number
inline constexpr Index tree_fan = 16, most_tree_levels = 8;

/// Σ over pairs of twice the concordant and once those of equal risk, by count (Harrell) and by time_weight (Uno).
struct PairSums {
  double harrell, uno;
};

/// One stratum of an order. A tree of sums of weights by rank: a node is 16 numbers, the k-th the sum over its first k
/// sixteenths; level 0 parts single ranks. A pack is one number for several samples, each in `bits` of its own.
template <class Number>
struct ConcordanceWalk {
  const std::int32_t* row_begin;
  Index first_slot, past_slot;
  const std::int32_t* rank;
  bool distinct;  ///< no two rows share a rank
  Index n_packs;
  int n_packed, bits;  ///< samples of a pack
  const Number* weight[most_packs];
  const double* time_weight[most_packs][most_packed];  ///< per slot; null unless Uno's is asked for
  Number* tree;                                        ///< all zero
  Index n_levels;
  Index level_begin
      [most_tree_levels];  ///< place of the level's first node; those of all packs stand side by side
};

// clang-format off

/// Adds the stratum's pairs to sums[pack · most_packed + place in the pack].
CHORALE_DECLARE_LEVELS(void concordance_walk(const ConcordanceWalk<std::uint32_t>& walk, PairSums* sums);
                       void concordance_walk(const ConcordanceWalk<std::uint64_t>& walk, PairSums* sums);
                       void concordance_walk(const ConcordanceWalk<double>& walk, PairSums* sums))
// clang-format on

}  // namespace chorale::kernels
