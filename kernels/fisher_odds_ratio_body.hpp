// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <cstdint>

#include "kernels/dispatch.hpp"
#include "kernels/types.hpp"

/// What kernels/fisher_odds_ratio.cpp asks of its bodies in kernels/simd/fisher_odds_ratio.cpp. As in
/// fisher_body.hpp, no result depends on the tables beside it.
namespace chorale::kernels {

/// Tables side by side, none with an empty margin, and what is found for them.
struct OddsRatioBlock {
  static constexpr Index capacity = 512;
  alignas(64) double n11[capacity];
  alignas(64) double n10[capacity];
  alignas(64) double n01[capacity];
  alignas(64) double n00[capacity];
  alignas(64) double n_terms[capacity];  ///< of a sum, about; at least 1
  alignas(64) double estimate[capacity];
  alignas(64) double lower[capacity];
  alignas(64) double upper[capacity];
};

/// What the interval leaves out on each side.
struct OddsRatioLimits {
  double outside;                ///< (1 - level) / 2
  double log_odds;               ///< log(outside / (1 - outside))
  double n_standard_deviations;  ///< the normal quantile of 1 - outside
};

// clang-format off
CHORALE_DECLARE_LEVELS(void odds_ratio_terms(OddsRatioBlock& block, Index size))
CHORALE_DECLARE_LEVELS(void odds_ratios(OddsRatioBlock& block, const OddsRatioLimits& limits, const std::int32_t* order, Index size))
// clang-format on

}  // namespace chorale::kernels
