// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include "kernels/dispatch.hpp"
#include "kernels/types.hpp"

/// What kernels/linear_predictors.cpp asks of its bodies in kernels/simd/linear_predictors.cpp.
namespace chorale::kernels {

inline constexpr Index predictor_lanes = 64;  ///< models side by side

// clang-format off

/// eta[r · lanes + k] = Σ_j x[r · n_columns + j] beta[j · lanes + k] for n_rows rows, a multiple of 8.
CHORALE_DECLARE_LEVELS(void predict_rows(const double* x, Index n_rows, Index n_columns, const double* beta, double* eta))
// clang-format on

}  // namespace chorale::kernels
