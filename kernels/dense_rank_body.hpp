// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include "kernels/dispatch.hpp"
#include "kernels/types.hpp"

/// What DenseRank and its bodies in kernels/simd/dense_rank.cpp say to each other: plain pointers.
namespace chorale::kernels {

// clang-format off

/// Least and greatest of n > 0 values.
CHORALE_DECLARE_LEVELS(void value_bounds(const double* values, Index n, double& least, double& greatest))

/// share[i] = (values[i] − least) · scale, whole part above the lower 32 bits, the rest in them; ascending with the value.
CHORALE_DECLARE_LEVELS(void value_shares(const double* values, Index n, double least, double scale,
                                         std::uint64_t* share))
// clang-format on

}  // namespace chorale::kernels
