// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <span>
#include <vector>

#include "kernels/baseline_hazard.hpp"
#include "kernels/censoring.hpp"
#include "kernels/sample_rows.hpp"
#include "kernels/two_group.hpp"

namespace chorale::kernels {

struct BrierScore {
  HorizonVerdict verdict = HorizonVerdict::nobody;
  double horizon = missing;     ///< days
  double score = missing;       ///< 0 is perfect; NaN unless computed
  double null_score = missing;  ///< of Kaplan-Meier's S(h) for everybody of a stratum: S (1 − S)
  Index n_analysed = 0;         ///< with a weight above 0 and a prediction
  Index n_missing = 0;          ///< left out because their prediction is NaN
};

/// Brier score of survival predicted at a horizon h, with censoring weights.
///
///   BS(h) = Σ_i w_i [ S_i² 1{t_i <= h, died} / G(t_i−) + (1 − S_i)² 1{t_i > h} / G(h) ] / Σ_i w_i
///
/// G as in censoring.hpp: who dies on a day dies before others are censored on it. A death on day h counts as died, who is
/// censored on day h or before counts through the weights of others only.
///
/// Shapes   survival (n_patients), NaN leaves the patient out; weight (n_patients) or empty, see row_weights
/// Throws   ShapeError when lengths differ, a prediction is infinite, a weight negative, or patients enter late
/// Cost     three passes over the patients
/// Threads  none
/// Source   Graf, Schmoor, Sauerbrei, Schumacher 1999, Stat Med 18:2529
/// Oracle   the formula in R with survfit's curve of censoring, tests/oracle/brier.R
BrierScore brier_score(const RiskOrder& order, std::span<const double> survival, double horizon,
                       std::span<const double> weight);

/// The same, without the null score, of a sample in rows.
///
/// Shapes   survival (n_rows), none of them NaN
/// Cost     one pass over the patients in vectors
BrierScore brier_score(const RiskOrder& order, const SampleRows& sample, std::span<const double> survival,
                       double horizon);

/// exp(−Λ_s risk) of the rows of each stratum s.
///
/// Shapes   cumulative (n_strata), risk and survival (n_rows)
void survival_of_rows(const RiskOrder& order, std::span<const double> cumulative,
                      std::span<const double> risk, std::span<double> survival);

struct BrierCurve {
  std::vector<BrierScore> at;  ///< one per horizon
  /// ∫ BS(h) dh / (h_last − h_first) by trapezoids over the horizons; NaN with less than two of them, or where one was not
  /// computed
  double integrated = missing;
  double integrated_null = missing;
};

/// The score of exp(−Λ(h) e^(η − centre)) at many horizons.
///
/// Shapes   horizons ascending, in days; else as brier_score
/// Throws   as brier_score, and ShapeError when horizons do not ascend or the hazard belongs to another order
/// Cost     one exp and one pass a patient and horizon
BrierCurve brier_curve(const RiskOrder& order, const BaselineHazard& hazard,
                       std::span<const double> linear_predictor, std::span<const double> horizons,
                       std::span<const double> weight);

/// The same with a hazard from elsewhere.
///
/// Shapes   cumulative (n_horizons, n_strata), gathered by each horizon for a linear predictor equal to `centre`
/// Throws   as above, and ShapeError when there is not one hazard per horizon and stratum
BrierCurve brier_curve(const RiskOrder& order, double centre, std::span<const double> cumulative,
                       std::span<const double> linear_predictor, std::span<const double> horizons,
                       std::span<const double> weight);

/// ∫ BS(h) dh / (h_last − h_first) by trapezoids, as BrierCurve has it.
double brier_integral(std::span<const BrierScore> at);

}  // namespace chorale::kernels
