// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "kernels/cox.hpp"

namespace chorale::kernels {

// What all of these share.
//
// Shapes   fit = cox_fit(design) with the same ties; per-patient results as martingale_residuals: NaN for who is not in the
//          model, and everywhere where the fit has verdict monotone or not_converged; 0 where nobody dies. Matrices are
//          column by column: column j is values[j * n … (j + 1) * n - 1], n = n_patients of the design
// Throws   ShapeError when a span or the fit's coefficients do not fit the design
// Threads  over columns, equal for any thread count
// Oracle   R survival 3.5.3 residuals.coxph, tests/oracle/cox_residuals.R

/// Deviance residuals: martingale residuals made about symmetric.
///
///   sign(M) sqrt(−2 (M + δ log(δ − M)))
///
/// Cost     as cox_terms
/// Source   Therneau, Grambsch, Fleming 1990, Biometrika 77:147
void deviance_residuals(const CoxDesign& design, const CoxFit& fit, Ties ties, std::span<double> residuals);

/// Score residuals: each patient's share of the gradient at the fit, unweighted.
///
///   U_i = δ_i (x_i − x̄(t_i)) − e^η_i Σ_{t : i at risk} (W/d) Σ_{l<d} (1 − [i dies at t] l/d) (x_i − x̄_l) / S_l,
///   S_l = S0 − (l/d) D0,  x̄_l = (S1 − (l/d) D1) / S_l,  x̄ their mean over l;  Breslow: l = 0
///
/// Σ_i w_i U_i is the gradient: 0 at the maximum.
///
/// Shapes   residuals (n_patients, n_columns)
/// Cost     n p
void score_residuals(const CoxDesign& design, const CoxFit& fit, Ties ties, std::span<double> residuals);

/// How much a patient moves each coefficient: about the fit with them less the fit without.
enum class DfbetaScale {
  coefficient,    ///< w_i U_i V, V the fit's covariance
  standard_error  ///< the same in standard errors: dfbetas
};

/// Shapes   residuals (n_patients, n_columns); 0 for aliased columns
/// Cost     n p²
void dfbeta_residuals(const CoxDesign& design, const CoxFit& fit, Ties ties, DfbetaScale scale,
                      std::span<double> residuals);

/// Schoenfeld residuals, a row for each death: by stratum, time and patient.
struct SchoenfeldResiduals {
  std::vector<std::int32_t> patient;  ///< n_deaths
  std::vector<double> time;           ///< n_deaths, days
  std::vector<double> values;         ///< (n_deaths, n_columns), column by column: x_i − x̄(t_i)
};

/// scaled: n_deaths · values V + β, whose mean over time follows β(t) where hazards are not proportional; columns that are
/// aliased become 0.
///
/// Cost     n p
/// Source   Schoenfeld 1982, Biometrika 69:239; Grambsch and Therneau 1994, Biometrika 81:515
SchoenfeldResiduals schoenfeld_residuals(const CoxDesign& design, const CoxFit& fit, Ties ties,
                                         bool scaled = false);

/// Sandwich covariance of the coefficients.
///
///   V (Σ_c u_c u_c') V,   u_c = Σ_{i in cluster c} w_i U_i;   without clusters each patient is one
///
/// Shapes   cluster (n_patients), codes from 0, or empty
/// Throws   ShapeError also when the code of a patient in the model is negative
/// Cost     n (p² / 2 + 8 p)
/// Source   Lin and Wei 1989, J Am Stat Assoc 84:1074
/// Oracle   R survival 3.5.3 coxph(robust = TRUE, cluster = )
struct RobustVariance {
  std::vector<double> covariance;  ///< (n_columns, n_columns); NaN where the fit has no maximum
  Index n_clusters = 0;            ///< with a patient in the model
};
RobustVariance robust_variance(const CoxDesign& design, const CoxFit& fit, Ties ties,
                               std::span<const std::int32_t> cluster = {});

/// Sums over the rows of a cluster: residuals or influences by person, where a person has several rows.
///
/// Shapes   values (n, k) column by column, NaN = takes no part; cluster (n) codes 0 … n_clusters - 1; returns
///          (n_clusters, k), NaN for clusters no row of which takes part
/// Throws   ShapeError when sizes differ or a code is out of range
/// Cost     n k
/// Oracle   R survival 3.5.3 residuals(collapse = ), tests/oracle/start_stop.R
std::vector<double> sums_by_cluster(std::span<const double> values, std::span<const std::int32_t> cluster,
                                    Index n_clusters);

}  // namespace chorale::kernels
