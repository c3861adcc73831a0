// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/exact_conditional.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <vector>

#include "kernels/error.hpp"
#include "kernels/exact_conditional_sum.hpp"

namespace chorale::kernels {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double log_tie = 1e-7;  // two probabilities this close count as equal, as in mantelhaen.test
using Tilted = HypergeometricSum::Tilted;

double log10_of(double log_p) {
  return log_p > -1e-12 ? 0 : log_p * std::numbers::log10e;
}

// log odds ratio of Mantel and Haenszel with ½ in every cell
double first_guess(std::span<const TwoByTwo> strata) {
  double above = 0, below = 0;
  for (const TwoByTwo& t : strata) {
    const auto n11 = static_cast<double>(t.n11) + 0.5, n10 = static_cast<double>(t.n10) + 0.5;
    const auto n01 = static_cast<double>(t.n01) + 0.5, n00 = static_cast<double>(t.n00) + 0.5;
    const double n = n11 + n10 + n01 + n00;
    above += n11 / n * n00;
    below += n10 / n * n01;
  }
  return std::log(above / below);
}

// The log ψ on `side` at whose mean the saddlepoint density meets the limit: Newton on a function that falls from 0
// outwards, inside a bracket.
double far_log_odds(const HypergeometricSum& sum, double start, double log_limit, int side) {
  const double last = side > 0 ? sum.high() - 0.3 : sum.low() + 0.3;
  double inside = 0, outside = sum.log_odds_at(last, start);
  double log_odds = std::clamp(start, std::min(inside, outside), std::max(inside, outside));
  for (int step = 0; step < 60; ++step) {
    const SumMoments at = sum.moments(log_odds);
    const double excess =
        at.log_sum - log_odds * at.mean - 0.5 * std::log(2 * std::numbers::pi * at.variance) - log_limit;
    (excess > 0 ? inside : outside) = log_odds;
    const double move = excess / (log_odds * at.variance);
    if (std::abs(move) * std::sqrt(at.variance) < 0.5) break;
    const double next = log_odds + move;
    const bool between = (next - inside) * side > 0 && (outside - next) * side > 0;
    log_odds = between ? next : 0.5 * (inside + outside);
  }
  return log_odds;
}

// log Σ f(y) over the outcomes beyond the mode, on `side`, that are at most as probable as log_limit says; -inf for none
double log_far_tail(const HypergeometricSum& sum, const Tilted& near, double observed, double log_limit,
                    int side) {
  if (sum.log_density_at_end(side > 0) > log_limit) return -infinity;
  const SumMoments plain = sum.moments(0);
  const bool within_reach = std::abs(observed - plain.mean) < 3 * std::sqrt(plain.variance);
  const double tilt = within_reach ? near.log_odds : far_log_odds(sum, -near.log_odds, log_limit, side);
  const Tilted far = within_reach ? near : sum.tilted(tilt);
  double y = observed + side;
  if (!within_reach) y = std::clamp(std::round(sum.moments(tilt).mean), far.first, far.last());
  // to the innermost outcome within the limit
  while (far.covers(y) && far.log_density(y) > log_limit) y += side;
  while (!within_reach && far.covers(y - side) && far.log_density(y - side) <= log_limit) y -= side;
  return far.covers(y) ? far.log_tail(y, side) : -infinity;
}

// how far a function of log ψ lies above its target, and its slope
struct Excess {
  double value, slope;
};

// log ψ - tilt.log_odds where P(≥ observed; ψ) (side +1) or P(≤ observed; ψ) (side -1) is `probability`
double shift_to(const Tilted& tilt, double observed, int side, double probability) {
  const auto excess_at = [&](double shift) {
    double all = 0, all_first = 0, tail = 0, tail_first = 0, largest = 0;
    std::vector<double> weight(tilt.value.size());
    for (std::size_t i = 0; i < weight.size(); ++i) {
      const double distance = tilt.first + static_cast<double>(i) - observed;
      weight[i] = tilt.value[i] * std::exp(std::clamp(shift * distance, -700.0, 700.0));
      largest = std::max(largest, weight[i]);
    }
    for (std::size_t i = 0; i < weight.size(); ++i) {
      const double distance = tilt.first + static_cast<double>(i) - observed;
      const double share = weight[i] / largest;
      all += share;
      all_first += share * distance;
      if (distance * side < 0) continue;
      tail += share;
      tail_first += share * distance;
    }
    return Excess{std::log(tail / all / probability), tail_first / tail - all_first / all};
  };
  double below = -infinity, above = infinity, shift = 0;  // the excess rises with side · shift
  for (int step = 0; step < 200; ++step) {
    const Excess excess = excess_at(shift);
    if (excess.value == 0) return shift;
    (excess.value * side < 0 ? below : above) = shift;
    double move = -excess.value / excess.slope;
    if (!(std::abs(move) <= 2)) move = std::copysign(2.0, -excess.value * side);
    double next = shift + move;
    if (next <= below || next >= above) next = 0.5 * (below + above);
    if (std::abs(next - shift) <= 1e-14 * std::max(1.0, std::abs(shift))) return next;
    shift = next;
  }
  return shift;
}

}  // namespace

ExactConditional exact_conditional(std::span<const TwoByTwo> strata, double level) {
  if (!(level > 0 && level < 1)) {
    throw ShapeError({.what = "confidence level out of range",
                      .found = fmt::format("{}", level),
                      .expected = "a number between 0 and 1"});
  }
  std::vector<Hypergeometric> informative;
  double observed = 0;
  for (const TwoByTwo& table : strata) {
    check_counts(table);
    const Hypergeometric urn(table);
    if (urn.low() == urn.high()) continue;
    informative.push_back(urn);
    observed += static_cast<double>(table.n11);
  }
  const auto n_informative = static_cast<Index>(informative.size());
  if (n_informative == 0) return {0, 0, 0, 0, {std::nan(""), 0, infinity}};

  const HypergeometricSum sum(std::move(informative));
  const bool at_low = observed == sum.low(), at_high = observed == sum.high();
  const double centre = at_low ? observed + 0.5 : at_high ? observed - 0.5 : observed;
  const Tilted tilt = sum.tilted(sum.log_odds_at(centre, first_guess(strata)));

  // the tail away from the mean is summed, the other one is what the next outcome's tail leaves
  const int side = tilt.log_odds >= 0 ? 1 : -1;
  const double near_tail = tilt.log_tail(observed, side);
  const double inner = std::log1p(std::exp(tilt.log_density(observed)) - std::exp(near_tail));
  ExactConditional result{n_informative, 0, 0, 0, {0, 0, infinity}};
  result.log10_p_greater = log10_of(side > 0 ? near_tail : inner);
  result.log10_p_less = log10_of(side > 0 ? inner : near_tail);

  const double log_limit = tilt.log_density(observed) + std::log1p(log_tie);
  const double before = observed - side;
  const bool at_mode = !tilt.covers(before) || tilt.log_density(before) <= log_limit;
  if (!at_mode) {
    const double far_tail = log_far_tail(sum, tilt, observed, log_limit, -side);
    result.log10_p = log10_of(near_tail + std::log1p(std::exp(far_tail - near_tail)));
  }

  const double outside = 0.5 * (1 - level);
  if (!at_low) result.odds_ratio.lower = std::exp(tilt.log_odds + shift_to(tilt, observed, 1, outside));
  if (!at_high) result.odds_ratio.upper = std::exp(tilt.log_odds + shift_to(tilt, observed, -1, outside));
  result.odds_ratio.estimate = at_low ? 0 : at_high ? infinity : std::exp(tilt.log_odds);
  return result;
}

}  // namespace chorale::kernels
