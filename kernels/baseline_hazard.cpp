// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/baseline_hazard.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "kernels/cox_body.hpp"
#include "kernels/error.hpp"
#include "kernels/two_group.hpp"

namespace chorale::kernels {
namespace {

std::size_t size(Index n) {
  return static_cast<std::size_t>(n);
}

/// factor · exp(value), row by row, in place of the value; a null factor is 1.
void exponentials(std::vector<double>& value, const double* factor) {
  CHORALE_AT_LEVEL(cox_risks, ColumnTable{nullptr, 0, 0}, value.data(), factor, nullptr, Index{0},
                   static_cast<Index>(value.size()), value.data());
}

/// Patients without a linear predictor leave with weight 0; what is left is centred.
void centre(const RiskOrder& order, std::vector<double>& predictor, std::vector<double>& weight,
            BaselineHazard& hazard) {
  double sum = 0, sum_of_weights = 0;
  for (std::size_t row = 0; row < predictor.size(); ++row) {
    if (weight[row] > 0 && std::isnan(predictor[row])) {
      ++hazard.n_missing_predictor;
      weight[row] = 0;
    }
    if (weight[row] == 0) continue;
    ++hazard.n_analysed;
    sum += weight[row] * predictor[row];
    sum_of_weights += weight[row];
  }
  if (hazard.n_analysed > 0) hazard.centre = sum / sum_of_weights;
  for (Index t = 0; t < order.n_slots; ++t) {
    for (Index row = order.row_begin[size(2 * t)]; row < order.row_begin[size(2 * t + 2)]; ++row) {
      predictor[size(row)] = weight[size(row)] == 0 ? 0 : predictor[size(row)] - hazard.centre;
      hazard.n_events += weight[size(row)] > 0 && row >= order.row_begin[size(2 * t + 1)];
    }
  }
}

}  // namespace

BaselineHazard baseline_hazard(const RiskOrder& order, std::span<const double> linear_predictor,
                               std::span<const double> weight, Ties ties) {
  BaselineHazard hazard;
  std::vector<double> risk, of_row;
  row_values(order, linear_predictor, risk);
  row_weights(order, weight, of_row);
  centre(order, risk, of_row, hazard);
  exponentials(risk, of_row.data());

  hazard.cumulative.assign(size(order.n_slots), 0.0);
  for (Index s = 0; s < order.n_strata; ++s) {
    const Index first = order.slot_begin[size(s)], past = order.slot_begin[size(s + 1)];
    Index entering = order.row_begin[size(2 * past)];
    double at_risk = 0;
    // from the last time back, so that the risk set grows
    for (Index t = past - 1; t > first; --t) {
      const Index begin = order.row_begin[size(2 * t)], dying = order.row_begin[size(2 * t + 1)],
                  end = order.row_begin[size(2 * t + 2)];
      double deaths = 0, weight_of_deaths = 0, risk_of_deaths = 0;
      for (Index row = begin; row < dying; ++row) at_risk += risk[size(row)];
      for (Index row = dying; row < end; ++row) {
        risk_of_deaths += risk[size(row)];
        weight_of_deaths += of_row[size(row)];
        deaths += of_row[size(row)] > 0;
      }
      at_risk += risk_of_deaths;
      for (; order.late_entries && entering > order.row_begin[size(2 * first)]; --entering) {
        const auto row = size(order.by_entry[size(entering - 1)]);
        if (order.enters[row] <= t) break;
        at_risk -= risk[row];
      }
      if (deaths == 0) continue;
      double sum = 0;
      if (ties == Ties::breslow) {
        sum = deaths / at_risk;
      } else {
        for (double l = 0; l < deaths; ++l) sum += 1 / (at_risk - l / deaths * risk_of_deaths);
      }
      hazard.cumulative[size(t)] = weight_of_deaths / deaths * sum;
    }
    for (Index t = first + 1; t < past; ++t) hazard.cumulative[size(t)] += hazard.cumulative[size(t - 1)];
  }
  return hazard;
}

double cumulative_hazard(const RiskOrder& order, const BaselineHazard& hazard, Index stratum,
                         double horizon) {
  if (static_cast<Index>(hazard.cumulative.size()) != order.n_slots) {
    throw ShapeError({.what = "hazard belongs to another order",
                      .found = std::to_string(hazard.cumulative.size()) + " times",
                      .expected = std::to_string(order.n_slots)});
  }
  const auto first = order.time.begin() + order.slot_begin[size(stratum)];
  const auto last = order.time.begin() + order.slot_begin[size(stratum + 1)];
  return hazard.cumulative[size(std::upper_bound(first, last, horizon) - order.time.begin() - 1)];
}

void predicted_survival(const RiskOrder& order, const BaselineHazard& hazard,
                        std::span<const double> linear_predictor, double horizon,
                        std::span<double> survival) {
  std::vector<double> cumulative;
  for (Index s = 0; s < order.n_strata; ++s)
    cumulative.push_back(cumulative_hazard(order, hazard, s, horizon));
  predicted_survival(order, hazard.centre, cumulative, linear_predictor, survival);
}

void predicted_survival(const RiskOrder& order, double centre, std::span<const double> cumulative,
                        std::span<const double> linear_predictor, std::span<double> survival) {
  require_size("hazards and strata differ in number", cumulative.size(), order.n_strata);
  require_size("survival and patients differ in number", survival.size(), order.n_patients);
  std::vector<double> value;
  row_values(order, linear_predictor, value);
  for (double& predictor : value) predictor -= centre;
  exponentials(value, nullptr);
  for (Index s = 0; s < order.n_strata; ++s) {
    const Index begin = order.row_begin[size(2 * order.slot_begin[size(s)])];
    const Index end = order.row_begin[size(2 * order.slot_begin[size(s + 1)])];
    for (Index row = begin; row < end; ++row) value[size(row)] *= -cumulative[size(s)];
  }
  exponentials(value, nullptr);
  std::fill(survival.begin(), survival.end(), missing);
  for (std::size_t row = 0; row < value.size(); ++row) {
    const auto patient = size(order.patient[row]);
    if (!std::isnan(linear_predictor[patient])) survival[patient] = value[row];
  }
}

}  // namespace chorale::kernels
