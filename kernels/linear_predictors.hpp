// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <span>

#include "kernels/cox.hpp"

namespace chorale::kernels {

/// Linear predictors of every patient under many models, such as bootstrap replicates, side by side.
///
///   eta[i, r] = offset_i + Σ_j x_ij β_rj
///
/// Shapes   columns as CoxColumns of n_patients; beta (n_models, n_columns), as cox_bootstrap writes it;
///          eta (n_patients, n_models), a patient's models side by side, overwritten: NaN for who misses a column
///          or the offset; a coefficient that is NaN, as of an aliased column, counts as 0, as R's predict() does;
///          an infinite one makes eta infinite, or NaN
/// Throws   ShapeError when sizes differ
/// Cost     n_patients n_columns n_models FMA in lanes; columns are read once for 64 models
/// Threads  over blocks of patients; equal for any number
/// Oracle   the sum as it stands
void linear_predictors(const CoxColumns& columns, Index n_patients, std::span<const double> beta,
                       std::span<double> eta);

}  // namespace chorale::kernels
