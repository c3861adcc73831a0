// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <vector>

#include "kernels/cox.hpp"

namespace chorale::kernels {

struct CoxFirthOptions {
  Ties ties = Ties::efron;
  int max_iterations = 200;
  bool profiles = false;  ///< likelihood-ratio tests and limits by profile likelihood, column by column
  double level = 0.95;    ///< of the limits
};

struct CoxFirthFit {
  /// Verdict converged, no_events, singular or not_converged; loglik and loglik_null are l*, covariance is I⁻¹ at the
  /// maximum of l*. Residuals, robust variance, baseline hazard and predictions take it as any other fit.
  CoxFit fit;
  std::vector<double> lrt_chi2;  ///< n_columns, 2 (l* − max l* with β_j = 0); empty unless asked for
  std::vector<double> lower,
      upper;  ///< n_columns, where 2 (l* − max l* given β_j) reaches the chi-square quantile
  /// Columns for which a profile did not converge: their NaN among the three above, as aliased columns have
  std::vector<Index> unprofiled;
};

/// Firth's penalised Cox fit of dense columns: finite coefficients whatever is separated, with less bias in small
/// cohorts.
///
///   l*(β) = l(β) + ½ log |I(β)|,   score*_m = score_m + ½ tr(I⁻¹ ∂I/∂β_m)
///
/// With V = I⁻¹, v = x'Vx and, for the l-th death at t, μ = E x over its risk set, the trace is
///
///   Σ_i x_im (ω_i v_i − 2 e^η_i x_i' Σ_{t at risk} V μ dΛ_t) − Σ_deaths w (E[v] μ_m − 2 μ_m μ'Vμ)
///
/// where ω_i are the deaths expected of patient i: no third moments are stored. Profiles keep |I| of all columns, as Heinze
/// and Schemper do. A design of one feature pair and few covariates is faster in pair_cox_firth.
///
/// Shapes   results n_columns; on the original scale of the columns
/// Throws   ShapeError when the level does not lie between 0 and 1
/// Cost     6 to 15 steps, each as cox_terms and n (p² + 4 p); profiles 10 to 40 such steps a column
/// Threads  over fixed blocks of patients, summed in block order: equal for any thread count
/// Source   Firth 1993, Biometrika 80:27; Heinze and Schemper 2001, Biometrics 57:114
/// Oracle   maximum and profiles of l* by R's optim over survival's coxph, tests/oracle/cox_penalised.R
CoxFirthFit cox_firth(const CoxDesign& design, const CoxFirthOptions& options = {});

}  // namespace chorale::kernels
