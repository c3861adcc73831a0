// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "kernels/timeline.hpp"
#include "kernels/two_group.hpp"
#include "kernels/types.hpp"

namespace chorale::kernels {

/// Columns of n patients: the dense ones first, then the sparse ones.
struct CoxPathColumns {
  std::span<const double> dense;  ///< column j is dense[j * n … (j + 1) * n - 1]; NaN = missing
  Index n_dense = 0;
  CarrierLists sparse;             ///< 1 for the patients listed (ascending), 0 for the others
  std::span<const double> offset;  ///< n, added to the linear predictor, NaN = missing; empty: 0
};

struct CoxPathData;  // kernels/cox_path_rows.hpp

/// Patients and columns, sorted once for any number of paths. Patients leave who are not analysed by the
/// timeline, not tested, or miss a dense column or the offset. Copies share the data.
struct CoxPathDesign {
  Index n_patients = 0;  ///< in the cohort
  Index n_columns = 0;   ///< dense and sparse
  Index n_analysed = 0;
  Index n_events = 0;
  Index n_missing_covariate = 0;  ///< tested and outcome known, but a dense column or the offset is missing
  std::shared_ptr<const CoxPathData> data;
};

/// Throws   ShapeError when lengths differ, carriers are not ascending patient indices, or a value is infinite
/// Cost     two passes over the dense columns, one over the carriers; keeps n n_dense doubles
CoxPathDesign make_cox_path_design(const Timeline& timeline, const CoxPathColumns& columns,
                                   std::span<const std::uint8_t> tested = {});

struct CoxPathOptions {
  Ties ties = Ties::breslow;  ///< glmnet's
  double alpha = 1;           ///< 1 lasso, 0 ridge
  bool standardise = true;
  std::span<const double> lambda = {};  ///< falling; empty: glmnet's sequence, with its stopping rules
  Index n_lambda = 100;                 ///< of glmnet's sequence
  double lambda_min_ratio = 0;          ///< 0: 1e-4 where patients >= columns, else 0.01
  std::span<const double> penalty_factor = {};  ///< n_columns, >= 0, infinite = left out; empty: all 1
  std::span<const double> weight = {};          ///< n_patients, >= 0, times the timeline's; empty: all 1
  Index max_nonzero = 0;                        ///< a path ends behind more; 0: no limit (glmnet's dfmax)
  Index max_ever_nonzero = 0;                   ///< a path ends before more; 0: no limit (glmnet's pmax)
  bool stop_early = false;                      ///< a given sequence ends by glmnet's stopping rules too
  Index stop_after_worse = 0;  ///< ends where −2 l + criterion_per_nonzero · n_nonzero has not been below
                               ///< its least for so many lambdas; 0: not by that
  double criterion_per_nonzero = 0;  ///< log of the events: BIC; 2: AIC
};

enum class CoxPathVerdict : std::int8_t {
  complete,           ///< every lambda that was asked for
  little_gained,      ///< deviance explained grew by less than 0.1 % over four lambdas
  explained,          ///< more than 0.99 of the deviance is explained
  many_nonzero,       ///< max_nonzero or max_ever_nonzero
  not_converged,      ///< the lambdas before are right
  no_events,          ///< or all of them weigh 0
  nothing_penalised,  ///< no column left to choose the sequence by
  criterion_passed    ///< stop_after_worse
};
std::string_view name_of(CoxPathVerdict verdict);

struct CoxPath {
  CoxPathVerdict verdict = CoxPathVerdict::no_events;
  Index n_columns = 0;
  Index n_analysed = 0;  ///< weighing more than 0
  Index n_events = 0;
  std::vector<double> lambda;
  std::vector<double> beta;       ///< lambdas x n_columns, log hazard ratios on the original scale
  std::vector<double> loglik;     ///< per lambda, with weights as given
  std::vector<double> dev_ratio;  ///< (loglik − loglik_null) / (loglik_saturated − loglik_null)
  std::vector<Index> n_nonzero;   ///< per lambda
  std::vector<Index> constant;    ///< columns without two values among the analysed; their beta is 0
  double loglik_null = missing;   ///< at 0
  double loglik_saturated = missing;
  Index n_evaluations = 0;  ///< walks over the patients

