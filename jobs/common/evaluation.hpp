// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kernels/baseline_hazard.hpp"
#include "kernels/calibration.hpp"
#include "kernels/concordance.hpp"
#include "kernels/risk_order.hpp"
#include "kernels/timeline.hpp"

namespace chorale::jobs {

/// A number that says how well a model predicts.
struct Measure {
  enum class Kind { harrell_c, uno_c, auc, brier, integrated_brier, calibration_slope };
  Kind kind = Kind::harrell_c;
  double horizon =
      kernels::missing;  ///< days; of the integral its end, of Uno's C the last death that counts
};
std::string_view name_of(Measure::Kind kind);

/// A linear predictor to the nearest multiple of 2^-36. Sums of the same values in another order, or by another
/// instruction level, differ in their last bits; so predictions that are equal are tied, and cut points part a cohort in
/// the same way wherever it is scored.
double without_rounding(double eta);

/// A measure's value, and why there is none.
struct Score {
  double value = kernels::missing;
  double se = kernels::missing;
  std::string trouble;

  template <class Archive>
  void serialize(Archive& archive, unsigned) {
    archive& value& se& trouble;
  }
};

/// What is measured, and how.
struct EvaluationOptions {
  std::vector<std::string> measures;  ///< of evaluation_words
  std::vector<double> horizons;       ///< days, ascending, at least one
  Index integration_points = 20, calibration_groups = 10;
  double confidence = 0.95;
  kernels::Ties ties = kernels::Ties::efron;

  bool asks_for(std::string_view word) const;
};
/// Words of `measures`; "calibration" asks for the slope and for groups.
inline const std::vector<std::string> evaluation_words{"harrell_c",        "uno_c",      "auc", "brier",
                                                       "integrated_brier", "calibration"};
/// Every measure of these words, in the order of every list of scores.
std::vector<Measure> measures_of(const EvaluationOptions& options);

/// A baseline hazard at the times that an evaluation looks at.
struct HazardAtTimes {
  double centre = 0;
  std::vector<double> horizon;      ///< (n_horizons, n_strata), gathered by each horizon
  std::vector<double> integration;  ///< (n_points, n_strata), by each point of the integral
};

/// How well linear predictors and the baseline hazard behind them predict what happened to patients. Made once; scoring is
/// pure.
class Evaluation {
 public:
  /// `strict`: a timeline with the model's strata, `pooled` the same without; taken (n_patients)
  Evaluation(const EvaluationOptions& options, const kernels::Timeline& strict,
             const kernels::Timeline& pooled, std::span<const std::uint8_t> taken);

  const std::vector<Measure>& measures() const { return measures_; }
  const kernels::RiskOrder& order() const { return order_; }

  /// Buffers of one thread.
  struct Scratch {
    kernels::ConcordanceCounter counter;
    std::vector<double> survival, influence;
  };

  /// Baseline hazard of a model on those that it was made from.
  ///
  /// Shapes   eta, weight (n_patients)
  kernels::BaselineHazard hazard(std::span<const double> eta, std::span<const double> weight) const;
  /// A hazard at the times that this evaluation looks at.
  HazardAtTimes at_times(const kernels::BaselineHazard& hazard) const;
  /// The same from `gathered(stratum, days)`.
  HazardAtTimes at_times(double centre, const std::function<double(Index, double)>& gathered) const;

  /// Every measure, on patients of a weight above 0.
  ///
  /// Shapes   returns (n_measures)
  std::vector<Score> score(Scratch& scratch, std::span<const double> eta, const HazardAtTimes& hazard,
                           std::span<const double> weight, bool with_error = false) const;

  /// γ of each measure: of predictions that know nothing of the outcome.
  std::vector<double> no_information(Scratch& scratch, std::span<const double> eta,
                                     const HazardAtTimes& hazard, std::span<const double> weight) const;

  /// Groups by predicted survival at each horizon, one horizon after the other.
  ///
  /// Shapes   returns (n_horizons · n_groups), or nothing when calibration is not measured
  std::vector<kernels::CalibrationGroup> calibration(Scratch& scratch, std::span<const double> eta,
                                                     const HazardAtTimes& hazard,
                                                     std::span<const double> weight) const;
  /// The same with everybody in one group, whether or not calibration is measured.
  ///
  /// Shapes   returns (n_horizons)
  std::vector<kernels::CalibrationGroup> overall(Scratch& scratch, std::span<const double> eta,
                                                 const HazardAtTimes& hazard,
                                                 std::span<const double> weight) const;

 private:
  std::vector<kernels::CalibrationGroup> grouped(Scratch& scratch, std::span<const double> eta,
                                                 const HazardAtTimes& hazard, std::span<const double> weight,
                                                 Index n_groups) const;
  Score concordance(Scratch& scratch, const Measure& measure, std::span<const double> eta,
                    std::span<const double> weight, bool with_error) const;
  std::span<const double> gathered_by(const HazardAtTimes& hazard, std::size_t horizon) const;
  Score brier(Scratch& scratch, const Measure& measure, std::span<const double> eta,
              const HazardAtTimes& hazard, std::span<const double> weight) const;

  EvaluationOptions options_;
  std::vector<Measure> measures_;
  std::vector<double> integration_;
  kernels::RiskOrder order_, pooled_;
};

}  // namespace chorale::jobs
