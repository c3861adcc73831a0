// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <cstdint>

#include "kernels/dispatch.hpp"
#include "kernels/types.hpp"

/// What kernels/association_permutation.cpp asks of its bodies in kernels/simd/association_permutation.cpp.
namespace chorale::kernels {

/// n_both[64 w + b] = how many of the patients have bit b of word w: bits (n_words, stride).
// clang-format off
CHORALE_DECLARE_LEVELS(void association_counts(const std::uint64_t* bits, Index stride, Index n_words, const std::uint32_t* patients, Index n, std::int32_t* n_both))
// clang-format on

/// Lowers `least` and raises `greatest` to (n11 − expected) · per_deviation over n pairs, a multiple of 8; NaN changes
/// nothing.
// clang-format off
CHORALE_DECLARE_LEVELS(void association_extremes(const std::int32_t* n11, const double* expected, const double* per_deviation, Index n, double* least, double* greatest))
// clang-format on

}  // namespace chorale::kernels
