// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/restricted_mean.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "kernels/error.hpp"
#include "kernels/kaplan_meier_limits.hpp"
#include "kernels/tail.hpp"

namespace chorale::kernels {

std::string_view name_of(RmstVerdict verdict) {
  switch (verdict) {
    case RmstVerdict::estimated:
      return "estimated";
    case RmstVerdict::nobody:
      return "nobody";
    case RmstVerdict::beyond_follow_up:
      return "beyond_follow_up";
  }
  throw ShapeError({.what = "verdict out of range",
                    .found = std::to_string(static_cast<int>(verdict)),
                    .expected = "an RmstVerdict"});
}

RestrictedMean restricted_mean(const KmCurve& curve, double horizon, double level) {
  const double z = half_width(level);
  if (!(horizon > 0 && std::isfinite(horizon))) {
    throw ShapeError({.what = "horizon of a restricted mean out of range",
                      .found = std::to_string(horizon),
                      .expected = "a positive number of days"});
  }
  RestrictedMean result;
  result.horizon = horizon;
  if (curve.time.empty()) return result;
  if (horizon > curve.time.back() && curve.survival.back() > 0) {
    result.verdict = RmstVerdict::beyond_follow_up;
    return result;
  }
  // from the horizon back, so that the area beyond each time is at hand
  double area = 0, variance = 0, until = horizon;
  for (std::size_t k = curve.time.size(); k > 0; --k) {
    const double time = std::max(curve.time[k - 1], 0.0), n = curve.at_risk[k - 1], d = curve.events[k - 1];
    if (time > horizon) continue;
    area += curve.survival[k - 1] * (until - time);
    until = time;
    if (d > 0 && curve.survival[k - 1] > 0) variance += area * area * d / (n * (n - d));
  }
  result.verdict = RmstVerdict::estimated;
  result.mean = area + until;
  result.se = std::sqrt(variance);
  result.lower = std::max(result.mean - z * result.se, 0.0);
  result.upper = std::min(result.mean + z * result.se, horizon);
  return result;
}

RmstDifference compare(const RestrictedMean& a, const RestrictedMean& b, double level) {
  const double half = half_width(level);
  if (a.horizon != b.horizon) {
    throw ShapeError({.what = "restricted means up to different horizons",
                      .found = std::to_string(b.horizon),
                      .expected = std::to_string(a.horizon)});
  }
  const double difference = b.mean - a.mean, se = std::hypot(a.se, b.se), z = difference / se;
  return {.difference = difference,
          .se = se,
          .lower = difference - half * se,
          .upper = difference + half * se,
          .z = z,
          .log10_p = normal_log10_two_sided(z)};
}

}  // namespace chorale::kernels
