// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/cox_newton.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace chorale::kernels {

namespace {

/// A step, what it promises, and how far coefficients move along directions that are walked no further.
struct Step {
  Eigen::VectorXd step;
  double left;           ///< gradient' step
  Eigen::MatrixXd flat;  ///< columns of directions
};

/// With I₀ = L L', the eigenvectors of L⁻¹ I L⁻' are directions, their values what is left of the information there.
Step step_aside(const Eigen::MatrixXd& information, const Eigen::MatrixXd& at_start,
                const Eigen::VectorXd& gradient) {
  constexpr double nothing = 1e-10;
  const Eigen::LLT<Eigen::MatrixXd> start(at_start);
  const Eigen::MatrixXd half = start.matrixL().solve(information);
  const Eigen::MatrixXd relative = start.matrixL().solve(half.transpose());
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(relative);
  const Eigen::MatrixXd directions = start.matrixU().solve(solver.eigenvectors());
  Step result{.step = Eigen::VectorXd::Zero(gradient.size()), .left = 0, .flat = {}};
  Index n_flat = 0;
  for (Index k = 0; k < gradient.size(); ++k) {
    const double value = solver.eigenvalues()(k), along = directions.col(k).dot(gradient);
    if (!(value > nothing)) {
      ++n_flat;  // they come first
      continue;
    }
    result.step += along / value * directions.col(k);
    result.left += along * along / value;
  }
  result.flat = directions.leftCols(n_flat);
  return result;
}

Step next_step(const Eigen::MatrixXd& information, const Eigen::MatrixXd& at_start,
               const Eigen::VectorXd& gradient) {
  const Eigen::LDLT<Eigen::MatrixXd> solver(information);
  const Eigen::VectorXd solution = solver.solve(gradient);
  constexpr double little = 1e-9;
  if (solver.vectorD().minCoeff() > little * at_start.diagonal().minCoeff() && solution.allFinite())
    return {.step = solution, .left = gradient.dot(solution), .flat = {}};
  return step_aside(information, at_start, gradient);
}

/// −∞ also where the information is beyond numbers.
double if_finite(const CoxLikelihood& likelihood, double loglik) {
  return likelihood.information().allFinite() ? loglik : -std::numeric_limits<double>::infinity();
}

double value_at(CoxLikelihood& likelihood, const Eigen::VectorXd& beta) {
  const double loglik = likelihood.evaluate(beta);
  return if_finite(likelihood, loglik);
}

/// How far the linear predictor may lie between two patients.
double widest_predictor(const Eigen::VectorXd& beta, const NewtonPlan& plan) {
  double widest = 0;
  for (const Index j : plan.kept) widest += std::abs(beta(j)) * plan.range[static_cast<std::size_t>(j)];
  return widest;
}

/// Adds the coefficients that a move takes along: a thousandth of the largest change between a column's extremes.
void add_diverging(const Eigen::VectorXd& move, const NewtonPlan& plan, std::vector<Index>& infinite) {
  Eigen::VectorXd change(move.size());
  for (Index k = 0; k < move.size(); ++k) {
    const auto column = static_cast<std::size_t>(plan.kept[static_cast<std::size_t>(k)]);
    change(k) = std::abs(move(k)) * plan.range[column];
  }
  for (Index k = 0; k < move.size(); ++k) {
    if (change(k) > 1e-3 * change.maxCoeff()) infinite.push_back(plan.kept[static_cast<std::size_t>(k)]);
  }
}

}  // namespace

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
                     .loglik = plan.loglik_at_start ? if_finite(likelihood, *plan.loglik_at_start)
                                                    : value_at(likelihood, plan.start),
                     .last_step = 0,
                     .iterations = 0};
  found.information = found.information_at_start = likelihood.information();
  if (!std::isfinite(found.loglik)) return found;
  const double at_start = found.loglik;
  for (found.iterations = 1; found.iterations <= plan.max_iterations; ++found.iterations) {
    found.information = likelihood.information();
    if (plan.kept.empty()) {
      found.converged = true;
      return found;
    }
    const Step next =
        next_step(found.information(plan.kept, plan.kept), found.information_at_start(plan.kept, plan.kept),
                  likelihood.gradient()(plan.kept));
    const double left = next.left;
    if (!next.step.allFinite()) return found;
    Eigen::VectorXd step = Eigen::VectorXd::Zero(plan.start.size());
    step(plan.kept) = next.step;

    if (left < little_left) {
      bool moves = false;
      for (const Index j : plan.kept)
        moves |= std::abs(step(j)) * plan.range[static_cast<std::size_t>(j)] > still_moving;
      if (moves) add_diverging(next.step, plan, found.infinite);
      for (Index k = 0; k < next.flat.cols(); ++k) add_diverging(next.flat.col(k), plan, found.infinite);
      if (!found.infinite.empty()) {
        std::sort(found.infinite.begin(), found.infinite.end());
        found.infinite.erase(std::unique(found.infinite.begin(), found.infinite.end()), found.infinite.end());
        return found;
      }
    }
    if (left < nothing_left) {
      found.beta += step;
      found.loglik += left / 2;
      found.last_step = std::sqrt(left);
      found.converged = true;
      return found;
    }

    double loglik = value_at(likelihood, found.beta + step);
    // a lower likelihood by rounding alone is no reason to turn back; it is a difference of deaths' predictors, which
    // far from 0 are large
    const double widest = widest_predictor(found.beta, plan);
    const double rounding = 1e-13 * std::abs(found.loglik) + 2e-16 * widest * std::abs(at_start);
    for (int halvings = 0; !(loglik >= found.loglik - rounding) && halvings < max_halvings; ++halvings) {
      step /= 2;
      loglik = value_at(likelihood, found.beta + step);
    }
    if (!(loglik >= found.loglik - rounding)) {
      // hazard ratios beyond e^100, and numbers end before the likelihood levels off
      if (widest > 100) add_diverging(next.step, plan, found.infinite);
      return found;
    }
    found.beta += step;
    found.loglik = loglik;
  }
  return found;
}

}  // namespace chorale::kernels
