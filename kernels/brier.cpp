// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/brier.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <string>

#include "kernels/cox_body.hpp"
#include "kernels/error.hpp"
#include "kernels/risk_sums_body.hpp"

namespace chorale::kernels {
namespace {

std::size_t size(Index n) {
  return static_cast<std::size_t>(n);
}

/// What all horizons share: patients without a prediction have left with weight 0.
struct Outcome {
  Outcome(const RiskOrder& order_, std::span<const double> weight_, std::vector<double>& prediction)
      : order(order_) {
    row_weights(order, weight_, weight);
    for (std::size_t row = 0; row < prediction.size(); ++row) {
      if (weight[row] > 0 && std::isnan(prediction[row])) {
        ++n_missing;
        weight[row] = 0;
      }
      if (weight[row] == 0) prediction[row] = 0;
      n_analysed += weight[row] > 0;
      total += weight[row];
    }
    censored = censoring(order, weight);
  }

  /// survival per row
  BrierScore at(double horizon, std::span<const double> survival) const {
    BrierScore brier{.horizon = horizon, .n_analysed = n_analysed, .n_missing = n_missing};
    if (n_analysed == 0) return brier;
    double score = 0, null_score = 0;
    for (Index s = 0; s < order.n_strata; ++s) {
      const Index begin = order.slot_begin[size(s)],
                  end = order.row_begin[size(2 * order.slot_begin[size(s + 1)])];
      const double of_stratum = censored.after_deaths[size(begin)];  // nobody dies at the first slot
      if (of_stratum == 0) continue;
      const HorizonPlace place = horizon_place(order, censored, weight, s, horizon);
      if (place.known == 0) {
        brier.verdict = HorizonVerdict::beyond_follow_up;
        return brier;
      }
      for (Index t = begin; t <= place.slot; ++t) {
        double squares = 0;
        for (Index row = order.row_begin[size(2 * t + 1)]; row < order.row_begin[size(2 * t + 2)]; ++row)
          squares += weight[size(row)] * survival[size(row)] * survival[size(row)];
        if (squares > 0) score += squares / censored.before[size(t)];
      }
      const Index dying = order.row_begin[size(2 * place.slot + 1)],
                  next = order.row_begin[size(2 * place.slot + 2)];
      score += (squares_of_deaths(place.row, dying, survival) + squares_of_deaths(next, end, survival)) /
               place.known;
      const double km = censored.survival[size(place.slot)];
      null_score += of_stratum * km * (1 - km);
    }
    brier.verdict = HorizonVerdict::computed;
    brier.score = score / total;
    brier.null_score = null_score / total;
    return brier;
  }

  const RiskOrder& order;
  std::vector<double> weight;
  Censoring censored;
  double total = 0;
  Index n_analysed = 0, n_missing = 0;

