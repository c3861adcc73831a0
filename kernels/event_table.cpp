// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/event_table.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "kernels/error.hpp"

namespace chorale::kernels {
namespace {

AlignedDoubles padded(Index n, double filling) {
  return AlignedDoubles(static_cast<std::size_t>((n + lanes - 1) / lanes * lanes), filling);
}

}  // namespace

void check_totals(const Timeline& timeline, const RiskTotals& totals) {
  require_size("totals belong to another timeline", totals.deaths.size(), timeline.time.size());
  require_size("totals belong to another timeline", totals.included.size(), timeline.exit.size());
}

void check_carriers(Index n_patients, CarrierLists carriers, std::size_t n_results) {
  require_size("results and carrier lists differ in number", n_results, carriers.size());
  for (const auto& list : carriers) {
    bool ascending = true;
    for (std::size_t c = 1; c < list.size(); ++c) ascending &= list[c - 1] < list[c];
    if (ascending && (list.empty() || (list.front() >= 0 && list.back() < n_patients))) continue;
    throw ShapeError({.what = "carriers are not ascending patient indices",
                      .found = ascending ? std::to_string(list.front()) + " to " + std::to_string(list.back())
                                         : "a list out of order",
                      .expected = "0 to " + std::to_string(n_patients - 1)});
  }
}

EventTimes::EventTimes(const Timeline& timeline, const RiskTotals& totals, Ties ties)
    : ties_(ties), patient_weight_(timeline.weight) {
  place_patients(timeline, totals);
  fill_totals(timeline, totals, ties);
}

void EventTimes::place_patients(const Timeline& timeline, const RiskTotals& totals) {
  // kept[k]: event times before k at which a tested patient dies; the others change nothing
  std::vector<std::int32_t> kept(timeline.time.size() + 1, 0);
  for (std::size_t k = 0; k < timeline.time.size(); ++k) {
    kept[k + 1] = kept[k] + (totals.deaths[k] > 0);
    if (totals.deaths[k] > 0) time_.push_back(timeline.time[k]);
  }
  n_times_ = kept.back();
  for (const Index begin : timeline.stratum_begin) {
    stratum_begin_.push_back(kept[static_cast<std::size_t>(begin)]);
  }

  const auto n = static_cast<std::size_t>(timeline.n_patients);
  place_.assign(n, static_cast<std::int32_t>(not_included()));
  if (!timeline.entry.empty()) enters_.assign(n, static_cast<std::int32_t>(n_times_));
  for (std::size_t i = 0; i < n; ++i) {
    if (!totals.included[i]) continue;
    const std::int32_t first = kept[static_cast<std::size_t>(timeline.first[i])];
    const std::int32_t last = kept[static_cast<std::size_t>(timeline.last[i])];
    place_[i] =
        static_cast<std::int32_t>(first < last ? 2 * (last - 1) + timeline.event[i] : never_at_risk());
    if (first < last && first > stratum_begin_[static_cast<std::size_t>(timeline.stratum[i])]) {
      enters_[i] = first - 1;
    }
  }
}

void EventTimes::fill_totals(const Timeline& timeline, const RiskTotals& totals, Ties ties) {
  std::vector<std::int32_t> everyone;
  for (std::size_t i = 0; i < totals.included.size(); ++i) {
    if (totals.included[i]) everyone.push_back(static_cast<std::int32_t>(i));
  }
  at_risk_ = sum_at_risk_ = risk_ = padded(n_times_, 1);
  deaths_ = expected_rate_ = variance_rate_ = weight_ = tied_risk_ = centre_ = padded(n_times_, 0);
  for (auto& moment : moment_) moment = padded(n_times_, 0);
  std::fill_n(at_risk_.begin(), n_times_, 0.0);  // not yet known: nobody's sums are everyone's
  CarrierArrays all(*this);
  all.count(everyone);
  const CarrierTable sums = all.table();

  std::size_t t = 0;
  for (std::size_t k = 0; k < timeline.time.size(); ++k) {
    if (totals.deaths[k] == 0) continue;
    const double n = sums.at_risk[t], d = sums.deaths[t];
    at_risk_[t] = n;
    deaths_[t] = d;
    expected_rate_[t] = d / n;
    variance_rate_[t] = n > 1 ? d * (n - d) / ((n - 1) * n * n) : 0;
    weight_[t] = timeline.weight.empty() ? d : totals.weighted_deaths[k];
    sum_at_risk_[t] = sums.sum_at_risk[t];
    risk_[t] = sums.sum_at_risk[t];
    if (ties == Ties::efron && d > 1) {
      tied_risk_[t] = sums.sum_deaths[t];
      centre_[t] = (d - 1) / (2 * d);
      risk_[t] -= centre_[t] * tied_risk_[t];
      for (double l = 0; l < d; ++l) {
        const double square = (l / d - centre_[t]) * (l / d - centre_[t]);
        double power = weight_[t] / d;
        for (auto& moment : moment_) moment[t] += power *= square;
      }
    }
    ++t;
  }
}

EventTable EventTimes::table() const {
  EventTable table{.n_times = n_padded(),
                   .efron = ties_ == Ties::efron,
                   .at_risk = at_risk_.data(),
                   .deaths = deaths_.data(),
                   .expected_rate = expected_rate_.data(),
                   .variance_rate = variance_rate_.data(),
                   .weight = weight_.data(),
                   .risk = risk_.data(),
                   .tied_risk = tied_risk_.data(),
                   .centre = centre_.data(),
                   .moment = {}};
  for (int m = 0; m < n_tie_moments; ++m) table.moment[m] = moment_[m].data();
  return table;
}

CarrierArrays::CarrierArrays(const EventTimes& times)
    : times_(times),
      counted_(static_cast<std::size_t>(2 * times.n_times() + 2), 0),
      entering_(times.enters_.empty() ? 0 : static_cast<std::size_t>(times.n_times() + 1), 0),
      at_risk_(static_cast<std::size_t>(times.n_padded()), 0),
      deaths_(at_risk_),
      risk_(at_risk_),
      tied_risk_(at_risk_) {
  if (times.patient_weight_.empty()) return;
  sum_at_risk_ = sum_deaths_ = at_risk_;
}

void CarrierArrays::count(std::span<const std::int32_t> carriers) {
  count_patients(carriers);
  if (!times_.patient_weight_.empty()) sum_weights(carriers);
}

void CarrierArrays::count_patients(std::span<const std::int32_t> carriers) {
  const bool truncated = !times_.enters_.empty();
  for (const std::int32_t carrier : carriers) {
    ++counted_[static_cast<std::size_t>(times_.place_[static_cast<std::size_t>(carrier)])];
  }
  if (truncated) {
    for (const std::int32_t carrier : carriers) {
      ++entering_[static_cast<std::size_t>(times_.enters_[static_cast<std::size_t>(carrier)])];
    }
    entering_.back() = 0;
  }
  auto& left_out = counted_[static_cast<std::size_t>(times_.not_included())];
  n_carriers_ = static_cast<Index>(carriers.size()) - left_out;
  left_out = counted_[static_cast<std::size_t>(times_.never_at_risk())] = 0;

  // at risk at t: who is last at risk at t or later, less who enters after t
  std::int32_t sum_of_deaths = 0;
  for (std::size_t s = times_.stratum_begin_.size() - 1; s > 0; --s) {
    std::int32_t at_risk = 0;
    for (Index k = times_.stratum_begin_[s] - 1; k >= times_.stratum_begin_[s - 1]; --k) {
      const auto t = static_cast<std::size_t>(k);
      const std::int32_t deaths = counted_[2 * t + 1];
      at_risk += counted_[2 * t] + deaths;
      counted_[2 * t] = counted_[2 * t + 1] = 0;
      if (truncated) {
        at_risk -= entering_[t];
        entering_[t] = 0;
      }
      sum_of_deaths += deaths;
      at_risk_[t] = at_risk;
      deaths_[t] = deaths;
    }
  }
  sum_of_deaths_ = sum_of_deaths;
}

void CarrierArrays::sum_weights(std::span<const std::int32_t> carriers) {
  std::fill(sum_at_risk_.begin(), sum_at_risk_.end(), 0.0);
  std::fill(sum_deaths_.begin(), sum_deaths_.end(), 0.0);
  sum_of_deaths_ = 0;
  for (const std::int32_t carrier : carriers) {
    const auto patient = static_cast<std::size_t>(carrier);
    const std::int32_t place = times_.place_[patient];
    if (place >= times_.never_at_risk()) continue;
    const auto t = static_cast<std::size_t>(place / 2);
    const double weight = times_.patient_weight_[patient];
    sum_at_risk_[t] += weight;
    if (place % 2 == 1) {
      sum_deaths_[t] += weight;
      sum_of_deaths_ += weight;
    }
    if (times_.enters_.empty() || times_.enters_[patient] == times_.n_times_) continue;
    sum_at_risk_[static_cast<std::size_t>(times_.enters_[patient])] -= weight;
  }
  for (std::size_t s = times_.stratum_begin_.size() - 1; s > 0; --s) {
    double sum = 0;
    for (Index k = times_.stratum_begin_[s] - 1; k >= times_.stratum_begin_[s - 1]; --k) {
      const auto t = static_cast<std::size_t>(k);
      sum += sum_at_risk_[t];
      // an arm that is empty, or everyone, is so exactly, whatever rounding left in the sums
      const bool everyone = at_risk_[t] == times_.at_risk_[t];
      sum_at_risk_[t] = at_risk_[t] == 0 ? 0 : everyone ? times_.sum_at_risk_[t] : sum;
    }
  }
}

CarrierTable CarrierArrays::table() {
  const bool weighted = !times_.patient_weight_.empty();
  return {.at_risk = at_risk_.data(),
          .deaths = deaths_.data(),
          .sum_at_risk = weighted ? sum_at_risk_.data() : at_risk_.data(),
          .sum_deaths = weighted ? sum_deaths_.data() : deaths_.data(),
          .risk = risk_.data(),
          .tied_risk = tied_risk_.data()};
}

}  // namespace chorale::kernels
