// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "kernels/aligned.hpp"
#include "kernels/pair_cox_feature.hpp"
#include "kernels/pair_cox_frame.hpp"

/// What the screen of pairs makes of one feature, or of the carriers of both, before it looks at event times.
namespace chorale::kernels {

/// Carriers at each event time beside the covariates' own risks: M = S − f D and D where d > 1.
struct CarrierSteps {
  AlignedDoubles risk, tied_risk;  ///< (n_padded) each

  explicit CarrierSteps(const PairFrame& frame);  ///< of nobody
};

PairTable pair_table(const CarrierSteps& a, const CarrierSteps& b, const CarrierSteps& of_both);

/// What the screen asks of patients, rows and event times, side by side: carriers lie far apart.
struct ScreenTable {
  struct Row {
    double risk;              ///< w e^η at the covariates' own coefficients
    double tied_risk;         ///< the same of who dies with others; else 0
    double expected;          ///< deaths, beside the covariates alone
    double weight_of_deaths;  ///< w; 0 where the patient does not die
    std::int32_t time;        ///< the last at risk
    std::int32_t died;
  };
  static constexpr std::int32_t no_row = -1, never_at_risk = -2;
  static constexpr Index together = 32;  ///< event times of a bin

  std::vector<Row> row;
  std::vector<std::int32_t>
      row_of;                  ///< per patient; or no_row, or never_at_risk of who is analysed all the same
  AlignedDoubles rate;         ///< (n_times) W/S0
  std::vector<double> weight;  ///< (n_bins) Σ W

  explicit ScreenTable(const PairFrame& frame);
};

/// Turns a few rows into steps over event times; keeps its room between calls.
class StepMaker {
 public:
  StepMaker(const PairFrame& frame, const ScreenTable& table) : frame_(frame), table_(table) {}

  /// rows ascending. `steps` holds zeros at every tied_risk.
  void make(std::span<const std::int32_t> rows, CarrierSteps& steps);

  /// Back to zeros.
  void clear(std::span<const std::int32_t> rows, CarrierSteps& steps) const;

 private:
  struct Change {
    Index time;  ///< from here back to the stratum's first, `risk` more
    double risk;
  };
  const PairFrame& frame_;
  const ScreenTable& table_;
  std::vector<Change> changes_;
};

/// One feature: what its pairs share.
struct ScreenFeature : PairFeature {
  CarrierSteps steps;
  std::vector<std::int32_t> row_list;  ///< in the order of patients
  Index n_deaths = 0;
  double weight_of_deaths = 0;
  double expected = 0;    ///< deaths beside the covariates alone
  double log_hazard = 0;  ///< about what a fit of this feature alone says; 0 where there is no such thing

  explicit ScreenFeature(const PairFrame& frame) : steps(frame) {}
};

/// Makes features one after another, each in the room of an earlier one.
class FeatureMaker {
 public:
  FeatureMaker(const PairFrame& frame, const ScreenTable& table) : frame_(frame), table_(table) {}

  void make(std::span<const std::int32_t> carriers, ScreenFeature& feature);

 private:
  void scatter(std::span<const std::int32_t> carriers, ScreenFeature& feature) const;
  /// Maximum of O y − Σ_bins W log(1 + (e^y − 1) q) with the feature's mean share q of each bin's risk sets; 0 where there
  /// is none.
  double log_hazard(const ScreenFeature& feature);

  const PairFrame& frame_;
  const ScreenTable& table_;
  std::vector<double> expected_;  // by bin
};

}  // namespace chorale::kernels
