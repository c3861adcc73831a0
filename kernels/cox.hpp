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

/// Dense covariates of n patients: column j is values[j * n … (j + 1) * n - 1]; NaN = missing.
struct CoxColumns {
  std::span<const double> values;
  Index n_columns = 0;
  std::span<const double> offset;  ///< n, added to the linear predictor, NaN = missing; empty: 0
};

struct CoxRows;  // kernels/cox_rows.hpp

/// The patients of one model, copied once in the order that the fits walk them; columns are centred and
/// scaled inside, results are on the original scale. Patients leave who are not analysed by the timeline, not
/// tested, or miss a covariate. Copies share the rows; nothing of the timeline is referred to.
struct CoxDesign {
  Index n_patients = 0;  ///< in the cohort
  Index n_columns = 0;
  Index n_analysed = 0;
  Index n_events = 0;
  Index n_missing_covariate = 0;  ///< tested and outcome known, but a column or the offset is missing
  std::shared_ptr<const CoxRows> rows;
};

/// Throws   ShapeError when the columns or the mask do not have n_patients rows, or a value is infinite
/// Cost     one pass over the patients per column
CoxDesign make_cox_design(const Timeline& timeline, const CoxColumns& columns,
                          std::span<const std::uint8_t> tested = {});

/// Log partial likelihood with its derivatives, on the original scale of the columns.
struct CoxTerms {
  double loglik = 0;
  std::vector<double> gradient;     ///< n_columns
  std::vector<double> information;  ///< n_columns x n_columns, minus the second derivative
};

///   l(β) = Σ_deaths w η − Σ_t (W_t/d_t) Σ_{l<d_t} log(S0 − (l/d_t) D0),   η = z'β + offset,
///   S0 = Σ_{at risk} w e^η,   D0 = Σ_{dying at t} w e^η,   Breslow: l = 0
///
/// Shapes   beta (n_columns)
/// Throws   ShapeError when beta is not n_columns long
/// Cost     n (p²/2 + 2p + one exp) + T p², T event times; two walks over the columns
/// Threads  over fixed blocks of patients, summed in block order: equal for any thread count
/// Source   Cox 1972; Efron 1977; weights as in R's coxph
/// Oracle   kernels/reference/cox.cpp; R survival 3.5.3
CoxTerms cox_terms(const CoxDesign& design, std::span<const double> beta, Ties ties);

enum class CoxVerdict : std::int8_t {
  converged,
  no_events,
  monotone,  ///< the likelihood grows as some coefficients go to infinity: see `infinite`. loglik and the other
  ///< coefficients are those near the limit, or of where hazard ratios exceed what a number can hold
  singular,  ///< some columns follow from those before them, or never differ among those at risk together: see
             ///< `aliased`; the others are fitted
  not_converged  ///< the iterations ran out
};
std::string_view name_of(CoxVerdict verdict);

/// A penalty that draws coefficients towards 0: what is maximised is l(β) − ½ Σ_j θ_j β_j².
struct CoxRidge {
  std::span<const double> theta = {};  ///< >= 0; one for all columns, or one per column; empty: no penalty
  /// θ_j stands for θ_j times the variance of column j (divided by n − 1, without weights) among the patients
  /// analysed, so that no column's unit matters: R's ridge(scale = TRUE)
  bool by_variance = true;
};

struct CoxOptions {
  Ties ties = Ties::efron;
  int max_iterations = 60;
  std::span<const double> start = {};  ///< n_columns; empty: zeros
  CoxRidge ridge = {};
};

struct CoxFit {
  CoxVerdict verdict = CoxVerdict::no_events;
  Index n_analysed = 0;
  Index n_events = 0;
  std::vector<double> beta;  ///< n_columns; NaN where aliased, ± infinity where infinite
  std::vector<double>
      covariance;                ///< n_columns x n_columns, inverse information, with the ridge's where there
                                 ///< is one; 0 where aliased, as R; NaN where infinite
  std::vector<Index> aliased;    ///< columns that follow from those before them
  std::vector<Index> infinite;   ///< columns whose coefficient diverges
  double loglik_null = missing;  ///< at 0
  double loglik = missing;       ///< without the penalty
  double penalty = 0;            ///< ½ Σ θ_j β_j², which `loglik` less this maximises
  double df = missing;  ///< trace of I (I + Θ)⁻¹: the columns that are not aliased, less what a ridge takes;
                        ///< NaN where there is no maximum
  double score_chi2 = missing;  ///< score test at 0, without the penalty
  int iterations = 0;
};

/// Rows need not be patients: someone whose covariates change has a row for each interval (entry, time], with the event
/// on the last; see timeline.hpp.
///
/// With a ridge a column with θ_j > 0 has a finite coefficient whatever the others are, and copies share one.
///
/// Newton's method with step halving; the last step is below 1e-8 standard errors, the error about its square.
///
/// Throws   ShapeError when start is neither empty nor n_columns long, theta neither that nor one number, or one of
///          them negative or not finite
/// Cost     about 6 times cox_terms
/// Source   ridge: Verweij and van Houwelingen 1994, Stat Med 13:2427; df: Gray 1992, J Am Stat Assoc 87:942
/// Oracle   R survival 3.5.3 coxph with control = coxph.control(eps = 1e-14), tests/oracle/survival.R; with ridge(),
///          tests/oracle/cox_penalised.R
CoxFit cox_fit(const CoxDesign& design, const CoxOptions& options = {});

/// One 0/1 feature beside covariates.
struct AdjustedFit {
  Index n_analysed = 0;  ///< tested, outcome and covariates known
  Index n_events = 0;
  Index n_carriers = 0;
  Index n_carrier_events = 0;
  Verdict verdict = Verdict::no_events;
  double log_hazard = missing;  ///< carriers against others, covariates equal
  double se = missing;
  double z = missing;
  double loglik_null = missing;        ///< at 0 for everything
  double loglik_covariates = missing;  ///< covariates alone: 2 (loglik − this) is the feature's LR statistic
  double loglik = missing;
  std::vector<double> beta;  ///< n_columns, the covariates' coefficients; NaN where aliased
  int iterations = 0;
};

/// Cox fits of covariates and one feature at a time, for many features over the same tested patients.
///
/// Exact Newton on all coefficients together from the covariates' own fit. Sums over the risk set are those
/// of everyone plus (e^b − 1) times those of the carriers, so a feature's cross terms touch its carriers
/// only; the sums at the covariates' own fit are computed once and shared by the first step of all features.
///
/// Shapes   carriers as two_group (patient indices of the cohort); fits one per feature;
///          covariates = cox_fit(design) with the same ties
/// Throws   ShapeError when the lengths differ or an index is out of range
/// Cost     per feature 2 to 3 passes over the patients, each n (p²/2 + 2p + one exp)
/// Threads  over features, equal for any thread count
/// Oracle   cox_fit with the feature as a dense column; R survival 3.5.3
void adjusted_fits(const CoxDesign& design, const CoxFit& covariates, CarrierLists carriers, Ties ties,
                   std::span<AdjustedFit> fits);

}  // namespace chorale::kernels
