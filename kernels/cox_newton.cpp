// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/cox_newton.hpp"

#include <cmath>

namespace chorale::kernels {

NewtonResult newton(CoxLikelihood& likelihood, const NewtonPlan& plan) {
  const double nothing_left = plan.last_step * plan.last_step;
  constexpr double little_left = 1e-10, still_moving = 0.1;
  constexpr int max_halvings = 40;
  NewtonResult found{.converged = false,
                     .beta = plan.start,
                     .information = {},
                     .information_at_start = {},
                     .kept = plan.kept,
                     .infinite = {},
                     .loglik = likelihood.evaluate(plan.start),
                     .iterations = 0};
  found.information_at_start = likelihood.information();
  for (found.iterations = 1; found.iterations <= plan.max_iterations; ++found.iterations) {
    found.information = likelihood.information();
    if (plan.kept.empty()) {
      found.converged = true;
      return found;
    }
    const Eigen::VectorXd gradient = likelihood.gradient()(plan.kept);
    const Eigen::LDLT<Eigen::MatrixXd> solver(Eigen::MatrixXd(found.information(plan.kept, plan.kept)));
    Eigen::VectorXd step = Eigen::VectorXd::Zero(plan.start.size());
    const Eigen::VectorXd solution = solver.solve(gradient);
    step(plan.kept) = solution;
    const double left = gradient.dot(solution);
    if (!step.allFinite()) return found;

    if (left < little_left) {
      for (const Index j : plan.kept) {
        if (std::abs(step(j)) * plan.range[static_cast<std::size_t>(j)] > still_moving)
          found.infinite.push_back(j);
      }
      if (!found.infinite.empty()) return found;
    }
    if (left < nothing_left) {
      found.beta += step;
      found.loglik += left / 2;
      found.converged = true;
      return found;
    }

    double loglik = likelihood.evaluate(found.beta + step);
    // a lower likelihood by rounding alone is no reason to turn back
    const double rounding = 1e-13 * std::abs(found.loglik);
    for (int halvings = 0; !(loglik >= found.loglik - rounding) && halvings < max_halvings; ++halvings) {
      step /= 2;
      loglik = likelihood.evaluate(found.beta + step);
    }
    if (!(loglik >= found.loglik - rounding)) return found;
    found.beta += step;
    found.loglik = loglik;
  }
  return found;
}

}  // namespace chorale::kernels
