// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/pair_cox_bound.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/pair_cox_newton.hpp"

namespace chorale::kernels {
namespace {

/// x log(x/y), 0 at x = 0.
double x_log_ratio(double x, double y) {
  return x == 0 ? 0 : x * std::log(x / y);
}

/// max_y (deaths y − trials log(1 + (e^y − 1) share)).
double gain(double deaths, double expected, double share) {
  const double trials = expected / share;
  if (deaths == 0 && expected == 0) return 0;
  if (deaths < 0 || deaths >= trials) return std::numeric_limits<double>::infinity();
  return x_log_ratio(deaths, expected) + x_log_ratio(trials - deaths, trials - expected);
}

}  // namespace

double lrt_at_most(const EventTable& all, const PairTable& pair, const PairBound& bound) {
  // six times the mean lets shares double over time in all three groups at once; small ones may grow without harm
  constexpr double over_mean = 6, smallest = 0.02, largest = 0.75;
  const PairPoint at = pair_point(bound.a, bound.b, 0);
  const std::array<double, 3> ratio{at.ratio_a, at.ratio_b, at.ratio_both};
  std::array<double, 3> share{}, per_share{};
  for (std::size_t g = 0; g < 3; ++g) {
    share[g] = std::clamp(over_mean * ratio[g] * bound.mean_share[g], smallest, largest);
    per_share[g] = 1 / share[g];
  }
  const PairExpected expected = CHORALE_AT_LEVEL(pair_expected, all, pair, at, per_share.data());
  double sum = 0;
  for (std::size_t g = 0; g < 3; ++g)
    sum += gain(bound.deaths[g] - expected.flat[g], expected.curved[g], share[g]);
  return 2 * sum;
}

}  // namespace chorale::kernels
