// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/nelson_aalen.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/kaplan_meier_limits.hpp"

namespace chorale::kernels {
namespace {

/// How many patients die at each time of the curve, whatever they weigh.
std::vector<double> count_deaths(const Timeline& timeline, std::span<const std::uint8_t> included,
                                 const KmCurve& curve) {
  if (timeline.weight.empty()) return curve.events;
  std::vector<double> deaths(curve.time.size(), 0);
  for (std::size_t i = 0; i < timeline.exit.size(); ++i) {
    if (!timeline.event[i] || (!included.empty() && !included[i])) continue;
    const auto row = std::lower_bound(curve.time.begin(), curve.time.end(), timeline.exit[i]);
    deaths[static_cast<std::size_t>(row - curve.time.begin())] += 1;
  }
  return deaths;
}

}  // namespace

HazardCurve nelson_aalen(const Timeline& timeline, std::span<const std::uint8_t> included,
                         HazardOptions options) {
  const double z = half_width(options.level);
  KmCurve rows = kaplan_meier(timeline, included, {.type = ConfType::plain, .level = options.level});
  const std::vector<double> deaths = options.ties == HazardTies::fleming_harrington
                                         ? count_deaths(timeline, included, rows)
                                         : std::vector<double>(rows.time.size(), 1);
  HazardCurve curve{.n_analysed = rows.n_analysed,
                    .n_events = rows.n_events,
                    .time = std::move(rows.time),
                    .at_risk = std::move(rows.at_risk),
                    .events = std::move(rows.events),
                    .hazard = {},
                    .variance = {},
                    .lower = {},
                    .upper = {}};
  double hazard = 0, variance = 0;
  for (std::size_t k = 0; k < curve.time.size(); ++k) {
    const double n = curve.at_risk[k], d = curve.events[k], m = deaths[k];
    for (double l = 0; d > 0 && l < m; ++l) {
      const double left = n - l / m * d;
      hazard += d / m / left;
      variance += d / m / (left * left);
    }
    const double half = z * std::sqrt(variance);
    const bool plain = options.conf == HazardConf::plain;
    const double ratio = hazard > 0 ? std::exp(half / hazard) : std::numeric_limits<double>::quiet_NaN();
    curve.hazard.push_back(hazard);
    curve.variance.push_back(variance);
    curve.lower.push_back(plain ? std::max(hazard - half, 0.0) : hazard / ratio);
    curve.upper.push_back(plain ? hazard + half : hazard * ratio);
  }
  return curve;
}

}  // namespace chorale::kernels
