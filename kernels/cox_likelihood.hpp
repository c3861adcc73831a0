// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <Eigen/Dense>

namespace chorale::kernels {

/// What newton() climbs: a concave log-likelihood with its first two derivatives.
class CoxLikelihood {
 public:
  virtual ~CoxLikelihood() = default;

  /// Returns the log-likelihood at the coefficients; gradient() and information() are those of that place. −∞ where
  /// numbers do not reach.
  virtual double evaluate(const Eigen::VectorXd& beta) = 0;
  virtual const Eigen::VectorXd& gradient() const = 0;
  virtual const Eigen::MatrixXd& information() const = 0;
};

}  // namespace chorale::kernels
