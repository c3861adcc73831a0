// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include <algorithm>
#include <cmath>

#include "jobs/common/evaluation.hpp"

namespace chorale::jobs {
namespace {

using Kind = Measure::Kind;

std::size_t size(Index n) {
  return static_cast<std::size_t>(n);
}

double error_of(const kernels::CalibrationGroup& group) {
  return group.observed - group.predicted;
}

}  // namespace

void Evaluation::prepare(Sample& sample) const {
  if (!order_.late_entries) sample.rows.take(order_, sample.weight, options_.ties);
}

/// Where the value of a measure belongs, at its first horizon or a later one; null where it is not asked for.
double* Evaluation::value_of(Values& values, Kind kind, std::size_t horizon) const {
  const auto first = std::find_if(measures_.begin(), measures_.end(),
                                  [&](const Measure& measure) { return measure.kind == kind; });
  if (first == measures_.end()) return nullptr;
  return &values.scores[size(first - measures_.begin()) + horizon];
}

std::vector<Evaluation::Values> Evaluation::values(Scratch& scratch, std::span<const double> eta,
                                                   std::span<const Request> requests) const {
  kernels::PredictionRows& prediction = scratch.prediction;
  if (order_.late_entries || !prediction.take(order_, eta)) return values_one_by_one(scratch, eta, requests);
  std::vector<Values> values(requests.size());
  for (Values& of : values) of.scores.assign(measures_.size(), kernels::missing);
  const kernels::SampleRows& own = requests.front().sample->rows;
  scratch.hazard.centre = kernels::mean_prediction(prediction, own);
  prediction.centre_at(scratch.hazard.centre);
  scratch.risks.cumulative_hazard(order_, prediction, own, scratch.hazard.cumulative);
  const HazardAtTimes hazard = at_times(scratch.hazard);
  add_concordances(scratch, requests, values);
  add_by_horizon(scratch, hazard, eta, requests, values);
  add_integrals(scratch, hazard, requests, values);
  add_slopes(scratch, eta, requests, values);
  return values;
}

std::vector<Evaluation::Values> Evaluation::values_one_by_one(Scratch& scratch, std::span<const double> eta,
                                                              std::span<const Request> requests) const {
  std::vector<Values> values(requests.size());
  const HazardAtTimes hazard = at_times(this->hazard(eta, requests.front().sample->weight));
  for (std::size_t r = 0; r < requests.size(); ++r) {
    const auto& weight = requests[r].sample->weight;
    for (const Score& score : score(scratch, eta, hazard, weight)) values[r].scores.push_back(score.value);
    if (requests[r].groups)
      for (const auto& group : calibration(scratch, eta, hazard, weight))
        values[r].errors.push_back(error_of(group));
    if (double* slope = value_of(values[r], Kind::calibration_slope); slope && requests[r].maximum)
      *slope = 1;
  }
  return values;
}

void Evaluation::add_concordances(Scratch& scratch, std::span<const Request> requests,
                                  std::span<Values> values) const {
  const bool harrell = options_.asks_for("harrell_c"), uno = options_.asks_for("uno_c");
  if (!harrell && !uno) return;
  std::vector<const kernels::SampleRows*> samples;
  for (const Request& request : requests) samples.push_back(&request.sample->rows);
  scratch.c.resize(samples.size());
  scratch.concordances.count(order_, scratch.prediction, samples,
                             uno ? options_.horizons.back() : kernels::missing, scratch.c);
  for (std::size_t r = 0; r < requests.size(); ++r) {
    if (harrell) *value_of(values[r], Kind::harrell_c) = scratch.c[r].harrell;
    if (uno) *value_of(values[r], Kind::uno_c) = scratch.c[r].uno;
  }
}

void Evaluation::add_by_horizon(Scratch& scratch, const HazardAtTimes& hazard, std::span<const double> eta,
                                std::span<const Request> requests, std::span<Values> values) const {
  const bool brier = options_.asks_for("brier"), calibrated = options_.asks_for("calibration");
  const bool pooled =
      order_.n_strata > 1;  // groups pool the strata, whose hazards differ: in an order of their own
  if (options_.asks_for("auc")) {
    scratch.areas.resize(options_.horizons.size());
    for (std::size_t r = 0; r < requests.size(); ++r) {
      scratch.auc.areas(order_, scratch.prediction, requests[r].sample->rows, options_.horizons,
                        scratch.areas);
      for (std::size_t h = 0; h < scratch.areas.size(); ++h)
        *value_of(values[r], Kind::auc, h) = scratch.areas[h].auc;
    }
  }
  for (std::size_t r = 0; pooled && r < requests.size(); ++r)
    if (requests[r].groups)
      for (const auto& group : calibration(scratch, eta, hazard, requests[r].sample->weight))
        values[r].errors.push_back(error_of(group));
  if (!brier && (!calibrated || pooled)) return;
  scratch.survival.resize(size(order_.n_rows));
  scratch.groups.resize(size(options_.calibration_groups));
  for (std::size_t h = 0; h < options_.horizons.size(); ++h) {
    kernels::survival_of_rows(order_, gathered_by(hazard, h), scratch.prediction.risk, scratch.survival);
    for (std::size_t r = 0; r < requests.size(); ++r) {
      const kernels::SampleRows& sample = requests[r].sample->rows;
      if (brier)
        *value_of(values[r], Kind::brier, h) =
            kernels::brier_score(order_, sample, scratch.survival, options_.horizons[h]).score;
      if (!calibrated || pooled || !requests[r].groups) continue;
      scratch.calibration.groups(order_, scratch.prediction, sample, scratch.survival, options_.horizons[h],
                                 scratch.groups);
      for (const auto& group : scratch.groups) values[r].errors.push_back(error_of(group));
    }
  }
}

void Evaluation::add_integrals(Scratch& scratch, const HazardAtTimes& hazard,
                               std::span<const Request> requests, std::span<Values> values) const {
  if (!options_.asks_for("integrated_brier")) return;
  scratch.survival.resize(size(order_.n_rows));
  scratch.curves.assign(requests.size(), {});
  for (std::size_t k = 0; k < integration_.size(); ++k) {
    kernels::survival_of_rows(order_, gathered_at_point(hazard, k), scratch.prediction.risk,
                              scratch.survival);
    for (std::size_t r = 0; r < requests.size(); ++r)
      scratch.curves[r].push_back(
          kernels::brier_score(order_, requests[r].sample->rows, scratch.survival, integration_[k]));
  }
  for (std::size_t r = 0; r < requests.size(); ++r)
    *value_of(values[r], Kind::integrated_brier) = kernels::brier_integral(scratch.curves[r]);
}

void Evaluation::add_slopes(Scratch& scratch, std::span<const double> eta, std::span<const Request> requests,
                            std::span<Values> values) const {
  if (!options_.asks_for("calibration")) return;
  for (std::size_t r = 0; r < requests.size(); ++r) {
    double& slope = *value_of(values[r], Kind::calibration_slope);
    if (requests[r].maximum) {
      slope = 1;
    } else if (const auto found = scratch.risks.slope(order_, scratch.prediction, requests[r].sample->rows)) {
      slope = found->slope;
    } else {
      slope = kernels::calibration_slope(order_, eta, requests[r].sample->weight, options_.ties).slope;
    }
  }
}

}  // namespace chorale::jobs
