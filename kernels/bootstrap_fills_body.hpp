// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <cstdint>

#include "kernels/dispatch.hpp"
#include "kernels/types.hpp"

/// What kernels/bootstrap_fills.cpp asks of its body in kernels/simd/bootstrap_fills.cpp.
namespace chorale::kernels {

inline constexpr Index fill_lanes = 64;  ///< replicates side by side

// clang-format off

/// sum[group[k] · fill_lanes + r] += copies[patient[k] · stride + r] for r < n_lanes <= fill_lanes, k < n.
CHORALE_DECLARE_LEVELS(void sum_copies(const std::uint8_t* copies, Index stride, const std::int32_t* patient, const std::int32_t* group, Index n, Index n_lanes, std::uint32_t* sum))
// clang-format on

}  // namespace chorale::kernels
