// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/timeline.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <string>

#include "kernels/error.hpp"

namespace chorale::kernels {
namespace {

template <class Span>
void check_length(const Span& span, std::size_t n, const char* name) {
  if (span.empty() || span.size() == n) return;
  throw ShapeError({.what = std::string(name) + " does not have one value per patient",
                    .found = std::to_string(span.size()),
                    .expected = std::to_string(n)});
}

void check(const SurvivalView& patients) {
  const std::size_t n = patients.time.size();
  check_length(patients.entry, n, "entry");
  check_length(patients.weight, n, "weight");
  check_length(patients.stratum, n, "stratum");
  if (patients.event.size() != n) {
    throw ShapeError({.what = "event does not have one value per patient",
                      .found = std::to_string(patients.event.size()),
                      .expected = std::to_string(n)});
  }
  for (const std::int8_t event : patients.event) {
    if (event < -1 || event > 1) {
      throw ShapeError(
          {.what = "event code out of range", .found = std::to_string(event), .expected = "1, 0 or -1"});
    }
  }
  for (const std::int32_t stratum : patients.stratum) {
    if (stratum < -1) {
      throw ShapeError(
          {.what = "stratum code out of range", .found = std::to_string(stratum), .expected = "-1 or more"});
    }
  }
  for (const double weight : patients.weight) {
    if (weight < 0) {
      throw ShapeError(
          {.what = "case weight is negative", .found = std::to_string(weight), .expected = "0 or more"});
    }
  }
}

/// The values that tied times take: ascending, each at least the tolerance above the one before in the data.
class TimeGrid {
 public:
  explicit TimeGrid(std::vector<double> times) {
    std::sort(times.begin(), times.end());
    times.erase(std::unique(times.begin(), times.end()), times.end());
    const double tolerance = std::sqrt(std::numeric_limits<double>::epsilon());
    double sum = 0;
    for (const double time : times) sum += std::abs(time);
    const double mean = sum / static_cast<double>(times.size());
    for (std::size_t i = 0; i < times.size(); ++i) {
      const double gap = i == 0 ? std::numeric_limits<double>::infinity() : times[i] - times[i - 1];
      if (gap > tolerance && gap / mean > tolerance) values_.push_back(times[i]);
    }
    all_distinct_ = values_.size() == times.size();
  }

  double snap(double time) const {
    if (all_distinct_) return time;
    return *(std::upper_bound(values_.begin(), values_.end(), time) - 1);
  }

