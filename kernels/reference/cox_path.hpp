// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include "kernels/cox_path.hpp"

namespace chorale::kernels::reference {

/// Coefficients at each of options.lambda (original scale, lambdas x columns): proximal Newton by the formula as it
/// stands, all columns dense, one lambda at a time. Nothing may be missing in the columns of who is analysed.
std::vector<double> cox_path(const Timeline& timeline, const CoxPathColumns& columns,
                             const CoxPathOptions& options);

/// The largest amount by which any coefficient violates the conditions of a minimum, ∂/∂(s β) in absolute value.
double cox_path_violation(const Timeline& timeline, const CoxPathColumns& columns,
                          const CoxPathOptions& options, double lambda, std::span<const double> beta);

}  // namespace chorale::kernels::reference
