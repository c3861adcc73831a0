// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/timeline.hpp"

#include <algorithm>
#include <bit>
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

/// The values that tied times take, ascending, each above the one before by more than the tolerance; and for every time
/// its place among them. Follow-up in days has few distinct values, so a hash finds them without sorting the patients.
class TimeGrid {
 public:
  explicit TimeGrid(const std::vector<double>& times) : slots_(16) {
    for (const double time : times) insert(time);
    std::vector<double> distinct;
    for (const Slot& slot : slots_)
      if (slot.place == used) distinct.push_back(slot.time);
    std::sort(distinct.begin(), distinct.end());
    const double tolerance = std::sqrt(std::numeric_limits<double>::epsilon());
    double sum = 0;
    for (const double time : distinct) sum += std::abs(time);
    const double mean = sum / static_cast<double>(distinct.size());
    for (std::size_t i = 0; i < distinct.size(); ++i) {
      const double gap = i == 0 ? std::numeric_limits<double>::infinity() : distinct[i] - distinct[i - 1];
      if (gap > tolerance && gap / mean > tolerance) values_.push_back(distinct[i]);
      slots_[slot_of(distinct[i])].place = static_cast<std::int32_t>(values_.size()) - 1;
    }
  }

  /// Place of a time that was given to the constructor.
  std::int32_t place(double time) const { return slots_[slot_of(time)].place; }
  double value(std::int32_t place) const { return values_[static_cast<std::size_t>(place)]; }
  std::size_t size() const { return values_.size(); }

 private:
  static constexpr std::int32_t empty = -1, used = -2;
  struct Slot {
    double time = 0;
    std::int32_t place = empty;
  };

  std::size_t slot_of(double time) const {
    // only the highest bits of the product depend on all bits of the time: whole days have 40 zeros at the low end;
    // adding 0 makes -0 equal to 0
    const auto hash = std::bit_cast<std::uint64_t>(time + 0.0) * 0x9e3779b97f4a7c15U;
    std::size_t at = static_cast<std::size_t>(hash >> (64 - std::bit_width(slots_.size() - 1)));
    while (slots_[at].place != empty && slots_[at].time != time) at = (at + 1) & (slots_.size() - 1);
    return at;
  }

  void insert(double time) {
    Slot& slot = slots_[slot_of(time)];
    if (slot.place != empty) return;
    slot = {.time = time, .place = used};
    if (2 * ++n_used_ < slots_.size()) return;
    std::vector<Slot> before(2 * slots_.size());
    before.swap(slots_);
    for (const Slot& old : before)
      if (old.place == used) slots_[slot_of(old.time)] = old;
  }

  std::vector<Slot> slots_;
  std::size_t n_used_ = 0;
  std::vector<double> values_;
};

/// Places of entry and exit on the grid; patients that leave have none.
struct Places {
  std::vector<std::int32_t> entry, exit;
  std::size_t n_places = 0;
};

