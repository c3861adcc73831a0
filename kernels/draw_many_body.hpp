// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <cstdint>

#include "kernels/dispatch.hpp"
#include "kernels/types.hpp"

/// What kernels/draw_many.cpp asks of its bodies in kernels/simd/draw_many.cpp.
namespace chorale::kernels {

/// Philox4x32-10 blocks first … first + n_blocks - 1 of an item, two numbers each; n_blocks a multiple of 8.
// clang-format off
CHORALE_DECLARE_LEVELS(void philox_blocks(std::uint64_t seed, std::uint32_t stream, std::uint64_t item, std::uint32_t first, Index n_blocks, std::uint64_t* bits))
// clang-format on

}  // namespace chorale::kernels
