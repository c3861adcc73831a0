// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <cstdint>

#include "kernels/dispatch.hpp"
#include "kernels/types.hpp"

/// What kernels/fisher.cpp asks of its bodies in kernels/simd/fisher.cpp. Every number belongs to one table
/// alone: a lane that has finished adds zeros until its neighbours have too, so no result depends on them.
namespace chorale::kernels {

/// Tables side by side, as they are summed.
struct FisherBlock {
  static constexpr Index capacity = 512;
  alignas(64) double n11[capacity];  ///< the caller's cells; after prepare, turned to how they are summed
  alignas(64) double n10[capacity];
  alignas(64) double n01[capacity];
  alignas(64) double n00[capacity];
  alignas(64) double log_density[capacity];
  alignas(64) double n_terms
      [capacity];  ///< about; 0 where only one answer is possible, below 0 for the second way
  alignas(64) double log10_p[capacity];
};

// clang-format off
/// Turns each table so that n11 lies at or above the mode. n_terms > 0: p is 1 less what is more probable;
/// n_terms < 0: p is small enough to be the sum of both tails.
CHORALE_DECLARE_LEVELS(void fisher_prepare_two_sided(FisherBlock& block, Index size))
/// The same for P(X >= n11). n_terms > 0: n11 lies at or above the mode; n_terms < 0: the table is turned and
/// shifted, and the sum is that of the complement.
CHORALE_DECLARE_LEVELS(void fisher_prepare_upper(FisherBlock& block, Index size))
/// log10 p of the tables order[0 .. size), mid p where mid. fisher_inside leaves NaN where p is too small for
/// it.
CHORALE_DECLARE_LEVELS(void fisher_inside(FisherBlock& block, const std::int32_t* order, Index size, bool mid))
CHORALE_DECLARE_LEVELS(void fisher_outside(FisherBlock& block, const std::int32_t* order, Index size, bool mid))
CHORALE_DECLARE_LEVELS(void fisher_upper(FisherBlock& block, const std::int32_t* order, Index size, bool complement))
// clang-format on

}  // namespace chorale::kernels