/// Fills analysed, weight, stratum and the attrition for all reasons but the order of entry and exit.
void keep_who_is_known(const SurvivalView& patients, Timeline& timeline) {
  for (std::size_t i = 0; i < patients.time.size(); ++i) {
    if (!std::isfinite(patients.time[i]) || patients.event[i] < 0 ||
        (!patients.entry.empty() && !std::isfinite(patients.entry[i]))) {
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

Places snap_times(const SurvivalView& patients, bool truncated, Timeline& timeline) {
  std::vector<double> times;
  times.reserve(patients.time.size());
  for (std::size_t i = 0; i < patients.time.size(); ++i) {
    if (!timeline.analysed[i]) continue;
    times.push_back(patients.time[i]);
    if (truncated) times.push_back(patients.entry[i]);
  }
  const TimeGrid grid(times);
  Places places;
  places.n_places = grid.size();
  places.exit.resize(patients.time.size());
  if (truncated) places.entry.resize(patients.time.size());
  for (std::size_t i = 0; i < patients.time.size(); ++i) {
    if (!timeline.analysed[i]) continue;
    places.exit[i] = grid.place(patients.time[i]);
    timeline.exit[i] = grid.value(places.exit[i]);
    if (!truncated) continue;
    places.entry[i] = grid.place(patients.entry[i]);
    timeline.entry[i] = grid.value(places.entry[i]);
    if (places.entry[i] >= places.exit[i]) {
      timeline.analysed[i] = 0;
      ++timeline.attrition.entry_not_before_exit;
    }
  }
  return places;
}

/// Analysed patients by their place on the grid, ascending: a counting sort.
std::vector<std::int32_t> order_by(const std::vector<std::int32_t>& place, std::size_t n_places,
                                   const std::vector<std::uint8_t>& analysed) {
  std::vector<std::int32_t> begin(n_places + 1, 0);
  for (std::size_t i = 0; i < place.size(); ++i)
    if (analysed[i]) ++begin[static_cast<std::size_t>(place[i]) + 1];
  std::partial_sum(begin.begin(), begin.end(), begin.begin());
  std::vector<std::int32_t> order(static_cast<std::size_t>(begin.back()));
  for (std::size_t i = 0; i < place.size(); ++i)
    if (analysed[i])
      order[static_cast<std::size_t>(begin[static_cast<std::size_t>(place[i])]++)] =
          static_cast<std::int32_t>(i);
  return order;
}

/// Event times of each stratum, as places and as times, from patients in order of exit.
std::vector<std::vector<std::int32_t>> find_event_times(const std::vector<std::int32_t>& by_exit,
                                                        const Places& places, Timeline& timeline) {
  std::vector<std::vector<std::int32_t>> events(static_cast<std::size_t>(timeline.n_strata));
  std::vector<std::vector<double>> times(events.size());
  for (const std::int32_t patient : by_exit) {
    const auto i = static_cast<std::size_t>(patient);
    const auto stratum = static_cast<std::size_t>(timeline.stratum[i]);
    auto& of_stratum = events[stratum];
    if (!timeline.event[i] || (!of_stratum.empty() && of_stratum.back() == places.exit[i])) continue;
    of_stratum.push_back(places.exit[i]);
    times[stratum].push_back(timeline.exit[i]);
  }
  timeline.stratum_begin.push_back(0);
  for (const auto& of_stratum : times) {
    timeline.time.insert(timeline.time.end(), of_stratum.begin(), of_stratum.end());
    timeline.stratum_begin.push_back(timeline.n_times());
  }
  return events;
}

/// For each patient the position after the last event time of their stratum that is not above their place.
void count_events_up_to(const std::vector<std::int32_t>& order, const std::vector<std::int32_t>& place,
                        const std::vector<std::vector<std::int32_t>>& events, const Timeline& timeline,
                        std::vector<std::int32_t>& position) {
  std::vector<std::size_t> passed(events.size(), 0);
  for (const std::int32_t patient : order) {
    const auto i = static_cast<std::size_t>(patient);
    const auto stratum = static_cast<std::size_t>(timeline.stratum[i]);
    auto& n = passed[stratum];
    while (n < events[stratum].size() && events[stratum][n] <= place[i]) ++n;
    position[i] = static_cast<std::int32_t>(timeline.stratum_begin[stratum] + static_cast<Index>(n));
  }
}

/// At risk where entry < t <= exit.
void find_ranges(const Places& places, Timeline& timeline) {
  const auto by_exit = order_by(places.exit, places.n_places, timeline.analysed);
  const auto events = find_event_times(by_exit, places, timeline);
  count_events_up_to(by_exit, places.exit, events, timeline, timeline.last);
  if (!timeline.entry.empty()) {
    const auto by_entry = order_by(places.entry, places.n_places, timeline.analysed);
    count_events_up_to(by_entry, places.entry, events, timeline, timeline.first);
    return;
  }
  for (std::size_t i = 0; i < timeline.first.size(); ++i)
    if (timeline.analysed[i])
      timeline.first[i] =
          static_cast<std::int32_t>(timeline.stratum_begin[static_cast<std::size_t>(timeline.stratum[i])]);
}

}  // namespace

Timeline make_timeline(const SurvivalView& patients) {
  check(patients);
  const std::size_t n = patients.time.size();
  const bool truncated =
      std::any_of(patients.entry.begin(), patients.entry.end(), [](double entry) { return entry > 0; });
  Timeline timeline;
  timeline.n_patients = static_cast<Index>(n);
  timeline.first.assign(n, 0);
  timeline.last.assign(n, 0);
  timeline.event.assign(n, 0);
  timeline.analysed.assign(n, 0);
  timeline.stratum.assign(n, 0);
  timeline.exit.assign(n, std::numeric_limits<double>::quiet_NaN());
  if (truncated) timeline.entry.assign(n, std::numeric_limits<double>::quiet_NaN());

  keep_who_is_known(patients, timeline);
  const Places places = snap_times(patients, truncated, timeline);
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
  find_ranges(places, timeline);
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
