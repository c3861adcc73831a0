// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/sample_risks.hpp"

#include <cmath>
#include <limits>

#include "kernels/error.hpp"

namespace chorale::kernels {
namespace {

std::size_t size(Index n) {
  return static_cast<std::size_t>(n);
}

LaterDeaths later_of(const RiskOrder& order, const SampleRows& sample) {
  return {.n = static_cast<Index>(sample.later.weight.size()),
          .slot = order.tied_slot.data(),
          .share = sample.later.share.data(),
          .weight = sample.later.weight.data()};
}

}  // namespace

void SampleRisks::sum(const RiskOrder& order, const PredictionRows& prediction, const SampleRows& sample,
                      bool moments, double beta) {
  require_size("predictions and rows differ in number", prediction.risk.size(), order.n_rows);
  require_size("weights and rows differ in number", sample.weight.size(), order.n_rows);
  sums_.row_begin = order.row_begin.data();
  sums_.x = moments ? prediction.centred.data() : nullptr;
  sums_.risk = prediction.risk.data();
  sums_.weight = sample.weight.data();
  for (std::size_t k = 0; k < (moments ? 3 : 1); ++k) {
    from_[k].resize(size(order.n_rows));
    at_risk_[k].resize(size(order.n_slots + 1));
    sums_.from[k] = from_[k].data();
    sums_.at_risk[k] = at_risk_[k].data();
  }
  for (Index s = 0; s < order.n_strata; ++s) {
    sums_.first_slot = order.slot_begin[size(s)];
    sums_.past_slot = order.slot_begin[size(s + 1)];
    CHORALE_AT_LEVEL(risk_sums, sums_, beta);
  }
}

void SampleRisks::cumulative_hazard(const RiskOrder& order, const PredictionRows& prediction,
                                    const SampleRows& sample, std::vector<double>& cumulative) {
  sum(order, prediction, sample, false, 1);
  cumulative.resize(size(order.n_slots));
  CHORALE_AT_LEVEL(hazard_steps, sums_, sample.first.data(), order.n_slots, later_of(order, sample),
                   cumulative.data());
  for (Index s = 0; s < order.n_strata; ++s)
    for (Index t = order.slot_begin[size(s)] + 1; t < order.slot_begin[size(s + 1)]; ++t)
      cumulative[size(t)] += cumulative[size(t - 1)];
}

std::optional<CalibrationSlope> SampleRisks::slope(const RiskOrder& order, const PredictionRows& prediction,
                                                   const SampleRows& sample) {
  if (sample.n_events == 0) return std::nullopt;
  double of_deaths = 0, weight_of_deaths = 0;
  for (const std::int32_t row : order.death_row)
    of_deaths += sample.weight[size(row)] * prediction.centred[size(row)];
  for (const double weight : sample.deaths) weight_of_deaths += weight;
  const auto sorted = prediction.sorted();
  const double range = prediction.value[size(sorted.back())] - prediction.value[size(sorted.front())];
  constexpr double nothing_left = 1e-10, nought = 1e-9;
  constexpr int max_steps = 12;
  double beta = 1, before = std::numeric_limits<double>::infinity();
  for (int step = 0; step < max_steps; ++step) {
    sum(order, prediction, sample, true, beta);
    double mean = 0, information = 0;
    CHORALE_AT_LEVEL(slope_terms, sums_, sample.first.data(), order.n_slots, later_of(order, sample), mean,
                     information);
    if (!(information > nought * weight_of_deaths * range * range)) return std::nullopt;
    const double score = of_deaths - mean;
    const double left = std::abs(score) / std::sqrt(information);  // standard errors to go
    if (!(left < before)) return std::nullopt;
    beta += score / information;
    // what the last step left was a multiple of the square of what there was before it; so it will be again
    const double then = left / (before * before) * left * left;
    if (left < nothing_left || (step > 1 && left < 1e-3 && then < nothing_left))
      return CalibrationSlope{.verdict = CoxVerdict::converged,
                              .slope = beta,
                              .se = 1 / std::sqrt(information),
                              .n_analysed = sample.n_analysed,
                              .n_events = sample.n_events};
    before = left;
  }
  return std::nullopt;
}

}  // namespace chorale::kernels
