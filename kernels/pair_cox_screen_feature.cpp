// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/pair_cox_screen_feature.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace chorale::kernels {
namespace {

std::size_t size(Index n) {
  return static_cast<std::size_t>(n);
}

}  // namespace

CarrierSteps::CarrierSteps(const PairFrame& frame)
    : risk(size(frame.times.n_padded()), 0), tied_risk(risk.size(), 0) {}

PairTable pair_table(const CarrierSteps& a, const CarrierSteps& b, const CarrierSteps& of_both) {
  return {{a.risk.data(), b.risk.data(), of_both.risk.data()},
          {a.tied_risk.data(), b.tied_risk.data(), of_both.tied_risk.data()}};
}

ScreenTable::ScreenTable(const PairFrame& frame)
    : row_of(frame.rows.row_of), rate(size(frame.times.n_times()), 0) {
  const CoxRows& rows = frame.rows;
  const auto last_place = static_cast<std::int32_t>(2 * rows.efron.n_times());
  for (std::size_t i = 0; i < row_of.size(); ++i)
    if (row_of[i] < 0) row_of[i] = rows.efron.place()[i] == last_place ? never_at_risk : no_row;
  for (std::size_t r = 0; r < size(rows.n_rows); ++r) {
    const std::int32_t died = rows.place_of[r] % 2;
    row.push_back({.risk = frame.risk[r],
                   .expected = frame.expected[r],
                   .weight_of_deaths = died == 0             ? 0
                                       : rows.weight.empty() ? 1
                                                             : rows.weight[r],
                   .time = rows.place_of[r] / 2,
                   .died = died});
  }
  weight.resize((rate.size() + together - 1) / together);
  if (!frame.usable()) return;
  for (std::size_t t = 0; t < rate.size(); ++t) {
    if (frame.table.risk[t] > 0) rate[t] = frame.table.weight[t] / frame.table.risk[t];
    weight[t / together] += frame.table.weight[t];
  }
}

void StepMaker::make(std::span<const std::int32_t> rows, CarrierSteps& steps) {
  const std::vector<std::int32_t>& enters = frame_.rows.enters;
  const double* centre = frame_.times.table().centre;
  const Index n_times = frame_.times.n_times();
  changes_.clear();
  for (const std::int32_t number : rows) {
    const ScreenTable::Row& row = table_.row[size(number)];
    changes_.push_back({row.time, row.risk});
    if (row.died != 0 && centre[row.time] > 0) steps.tied_risk[size(row.time)] += row.risk;
    if (!enters.empty() && enters[size(number)] < n_times)
      changes_.push_back({enters[size(number)], -row.risk});
  }
  if (!enters.empty()) {
    std::stable_sort(changes_.begin(), changes_.end(),
                     [](const Change& l, const Change& r) { return l.time < r.time; });
  }
  // from the last event time to the first, constant between changes, from zero in each stratum
  const auto strata = frame_.times.stratum_begin();
  auto change = changes_.rbegin();
  for (std::size_t s = strata.size() - 1; s > 0; --s) {
    double sum = 0;
    Index end = strata[s];
    for (; change != changes_.rend() && change->time >= strata[s - 1]; ++change) {
      std::fill(steps.risk.begin() + change->time + 1, steps.risk.begin() + end, sum);
      end = change->time + 1;
      sum += change->risk;
    }
    std::fill(steps.risk.begin() + strata[s - 1], steps.risk.begin() + end, sum);
  }
  Index before = -1;
  for (const std::int32_t row : rows) {
    const Index t = table_.row[size(row)].time;
    if (t != before) steps.risk[size(t)] -= centre[t] * steps.tied_risk[size(t)];
    before = t;
  }
}

void StepMaker::clear(std::span<const std::int32_t> rows, CarrierSteps& steps) const {
  for (const std::int32_t row : rows) steps.tied_risk[size(table_.row[size(row)].time)] = 0;
}

double FeatureMaker::log_hazard(const ScreenFeature& feature) {
  constexpr int most_steps = 12;
  constexpr double near = 1e-3, far = 6;
  const std::vector<double>& weight = table_.weight;
  const double deaths = feature.weight_of_deaths;
  if (!(deaths > 0)) return 0;
  expected_.resize(weight.size());
  double sum = 0;
  for (std::size_t bin = 0; bin < weight.size(); ++bin) {
    const std::size_t begin = bin * ScreenTable::together;
    const std::size_t end = std::min(begin + ScreenTable::together, table_.rate.size());
    double expected = 0;
    for (std::size_t t = begin; t < end; ++t) expected += table_.rate[t] * feature.steps.risk[t];
    sum += expected_[bin] = expected;
  }
  if (!(sum > 0)) return 0;
  double y = std::clamp(std::log(deaths / sum), -far, far);
  for (int step = 0; step < most_steps; ++step) {
    const double excess = std::expm1(y), ratio = excess + 1;
    double score = deaths, information = 0;
    for (std::size_t bin = 0; bin < weight.size(); ++bin) {
      // W p and W p (1 − p), p = e^y q/(1 + (e^y − 1) q), q = expected/W
      const double with = weight[bin] + excess * expected_[bin];
      if (!(with > 0)) continue;
      const double dying = weight[bin] * ratio * expected_[bin] / with;
      score -= dying;
      information += dying * (weight[bin] - expected_[bin]) / with;
    }
    const double move = score / information;
    y += move;
    if (!(std::abs(y) < far)) return 0;
    if (std::abs(move) < near) return y;
  }
  return 0;
}

void FeatureMaker::set_rows(std::span<const std::int32_t> carriers, ScreenFeature& feature) const {
  feature.rows.assign((table_.row.size() + 63) / 64, 0);
  feature.idle.clear();
  for (const std::int32_t carrier : carriers) {
    const std::int32_t row = table_.row_of[size(carrier)];
    if (row >= 0) feature.rows[size(row / 64)] |= std::uint64_t{1} << (row % 64);
    if (row == ScreenTable::never_at_risk) feature.idle.push_back(carrier);
  }
  feature.row_list.clear();
  for (std::size_t word = 0; word < feature.rows.size(); ++word) {
    for (std::uint64_t left = feature.rows[word]; left != 0; left &= left - 1)
      feature.row_list.push_back(static_cast<std::int32_t>(64 * word + size(std::countr_zero(left))));
  }
}

void FeatureMaker::make(std::span<const std::int32_t> carriers, ScreenFeature& feature) {
  maker_.clear(feature.row_list, feature.steps);
  set_rows(carriers, feature);
  Index n_deaths = 0;
  double weight_of_deaths = 0, expected = 0;
  for (const std::int32_t number : feature.row_list) {
    const ScreenTable::Row& row = table_.row[size(number)];
    expected += row.expected;
    n_deaths += row.died;
    weight_of_deaths += row.weight_of_deaths;
  }
  feature.n_deaths = n_deaths;
  feature.weight_of_deaths = weight_of_deaths;
  feature.expected = expected;
  maker_.make(feature.row_list, feature.steps);
  feature.log_hazard = log_hazard(feature);
}

}  // namespace chorale::kernels
