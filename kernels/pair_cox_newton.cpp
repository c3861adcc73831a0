// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/pair_cox_newton.hpp"

#include <algorithm>
#include <cmath>

#include "kernels/two_group.hpp"

namespace chorale::kernels {
namespace {

using Three = std::array<double, 3>;

double dot(const Three& a, const Three& b) {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

/// Cholesky factor of the first n rows of the information; ok when it is positive definite.
struct Factor {
  Factor(const PairSlope& slope, int n_free) : n(n_free) {
    constexpr int at[3][3] = {{0, 1, 2}, {1, 3, 4}, {2, 4, 5}};
    for (int j = 0; j < n; ++j) {
      for (int k = 0; k <= j; ++k) {
        double left = slope.information[at[j][k]];
        for (int m = 0; m < k; ++m) left -= l[j][m] * l[k][m];
        if (j > k) {
          l[j][k] = left / l[k][k];
        } else {
          ok &= left > 1e-12 * slope.information[at[j][j]];
          l[j][j] = std::sqrt(left);
        }
      }
    }
  }

  Three solve(const Three& right) const {
    Three x{};
    for (int j = 0; j < n; ++j) {
      x[std::size_t(j)] = right[std::size_t(j)];
      for (int k = 0; k < j; ++k) x[std::size_t(j)] -= l[j][k] * x[std::size_t(k)];
      x[std::size_t(j)] /= l[j][j];
    }
    for (int j = n - 1; j >= 0; --j) {
      for (int k = j + 1; k < n; ++k) x[std::size_t(j)] -= l[k][j] * x[std::size_t(k)];
      x[std::size_t(j)] /= l[j][j];
    }
    return x;
  }

  double l[3][3] = {};
  int n;
  bool ok = true;
};

}  // namespace

PairPoint pair_point(double a, double b, double ab) {
  const double ratio_a = std::exp(a), ratio_b = std::exp(b), ratio_both = std::exp(a + b + ab);
  const double excess_a = std::expm1(a), excess_b = std::expm1(b);
  return {ratio_a, ratio_b, ratio_both, excess_a, excess_b, std::expm1(a + b + ab) - excess_a - excess_b};
}

PairPeak climb(const EventTable& all, const PairTable& pair, const PairClimb& plan) {
  constexpr int max_iterations = 60;
  constexpr double longest_step = 2, still_moving = 0.5, log_is_near = 10;
  PairPeak peak{.at = plan.start};
  Three from = plan.start, step{};
  double slope_before = std::numeric_limits<double>::infinity();
  // λ, the length of a step in standard errors, about squares from step to step: the logarithms are asked for where
  // the climb is likely to end
  double expected = plan.starts_near ? 0 : 1;
  for (peak.iterations = 1; peak.iterations <= max_iterations; ++peak.iterations) {
    const double ab = plan.none_of_both ? -std::numeric_limits<double>::infinity() : peak.at[2];
    const PairPoint at = pair_point(peak.at[0], peak.at[1], ab);
    const bool with_log = plan.with_log && expected < log_is_near * plan.last_step;
    PairSlope slope = with_log ? CHORALE_AT_LEVEL(pair_slope_and_log, all, pair, at)
                               : CHORALE_AT_LEVEL(pair_slope, all, pair, at);
    Three score{};
    for (std::size_t j = 0; j < std::size_t(plan.n_free); ++j) score[j] = plan.deaths[j] - slope.score[j];
    if (-dot(score, step) > slope_before) {
      for (std::size_t j = 0; j < 3; ++j) peak.at[j] = from[j] + (step[j] /= 2);
      slope_before /= 2;
      continue;
    }
    const Factor factor(slope, plan.n_free);
    if (!factor.ok) {
      peak.verdict = PairPeak::singular;
      return peak;
    }
    step = factor.solve(score);
    const double gain = dot(score, step), lambda = std::sqrt(gain);
    if (!(gain < 1e300)) return peak;
    if (lambda < plan.last_step) {
      if (plan.with_log && !with_log) slope = CHORALE_AT_LEVEL(pair_slope_and_log, all, pair, at);
      const bool moving =
          std::any_of(step.begin(), step.end(), [](double each) { return std::abs(each) > still_moving; });
      peak.verdict = moving ? PairPeak::separated : PairPeak::converged;
      peak.loglik = dot(plan.deaths, peak.at) - slope.log_risk + gain / 2;
      peak.variance_both = factor.solve({0, 0, 1})[2];
      for (std::size_t j = 0; j < 3; ++j) peak.at[j] += step[j];
      return peak;
    }
    const double longest = std::max({std::abs(step[0]), std::abs(step[1]), std::abs(step[2])});
    const double shorten = std::min(1.0, longest_step / longest);
    from = peak.at;
    for (std::size_t j = 0; j < 3; ++j) peak.at[j] += step[j] *= shorten;
    slope_before = gain * shorten;
    expected = lambda * lambda;
  }
  return peak;
}

}  // namespace chorale::kernels
