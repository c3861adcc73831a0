// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/sample_rows.hpp"

#include <cmath>
#include <limits>
#include <string>

#include "kernels/cox_body.hpp"
#include "kernels/error.hpp"

namespace chorale::kernels {
namespace {

std::size_t size(Index n) {
  return static_cast<std::size_t>(n);
}

void keep_whole(const std::vector<double>& weight, double total, std::vector<std::uint32_t>& whole) {
  whole.clear();
  if (!(total < 2147483648.0)) return;
  whole.resize(weight.size());
  bool all = true;
  for (std::size_t row = 0; row < weight.size(); ++row) {
    whole[row] = static_cast<std::uint32_t>(static_cast<std::int64_t>(weight[row]));
    all &= static_cast<double>(whole[row]) == weight[row];
  }
  if (!all) whole.clear();
}

}  // namespace

void SampleRows::take(const RiskOrder& order, std::span<const double> of_patient, Ties ties) {
  if (order.late_entries) {
    throw ShapeError({.what = "samples in rows are those of patients observed from the start",
                      .found = "late entries",
                      .expected = "none"});
  }
  row_weights(order, of_patient, weight);
  n_analysed = n_events = 0;
  const auto n_slots = size(order.n_slots);
  censored.before.resize(n_slots);
  censored.after_deaths.resize(n_slots);
  censored.survival.clear();
  first.resize(n_slots);
  of_death.assign(weight.size(), 0.0);
  later.slot.clear();
  later.share.clear();
  later.weight.clear();
  total = 0;
  for (Index s = 0; s < order.n_strata; ++s) {
    const Index begin = order.slot_begin[size(s)], past = order.slot_begin[size(s + 1)];
    double at_risk = 0;
    for (Index t = past - 1; t >= begin; --t) {
      const auto alive = size(order.row_begin[size(2 * t)]), dying = size(order.row_begin[size(2 * t + 1)]),
                 next = size(order.row_begin[size(2 * t + 2)]);
      double sum = 0, of_deaths = 0;
      Index deaths = 0;
      for (std::size_t row = alive; row < dying; ++row) {
        sum += weight[row];
        n_analysed += weight[row] > 0;
      }
      for (std::size_t row = dying; row < next; ++row) {
        of_deaths += weight[row];
        deaths += weight[row] > 0;
      }
      n_events += deaths;
      at_risk += sum;
      censored.after_deaths[size(t)] = at_risk;
      at_risk += of_deaths;
      censored.before[size(t)] = at_risk;  // until G is known
      const bool shared = deaths > 1 && ties == Ties::efron;
      first[size(t)] = shared ? of_deaths / static_cast<double>(deaths) : of_deaths;
      for (Index l = 1; shared && l < deaths; ++l) {
        later.slot.push_back(static_cast<std::int32_t>(t));
        later.share.push_back(static_cast<double>(l) / static_cast<double>(deaths));
        later.weight.push_back(first[size(t)]);
      }
    }
    total += at_risk;
    double known = 1;
    for (Index t = begin; t < past; ++t) {
      const double left = censored.after_deaths[size(t)];
      const double next = t + 1 < past ? censored.before[size(t + 1)] : 0;  // at risk at the next slot
      censored.before[size(t)] = known;
      for (auto row = size(order.row_begin[size(2 * t + 1)]); row < size(order.row_begin[size(2 * t + 2)]);
           ++row)
        of_death[row] = weight[row] > 0 ? weight[row] / known : 0;
      if (left > 0) known *= next / left;
    }
  }
  n_analysed += n_events;
  keep_whole(weight, total, whole);
}

bool PredictionRows::take(const RiskOrder& order, std::span<const double> linear_predictor) {
  row_values(order, linear_predictor, value);
  bool known = true;
  for (const double eta : value) known &= !std::isnan(eta);
  if (!known) return false;
  rank.resize(value.size());
  n_ranks = ranks_.rank(value, rank);
  return true;
}

void PredictionRows::centre_at(double centre) {
  centred.resize(value.size());
  risk.resize(value.size());
  for (std::size_t row = 0; row < value.size(); ++row) centred[row] = value[row] - centre;
  CHORALE_AT_LEVEL(cox_risks, ColumnTable{nullptr, 0, 0}, centred.data(), nullptr, nullptr, Index{0},
                   static_cast<Index>(value.size()), risk.data());
}

double mean_prediction(const PredictionRows& prediction, const SampleRows& sample) {
  double sum[4] = {0, 0, 0, 0};  // chains of additions that do not wait for each other
  for (std::size_t row = 0; row < prediction.value.size(); ++row)
    sum[row % 4] += sample.weight[row] * prediction.value[row];
  return sample.total > 0 ? (sum[0] + sum[1] + (sum[2] + sum[3])) / sample.total : 0;
}

}  // namespace chorale::kernels
