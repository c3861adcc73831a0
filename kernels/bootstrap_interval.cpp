// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/bootstrap_interval.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "kernels/error.hpp"
#include "kernels/tail.hpp"

namespace chorale::kernels {
namespace {

double normal_below(double z) {
  return 0.5 * std::erfc(-z / std::sqrt(2.0));
}

std::vector<double> in_order(std::span<const double> estimates, double level) {
  if (!(level > 0 && level < 1))
    throw ShapeError(
        {.what = "level is out of range", .found = std::to_string(level), .expected = "between 0 and 1"});
  std::vector<double> sorted;
  sorted.reserve(estimates.size());
  for (const double x : estimates)
    if (!std::isnan(x)) sorted.push_back(x);
  std::sort(sorted.begin(), sorted.end());
  return sorted;
}

double quantile(const std::vector<double>& sorted, double p) {
  if (sorted.empty() || std::isnan(p)) return missing;
  const double h = static_cast<double>(sorted.size() - 1) * p;
  const auto below = static_cast<std::size_t>(std::floor(h));
  const double rest = h - std::floor(h);
  const double x = sorted[below];
  if (rest == 0 || below + 1 == sorted.size() || sorted[below + 1] == x) return x;
  if (std::isinf(x)) return x;
  return x + rest * (sorted[below + 1] - x);
}

}  // namespace

Interval percentile_interval(std::span<const double> estimates, double level) {
  const auto sorted = in_order(estimates, level);
  return {.lower = quantile(sorted, (1 - level) / 2), .upper = quantile(sorted, 1 - (1 - level) / 2)};
}

Interval interval_about(double centre, std::span<const double> estimates, double level) {
  Interval interval = percentile_interval(estimates, level);
  double sum = 0, n = 0;
  for (const double estimate : estimates) {
    if (std::isnan(estimate)) continue;
    sum += estimate;
    ++n;
  }
  interval.lower += centre - sum / n;
  interval.upper += centre - sum / n;
  return interval;
}

Interval bca_interval(std::span<const double> estimates, double estimate, double acceleration, double level) {
  const auto sorted = in_order(estimates, level);
  if (sorted.empty() || std::isnan(estimate) || std::isnan(acceleration)) return {};
  const auto [first, last] = std::equal_range(sorted.begin(), sorted.end(), estimate);
  const double below = static_cast<double>(first - sorted.begin()) + 0.5 * static_cast<double>(last - first);
  const double share = below / static_cast<double>(sorted.size());
  if (share == 0 || share == 1) return {};
  const double z0 = normal_quantile(share);
  const double z = normal_quantile((1 + level) / 2);
  const auto limit = [&](double of) {
    const double stretch = 1 - acceleration * (z0 + of);
    return stretch > 0 ? quantile(sorted, normal_below(z0 + (z0 + of) / stretch)) : missing;
  };
  return {.lower = limit(-z), .upper = limit(z)};
}

double acceleration(std::span<const double> influence) {
  double squares = 0, cubes = 0;
  for (const double u : influence) {
    squares += u * u;
    cubes += u * u * u;
  }
  return squares == 0 ? 0 : cubes / (6 * std::pow(squares, 1.5));
}

}  // namespace chorale::kernels
