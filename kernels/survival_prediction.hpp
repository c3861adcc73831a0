// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "kernels/cox.hpp"
#include "kernels/kaplan_meier.hpp"

namespace chorale::kernels {

enum class PredictionVerdict : std::int8_t {
  predicted,
  no_events,  ///< nobody died: survival 1, without error
  no_maximum  ///< the fit has verdict monotone or not_converged: everything is NaN
};
std::string_view name_of(PredictionVerdict verdict);

/// What a Cox model says of one person at one time. NaN where a covariate is missing.
struct PredictedSurvival {
  double hazard = missing;  ///< gathered up to the time
  double se = missing;      ///< of the hazard, which is that of log survival
  double survival = missing;
  double lower = missing,
         upper = missing;  ///< limits of the survival; NaN where the scale has none, see km_limits
};

/// One row per event time of the person's stratum, ascending.
struct PredictedCurve {
  std::vector<double> time;  ///< days
  std::vector<PredictedSurvival> at;
};

/// Whose survival is asked for; offset and stratum where the model has them.
struct NewPatient {
  std::span<const double> x;  ///< n_columns, as in the design
  double offset = 0;
  Index stratum = 0;
};

/// Survival that a Cox model predicts for given covariates, with the errors of baseline and coefficients.
///
///   Λ(t | x) = e^η Σ_{t_k <= t} dΛ_k,   dΛ_k = (W/d) Σ_l 1/S_l,   S_l = S0 − (l/d) D0,  Breslow: l = 0
///   var Λ = e^2η (Σ_k (W/d) Σ_l 1/S_l² + q' V q),   q = Σ_k (W/d) Σ_l (x − x̄_l)/S_l
///
/// in which V is the fit's covariance: put robust_variance into a copy of the fit for errors that follow it. After
/// the last event time of a stratum everything stays what it is there. The fit may be one of cox_firth or with a ridge.
///
/// Shapes   fit = cox_fit(design) with the same ties; nothing of the arguments is referred to
/// Throws   ShapeError when the fit does not belong to the design or the level does not lie between 0 and 1
/// Cost     as cox_terms and n_times · p numbers; a person at a time p²
/// Threads  over patients in at(); equal for any thread count
/// Source   Tsiatis 1981, Ann Stat 9:93; Link 1984, Biometrics 40:601; Efron's ties as Therneau and Grambsch 2000
/// Oracle   R survival 3.5.3 survfit(coxph, newdata), tests/oracle/survival_prediction.R
class SurvivalPrediction {
 public:
  SurvivalPrediction(const CoxDesign& design, const CoxFit& fit, Ties ties,
                     ConfOptions conf = {.type = ConfType::log});

  PredictionVerdict verdict() const { return verdict_; }

  /// Throws ShapeError when x is not n_columns long or there is no such stratum.
  PredictedCurve curve(const NewPatient& patient) const;

  /// Shapes   patients (n, n_columns) column by column with their offsets or none; stratum (n) or empty: NaN for -1, not
  ///          known, and for those that nobody in the model has; horizon in days; predicted (n)
  /// Throws   ShapeError when sizes differ or a stratum is out of range
  void at(const CoxColumns& patients, std::span<const std::int32_t> stratum, double horizon,
          std::span<PredictedSurvival> predicted) const;

 private:
  /// Covariates on the scaled columns and the linear predictor.
  struct Scaled {
    std::vector<double> x;
    double predictor;
  };
  Scaled scaled(const NewPatient& patient) const;
  PredictedSurvival predict(const Scaled& patient, Index time) const;  ///< time -1: before the first
  void check_stratum(Index stratum) const;

  PredictionVerdict verdict_ = PredictionVerdict::predicted;
  ConfOptions conf_;
  double z_;
  double offset_centre_ = 0;
  std::vector<double> time_;
  std::vector<Index> stratum_begin_;
  std::vector<double> hazard_, variance_;  ///< gathered, per event time, of who has the mean covariates
  std::vector<double> mean_;               ///< per event time n_columns, Σ (W/d) Σ_l x̄_l / S_l gathered
  std::vector<double> beta_, centre_, scale_;
  std::vector<double> covariance_;  ///< n_columns x n_columns, on the scaled columns
};

}  // namespace chorale::kernels
