// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <span>
#include <vector>

#include "kernels/hypergeometric.hpp"

namespace chorale::kernels {

/// log Σ f(s) e^{s·log ψ}, mean and variance of S under ψ.
struct SumMoments {
  double log_sum, mean, variance;
};

/// The sum of independent hypergeometric counts; part of exact_conditional.hpp.
class HypergeometricSum {
 public:
  explicit HypergeometricSum(std::vector<Hypergeometric> strata);

  double low() const { return low_; }
  double high() const { return high_; }

  SumMoments moments(double log_odds) const;

  /// The log ψ under which x is expected, low < x < high; `start` is where to look first.
  double log_odds_at(double x, double start) const;

  /// log f at low() and at high().
  double log_density_at_end(bool at_high) const;

  /// The density of S tilted to ψ: value[i] = f(first + i) exp(log_odds (first + i) - log_sum).
  struct Tilted {
    double first, log_odds, log_sum;
    std::vector<double> value;

    double last() const { return first + static_cast<double>(value.size()) - 1; }
    bool covers(double y) const { return y >= first && y <= last() && at(y) > 0; }
    double at(double y) const { return value[static_cast<std::size_t>(y - first)]; }
    double log_density(double y) const;
    /// log Σ f(z) over z ≥ y (side +1) or z ≤ y (side -1).
    double log_tail(double y, int side) const;
  };
  Tilted tilted(double log_odds) const;

 private:
  std::vector<Hypergeometric> strata_;
  double low_ = 0, high_ = 0;
};

}  // namespace chorale::kernels
