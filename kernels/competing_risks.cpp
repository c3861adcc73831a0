// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/competing_risks.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "kernels/error.hpp"
#include "kernels/incidence_variance.hpp"
#include "kernels/kaplan_meier_limits.hpp"

namespace chorale::kernels {
namespace {

std::size_t size(Index n) {
  return static_cast<std::size_t>(n);
}

/// The rows of all strata together: where each patient's risk begins and ends.
IncidenceRows find_rows(const CauseTimeline& causes, std::span<const std::uint8_t> included) {
  const Timeline& timeline = causes.timeline;
  IncidenceRows rows;
  rows.n_causes = causes.n_causes;
  rows.time = timeline.time;
  const bool pooled = timeline.n_strata > 1;
  if (pooled) {
    std::sort(rows.time.begin(), rows.time.end());
    rows.time.erase(std::unique(rows.time.begin(), rows.time.end()), rows.time.end());
  }
  const auto position = [&](double time) {
    return static_cast<std::int32_t>(std::upper_bound(rows.time.begin(), rows.time.end(), time) -
                                     rows.time.begin());
  };
  for (std::size_t i = 0; i < size(timeline.n_patients); ++i) {
    if (!timeline.analysed[i] || (!included.empty() && !included[i])) continue;
    const bool late = pooled && !timeline.entry.empty();
    const std::int32_t first = late ? position(timeline.entry[i]) : pooled ? 0 : timeline.first[i];
    rows.patients.push_back({.first = first,
                             .last = pooled ? position(timeline.exit[i]) : timeline.last[i],
                             .cause = causes.cause[i],
                             .weight = timeline.weight.empty() ? 1 : timeline.weight[i]});
  }
  return rows;
}

void count(IncidenceRows& rows) {
  const std::size_t n_times = rows.time.size();
  rows.at_risk.assign(n_times + 1, 0);
  rows.survivors.assign(n_times + 1, 0);
  rows.events.assign(size(rows.n_causes) * n_times, 0);
  std::vector<Index> leaving(n_times, 0);
  // who is at risk at k: all who leave at k or later, less those who enter after k
  for (const IncidencePatient& patient : rows.patients) {
    if (patient.first >= patient.last) continue;
    const std::size_t end = size(patient.last - 1);
    rows.at_risk[end] += patient.weight;
    rows.survivors[end] += 1;
    if (patient.first > 0) {
      rows.at_risk[size(patient.first - 1)] -= patient.weight;
      rows.survivors[size(patient.first - 1)] -= 1;
    }
    if (patient.cause == 0) continue;
    rows.events[size(patient.cause - 1) * n_times + end] += patient.weight;
    leaving[end] += 1;
  }
  for (std::size_t k = n_times; k > 0; --k) {
    rows.at_risk[k - 1] += rows.at_risk[k];
    rows.survivors[k - 1] += rows.survivors[k];
  }
  for (std::size_t k = 0; k < n_times; ++k) rows.survivors[k] -= leaving[k];
}

}  // namespace

CauseTimeline make_cause_timeline(const CausesView& patients, Index n_causes) {
  if (n_causes < 1 || n_causes > 127) {
    throw ShapeError(
        {.what = "number of causes out of range", .found = std::to_string(n_causes), .expected = "1 to 127"});
  }
  std::vector<std::int8_t> event;
  for (const std::int8_t cause : patients.cause) {
    if (cause < -1 || cause > n_causes) {
      throw ShapeError({.what = "cause out of range",
                        .found = std::to_string(cause),
                        .expected = "-1 to " + std::to_string(n_causes)});
    }
    event.push_back(std::min(cause, std::int8_t{1}));
  }
  CauseTimeline causes{.timeline = make_timeline({.entry = patients.entry,
                                                  .time = patients.time,
                                                  .event = event,
                                                  .weight = patients.weight,
                                                  .stratum = patients.stratum}),
                       .cause = {patients.cause.begin(), patients.cause.end()},
                       .n_causes = n_causes};
  for (std::size_t i = 0; i < causes.cause.size(); ++i) {
    if (!causes.timeline.analysed[i]) causes.cause[i] = 0;
  }
  return causes;
}

CumulativeIncidence cumulative_incidence(const CauseTimeline& causes, std::span<const std::uint8_t> included,
                                         const IncidenceOptions& options) {
  if (!included.empty())
    require_size("included does not have one value per patient", included.size(), causes.timeline.n_patients);
  const double z = half_width(options.level);
  IncidenceRows rows = find_rows(causes, included);
  count(rows);
  const std::size_t n_times = rows.time.size(), n_causes = size(rows.n_causes);
  std::vector<double> incidence(n_causes * n_times, 0), event_free(n_times);
  double survival = 1;
  for (std::size_t k = 0; k < n_times; ++k) {
    double events = 0;
    for (std::size_t c = 0; c < n_causes; ++c) {
      const std::size_t at = c * n_times + k;
      const double rate = rows.events[at] > 0 ? rows.events[at] / rows.at_risk[k] : 0;
      incidence[at] = (k > 0 ? incidence[at - 1] : 0) + survival * rate;
      events += rows.events[at];
    }
    if (events > 0) survival *= rows.survivors[k] > 0 ? 1 - events / rows.at_risk[k] : 0;
    event_free[k] = survival;
  }
  const std::vector<double> variance = incidence_variance(rows, incidence, event_free, options.variance);

  // rows on which nobody of the included has an event say nothing
  CumulativeIncidence curve;
  curve.n_analysed = static_cast<Index>(rows.patients.size());
  curve.n_causes = rows.n_causes;
  curve.n_events.assign(n_causes, 0);
  for (const IncidencePatient& patient : rows.patients) {
    if (patient.cause > 0) ++curve.n_events[size(patient.cause - 1)];
  }
  std::vector<std::size_t> kept;
  for (std::size_t k = 0; k < n_times; ++k) {
    bool any = false;
    for (std::size_t c = 0; c < n_causes; ++c) any = any || rows.events[c * n_times + k] > 0;
    if (!any) continue;
    kept.push_back(k);
    curve.time.push_back(rows.time[k]);
    curve.at_risk.push_back(rows.at_risk[k]);
    curve.event_free.push_back(event_free[k]);
  }
  for (std::size_t c = 0; c < n_causes; ++c) {
    for (const std::size_t k : kept) {
      const double f = incidence[c * n_times + k], se = std::sqrt(std::max(variance[c * n_times + k], 0.0));
      const KmLimits limits = f > 0 ? km_limits(f, se / f, options.conf, z)
                                    : KmLimits{std::numeric_limits<double>::quiet_NaN(),
                                               std::numeric_limits<double>::quiet_NaN()};
      curve.events.push_back(rows.events[c * n_times + k]);
      curve.incidence.push_back(f);
      curve.se.push_back(se);
      curve.lower.push_back(limits.lower);
      curve.upper.push_back(limits.upper);
    }
  }
  return curve;
}

std::vector<IncidencePoint> incidence_at(const CumulativeIncidence& curve, Index cause,
                                         std::span<const double> times) {
  if (cause < 1 || cause > curve.n_causes) {
    throw ShapeError({.what = "cause out of range",
                      .found = std::to_string(cause),
                      .expected = "1 to " + std::to_string(curve.n_causes)});
  }
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  std::vector<IncidencePoint> points;
  for (const double time : times) {
    const auto row = std::upper_bound(curve.time.begin(), curve.time.end(), time) - curve.time.begin();
    if (row == 0) {
      points.push_back({time, 0, 0, nan, nan});
      continue;
    }
    const std::size_t at = size((cause - 1) * curve.n_times() + row - 1);
    points.push_back({time, curve.incidence[at], curve.se[at], curve.lower[at], curve.upper[at]});
  }
  return points;
}

}  // namespace chorale::kernels
