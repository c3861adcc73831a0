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

  explicit ReplicateSearch(const Eigen::LLT<Eigen::MatrixXd>& full)
      : full_(&full), moved_(Eigen::VectorXd::Zero(full.cols())) {}

  /// The gradient at moved() and, where `exact` (double precision), the log-likelihood; takes the next step.
  void see(const Eigen::VectorXd& gradient, double loglik, bool exact);

  State state() const { return state_; }
  const Eigen::VectorXd& moved() const { return moved_; }  ///< from the full data's coefficients
  double loglik() const { return loglik_; }
  int passes() const { return passes_; }

 private:
  struct Curvature {
    Eigen::VectorXd step, change;  ///< of the coefficients, and of the gradient downwards
    double inverse;                ///< 1 / step'change
  };
  Eigen::VectorXd solve(Eigen::VectorXd gradient) const;

  const Eigen::LLT<Eigen::MatrixXd>* full_;
  Eigen::VectorXd moved_, gradient_, step_;
  std::vector<Curvature> seen_;
  double left_ = 0;     ///< λ
  double slowest_ = 0;  ///< largest λ in units of the one before
  bool exact_before_ = false;
  double loglik_ = 0;
  int passes_ = 0;
  State state_ = State::moving;
};

}  // namespace chorale::kernels
