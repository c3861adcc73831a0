// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/fisher_extreme.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "kernels/hypergeometric.hpp"

namespace chorale::kernels {
namespace {

// two probabilities this close count as equal, as in fisher.test
constexpr double tie = 1e-7;

// a possible value, and how probable it is beside the observed one
struct Point {
  double y;
  double odds;  // f(y) / f(observed)
};

// log10 of f(observed) · sum. A sum that leaves out the mode leaves out more than 1e-7, so p closer to 1 than
// 1e-12 is 1 and rounding.
double log10_of(double log_density, double sum) {
  const double log_p = log_density + std::log(sum);
  return log_p > -1e-12 ? 0 : log_p * std::numbers::log10e;
}

// The innermost point at or above `floor` that is at most `limit` times as probable as the observed one,
// walking from a point near it; past high() when there is none. f falls from `floor` on.
Point innermost(const Hypergeometric& urn, Point point, double floor, double limit) {
  if (point.odds > limit) {
    while (point.odds > limit && point.y <= urn.high()) {
      point.odds *= urn.ratio(point.y);
      point.y += 1;
    }
    return point;
  }
  while (point.y > floor) {
    const double inner = point.odds / urn.ratio(point.y - 1);
    if (inner > limit) break;
    point = {point.y - 1, inner};
  }
  return point;
}

// A point at or above `floor` within a few steps of where log f crosses `target`. Newton on a concave
// function: a step may overshoot once, from then on it comes back from outside without crossing.
double near_crossing(const Hypergeometric& urn, double start, double floor, double target) {
  double y = std::clamp(std::ceil(start), floor, urn.high());
  for (int step = 0; step < 40 && y > floor; ++step) {
    const double slope = std::log(urn.ratio(y - 1));
    const double excess = urn.log_density(y) - target;
    if (std::abs(excess) < -3 * slope) break;
    const double next = slope < 0 ? std::ceil(y - excess / slope) : urn.high();
    const double kept = std::clamp(next, floor, urn.high());
    if (kept == y) break;
    y = kept;
  }
  return y;
}

// A point of the far side a few steps from where f falls to limit · f(observed), as the far side counts: by
// walking over the mode when that is near, in logarithms when it is not.
Point far_start(const Hypergeometric& near_side, const Hypergeometric& far_side, double observed, double mode,
                double log_observed, double limit) {
  constexpr double short_walk = 64;
  const double row1 = near_side.row1();
  const double mirrored = std::min(row1 - mode + (observed - mode), far_side.high());
  if (observed - (row1 - mirrored) <= short_walk) {
    Point point{observed, 1};
    for (; point.y > row1 - mirrored; point.y -= 1) point.odds /= near_side.ratio(point.y - 1);
    return {mirrored, point.odds};
  }
  const double target = log_observed + std::log(limit);
  double start = far_side.high();
  if (far_side.log_density(start) <= target)
    start = near_crossing(far_side, mirrored, row1 - mode + 1, target);
  return {start, std::exp(far_side.log_density(start) - log_observed)};
}

// Σ f(y) / f(observed) over all y with f(y) ≤ limit · f(observed)
double two_sided_sum(const TwoByTwo& table, double log_observed, double limit) {
  Hypergeometric near_side(table), far_side = near_side.reflected();
  double observed = static_cast<double>(table.n11);
  double mode = near_side.mode();
  if (observed < mode) {
    // turn the table so that the observed value lies at or above the mode
    std::swap(near_side, far_side);
    observed = near_side.row1() - observed;
    mode = near_side.row1() - mode;
  }
  double sum = 0;
  const Point near = innermost(near_side, {observed, 1}, mode, limit);
  if (near.y == mode && near.odds <= limit) return std::exp(-log_observed);  // nothing is more probable
  if (near.y <= near_side.high()) sum += near.odds * near_side.upper_tail(near.y);

  const double floor = near_side.row1() - mode + 1;
  if (floor > far_side.high()) return sum;
  const Point start = far_start(near_side, far_side, observed, mode, log_observed, limit);
  const Point far = innermost(far_side, start, floor, limit);
  if (far.y <= far_side.high()) sum += far.odds * far_side.upper_tail(far.y);
  return sum;
}

}  // namespace

double extreme_log10_upper(const TwoByTwo& table) {
  const Hypergeometric urn(table);
  const double observed = static_cast<double>(table.n11);
  if (observed <= urn.low()) return 0;
  if (observed >= urn.mode()) return log10_of(urn.log_density(observed), urn.upper_tail(observed));
  // below the mode the complement is the smaller part: P(X ≤ observed - 1)
  const Hypergeometric turned = urn.reflected();
  const double inside = urn.row1() - (observed - 1);
  return std::log1p(-std::exp(turned.log_density(inside)) * turned.upper_tail(inside)) * std::numbers::log10e;
}

double extreme_log10_two_sided(const TwoByTwo& table, bool mid) {
  const Hypergeometric urn(table);
  const double log_observed = urn.log_density(static_cast<double>(table.n11));
  double sum = two_sided_sum(table, log_observed, 1 + tie);
  // what is less probable counts in full, what is equally probable by half
  if (mid) sum = 0.5 * (sum + two_sided_sum(table, log_observed, 1 - tie));
  return log10_of(log_observed, sum);
}

}  // namespace chorale::kernels
