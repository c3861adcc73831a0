// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <span>
#include <vector>

#include "kernels/censoring.hpp"
#include "kernels/sample_rows.hpp"
#include "kernels/two_group.hpp"

namespace chorale::kernels {

struct TimeAuc {
  HorizonVerdict verdict = HorizonVerdict::nobody;
  double horizon = missing;  ///< days
  double auc = missing;      ///< NaN unless computed
};

/// Area under the ROC curve of a risk score for death by a horizon h, cumulative cases against dynamic controls.
///
///   AUC(h) = Σ_ij a_i b_j (1{r_i > r_j} + ½ 1{r_i = r_j}) / (Σ a Σ b)
///   cases died by h, a_i = w_i / G(t_i−);  controls live on, b_j = w_j / G(h);  G as in censoring.hpp
///
/// Cases are compared with controls of all strata, each with the censoring of their own.
///
/// Shapes   risk (n_patients), higher = dies earlier, NaN leaves the patient out; weight (n_patients) or empty; horizons
///          in days, any order
/// Throws   ShapeError when lengths differ, a risk is infinite, a weight negative, or patients enter late
/// Cost     ranks once, then a pass over the patients for each horizon
/// Threads  none
/// Source   Uno, Cai, Tian, Wei 2007, J Am Stat Assoc 102:527; as timeROC's first definition of controls
/// Oracle   the formula pair by pair in R, tests/oracle/brier.R
std::vector<TimeAuc> time_auc(const RiskOrder& order, std::span<const double> risk,
                              std::span<const double> horizons, std::span<const double> weight);

/// The same of one prediction on sample after sample, in arrays that it keeps.
///
/// Shapes   areas as horizons
/// Cost     a pass over the patients for each horizon
class SampleAuc {
 public:
  void areas(const RiskOrder& order, const PredictionRows& prediction, const SampleRows& sample,
             std::span<const double> horizons, std::span<TimeAuc> areas);

 private:
  std::vector<double> cases_, controls_;
};

}  // namespace chorale::kernels
