// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/exact_conditional.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace chorale::kernels::reference {
namespace {

using Real = long double;

Real real(Index count) {
  return static_cast<Real>(count);
}

// f(y) of one stratum from its lowest possible n11 on
std::vector<Real> densities(const TwoByTwo& t) {
  const Index low = std::max<Index>(0, t.col1() - t.row2()), high = std::min(t.row1(), t.col1());
  const auto ratio = [&](Index y) {  // f(y + 1) / f(y)
    return real(t.row1() - y) * real(t.col1() - y) / (real(y + 1) * real(t.row2() - t.col1() + y + 1));
  };
  Index mode = low;
  while (mode < high && ratio(mode) >= 1) ++mode;
  std::vector<Real> f(static_cast<std::size_t>(high - low + 1));
  const auto at = [&](Index y) -> Real& { return f[static_cast<std::size_t>(y - low)]; };
  at(mode) = 1;
  for (Index y = mode; y < high; ++y) at(y + 1) = at(y) * ratio(y);
  for (Index y = mode; y > low; --y) at(y - 1) = at(y) / ratio(y - 1);
  Real sum = 0;
  for (const Real each : f) sum += each;
  for (Real& each : f) each /= sum;
  return f;
}

// S as a distance from its lowest possible value
struct Outcomes {
  std::vector<Real> f{1};
  std::size_t observed = 0;
  Index n_informative = 0;
};

// sums of f(y) ψ^(y - observed), relative to the largest
struct Sums {
  Real all = 0, first = 0, upper = 0, lower = 0;
};

Sums sums_at(const Outcomes& outcomes, Real log_odds) {
  const auto log_weight = [&](std::size_t y) {
    return std::log(outcomes.f[y]) + log_odds * (static_cast<Real>(y) - static_cast<Real>(outcomes.observed));
  };
  Real largest = log_weight(0);
  for (std::size_t y = 0; y < outcomes.f.size(); ++y) largest = std::max(largest, log_weight(y));
  Sums sums;
  for (std::size_t y = 0; y < outcomes.f.size(); ++y) {
    const Real weight = std::exp(log_weight(y) - largest);
    sums.all += weight;
    sums.first += weight * (static_cast<Real>(y) - static_cast<Real>(outcomes.observed));
    if (y >= outcomes.observed) sums.upper += weight;
    if (y <= outcomes.observed) sums.lower += weight;
  }
  return sums;
}

// where a rising function of log ψ becomes positive
template <typename Function>
double bisect(const Function& rising) {
  Real below = -60, above = 60;
  for (int step = 0; step < 80; ++step) {
    const Real middle = (below + above) / 2;
    (rising(middle) > 0 ? above : below) = middle;
  }
  return static_cast<double>(std::exp((below + above) / 2));
}

}  // namespace

ExactConditional exact_conditional(std::span<const TwoByTwo> strata, double level) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  Outcomes outcomes;
  for (const TwoByTwo& table : strata) {
    const std::vector<Real> f = densities(table);
    std::vector<Real> sum(outcomes.f.size() + f.size() - 1, 0);
    for (std::size_t i = 0; i < outcomes.f.size(); ++i) {
      for (std::size_t j = 0; j < f.size(); ++j) sum[i + j] += outcomes.f[i] * f[j];
    }
    outcomes.f = sum;
    outcomes.observed +=
        static_cast<std::size_t>(table.n11 - std::max<Index>(0, table.col1() - table.row2()));
    outcomes.n_informative += f.size() > 1 ? 1 : 0;
  }
  Real two_sided = 0;
  for (const Real each : outcomes.f)
    two_sided += each <= outcomes.f[outcomes.observed] * (1 + 1e-7L) ? each : 0;
  Real less = 0, greater = 0;
  for (std::size_t y = 0; y < outcomes.f.size(); ++y) {
    if (y <= outcomes.observed) less += outcomes.f[y];
    if (y >= outcomes.observed) greater += outcomes.f[y];
  }
  const auto log10_of = [](Real p) { return static_cast<double>(std::log10(std::min(p, Real{1}))); };
  ExactConditional result{outcomes.n_informative,
                          log10_of(two_sided),
                          log10_of(less),
                          log10_of(greater),
                          {std::nan(""), 0, infinity}};
  if (outcomes.n_informative == 0) return result;
  const Real outside = (1 - Real{level}) / 2;
  const bool at_low = outcomes.observed == 0, at_high = outcomes.observed + 1 == outcomes.f.size();
  const auto sums = [&](Real log_odds) { return sums_at(outcomes, log_odds); };
  if (!at_low) {
    result.odds_ratio.lower = bisect([&](Real x) { return sums(x).upper / sums(x).all - outside; });
  }
  if (!at_high) {
    result.odds_ratio.upper = bisect([&](Real x) { return outside - sums(x).lower / sums(x).all; });
  }
  result.odds_ratio.estimate = at_low    ? 0
                               : at_high ? infinity
                                         : bisect([&](Real x) { return sums(x).first; });
  return result;
}

}  // namespace chorale::kernels::reference
