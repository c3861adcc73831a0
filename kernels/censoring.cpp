// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/censoring.hpp"

#include <algorithm>
#include <string>

#include "kernels/error.hpp"

namespace chorale::kernels {
namespace {

std::size_t size(Index n) {
  return static_cast<std::size_t>(n);
}

double sum_of(std::span<const double> weight, Index begin, Index end) {
  double sum = 0;
  for (Index row = begin; row < end; ++row) sum += weight[size(row)];
  return sum;
}

}  // namespace

std::string_view name_of(HorizonVerdict verdict) {
  switch (verdict) {
    case HorizonVerdict::computed:
      return "computed";
    case HorizonVerdict::nobody:
      return "nobody";
    case HorizonVerdict::beyond_follow_up:
      return "beyond_follow_up";
    case HorizonVerdict::no_cases:
      return "no_cases";
    case HorizonVerdict::no_controls:
      return "no_controls";
  }
  return "";
}

Censoring censoring(const RiskOrder& order, std::span<const double> weight) {
  if (order.late_entries) {
    throw ShapeError({.what = "censoring weights are not defined for patients who enter late",
                      .found = "late entries",
                      .expected = "all observed from the start"});
  }
  require_size("weights and rows differ in number", weight.size(), order.n_rows);
  Censoring censored{.before = std::vector<double>(size(order.n_slots), 1.0),
                     .after_deaths = std::vector<double>(size(order.n_slots)),
                     .survival = std::vector<double>(size(order.n_slots), 1.0)};
  for (Index s = 0; s < order.n_strata; ++s) {
    const Index begin = order.slot_begin[size(s)], end = order.slot_begin[size(s + 1)];
    double at_risk = 0;
    for (Index t = end - 1; t >= begin; --t) {
      const Index alive = order.row_begin[size(2 * t)], dying = order.row_begin[size(2 * t + 1)];
      at_risk += sum_of(weight, alive, dying);
      censored.after_deaths[size(t)] = at_risk;
      at_risk += sum_of(weight, dying, order.row_begin[size(2 * t + 2)]);
      censored.before[size(t)] = at_risk;  // until G is known
    }
    double known = 1, survival = 1;
    for (Index t = begin; t < end; ++t) {
      const double left = censored.after_deaths[size(t)];
      const double next = t + 1 < end ? censored.before[size(t + 1)] : 0;  // at risk at the next slot
      if (censored.before[size(t)] > 0) survival *= left / censored.before[size(t)];
      censored.survival[size(t)] = survival;
      censored.before[size(t)] = known;
      if (left > 0) known *= next / left;
    }
  }
  return censored;
}

HorizonPlace horizon_place(const RiskOrder& order, const Censoring& censored, std::span<const double> weight,
                           Index stratum, double horizon) {
  const auto first = order.time.begin() + order.slot_begin[size(stratum)];
  const auto last = order.time.begin() + order.slot_begin[size(stratum + 1)];
  const Index slot = std::upper_bound(first, last, horizon) - order.time.begin() - 1;
  const auto alive = order.exit.begin() + order.row_begin[size(2 * slot)];
  const auto dying = order.exit.begin() + order.row_begin[size(2 * slot + 1)];
  const Index row = std::upper_bound(alive, dying, horizon) - order.exit.begin();
  const double left = censored.after_deaths[size(slot)];
  const double gone = sum_of(weight, order.row_begin[size(2 * slot)], row);
  return {
      .slot = slot, .row = row, .known = censored.before[size(slot)] * (left > 0 ? (left - gone) / left : 1)};
}

}  // namespace chorale::kernels
