// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/risk_order.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <string>

#include "kernels/error.hpp"

namespace chorale::kernels {
namespace {

std::size_t size(Index n) {
  return static_cast<std::size_t>(n);
}

/// Event time k of stratum s has slot k + s + 1, the stratum's own first slot being slot_begin[s].
std::int32_t slot_after(const Timeline& timeline, std::size_t patient, std::int32_t position) {
  return position + timeline.stratum[patient];
}

bool belongs(const Timeline& timeline, std::span<const std::uint8_t> tested, std::size_t i) {
  if (!timeline.analysed[i] || (!tested.empty() && !tested[i])) return false;
  return timeline.entry.empty() || timeline.first[i] < timeline.last[i];
}

void make_slots(const Timeline& timeline, RiskOrder& order) {
  order.n_strata = timeline.n_strata;
  order.n_slots = timeline.n_times() + timeline.n_strata;
  for (Index s = 0; s < timeline.n_strata; ++s) {
    order.slot_begin.push_back(static_cast<Index>(order.time.size()));
    order.time.push_back(-std::numeric_limits<double>::infinity());
    order.time.insert(order.time.end(), timeline.time.begin() + timeline.stratum_begin[size(s)],
                      timeline.time.begin() + timeline.stratum_begin[size(s + 1)]);
  }
  order.slot_begin.push_back(order.n_slots);
}

void sort_by_entry(const Timeline& timeline, RiskOrder& order) {
  for (const std::int32_t patient : order.patient) {
    const auto i = static_cast<std::size_t>(patient);
    const bool late = timeline.first[i] > timeline.stratum_begin[size(timeline.stratum[i])];
    // who is under observation from the first event time on also is before
    order.enters.push_back(slot_after(timeline, i, timeline.first[i]) + (late ? 1 : 0));
  }
  order.by_entry.resize(order.patient.size());
  std::iota(order.by_entry.begin(), order.by_entry.end(), 0);
  std::stable_sort(order.by_entry.begin(), order.by_entry.end(),
                   [&](auto a, auto b) { return order.enters[size(a)] < order.enters[size(b)]; });
}

void list_deaths(RiskOrder& order) {
  for (Index t = 0; t < order.n_slots; ++t) {
    const std::int32_t first = order.row_begin[size(2 * t + 1)];
    for (std::int32_t row = first; row < order.row_begin[size(2 * t + 2)]; ++row) {
      order.death_row.push_back(row);
      order.death_slot.push_back(static_cast<std::int32_t>(t));
      if (row == first) continue;
      order.tied_slot.push_back(static_cast<std::int32_t>(t));
      order.tied_place.push_back(row - first);
    }
  }
  for (Index t = order.n_slots - 1; t >= 0; --t) {
    const std::int32_t dying = order.row_begin[size(2 * t + 1)];
    for (std::int32_t row = order.row_begin[size(2 * t)]; row < order.row_begin[size(2 * t + 2)]; ++row) {
      order.back.push_back(row);
      order.dies.push_back(row >= dying);
    }
  }
}

}  // namespace

RiskOrder make_risk_order(const Timeline& timeline, std::span<const std::uint8_t> tested) {
  if (!tested.empty()) {
    require_size("tested and patients differ in number", tested.size(), timeline.n_patients);
  }
  RiskOrder order;
  order.n_patients = timeline.n_patients;
  make_slots(timeline, order);
  const auto place_of = [&](std::size_t i) {
    return size(2 * slot_after(timeline, i, timeline.last[i]) + timeline.event[i]);
  };
  order.row_begin.assign(size(2 * order.n_slots + 1), 0);
  const auto n = size(timeline.n_patients);
  for (std::size_t i = 0; i < n; ++i) {
    if (belongs(timeline, tested, i)) ++order.row_begin[place_of(i) + 1];
  }
  std::partial_sum(order.row_begin.begin(), order.row_begin.end(), order.row_begin.begin());
  order.n_rows = order.row_begin.back();
  order.patient.resize(size(order.n_rows));
  std::vector<std::int32_t> next = order.row_begin;
  for (std::size_t i = 0; i < n; ++i) {
    if (!belongs(timeline, tested, i)) continue;
    order.patient[size(next[place_of(i)]++)] = static_cast<std::int32_t>(i);
  }
  for (std::size_t t = 0; t < size(order.n_slots); ++t) {
    std::stable_sort(order.patient.begin() + order.row_begin[2 * t],
                     order.patient.begin() + order.row_begin[2 * t + 1],
                     [&](auto a, auto b) { return timeline.exit[size(a)] < timeline.exit[size(b)]; });
  }
  for (const std::int32_t patient : order.patient) {
    order.exit.push_back(timeline.exit[size(patient)]);
    if (!timeline.weight.empty()) order.weight.push_back(timeline.weight[size(patient)]);
  }
  list_deaths(order);
  order.late_entries = !timeline.entry.empty();
  if (order.late_entries) sort_by_entry(timeline, order);
  return order;
}

void row_weights(const RiskOrder& order, std::span<const double> weight, std::vector<double>& of_row) {
  if (weight.empty()) {
    of_row = order.weight;
    if (of_row.empty()) of_row.assign(size(order.n_rows), 1.0);
    return;
  }
  require_size("weights and patients differ in number", weight.size(), order.n_patients);
  of_row.resize(size(order.n_rows));
  for (std::size_t row = 0; row < of_row.size(); ++row) {
    const double w = weight[size(order.patient[row])];
    if (!(w >= 0 && w <= std::numeric_limits<double>::max())) {
      throw ShapeError({.what = "case weight out of range",
                        .found = std::to_string(w),
                        .expected = "a finite number, 0 or more"});
    }
    of_row[row] = w;
  }
}

void row_values(const RiskOrder& order, std::span<const double> values, std::vector<double>& of_row) {
  require_size("values and patients differ in number", values.size(), order.n_patients);
  of_row.resize(size(order.n_rows));
  for (std::size_t row = 0; row < of_row.size(); ++row) {
    of_row[row] = values[size(order.patient[row])];
    if (!std::isinf(of_row[row])) continue;
    throw ShapeError({.what = "a prediction is infinite",
                      .found = std::to_string(of_row[row]),
                      .expected = "numbers or NaN"});
  }
}

}  // namespace chorale::kernels
