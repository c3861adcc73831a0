// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <cstdint>
#include <span>

#include "kernels/cox.hpp"

namespace chorale::kernels {

/// What an integer weight means to Efron's ties; without ties, and to Breslow's, both are the same.
enum class Resample : std::int8_t {
  rows,    ///< w copies of a row that tie with each other: a table of resampled rows
  weights  ///< one row of w times the case weight: R's coxph(weights =), rows of weight 0 dropped
};

/// Missing values that each replicate fills anew, with what it learned from its own patients. A column holds 0 where
/// its value is missing; its gap column, a column of the same design that others may share, such as the levels of
/// one category, holds 1 there and 0 elsewhere. In replicate r
///
///   x_j + Σ_k f_rk gap_k,   k over the fills of column j,
///
/// stands in place of x_j, so that gap columns have no coefficients of their own: β_gap = Σ_k f_rk β_column(k).
struct CoxFills {
  std::span<const Index> column;      ///< n_fills, columns of the design
  std::span<const Index> gap;         ///< n_fills, the gap column of each
  std::span<const double> value;      ///< n_replicates x n_fills, f
  std::span<const double> full_fill;  ///< n_fills, with which the fit of the full data was made
};

struct CoxBootstrapOptions {
  Ties ties = Ties::efron;
  Resample resample = Resample::rows;
  int max_iterations = 60;
  CoxFills fills = {};
};

struct CoxReplicate {
  CoxVerdict verdict = CoxVerdict::no_events;
  bool alone = false;            ///< fitted apart by cox_fit, see below
  int iterations = 0;            ///< passes over the patients
  Index n_events = 0;            ///< each copy counts
  double loglik_null = missing;  ///< at 0
  double loglik = missing;
};

/// Cox fits of many bootstrap replicates: case weight times copies, the patients themselves stay where they are.
///
///   l(β) = Σ_deaths w η − Σ_t (W_t/d_t) Σ_{l<d_t} log(S0 − (l/d_t) D0),   w = case weight · copies
///   d_t = Σ copies of those who die at t (Resample::rows), or how many of them have a copy (weights)
///
/// 64 replicates side by side, one per lane, walk the cohort once a step: the sums over the risk set, serial along
/// patients, are vectors across replicates. A step is the gradient times the inverse information of the full
/// data, bent towards the replicate's own by the steps so far (BFGS), so it costs n p, not n p². The first four
/// passes take risks in single precision and their sums in double, the fifth is double throughout; up to two more
/// in single precision look along its step, far enough to tell the curvature there, and mend the step; whatever is
/// still to go goes in double. With λ² = gradient' inverse gradient, in standard errors: a replicate ends when λ, or
/// what the mended step leaves of it, times the slowest contraction so far, its next step, is below 1e-9. It is
/// fitted alone by cox_fit, from 0, on its rows written out, where a step
/// fails to halve λ (few events, monotone likelihood), where a column that few patients tell from the others has
/// lost half of what tells it (it may be aliased), and where `full` has no finite coefficients.
///
/// With fills the walked columns are filled as in the full data, and gap columns beside them carry what the
/// replicate's value is beyond that; where this changes the information by more than 4 % the steps begin with the
/// replicate's own, and where a column loses half of what tells it the replicate is fitted alone.
///
/// Shapes   copies (n_patients of the design, n_replicates), as bootstrap_weights; fits (n_replicates);
///          beta (n_replicates, n_columns), as CoxFit::beta: NaN where aliased or not fitted, ± infinity where
///          monotone; full = cox_fit(design) with the same ties. With fills: full = cox_fit of the design's columns
///          without gap columns, gaps filled by full_fill; beta of gap columns is Σ_k f_rk β_column(k), without
///          those that are NaN, so that linear_predictors of the design's columns fills their gaps
/// Throws   ShapeError when sizes differ, a fill names no column, fills a gap column or has a value that is not finite
/// Cost     per replicate about 7 passes of n (2p FMA and a short series), one of them in double, the others at half
///          the price: 0.5 ms for 100,000 patients and 20 columns on one core (v4), of which a call's own share is
///          6 ms, so hand in hundreds of replicates; 12 p bytes a patient beside the design, 20 p with fills
/// Threads  over blocks of 64 replicates, which those that need more passes than the others leave to go on together; a
///          replicate's numbers do not depend on those beside it
/// Source   Efron 1979; Efron 1977 for ties; Nocedal 1980 for the steps
/// Oracle   cox_fit on the rows written out; R survival 3.5.3 with weights and on resampled rows,
///          tests/oracle/cox_bootstrap.R
void cox_bootstrap(const CoxDesign& design, const CoxFit& full, std::span<const std::uint8_t> copies,
                   const CoxBootstrapOptions& options, std::span<CoxReplicate> fits, std::span<double> beta);

}  // namespace chorale::kernels
