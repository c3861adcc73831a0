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

  /// The gradient at moved() in single precision; takes the next step.
  void see_single(const Eigen::VectorXd& gradient);

  /// The gradient at moved() and the log-likelihood in double precision; takes the next step.
  void see(const Eigen::VectorXd& gradient, double loglik);

  /// The gradient at probe() in single precision, after both others; mends the step that see() took last.
  void see_probe(const Eigen::VectorXd& gradient);

  State state() const { return state_; }
  const Eigen::VectorXd& moved() const { return moved_; }  ///< from the full data's coefficients
  /// From the last pass in single precision along the last change of step, so far that single precision tells its
  /// curvature.
  Eigen::VectorXd probe() const;
  double loglik() const { return loglik_; }
  int passes() const { return passes_; }

 private:
  struct Curvature {
    Eigen::VectorXd step, change;  ///< of the coefficients, and of the gradient downwards
    double inverse;                ///< 1 / step'change
  };
  Eigen::VectorXd solve(Eigen::VectorXd gradient) const;
  void learn(const Eigen::VectorXd& step, const Eigen::VectorXd& change);
  bool move(const Eigen::VectorXd& gradient, bool telling, double negligible);

  const Eigen::LLT<Eigen::MatrixXd>* full_;
  Eigen::VectorXd moved_, gradient_, step_;
  Eigen::VectorXd single_at_, single_gradient_;  ///< of the last pass in single precision, probes apart
  Eigen::VectorXd residual_;                     ///< of the gradient, what the step before did not take
  Eigen::VectorXd mended_;                       ///< how that changed the step
  double missed_ = 0;                            ///< in standard errors
  std::vector<Curvature> seen_;
  double left_ = 0;     ///< λ
  double slowest_ = 0;  ///< largest λ in units of the one before
  bool single_before_ = false;
  double loglik_ = 0;
  int passes_ = 0;
  State state_ = State::moving;
};

}  // namespace chorale::kernels
