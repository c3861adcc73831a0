// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <span>

#include "kernels/cox.hpp"

namespace chorale::kernels {

/// Martingale residuals of a Cox model: deaths observed less deaths expected, patient by patient.
///
///   M_i = δ_i − e^η_i Σ_{t : i at risk} (1/d_t) Σ_{l<d_t} W_t (1 − [i dies at t] l/d_t) / (S0 − (l/d_t) D0)
///
/// S0, D0 and W_t weighted as in CoxTerms, M_i itself not; Breslow: l = 0. Their weighted sum is 0 in every stratum.
/// Without columns, the residuals of the null model.
///
/// Shapes   residuals (n_patients of the design), overwritten: NaN for who is not in the model, and for everybody
///          where the fit has verdict monotone or not_converged; 0 for everybody in the model where nobody dies;
///          covariates = cox_fit(design) with the same ties
/// Throws   ShapeError when residuals or the fit's coefficients do not fit the design
/// Cost     as cox_terms
/// Threads  as cox_terms
/// Source   Therneau, Grambsch, Fleming 1990, Biometrika 77:147
/// Oracle   R survival 3.5.3 residuals(type = "martingale"), tests/oracle/martingale.R
void martingale_residuals(const CoxDesign& design, const CoxFit& covariates, Ties ties,
                          std::span<double> residuals);

}  // namespace chorale::kernels
