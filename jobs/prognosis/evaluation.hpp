// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <span>
#include <string>
#include <vector>

#include "jobs/prognosis/design.hpp"
#include "kernels/baseline_hazard.hpp"
#include "kernels/calibration.hpp"
#include "kernels/concordance.hpp"
#include "kernels/risk_order.hpp"
#include "kernels/timeline.hpp"

namespace chorale::jobs::prognosis {

/// A number that says how well a model predicts.
struct Measure {
  enum class Kind { harrell_c, uno_c, auc, brier, integrated_brier, calibration_slope };
  Kind kind = Kind::harrell_c;
  double horizon =
      kernels::missing;  ///< days; of the integral its end, of Uno's C the last death that counts
};
std::string_view name_of(Measure::Kind kind);

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

/// How well linear predictors and the baseline hazard behind them predict what happened to patients. Made once; scoring is
/// pure.
class Evaluation {
 public:
  /// `strict`: a timeline with the model's strata, `pooled` the same without; taken (n_patients)
  Evaluation(const Design& design, const kernels::Timeline& strict, const kernels::Timeline& pooled,
             std::span<const std::uint8_t> taken);

  /// What a config asks for, in the order of every list of scores.
  static std::vector<Measure> measures_of(const Design& design);
  const std::vector<Measure>& measures() const { return measures_; }
  const kernels::RiskOrder& order() const { return order_; }
  bool calibrates() const { return calibrates_; }
  Index n_groups() const { return n_groups_; }

  /// Buffers of one thread.
  struct Scratch {
    kernels::ConcordanceCounter counter;
    std::vector<double> survival, influence;
  };

  /// Baseline hazard of a model on those that it was made from.
  ///
  /// Shapes   eta, weight (n_patients)
  kernels::BaselineHazard hazard(std::span<const double> eta, std::span<const double> weight) const;

  /// Every measure, on patients of a weight above 0.
  ///
  /// Shapes   returns (n_measures)
  std::vector<Score> score(Scratch& scratch, std::span<const double> eta,
                           const kernels::BaselineHazard& hazard, std::span<const double> weight,
                           bool with_error = false) const;

  /// γ of each measure: of predictions that know nothing of the outcome.
  std::vector<double> no_information(Scratch& scratch, std::span<const double> eta,
                                     const kernels::BaselineHazard& hazard,
                                     std::span<const double> weight) const;

  /// Groups by predicted survival at each horizon, one horizon after the other.
  ///
  /// Shapes   returns (n_horizons · n_groups), or nothing when calibration is not measured
  std::vector<kernels::CalibrationGroup> calibration(Scratch& scratch, std::span<const double> eta,
                                                     const kernels::BaselineHazard& hazard,
                                                     std::span<const double> weight) const;
  /// The same with everybody in one group, whether or not calibration is measured.
  ///
  /// Shapes   returns (n_horizons)
  std::vector<kernels::CalibrationGroup> overall(Scratch& scratch, std::span<const double> eta,
                                                 const kernels::BaselineHazard& hazard,
                                                 std::span<const double> weight) const;

 private:
  std::vector<kernels::CalibrationGroup> grouped(Scratch& scratch, std::span<const double> eta,
                                                 const kernels::BaselineHazard& hazard,
                                                 std::span<const double> weight, Index n_groups) const;
  Score concordance(Scratch& scratch, const Measure& measure, std::span<const double> eta,
                    std::span<const double> weight, bool with_error) const;
  Score brier(Scratch& scratch, const Measure& measure, std::span<const double> eta,
              const kernels::BaselineHazard& hazard, std::span<const double> weight) const;

  std::vector<Measure> measures_;
  std::vector<double> horizons_, integration_;
  kernels::Ties ties_;
  kernels::RiskOrder order_, pooled_;
  bool calibrates_;
  Index n_groups_;
  double confidence_;
};

}  // namespace chorale::jobs::prognosis
