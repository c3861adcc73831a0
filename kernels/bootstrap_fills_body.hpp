// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <cstdint>

#include "kernels/dispatch.hpp"
#include "kernels/types.hpp"

/// What kernels/bootstrap_fills.cpp asks of its body in kernels/simd/bootstrap_fills.cpp.
namespace chorale::kernels {

inline constexpr Index fill_lanes = 64;      ///< replicates side by side
inline constexpr Index fill_patients = 256;  ///< summed at once: 256 · 255 fits 16 bits

// clang-format off

/// sum[r] = Σ_k copies[patient[k] · stride + r] for r < n_lanes <= fill_lanes, k < n <= fill_patients.
CHORALE_DECLARE_LEVELS(void sum_copies(const std::uint8_t* copies, Index stride, const std::int32_t* patient, Index n, Index n_lanes, std::uint16_t* sum))
// clang-format on

}  // namespace chorale::kernels
