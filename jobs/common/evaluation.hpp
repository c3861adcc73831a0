// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <cmath>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kernels/baseline_hazard.hpp"
#include "kernels/brier.hpp"
#include "kernels/calibration.hpp"
#include "kernels/concordance.hpp"
#include "kernels/risk_order.hpp"
#include "kernels/sample_risks.hpp"
#include "kernels/sample_rows.hpp"
#include "kernels/time_auc.hpp"
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
/// Its name among others: with the horizon where a measure has one for each.
std::string key_of(const Measure& measure);

/// Why a measure that weighs by the distribution of censoring has no value.
inline constexpr const char* late_entry_trouble =
    "patients enter late, and weights for censoring do not know how";
/// How the concordance of a measure, Harrell's or Uno's, is counted.
kernels::ConcordanceOptions counting_of(const Measure& measure, bool with_error);
/// Why a concordance has no value; empty when it has.
std::string trouble_of(const kernels::Concordance& concordance);

/// A linear predictor to the nearest multiple of 2^-36. Sums of the same values in another order, or by another
/// instruction level, differ in their last bits; so predictions that are equal are tied, and cut points part a cohort in
/// the same way wherever it is scored.
inline double without_rounding(double eta) {
  constexpr double parts = 68719476736.0;       // 2^36: a thousand times what sums of some hundred terms lose
  constexpr double whole = 6755399441055744.0;  // 1.5 · 2^52, beside which nothing but whole numbers stands
  const double scaled = eta * parts;
  if (!(std::abs(scaled) < whole / 4)) return std::nearbyint(scaled) / parts;
  return (scaled + whole - whole) / parts;
}

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

  /// Patients with their weights, prepared to be measured on.
  struct Sample {
    std::vector<double> weight;  ///< (n_patients)
    kernels::SampleRows rows;    ///< nothing where patients enter late
  };
  /// Makes a sample of its weights.
  void prepare(Sample& sample) const;

  /// Buffers of one thread.
  struct Scratch {
    kernels::ConcordanceCounter counter;
    std::vector<double> survival;
    // of values()
    kernels::PredictionRows prediction;
    kernels::BaselineHazard hazard;
    kernels::SampleConcordances concordances;
    kernels::SampleRisks risks;
    kernels::SampleCalibration calibration;
    kernels::SampleAuc auc;
    std::vector<kernels::SampleConcordance> c;
    std::vector<kernels::TimeAuc> areas;
    std::vector<kernels::CalibrationGroup> groups;
    std::vector<std::vector<kernels::BrierScore>> curves;  ///< per sample
    Sample drawn, left;                                    ///< for who calls
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

  /// A sample to measure a model on.
  struct Request {
    const Sample* sample;
    bool groups = false;   ///< errors by group too
    bool maximum = false;  ///< the model is the maximum of the likelihood of this sample: its slope is 1
  };
  /// What a replicate keeps.
  struct Values {
    std::vector<double> scores;  ///< (n_measures), NaN where there is none
    std::vector<double> errors;  ///< (n_horizons · n_groups) survival observed − predicted, or nothing
  };
  /// Every measure, without errors, of a model that was made from the first sample, on several samples side by side: what
  /// they share, the order of the predictions and their exponentials, is made once.
  ///
  /// Shapes   returns as requests
  std::vector<Values> values(Scratch& scratch, std::span<const double> eta,
                             std::span<const Request> requests) const;

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
  std::vector<Values> values_one_by_one(Scratch& scratch, std::span<const double> eta,
                                        std::span<const Request> requests) const;
  void add_concordances(Scratch& scratch, std::span<const Request> requests, std::span<Values> values) const;
  void add_by_horizon(Scratch& scratch, const HazardAtTimes& hazard, std::span<const double> eta,
                      std::span<const Request> requests, std::span<Values> values) const;
  void add_integrals(Scratch& scratch, const HazardAtTimes& hazard, std::span<const Request> requests,
                     std::span<Values> values) const;
  void add_slopes(Scratch& scratch, std::span<const double> eta, std::span<const Request> requests,
                  std::span<Values> values) const;
  double* value_of(Values& values, Measure::Kind kind, std::size_t horizon = 0) const;
  Score concordance(Scratch& scratch, const Measure& measure, std::span<const double> eta,
                    std::span<const double> weight, bool with_error) const;
  std::span<const double> gathered_by(const HazardAtTimes& hazard, std::size_t horizon) const;
  std::span<const double> gathered_at_point(const HazardAtTimes& hazard, std::size_t point) const;
  Score brier(Scratch& scratch, const Measure& measure, std::span<const double> eta,
              const HazardAtTimes& hazard, std::span<const double> weight) const;

  EvaluationOptions options_;
  std::vector<Measure> measures_;
  std::vector<double> integration_;
  kernels::RiskOrder order_, pooled_;
};

}  // namespace chorale::jobs