  Index n_lambda() const { return static_cast<Index>(lambda.size()); }
  std::span<const double> beta_at(Index k) const {
    return std::span(beta).subspan(static_cast<std::size_t>(k * n_columns),
                                   static_cast<std::size_t>(n_columns));
  }
};

/// Elastic-net Cox regression along falling penalties: what glmnet 4.1 optimises for family = "cox".
///
///   minimise  −l(β)/W + λ Σ_j v_j (α |s_j β_j| + (1 − α)/2 (s_j β_j)²),      W = Σ w
///   l   log partial likelihood (Breslow as glmnet, or Efron) with strata, left truncation, offsets, case weights
///   s_j standard deviation of column j, √(Σ w (x − x̄)²/W) over all analysed; 1 with standardise = false
///   v_j penalty factors, rescaled to sum to n_columns (an infinite one leaves its column out and counts as 1)
///   λ   from λ_max = max_j |∂l/∂β_j| / (s_j W v_j max(α, 0.001)), where only columns with v_j = 0 are fitted, down to
///       lambda_min_ratio λ_max, even on the log scale. The first coefficients of this sequence are those of an
///       infinite λ, which matters for α = 0 alone. It ends early by `CoxPathVerdict`, after five lambdas at least.
///
/// Newton's method with an exact gradient, for eight lambdas at a time: their linear predictors are eight lanes of one
/// walk over the patients, and start where a quadratic model expects them. The model is minimised by coordinate descent
/// on the columns that may be nonzero (a slope of 0.8 of its bound, or any before). Columns left out are checked at
/// the end of each eight and enter where they violate |∂| <= λ α v, so that screening never decides. A step that would
/// raise the objective is halved, none is longer than 3 in log hazard.
///
/// Only the gradient has to be exact; curvature is cheap where it can be: one matrix at the first and one at the last of
/// eight lambdas, linear between them, event times pooled beyond 256; rows and columns of a sparse column multiplied by
/// √(its carriers' expected deaths here / there), which each lane knows from its slope.
///
/// The last step is below 1e-6 (log hazard per about a standard deviation of a dense column, per carrier of a sparse
/// one), and what a further one would move, judged by the one before, below 2e-8. A log hazard beyond 20 in these units,
/// as where a column without penalty separates the dead, ends the path as not_converged.
///
/// glmnet 4.1 itself stops where its objective changes by less than 1e-7 of the null deviance, 1e-4 to 1e-2 away in
/// coefficients at 100,000 patients; with thresh = 1e-14 it agrees to 2e-8 (dense) and 2e-5 (carriers of rare genes).
/// It sorts deaths before censorings of the same day by 2e-14 days, which is lost beyond day 100: there its risk sets
/// depend on the order of rows, and λ_max with them (3e-6 relative); ours are those of coxph.
///
/// Shapes   as the structs say
/// Throws   ShapeError when lengths differ, a weight or penalty factor is negative or NaN, a lambda is negative or above
///          the one before, α lies outside [0, 1], or there is no sequence of lambdas to follow
/// Cost     100,000 patients on a Zen 5 core, glmnet's sequence to its end: 0.22 s for 200 dense columns with bootstrap
///          weights (64 lambdas, 24 walks, 2 matrices of all columns; 100 MB of working copy), 0.22 s for 14 dense and
///          500 sparse (69 lambdas, 35 walks). A walk costs active + asked columns, a sparse one its carriers
/// Threads  one: run the paths of replicates or folds side by side
/// Source   Simon, Friedman, Hastie, Tibshirani 2011, J Stat Softw 39(5); screening and check as Tibshirani et al. 2012
/// Oracle   kernels/reference/cox_path.cpp; R glmnet 4.1-6, tests/oracle/cox_path.R
CoxPath cox_path(const CoxPathDesign& design, const CoxPathOptions& options = {});

/// Log partial likelihood at given coefficients (n_columns each, any number one after the other), with the weights as
/// cox_path takes them: what cross-validation compares.
///
/// Throws   ShapeError as cox_path, and when beta is not a whole number of coefficient vectors
std::vector<double> cox_path_loglik(const CoxPathDesign& design, std::span<const double> beta, Ties ties,
                                    std::span<const double> weight = {});

}  // namespace chorale::kernels
