// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/time_auc.hpp"

#include <algorithm>
#include <cmath>

#include "kernels/dense_rank.hpp"
#include "kernels/error.hpp"

namespace chorale::kernels {
namespace {

std::size_t size(Index n) {
  return static_cast<std::size_t>(n);
}

/// Weights of cases and controls by rank of their risk.
struct ByRank {
  std::vector<double>&cases, &controls;

  TimeAuc area(double horizon) const {
    double n_cases = 0, n_controls = 0, concordant = 0;
    for (std::size_t r = 0; r < cases.size(); ++r) {
      concordant += cases[r] * (n_controls + controls[r] / 2);
      n_cases += cases[r];
      n_controls += controls[r];
    }
    if (n_cases == 0) return {HorizonVerdict::no_cases, horizon, missing};
    if (n_controls == 0) return {HorizonVerdict::no_controls, horizon, missing};
    return {HorizonVerdict::computed, horizon, concordant / (n_cases * n_controls)};
  }
};

/// False where a stratum has nobody left under observation.
bool fill(const RiskOrder& order, const Censoring& censored, std::span<const double> weight,
          std::span<const std::int32_t> rank, double horizon, ByRank& by_rank) {
  std::fill(by_rank.cases.begin(), by_rank.cases.end(), 0.0);
  std::fill(by_rank.controls.begin(), by_rank.controls.end(), 0.0);
  for (Index s = 0; s < order.n_strata; ++s) {
    const Index first = order.slot_begin[size(s)],
                end = order.row_begin[size(2 * order.slot_begin[size(s + 1)])];
    if (censored.after_deaths[size(first)] == 0) continue;
    const HorizonPlace place = horizon_place(order, censored, weight, s, horizon);
    if (place.known == 0) return false;
    for (Index t = first; t <= place.slot; ++t) {
      for (auto row = size(order.row_begin[size(2 * t + 1)]); row < size(order.row_begin[size(2 * t + 2)]);
           ++row)
        if (weight[row] > 0) by_rank.cases[size(rank[row])] += weight[row] / censored.before[size(t)];
    }
    const Index dying = order.row_begin[size(2 * place.slot + 1)],
                next = order.row_begin[size(2 * place.slot + 2)];
    const double share = 1 / place.known;
    for (auto row = size(place.row); row < size(dying); ++row)
      by_rank.controls[size(rank[row])] += weight[row] * share;
    for (auto row = size(next); row < size(end); ++row)
      by_rank.controls[size(rank[row])] += weight[row] * share;
  }
  return true;
}

}  // namespace

std::vector<TimeAuc> time_auc(const RiskOrder& order, std::span<const double> risk,
                              std::span<const double> horizons, std::span<const double> weight) {
  std::vector<double> risk_of_row, weight_of_row;
  row_values(order, risk, risk_of_row);
  row_weights(order, weight, weight_of_row);
  bool somebody = false;
  for (std::size_t row = 0; row < risk_of_row.size(); ++row) {
    if (std::isnan(risk_of_row[row])) risk_of_row[row] = weight_of_row[row] = 0;
    somebody |= weight_of_row[row] > 0;
  }
  std::vector<TimeAuc> areas;
  for (const double horizon : horizons) areas.push_back({HorizonVerdict::nobody, horizon, missing});
  const Censoring censored = censoring(order, weight_of_row);
  if (!somebody) return areas;
  std::vector<std::int32_t> rank(risk_of_row.size());
  DenseRank ranks;
  const std::size_t n_ranks = size(ranks.rank(risk_of_row, rank));
  std::vector<double> cases(n_ranks), controls(n_ranks);
  ByRank by_rank{.cases = cases, .controls = controls};
  for (TimeAuc& area : areas) {
    const bool known = fill(order, censored, weight_of_row, rank, area.horizon, by_rank);
    if (known) {
      area = by_rank.area(area.horizon);
    } else {
      area.verdict = HorizonVerdict::beyond_follow_up;
    }
  }
  return areas;
}

void SampleAuc::areas(const RiskOrder& order, const PredictionRows& prediction, const SampleRows& sample,
                      std::span<const double> horizons, std::span<TimeAuc> areas) {
  require_size("areas and horizons differ in number", areas.size(), static_cast<Index>(horizons.size()));
  require_size("predictions and rows differ in number", prediction.rank.size(), order.n_rows);
  require_size("weights and rows differ in number", sample.weight.size(), order.n_rows);
  cases_.resize(size(prediction.n_ranks));
  controls_.resize(size(prediction.n_ranks));
  ByRank by_rank{.cases = cases_, .controls = controls_};
  for (std::size_t h = 0; h < horizons.size(); ++h) {
    areas[h] = {HorizonVerdict::nobody, horizons[h], missing};
    if (sample.n_analysed == 0) continue;
    if (fill(order, sample.censored, sample.weight, prediction.rank, horizons[h], by_rank))
      areas[h] = by_rank.area(horizons[h]);
    else
      areas[h].verdict = HorizonVerdict::beyond_follow_up;
  }
}

}  // namespace chorale::kernels
