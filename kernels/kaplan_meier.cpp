// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/kaplan_meier.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "kernels/error.hpp"
#include "kernels/kaplan_meier_limits.hpp"
#include "kernels/tail.hpp"

namespace chorale::kernels {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

void check(const Timeline& timeline, std::span<const std::uint8_t> included) {
  if (!included.empty())
    require_size("included does not have one value per patient", included.size(), timeline.n_patients);
}

bool counts(const Timeline& timeline, std::span<const std::uint8_t> included, std::size_t patient) {
  return timeline.analysed[patient] && (included.empty() || included[patient]);
}

double weight_of(const Timeline& timeline, std::size_t patient) {
  return timeline.weight.empty() ? 1.0 : timeline.weight[patient];
}

/// Where a curve that only falls crosses one half; see km_median.
double crossing(std::span<const double> time, std::span<const double> height) {
  HalfCrossing half;
  for (std::size_t k = 0; k < time.size(); ++k) half.see(time[k], height[k]);
  return half.time();
}

}  // namespace

double half_width(double level) {
  if (!(level > 0 && level < 1)) {
    throw ShapeError({.what = "confidence level out of range",
                      .found = std::to_string(level),
                      .expected = "between 0 and 1"});
  }
  return normal_quantile(0.5 * (1 + level));
}

KmLimits km_limits(double survival, double log_se, ConfType type, double z) {
  // log_se is the standard error of log S
  const double half = z * log_se;
  switch (type) {
    case ConfType::plain:
      if (std::isinf(log_se)) return {nan, nan};
      return {std::max(survival - survival * half, 0.0), std::min(survival + survival * half, 1.0)};
    case ConfType::log:
      if (survival == 0) return {nan, nan};
      return {survival * std::exp(-half), std::min(survival * std::exp(half), 1.0)};
    case ConfType::log_log:
      if (survival == 0 || survival == 1) return {nan, nan};
      const double centre = std::log(survival);
      return {std::exp(centre * std::exp(-half / centre)), std::exp(centre * std::exp(half / centre))};
  }
  return {nan, nan};
}

bool stays_above_half(double survival, double log_se, ConfType type, double z) {
  const double half = z * log_se;
  const double odds_of_death = (1 - survival) / survival;  // at least −log S
  switch (type) {
    case ConfType::plain:
    case ConfType::log:
      return survival * (1 - half) > 0.51;  // e^−x >= 1 − x
    case ConfType::log_log:
      // lower = S^(e^x) with x = half / −log S <= half / (1 − S), and e^x <= 1 / (1 − x); −log 0.51 > 0.67
      return odds_of_death < 0.67 * (1 - half / (1 - survival));
  }
  return false;
}

void HalfCrossing::see(double at, double height) {
  static const double tolerance = std::sqrt(std::numeric_limits<double>::epsilon());
  if (done_ || std::isnan(height) || !(height < 0.5 + tolerance)) return;
  if (std::isnan(time_)) {
    time_ = at;
    height_ = height;
    done_ = std::abs(height - 0.5) >= tolerance;
  } else if (height < height_) {
    time_ = (time_ + at) / 2;
    done_ = true;
  }
}

KmCurve kaplan_meier(const Timeline& timeline, std::span<const std::uint8_t> included, ConfOptions conf) {
  check(timeline, included);
  const double z = half_width(conf.level);
  std::vector<std::size_t> by_exit;
  std::vector<std::size_t> by_entry;
  KmCurve curve;
  for (std::size_t i = 0; i < timeline.exit.size(); ++i) {
    if (!counts(timeline, included, i)) continue;
    by_exit.push_back(i);
    curve.n_events += timeline.event[i];
  }
  curve.n_analysed = static_cast<Index>(by_exit.size());
  if (!timeline.entry.empty()) by_entry = by_exit;
  const auto exits = [&](auto a, auto b) { return timeline.exit[a] < timeline.exit[b]; };
  const auto enters = [&](auto a, auto b) { return timeline.entry[a] < timeline.entry[b]; };
  std::stable_sort(by_exit.begin(), by_exit.end(), exits);
  std::stable_sort(by_entry.begin(), by_entry.end(), enters);

  // rows from the last time back, so that at_risk grows from its smallest terms
  double at_risk = 0;
  std::size_t waiting = by_entry.size();
  std::vector<std::uint8_t> someone_survives;
  for (std::size_t end = by_exit.size(); end > 0;) {
    const double time = timeline.exit[by_exit[end - 1]];
    double events = 0, censored = 0;
    std::size_t n_survivors = by_exit.size() - end;
    for (; end > 0 && timeline.exit[by_exit[end - 1]] == time; --end) {
      const std::size_t patient = by_exit[end - 1];
      (timeline.event[patient] ? events : censored) += weight_of(timeline, patient);
      n_survivors += !timeline.event[patient];
    }
    at_risk += events + censored;
    for (; waiting > 0 && timeline.entry[by_entry[waiting - 1]] >= time; --waiting) {
      at_risk -= weight_of(timeline, by_entry[waiting - 1]);
    }
    someone_survives.push_back(n_survivors > by_entry.size() - waiting);
    curve.time.push_back(time);
    curve.at_risk.push_back(at_risk);
    curve.events.push_back(events);
    curve.censored.push_back(censored);
  }
  for (auto* column : {&curve.time, &curve.at_risk, &curve.events, &curve.censored}) {
    std::reverse(column->begin(), column->end());
  }
  std::reverse(someone_survives.begin(), someone_survives.end());

  double survival = 1, greenwood = 0;
  for (std::size_t k = 0; k < curve.time.size(); ++k) {
    const double n = curve.at_risk[k], d = curve.events[k];
    if (d > 0) {
      const double survivors = someone_survives[k] ? n - d : 0;  // differences of weights may miss zero
      survival *= survivors / n;
      greenwood += d / (n * survivors);
    }
    const double log_se = std::sqrt(greenwood);
    const KmLimits limits = km_limits(survival, log_se, conf.type, z);
    curve.survival.push_back(survival);
    curve.se.push_back(survival * log_se);  // 0 · inf = NaN where survival has become 0
    curve.lower.push_back(limits.lower);
    curve.upper.push_back(limits.upper);
  }
  return curve;
}

KmMedian km_median(const KmCurve& curve) {
  return {crossing(curve.time, curve.survival), crossing(curve.time, curve.lower),
          crossing(curve.time, curve.upper)};
}

std::vector<KmPoint> km_landmarks(const Timeline& timeline, std::span<const std::uint8_t> included,
                                  const KmCurve& curve, std::span<const double> landmarks) {
  check(timeline, included);
  std::vector<KmPoint> points;
  for (const double landmark : landmarks) {
    double at_risk = 0;
    for (std::size_t i = 0; i < timeline.exit.size(); ++i) {
      const bool entered = timeline.entry.empty() || timeline.entry[i] < landmark;
      if (counts(timeline, included, i) && entered && timeline.exit[i] >= landmark) {
        at_risk += weight_of(timeline, i);
      }
    }
    const auto after = std::upper_bound(curve.time.begin(), curve.time.end(), landmark);
    if (curve.time.empty() || landmark > curve.time.back()) {
      points.push_back({landmark, at_risk, nan, nan, nan, nan});
    } else if (after == curve.time.begin()) {
      points.push_back({landmark, at_risk, 1, 0, 1, 1});
    } else {
      const auto k = static_cast<std::size_t>(after - curve.time.begin() - 1);
      points.push_back({landmark, at_risk, curve.survival[k], curve.se[k], curve.lower[k], curve.upper[k]});
    }
  }
  return points;
}

}  // namespace chorale::kernels