 private:
  std::vector<double> values_;
  bool all_distinct_;
};

/// Fills analysed, weight, stratum and the attrition for all reasons but the order of entry and exit.
void keep_who_is_known(const SurvivalView& patients, bool truncated, Timeline& timeline) {
  for (std::size_t i = 0; i < patients.time.size(); ++i) {
    if (!std::isfinite(patients.time[i]) || patients.event[i] < 0 ||
        (truncated && !std::isfinite(patients.entry[i]))) {
      ++timeline.attrition.missing_outcome;
    } else if (!patients.stratum.empty() && patients.stratum[i] < 0) {
      ++timeline.attrition.missing_stratum;
    } else if (!patients.weight.empty() && !(patients.weight[i] > 0)) {
      ++timeline.attrition.missing_weight;
    } else {
      timeline.analysed[i] = 1;
    }
  }
}

void snap_times(const SurvivalView& patients, bool truncated, Timeline& timeline) {
  std::vector<double> times;
  for (std::size_t i = 0; i < patients.time.size(); ++i) {
    if (!timeline.analysed[i]) continue;
    times.push_back(patients.time[i]);
    if (truncated) times.push_back(patients.entry[i]);
  }
  const TimeGrid grid(std::move(times));
  for (std::size_t i = 0; i < patients.time.size(); ++i) {
    if (!timeline.analysed[i]) continue;
    timeline.exit[i] = grid.snap(patients.time[i]);
    if (!truncated) continue;
    timeline.entry[i] = grid.snap(patients.entry[i]);
    if (timeline.entry[i] >= timeline.exit[i]) {
      timeline.analysed[i] = 0;
      ++timeline.attrition.entry_not_before_exit;
    }
  }
}

void find_event_times(Timeline& timeline) {
  std::vector<std::vector<double>> times(static_cast<std::size_t>(timeline.n_strata));
  for (std::size_t i = 0; i < timeline.exit.size(); ++i) {
    if (timeline.event[i]) times[static_cast<std::size_t>(timeline.stratum[i])].push_back(timeline.exit[i]);
  }
  timeline.stratum_begin.push_back(0);
  for (auto& of_stratum : times) {
    std::sort(of_stratum.begin(), of_stratum.end());
    of_stratum.erase(std::unique(of_stratum.begin(), of_stratum.end()), of_stratum.end());
    timeline.time.insert(timeline.time.end(), of_stratum.begin(), of_stratum.end());
    timeline.stratum_begin.push_back(timeline.n_times());
  }
}

void find_ranges(Timeline& timeline) {
  for (std::size_t i = 0; i < timeline.exit.size(); ++i) {
    if (!timeline.analysed[i]) continue;
    const auto stratum = static_cast<std::size_t>(timeline.stratum[i]);
    const auto begin = timeline.time.begin() + timeline.stratum_begin[stratum];
    const auto end = timeline.time.begin() + timeline.stratum_begin[stratum + 1];
    // entry < t <= exit
    const auto first = timeline.entry.empty() ? begin : std::upper_bound(begin, end, timeline.entry[i]);
    const auto last = std::upper_bound(begin, end, timeline.exit[i]);
    timeline.first[i] = static_cast<std::int32_t>(first - timeline.time.begin());
    timeline.last[i] = static_cast<std::int32_t>(last - timeline.time.begin());
  }
}

}  // namespace

Timeline make_timeline(const SurvivalView& patients) {
  check(patients);
  const std::size_t n = patients.time.size();
  const bool truncated = std::any_of(patients.entry.begin(), patients.entry.end(),
                                     [](double entry) { return entry > 0 || std::isnan(entry); });
  Timeline timeline;
  timeline.n_patients = static_cast<Index>(n);
  timeline.first.assign(n, 0);
  timeline.last.assign(n, 0);
  timeline.event.assign(n, 0);
  timeline.analysed.assign(n, 0);
  timeline.stratum.assign(n, 0);
  timeline.exit.assign(n, std::numeric_limits<double>::quiet_NaN());
  if (truncated) timeline.entry.assign(n, std::numeric_limits<double>::quiet_NaN());

  keep_who_is_known(patients, truncated, timeline);
  snap_times(patients, truncated, timeline);
  bool weighted = false;
  for (std::size_t i = 0; i < n; ++i) {
    if (!timeline.analysed[i]) continue;
    timeline.event[i] = patients.event[i] == 1;
    if (!patients.stratum.empty()) {
      timeline.stratum[i] = patients.stratum[i];
      timeline.n_strata = std::max<Index>(timeline.n_strata, Index{patients.stratum[i]} + 1);
    }
    weighted = weighted || (!patients.weight.empty() && patients.weight[i] != 1);
  }
  if (weighted) {
    timeline.weight.assign(n, 0);
    for (std::size_t i = 0; i < n; ++i) {
      if (timeline.analysed[i]) timeline.weight[i] = patients.weight[i];
    }
  }
  find_event_times(timeline);
  find_ranges(timeline);
  return timeline;
}

RiskTotals risk_totals(const Timeline& timeline, std::span<const std::uint8_t> tested) {
  check_length(tested, static_cast<std::size_t>(timeline.n_patients), "tested");
  const auto n = static_cast<std::size_t>(timeline.n_patients);
  const std::size_t n_times = timeline.time.size();
  const bool weighted = !timeline.weight.empty();
  RiskTotals totals;
  totals.included.assign(n, 0);
  totals.at_risk.assign(n_times, 0);
  totals.deaths.assign(n_times, 0);
  if (weighted) {
    totals.weighted_at_risk.assign(n_times, 0);
    totals.weighted_deaths.assign(n_times, 0);
  }

  // a patient adds 1 where their range ends and, when observed late, -1 before it begins; see the sums below
  for (std::size_t i = 0; i < n; ++i) {
    if (!timeline.analysed[i] || (!tested.empty() && !tested[i])) continue;
    totals.included[i] = 1;
    ++totals.n_analysed;
    totals.n_events += timeline.event[i];
    if (timeline.first[i] == timeline.last[i]) continue;
    const auto end = static_cast<std::size_t>(timeline.last[i] - 1);
    const bool late =
        timeline.first[i] > timeline.stratum_begin[static_cast<std::size_t>(timeline.stratum[i])];
    const auto before = static_cast<std::size_t>(timeline.first[i] - (late ? 1 : 0));
    totals.at_risk[end] += 1;
    if (late) totals.at_risk[before] -= 1;
    totals.deaths[end] += timeline.event[i];
    if (!weighted) continue;
    totals.weighted_at_risk[end] += timeline.weight[i];
    if (late) totals.weighted_at_risk[before] -= timeline.weight[i];
    totals.weighted_deaths[end] += timeline.event[i] * timeline.weight[i];
  }
  // at risk at t: all ranges that end at t or later in the stratum, less those that begin after t
  for (std::size_t s = 0; s + 1 < timeline.stratum_begin.size(); ++s) {
    for (Index k = timeline.stratum_begin[s + 1] - 2; k >= timeline.stratum_begin[s]; --k) {
      const auto t = static_cast<std::size_t>(k);
      totals.at_risk[t] += totals.at_risk[t + 1];
      if (weighted) totals.weighted_at_risk[t] += totals.weighted_at_risk[t + 1];
    }
  }
  return totals;
}

}  // namespace chorale::kernels
