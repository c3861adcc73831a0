// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/multiplicity.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels/error.hpp"

namespace chorale::kernels {
namespace {

// checks the arguments; returns how many tests were made
Index count_tests(std::span<const double> log10_p, std::span<double> result) {
  if (log10_p.size() != result.size()) {
    throw ShapeError({.what = "adjusting p-values needs one result per test",
                      .found = fmt::format("{} results", result.size()),
                      .expected = fmt::format("{}", log10_p.size())});
  }
  Index n_tests = 0;
  for (const double each : log10_p) {
    if (std::isnan(each)) continue;
    if (each > 0) {
      throw ShapeError({.what = "a p-value is above 1",
                        .found = fmt::format("log10 p = {}", each),
                        .expected = "log10 p ≤ 0"});
    }
    ++n_tests;
  }
  return n_tests;
}

}  // namespace

void benjamini_hochberg(std::span<const double> log10_p, std::span<double> log10_q) {
  benjamini_hochberg(log10_p, count_tests(log10_p, log10_q), log10_q);
}

void benjamini_hochberg(std::span<const double> log10_p, Index n_tests, std::span<double> log10_q) {
  const Index n_given = count_tests(log10_p, log10_q);
  if (n_tests < n_given) {
    throw ShapeError({.what = "more p-values than tests",
                      .found = fmt::format("{} p-values of {} tests", n_given, n_tests),
                      .expected = "at least as many tests as p-values"});
  }
  std::vector<std::size_t> order;
  order.reserve(static_cast<std::size_t>(n_given));
  for (std::size_t i = 0; i < log10_p.size(); ++i) {
    if (std::isnan(log10_p[i])) {
      log10_q[i] = log10_p[i];
    } else {
      order.push_back(i);
    }
  }
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return log10_p[a] < log10_p[b]; });
  const double log10_m = std::log10(static_cast<double>(n_tests));
  double smallest = 0;
  for (std::size_t rank = order.size(); rank > 0; --rank) {
    const std::size_t i = order[rank - 1];
    // log10 (p · m / rank)
    smallest = std::min(smallest, log10_p[i] + (log10_m - std::log10(static_cast<double>(rank))));
    log10_q[i] = smallest;
  }
}

void bonferroni(std::span<const double> log10_p, std::span<double> log10_adjusted) {
  const double log10_m = std::log10(static_cast<double>(count_tests(log10_p, log10_adjusted)));
  std::transform(log10_p.begin(), log10_p.end(), log10_adjusted.begin(),
                 [&](double each) { return std::isnan(each) ? each : std::min(0.0, each + log10_m); });
}

}  // namespace chorale::kernels
