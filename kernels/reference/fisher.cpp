// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/fisher.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace chorale::kernels::reference {
namespace {

using Real = long double;

// every possible n11 with its probability
struct Outcomes {
  Index low;
  std::vector<Real> probability;
};

Real real(Index count) {
  return static_cast<Real>(count);
}

// f(y) ψ^y from the ratios of neighbours, relative to the largest, divided by the sum
Outcomes enumerate(const TwoByTwo& t, Real log_odds = 0) {
  const Index low = std::max<Index>(0, t.col1() - t.row2());
  const Index high = std::min(t.row1(), t.col1());
  const Real psi = std::exp(log_odds);
  const auto ratio = [&](Index y) {  // f(y + 1) / f(y)
    return psi * real(t.row1() - y) * real(t.col1() - y) / (real(y + 1) * real(t.row2() - t.col1() + y + 1));
  };
  Index mode = low;
  while (mode < high && ratio(mode) >= 1) ++mode;
  std::vector<Real> weight(static_cast<std::size_t>(high - low + 1));
  const auto at = [&](Index y) -> Real& { return weight[static_cast<std::size_t>(y - low)]; };
  at(mode) = 1;
  for (Index y = mode; y < high; ++y) at(y + 1) = at(y) * ratio(y);
  for (Index y = mode; y > low; --y) at(y - 1) = at(y) / ratio(y - 1);
  Real sum = 0;
  for (const Real each : weight) sum += each;
  for (Real& each : weight) each /= sum;
  return {low, weight};
}

Real observed_probability(const TwoByTwo& table, const Outcomes& all) {
  return all.probability[static_cast<std::size_t>(table.n11 - all.low)];
}

double log10_of(Real p) {
  return static_cast<double>(std::log10(std::min(p, Real{1})));
}

// P(X ≥ n11; ψ), P(X ≤ n11; ψ) and E(X; ψ)
struct Summary {
  Real upper = 0, lower = 0, mean = 0;
};

Summary summarise(const TwoByTwo& table, Real log_odds) {
  const Outcomes all = enumerate(table, log_odds);
  Summary summary;
  Index y = all.low;
  for (const Real p : all.probability) {
    if (y >= table.n11) summary.upper += p;
    if (y <= table.n11) summary.lower += p;
    summary.mean += p * real(y);
    ++y;
  }
  return summary;
}

// where a rising function of log ψ becomes positive
template <typename Function>
double bisect(const Function& rising) {
  Real below = -200, above = 200;
  for (int step = 0; step < 80; ++step) {
    const Real middle = (below + above) / 2;
    (rising(middle) > 0 ? above : below) = middle;
  }
  return static_cast<double>(std::exp((below + above) / 2));
}

}  // namespace

double fisher_log10_p(const TwoByTwo& table) {
  const Outcomes all = enumerate(table);
  const Real observed = observed_probability(table, all);
  Real sum = 0;
  for (const Real p : all.probability) sum += p <= observed * (1 + 1e-7L) ? p : 0;
  return log10_of(sum);
}

double fisher_log10_mid_p(const TwoByTwo& table) {
  const Outcomes all = enumerate(table);
  const Real observed = observed_probability(table, all);
  Real sum = 0;
  for (const Real p : all.probability) {
    if (p <= observed * (1 - 1e-7L)) {
      sum += p;
    } else if (p <= observed * (1 + 1e-7L)) {
      sum += p / 2;
    }
  }
  return log10_of(sum);
}

double fisher_log10_p_less(const TwoByTwo& table) {
  return log10_of(summarise(table, 0).lower);
}

double fisher_log10_p_greater(const TwoByTwo& table) {
  return log10_of(summarise(table, 0).upper);
}

Ratio fisher_odds_ratio(const TwoByTwo& table, double level) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  const bool at_low = table.n11 == std::max<Index>(0, table.col1() - table.row2());
  const bool at_high = table.n11 == std::min(table.row1(), table.col1());
  if (at_low && at_high) return {std::nan(""), 0, infinity};
  const Real outside = (1 - Real{level}) / 2;
  Ratio ratio{0, 0, infinity};
  if (!at_low) ratio.lower = bisect([&](Real x) { return summarise(table, x).upper - outside; });
  if (!at_high) ratio.upper = bisect([&](Real x) { return outside - summarise(table, x).lower; });
  if (at_high) {
    ratio.estimate = infinity;
  } else if (!at_low) {
    ratio.estimate = bisect([&](Real x) { return summarise(table, x).mean - real(table.n11); });
  }
  return ratio;
}

}  // namespace chorale::kernels::reference
