// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <Eigen/Dense>
#include <vector>

#include "kernels/types.hpp"

namespace chorale::kernels {

/// The way of one replicate to its maximum, given gradients only: steps by the information of the full data,
/// bent by what earlier steps showed of the replicate's own.
class ReplicateSearch {
 public:
  enum class State { moving, converged, stuck };

  ReplicateSearch(const Eigen::LLT<Eigen::MatrixXd>& full, const Eigen::VectorXd& start)
      : full_(&full), beta_(start) {}

  /// The gradient at beta() and, where `exact` (double precision), the log-likelihood; takes the next step.
  void see(const Eigen::VectorXd& gradient, double loglik, bool exact);

  State state() const { return state_; }
  const Eigen::VectorXd& beta() const { return beta_; }
  double loglik() const { return loglik_; }
  int passes() const { return passes_; }

 private:
  struct Curvature {
    Eigen::VectorXd step, change;  ///< of beta, and of the gradient downwards
    double inverse;                ///< 1 / step'change
  };
  Eigen::VectorXd solve(Eigen::VectorXd gradient) const;

  const Eigen::LLT<Eigen::MatrixXd>* full_;
  Eigen::VectorXd beta_, gradient_, step_;
  std::vector<Curvature> seen_;
  double left_ = 0;  ///< λ
  double loglik_ = 0;
  int passes_ = 0;
  State state_ = State::moving;
};

}  // namespace chorale::kernels
