// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/error.hpp"
#include "kernels/fisher.hpp"
#include "kernels/hypergeometric.hpp"
#include "kernels/tail.hpp"

namespace chorale::kernels {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

// f(y) ψ^y over the possible values, relative to one of them near the mode
struct Sums {
  double weight = 0;        // Σ w
  double first = 0;         // Σ w (y - observed)
  double second = 0;        // Σ w (y - observed)²
  double upper_weight = 0;  // Σ_{y ≥ observed} w
  double upper_first = 0;   // Σ_{y ≥ observed} w (y - observed)
};

class Noncentral {
 public:
  explicit Noncentral(const TwoByTwo& table)
      : urn_(table),
        row1_(static_cast<double>(table.row1())),
        row2_(static_cast<double>(table.row2())),
        col1_(static_cast<double>(table.col1())),
        observed_(static_cast<double>(table.n11)) {}

  bool at_low() const { return observed_ == urn_.low(); }
  bool at_high() const { return observed_ == urn_.high(); }

  Sums sums(double log_odds) const {
    const double psi = std::exp(log_odds);
    const double centre = mode(psi);
    Sums sums;
    add(sums, centre, 1);
    double weight = 1;
    for (double y = centre; y < urn_.high(); y += 1) {
      weight *= urn_.ratio(y) * psi;
      add(sums, y + 1, weight);
      if (weight < 1e-18 * sums.weight) break;
    }
    weight = 1;
    for (double y = centre; y > urn_.low(); y -= 1) {
      weight /= urn_.ratio(y - 1) * psi;
      add(sums, y - 1, weight);
      if (weight < 1e-18 * sums.weight) break;
    }
    return sums;
  }

 private:
  void add(Sums& sums, double y, double weight) const {
    const double distance = y - observed_;
    sums.weight += weight;
    sums.first += weight * distance;
    sums.second += weight * distance * distance;
    if (distance < 0) return;
    sums.upper_weight += weight;
    sums.upper_first += weight * distance;
  }

  // f(y; ψ) = f(y - 1; ψ) where (ψ-1) y² - (ψ (row1+col1+2) + row2 - col1) y + ψ (row1+1) (col1+1) = 0
  double mode(double psi) const {
    const double a = psi - 1;
    const double b = -(psi * (row1_ + col1_ + 2) + row2_ - col1_);
    const double c = psi * (row1_ + 1) * (col1_ + 1);
    const double q = -0.5 * (b + std::copysign(std::sqrt(b * b - 4 * a * c), b));
    return std::clamp(std::floor(b > 0 ? q / a : c / q), urn_.low(), urn_.high());
  }

  Hypergeometric urn_;
  double row1_, row2_, col1_, observed_;
};

// how far a function of log ψ lies above its target, and its slope there
struct Excess {
  double value;
  double slope;
};

// Root of a rising function by Newton's method, kept inside what is known to bracket it.
template <typename Function>
double root_of_rising(const Function& excess_at, double start) {
  double below = -infinity, above = infinity, x = start;
  for (int step = 0; step < 200; ++step) {
    const Excess excess = excess_at(x);
    if (excess.value == 0) return x;
    (excess.value < 0 ? below : above) = x;
    // a flat or unknown slope asks for the longest step
    double move = -excess.value / excess.slope;
    if (!(std::abs(move) <= 4)) move = std::copysign(4.0, -excess.value);
    if (std::abs(move) <= 1e-14 * std::max(1.0, std::abs(x))) return x + move;
    double next = x + move;
    if (next <= below || next >= above) next = 0.5 * (below + above);
    if (next == x) return x;
    x = next;
  }
  return x;
}

// E(X; ψ) = observed
double log_estimate(const Noncentral& model, double start) {
  return root_of_rising(
      [&](double log_odds) {
        const Sums sums = model.sums(log_odds);
        const double mean = sums.first / sums.weight;
        return Excess{mean, sums.second / sums.weight - mean * mean};
      },
      start);
}

// log P(X ≥ observed; ψ) = log probability; its slope in log ψ is E(X | X ≥ observed) - E(X)
double log_bound(const Noncentral& model, double start, double probability) {
  return root_of_rising(
      [&](double log_odds) {
        const Sums sums = model.sums(log_odds);
        return Excess{std::log(sums.upper_weight / sums.weight) - std::log(probability),
                      sums.upper_first / sums.upper_weight - sums.first / sums.weight};
      },
      start);
}

}  // namespace

Ratio fisher_odds_ratio(const TwoByTwo& table, double level) {
  check_counts(table);
  if (!(level > 0 && level < 1)) {
    throw ShapeError({.what = "confidence level out of range",
                      .found = fmt::format("{}", level),
                      .expected = "a number between 0 and 1"});
  }
  const Noncentral model(table);
  if (model.at_low() && model.at_high()) return {std::nan(""), 0, infinity};

  // start from the table with ½ in each cell and its normal interval
  const double n11 = static_cast<double>(table.n11) + 0.5, n10 = static_cast<double>(table.n10) + 0.5;
  const double n01 = static_cast<double>(table.n01) + 0.5, n00 = static_cast<double>(table.n00) + 0.5;
  const double start = std::log(n11 / n10 * (n00 / n01));
  const double outside = 0.5 * (1 - level);
  const double reach = -normal_quantile(outside) * std::sqrt(1 / n11 + 1 / n10 + 1 / n01 + 1 / n00);

  // the upper bound is the lower one of the table with its columns exchanged
  const Noncentral turned({table.n10, table.n11, table.n00, table.n01});
  Ratio ratio{0, 0, infinity};
  if (!model.at_low()) ratio.lower = std::exp(log_bound(model, start - reach, outside));
  if (!model.at_high()) ratio.upper = std::exp(-log_bound(turned, -start - reach, outside));
  if (model.at_high()) ratio.estimate = infinity;
  if (!model.at_low() && !model.at_high()) ratio.estimate = std::exp(log_estimate(model, start));
  return ratio;
}

}  // namespace chorale::kernels
