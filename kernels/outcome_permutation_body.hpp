// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <cstdint>

#include "kernels/dispatch.hpp"
#include "kernels/types.hpp"

/// What the outcome permutations and their bodies in kernels/simd/outcome_permutation.cpp say to each other.
namespace chorale::kernels {

/// Permutations side by side: every patient's outcomes in them fill two cache lines.
inline constexpr Index outcome_lanes = 16;

/// The pairs of one feature a; U sums the outcomes of carriers, Q their squares.
///
///   z = (weight_both U_both + weight_a U_a + weight_b U_b) /
///       √(square_both Q_both + square_a Q_a + square_b Q_b + square_all)
struct OutcomePair {
  Index slot;                               ///< among the caller's pairs
  std::int32_t partner;                     ///< b
  std::int64_t members_begin, members_end;  ///< carriers of both, as positions among those of a
  Index sum_a, sum_b;                       ///< where U_a and U_b stand, each before its Q
  double weight_both, weight_a, weight_b;
  double square_both, square_a, square_b, square_all;
};

// clang-format off

/// to[i · outcome_lanes + k] = columns[k · n + i] for the eight columns k < 8.
CHORALE_DECLARE_LEVELS(void outcome_interleave(const double* columns, Index n, double* to))

/// Adds rows[j] of the table, outcome_lanes wide, to sum, and their squares to what follows sum.
CHORALE_DECLARE_LEVELS(void outcome_sum(const double* table, const std::int32_t* rows, Index n, double* sum))

/// to[j] = table[rows[j]], outcome_lanes wide.
CHORALE_DECLARE_LEVELS(void outcome_gather(const double* table, const std::int32_t* rows, Index n, double* to))

/// Lowers `least` and raises `greatest`, outcome_lanes wide, to the statistics of n pairs; those with apart[slot] >= 0
/// go to z[apart[slot]] instead. apart may be null.
CHORALE_DECLARE_LEVELS(void outcome_statistics(const OutcomePair* pairs, Index n, const double* gathered, const std::int32_t* members, const double* sums, const std::int32_t* apart, double* z, double* least, double* greatest))
// clang-format on

}  // namespace chorale::kernels
