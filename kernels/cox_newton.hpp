// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "kernels/cox_likelihood.hpp"
#include "kernels/types.hpp"

namespace chorale::kernels {

struct NewtonPlan {
  Eigen::VectorXd start;          ///< scaled coefficients
  std::vector<Index> kept;        ///< coefficients that move
  std::span<const double> range;  ///< per coefficient, largest less smallest value of its column
  int max_iterations = 60;
  double last_step = 1e-8;  ///< standard errors; a step below is taken without looking again
  std::optional<double> loglik_at_start =
      {};  ///< where the likelihood was last evaluated at the start: its value
};

struct NewtonResult {
  bool converged = false;
  Eigen::VectorXd beta;         ///< scaled
  Eigen::MatrixXd information;  ///< at beta
  Eigen::MatrixXd information_at_start;
  std::vector<Index> kept;
  std::vector<Index> infinite;  ///< coefficients that still move when the likelihood no longer does
  double loglik = 0;
  double last_step = 0;  ///< standard errors; where converged, the step taken without looking again
  int iterations = 0;
};

/// Newton's method with step halving. With λ² = gradient' information⁻¹ gradient, twice what there is left to
/// gain: the last step is taken without looking again once λ is below plan.last_step, since the error after it is
/// of the order λ². Coefficients diverge when λ² is below 1e-10 and the step still changes the linear
/// predictor by more than 0.1 between the extremes of a column: that column's, and those that move by a thousandth as
/// much at least. Directions in which the information has fallen below 1e-10 of what it was at the start are beyond
/// rounding: they are walked no further, and their coefficients diverge. So do those of a step that cannot be taken, as
/// numbers end there, from where predictors differ by more than 100.
NewtonResult newton(CoxLikelihood& likelihood, const NewtonPlan& plan);

/// What a fit says of itself, worst first, with or without columns that follow from others.
template <class Verdict>
Verdict verdict_of(const NewtonResult& found, bool any_aliased) {
  if (!found.infinite.empty()) return Verdict::monotone;
  if (!found.converged) return Verdict::not_converged;
  return any_aliased ? Verdict::singular : Verdict::converged;
}

}  // namespace chorale::kernels
