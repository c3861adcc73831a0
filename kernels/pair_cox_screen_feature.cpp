// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/pair_cox_screen_feature.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace chorale::kernels {
namespace {

std::size_t size(Index n) {
  return static_cast<std::size_t>(n);
}

/// Each number and all behind it, in eight runs side by side, for one alone would wait for every sum.
void sum_from_behind(double* x, Index n) {
  constexpr Index runs = 8;
  const Index length = n / runs;
  double behind = 0;
  for (Index i = n - 1; i >= runs * length; --i) x[i] = behind += x[i];
  std::array<double, runs> sum{};
  for (Index i = length - 1; i >= 0; --i)
    for (Index k = 0; k < runs; ++k) x[k * length + i] = sum[size(k)] += x[k * length + i];
  for (Index k = runs - 1; k >= 0; --k) {
    for (Index i = k * length; i < (k + 1) * length; ++i) x[i] += behind;
    behind += sum[size(k)];
  }
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
  const double* centre = frame.times.table().centre;
  for (std::size_t i = 0; i < row_of.size(); ++i)
    if (row_of[i] < 0) row_of[i] = rows.efron.place()[i] == last_place ? never_at_risk : no_row;
  for (std::size_t r = 0; r < size(rows.n_rows); ++r) {
    const std::int32_t died = rows.place_of[r] % 2, time = rows.place_of[r] / 2;
    row.push_back({.risk = frame.risk[r],
                   .tied_risk = died != 0 && centre[time] > 0 ? frame.risk[r] : 0,
                   .expected = frame.expected[r],
                   .weight_of_deaths = died == 0             ? 0
                                       : rows.weight.empty() ? 1
                                                             : rows.weight[r],
                   .time = time,
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
    steps.tied_risk[size(row.time)] += row.tied_risk;
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

void FeatureMaker::scatter(std::span<const std::int32_t> carriers, ScreenFeature& feature) const {
  const std::vector<std::int32_t>& enters = frame_.rows.enters;
  const Index n_times = frame_.times.n_times();
  feature.rows.assign((table_.row.size() + 63) / 64, 0);
  feature.idle.clear();
  feature.row_list.clear();
  std::fill(feature.steps.risk.begin(), feature.steps.risk.end(), 0.0);
  std::fill(feature.steps.tied_risk.begin(), feature.steps.tied_risk.end(), 0.0);
  Index n_deaths = 0;
  double weight_of_deaths = 0, expected = 0;
  for (const std::int32_t carrier : carriers) {
    const std::int32_t number = table_.row_of[size(carrier)];
    if (number < 0) {
      if (number == ScreenTable::never_at_risk) feature.idle.push_back(carrier);
      continue;
    }
    feature.row_list.push_back(number);
    feature.rows[size(number / 64)] |= std::uint64_t{1} << (number % 64);
    const ScreenTable::Row& row = table_.row[size(number)];
    feature.steps.risk[size(row.time)] += row.risk;
    feature.steps.tied_risk[size(row.time)] += row.tied_risk;
    if (!enters.empty() && enters[size(number)] < n_times)
      feature.steps.risk[size(enters[size(number)])] -= row.risk;
    n_deaths += row.died;
    weight_of_deaths += row.weight_of_deaths;
    expected += row.expected;
  }
  feature.n_deaths = n_deaths;
  feature.weight_of_deaths = weight_of_deaths;
  feature.expected = expected;
}

void FeatureMaker::make(std::span<const std::int32_t> carriers, ScreenFeature& feature) {
  scatter(carriers, feature);
  double* risk = feature.steps.risk.data();
  const auto strata = frame_.times.stratum_begin();
  for (std::size_t s = 0; s + 1 < strata.size(); ++s)
    sum_from_behind(risk + strata[s], strata[s + 1] - strata[s]);
  const double* centre = frame_.times.table().centre;
  const double* tied_risk = feature.steps.tied_risk.data();
  for (Index t = 0; t < frame_.times.n_times(); ++t) risk[t] -= centre[t] * tied_risk[t];
  feature.log_hazard = log_hazard(feature);
}

}  // namespace chorale::kernels