 private:
  double squares_of_deaths(Index begin, Index end, std::span<const double> survival) const {
    double sum = 0;
    for (Index row = begin; row < end; ++row) {
      const double died = 1 - survival[size(row)];
      sum += weight[size(row)] * died * died;
    }
    return sum;
  }
};

double integral(std::span<const BrierScore> at, double BrierScore::*value) {
  if (at.size() < 2) return missing;
  double sum = 0;
  for (std::size_t k = 1; k < at.size(); ++k)
    sum += (at[k].horizon - at[k - 1].horizon) * (at[k].*value + at[k - 1].*value) / 2;
  return sum / (at.back().horizon - at.front().horizon);
}

void exponentials(std::span<const double> value, double* result) {
  CHORALE_AT_LEVEL(cox_risks, ColumnTable{nullptr, 0, 0}, value.data(), nullptr, nullptr, Index{0},
                   static_cast<Index>(value.size()), result);
}

}  // namespace

BrierScore brier_score(const RiskOrder& order, std::span<const double> survival, double horizon,
                       std::span<const double> weight) {
  std::vector<double> of_row;
  row_values(order, survival, of_row);
  const Outcome outcome(order, weight, of_row);
  return outcome.at(horizon, of_row);
}

BrierScore brier_score(const RiskOrder& order, const SampleRows& sample, std::span<const double> survival,
                       double horizon) {
  require_size("survival and rows differ in number", survival.size(), order.n_rows);
  require_size("weights and rows differ in number", sample.weight.size(), order.n_rows);
  BrierScore brier{.horizon = horizon, .n_analysed = sample.n_analysed};
  if (sample.n_analysed == 0) return brier;
  const auto squares = [&](const std::vector<double>& weight, bool rest, Index begin, Index end) {
    return CHORALE_AT_LEVEL(weighted_squares, weight.data(), survival.data(), rest, begin, end);
  };
  double score = 0;
  for (Index s = 0; s < order.n_strata; ++s) {
    const Index first = order.slot_begin[size(s)],
                end = order.row_begin[size(2 * order.slot_begin[size(s + 1)])];
    if (sample.censored.after_deaths[size(first)] == 0) continue;
    const HorizonPlace place = horizon_place(order, sample.censored, sample.weight, s, horizon);
    if (place.known == 0) {
      brier.verdict = HorizonVerdict::beyond_follow_up;
      return brier;
    }
    const Index dying = order.row_begin[size(2 * place.slot + 1)],
                next = order.row_begin[size(2 * place.slot + 2)];
    score += squares(sample.of_death, false, order.row_begin[size(2 * first)], next) +
             (squares(sample.weight, true, place.row, dying) + squares(sample.weight, true, next, end)) /
                 place.known;
  }
  brier.verdict = HorizonVerdict::computed;
  brier.score = score / sample.total;
  return brier;
}

void survival_of_rows(const RiskOrder& order, std::span<const double> cumulative,
                      std::span<const double> risk, std::span<double> survival) {
  require_size("hazards and strata differ in number", cumulative.size(), order.n_strata);
  require_size("risks and rows differ in number", risk.size(), order.n_rows);
  require_size("survival and rows differ in number", survival.size(), order.n_rows);
  for (Index s = 0; s < order.n_strata; ++s) {
    const Index begin = order.row_begin[size(2 * order.slot_begin[size(s)])];
    const Index end = order.row_begin[size(2 * order.slot_begin[size(s + 1)])];
    CHORALE_AT_LEVEL(survival_of_rows, risk.data(), cumulative[size(s)], begin, end, survival.data());
  }
}

double brier_integral(std::span<const BrierScore> at) {
  return integral(at, &BrierScore::score);
}

BrierCurve brier_curve(const RiskOrder& order, const BaselineHazard& hazard,
                       std::span<const double> linear_predictor, std::span<const double> horizons,
                       std::span<const double> weight) {
  std::vector<double> cumulative;
  for (const double horizon : horizons)
    for (Index s = 0; s < order.n_strata; ++s)
      cumulative.push_back(cumulative_hazard(order, hazard, s, horizon));
  return brier_curve(order, hazard.centre, cumulative, linear_predictor, horizons, weight);
}

BrierCurve brier_curve(const RiskOrder& order, double centre, std::span<const double> cumulative,
                       std::span<const double> linear_predictor, std::span<const double> horizons,
                       std::span<const double> weight) {
  if (std::adjacent_find(horizons.begin(), horizons.end(), std::greater_equal<>()) != horizons.end()) {
    throw ShapeError(
        {.what = "horizons do not ascend", .found = "a later one first", .expected = "ascending days"});
  }
  const std::size_t n_strata = size(order.n_strata);
  if (cumulative.size() != horizons.size() * n_strata) {
    throw ShapeError({.what = "hazards do not fit horizons and strata",
                      .found = std::to_string(cumulative.size()),
                      .expected = std::to_string(horizons.size() * n_strata)});
  }
  std::vector<double> risk;
  row_values(order, linear_predictor, risk);
  const Outcome outcome(order, weight, risk);
  for (double& predictor : risk) predictor -= centre;
  exponentials(risk, risk.data());
  BrierCurve curve;
  std::vector<double> survival(risk.size());
  for (std::size_t k = 0; k < horizons.size(); ++k) {
    for (std::size_t s = 0; s < n_strata; ++s) {
      const double sum = cumulative[k * n_strata + s];
      const Index end = order.row_begin[size(2 * order.slot_begin[s + 1])];
      for (Index row = order.row_begin[size(2 * order.slot_begin[s])]; row < end; ++row)
        survival[size(row)] = -sum * risk[size(row)];
    }
    exponentials(survival, survival.data());
    curve.at.push_back(outcome.at(horizons[k], survival));
  }
  curve.integrated = integral(curve.at, &BrierScore::score);
  curve.integrated_null = integral(curve.at, &BrierScore::null_score);
  return curve;
}

}  // namespace chorale::kernels
