// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include "kernels/poisson_binomial_body.hpp"

namespace chorale::kernels {

inline constexpr double saddlepoint_promise = 1e-6;  ///< largest relative error of p

/// A tail by its saddlepoint approximation.
struct SaddleTail {
  double log_p;  ///< -inf when no success count lies there, NaN where the formula breaks down
  double error;  ///< estimate of the relative error of p
};

/// The tail of a Poisson-binomial distribution on the side away from its mean: P(X ≥ k) for side +1, P(X ≤ k) for
/// side -1. Part of poisson_binomial.hpp, where the formulas stand; every p lies strictly between 0 and 1.
class SmallTail {
 public:
  SmallTail(const TrialArrays& trials, const TrialSums& sums, int side)
      : trials_(trials), n_trials_(sums.n_open), mean_(sums.mean), side_(side) {}

  SaddleTail saddlepoint(double k) const;

  /// log p to 1e-10 of p; -inf when no success count lies there.
  double contour(double k) const;

 private:
  bool empty(double k) const { return k < 0 || k > n_trials_; }
  double saddle(double x) const;

  TrialArrays trials_;
  double n_trials_, mean_;
  int side_;
};

}  // namespace chorale::kernels
