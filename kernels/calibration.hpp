// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <span>
#include <vector>

#include "kernels/cox.hpp"
#include "kernels/kaplan_meier.hpp"
#include "kernels/risk_order.hpp"
#include "kernels/sample_rows.hpp"

namespace chorale::kernels {

struct CalibrationSlope {
  CoxVerdict verdict = CoxVerdict::no_events;  ///< singular where all linear predictors are equal
  double slope = missing;  ///< 1 where predictions are as far apart as outcomes; below, too far
  double se = missing;
  Index n_analysed = 0;
  Index n_events = 0;
  Index n_missing = 0;  ///< left out because their linear predictor is NaN
};

/// Cox regression of survival on a linear predictor, as cox_fit of that one column, for replicates that differ in
/// weights.
///
/// Shapes   linear_predictor (n_patients), NaN leaves the patient out; weight (n_patients) or empty, see row_weights;
///          Efron's shares count patients with a weight above 0, as in CoxTerms
/// Throws   ShapeError when lengths differ, a linear predictor is infinite or a weight negative
/// Cost     4 to 6 passes over the patients with an exp each
/// Threads  none
/// Source   van Houwelingen 2000, Stat Med 19:3401
/// Oracle   R survival 3.5.3 coxph, tests/oracle/brier.R; cox_fit
CalibrationSlope calibration_slope(const RiskOrder& order, std::span<const double> linear_predictor,
                                   std::span<const double> weight, Ties ties);

struct CalibrationGroup {
  Index n = 0;                 ///< patients with a weight above 0
  double weight = 0;           ///< their sum
  double events = 0;           ///< weight of those who die by the horizon
  double predicted = missing;  ///< weighted mean of the predictions
  double observed =
      missing;  ///< Kaplan-Meier at the horizon; NaN, with what follows, beyond the group's last follow-up
  double se = missing, lower = missing, upper = missing;
};

/// Survival observed and predicted at a horizon, in groups of about equal weight by prediction, the worst first.
///
///   group of a patient = ⌊n_groups · (weight below + ½ weight at their prediction) / weight of all⌋
///
/// so that equal predictions share a group; groups may be empty. observed, se and limits as kaplan_meier has them.
///
/// Shapes   survival (n_patients), NaN leaves the patient out; weight as above; horizon in days
/// Throws   ShapeError as above, when n_groups is below 1, or when the order has strata: curves pool them, so give an order
///          made without
/// Cost     ranks by counting sort and one pass over the patients
/// Threads  none
/// Oracle   R survival 3.5.3 survfit by group, tests/oracle/brier.R
std::vector<CalibrationGroup> calibration_groups(const RiskOrder& order, std::span<const double> survival,
                                                 double horizon, std::span<const double> weight,
                                                 Index n_groups, ConfOptions conf = {});

/// The same groups of one prediction on sample after sample, without events and errors, from the prediction's own order.
/// Keeps its arrays: one object per thread.
///
/// Shapes   order of one stratum; survival (n_rows), descending as the prediction ascends; found (n_groups)
/// Throws   ShapeError when sizes differ or the order has strata
/// Cost     two passes over the patients, 19 µs for 5,000 on one core
/// Threads  none
/// Oracle   calibration_groups()
class SampleCalibration {
 public:
  void groups(const RiskOrder& order, const PredictionRows& prediction, const SampleRows& sample,
              std::span<const double> survival, double horizon, std::span<CalibrationGroup> found);

 private:
  void part(const PredictionRows& prediction, const SampleRows& sample, std::span<const double> survival,
            std::span<CalibrationGroup> found);

  std::vector<double> below_;               // n_rows + 1, weight of those with a worse prediction, by place
  std::vector<std::int32_t> group_;         // n_rows
  std::vector<double> at_risk_, observed_;  // n_groups
};

}  // namespace chorale::kernels
