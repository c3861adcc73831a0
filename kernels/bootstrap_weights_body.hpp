// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <cstdint>

#include "kernels/dispatch.hpp"
#include "kernels/types.hpp"

/// What kernels/bootstrap_weights.cpp asks of its bodies in kernels/simd/bootstrap_weights.cpp.
namespace chorale::kernels {

inline constexpr Index most_copies = 12;         ///< of a Poisson count drawn from 32 bits
inline constexpr Index replicates_together = 8;  ///< one byte each of a 64-bit word

// clang-format off

/// counts[i] = #{ k : half i >= threshold[k] }, k < most_copies, from n_draws numbers cut into halves, the low one first.
CHORALE_DECLARE_LEVELS(void poisson_counts(const std::uint64_t* draws, Index n_draws, const std::uint32_t* threshold, std::uint8_t* counts))

/// to[8 i + k] = from[k · stride + i], i < n.
CHORALE_DECLARE_LEVELS(void interleave_counts(const std::uint8_t* from, Index stride, Index n, std::uint8_t* to))
// clang-format on

}  // namespace chorale::kernels
