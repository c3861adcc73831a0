// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <utility>

#include "kernels/cox.hpp"
#include "kernels/cox_engine.hpp"
#include "kernels/cox_newton.hpp"
#include "kernels/error.hpp"

namespace chorale::kernels {
namespace {

Eigen::VectorXd scaled(const CoxRows& rows, std::span<const double> beta) {
  require_size("coefficients and columns differ in number", beta.size(), rows.n_columns);
  Eigen::VectorXd result(rows.n_columns);
  for (std::size_t j = 0; j < beta.size(); ++j) result(static_cast<Index>(j)) = beta[j] * rows.scale[j];
  return result;
}

Eigen::VectorXd scales(const CoxRows& rows) {
  return Eigen::Map<const Eigen::VectorXd>(rows.scale.data(), rows.n_columns);
}

std::vector<double> flat(const Eigen::MatrixXd& matrix) {
  return {matrix.data(), matrix.data() + matrix.size()};
}

/// l(β) − ½ Σ_j strength_j β_j² on the scaled columns.
class RidgeLikelihood final : public CoxLikelihood {
 public:
  RidgeLikelihood(CoxEngine& engine, Eigen::VectorXd strength)
      : engine_(engine), strength_(std::move(strength)) {}

  double evaluate(const Eigen::VectorXd& beta) override {
    const double loglik = engine_.evaluate(beta);
    gradient_ = engine_.gradient() - strength_.cwiseProduct(beta);
    information_ = engine_.information();
    information_.diagonal() += strength_;
    return loglik - penalty(beta);
  }
  const Eigen::VectorXd& gradient() const override { return gradient_; }
  const Eigen::MatrixXd& information() const override { return information_; }

  double penalty(const Eigen::VectorXd& beta) const { return 0.5 * strength_.dot(beta.cwiseAbs2()); }
  const Eigen::VectorXd& strength() const { return strength_; }

 private:
  CoxEngine& engine_;
  Eigen::VectorXd strength_;
  Eigen::VectorXd gradient_;
  Eigen::MatrixXd information_;
};

/// θ_j of each column, on the scaled columns.
Eigen::VectorXd strengths(const CoxRows& rows, const CoxRidge& ridge) {
  Eigen::VectorXd strength = Eigen::VectorXd::Zero(rows.n_columns);
  if (ridge.theta.empty()) return strength;
  if (ridge.theta.size() != 1) {
    require_size("penalties and columns differ in number", ridge.theta.size(), rows.n_columns);
  }
  for (const double theta : ridge.theta) {
    if (theta >= 0 && std::isfinite(theta)) continue;
    throw ShapeError({.what = "penalty of a ridge out of range",
                      .found = std::to_string(theta),
                      .expected = "a finite number, 0 or more"});
  }
  for (Index j = 0; j < rows.n_columns; ++j) {
    const double theta = ridge.theta[ridge.theta.size() == 1 ? 0 : static_cast<std::size_t>(j)];
    const double scale = rows.scale[static_cast<std::size_t>(j)];
    const double unit = ridge.by_variance ? rows.variance[static_cast<std::size_t>(j)] : 1;
    strength(j) = theta * unit / (scale * scale);
  }
  return strength;
}

std::vector<Index> without(Index n, const std::vector<Index>& left_out) {
  std::vector<Index> kept;
  for (Index j = 0; j < n; ++j) {
    if (std::find(left_out.begin(), left_out.end(), j) == left_out.end()) kept.push_back(j);
  }
  return kept;
}

double score_test(const CoxEngine& engine) {
  const std::vector<Index> kept =
      without(engine.n_coefficients(), dependent_columns(engine.information(), engine.squares()));
  if (kept.empty()) return 0;
  const Eigen::VectorXd gradient = engine.gradient()(kept);
  const Eigen::LLT<Eigen::MatrixXd> solver(Eigen::MatrixXd(engine.information()(kept, kept)));
  return gradient.dot(solver.solve(gradient));
}

void report(const CoxRows& rows, const NewtonResult& found, const RidgeLikelihood& likelihood, CoxFit& fit) {
  const Eigen::VectorXd scale = scales(rows);
  Eigen::VectorXd beta = found.beta.cwiseQuotient(scale);
  std::vector<Index> finite;
  for (const Index j : found.kept) {
    const bool infinite = std::find(found.infinite.begin(), found.infinite.end(), j) != found.infinite.end();
    if (!infinite) finite.push_back(j);
  }
  const Eigen::MatrixXd inverse = inverse_of(found.information, finite);
  // trace of I (I + Θ)⁻¹
  if (found.converged)
    fit.df = static_cast<double>(finite.size()) - likelihood.strength().dot(inverse.diagonal());
  fit.penalty = likelihood.penalty(found.beta);
  const Eigen::VectorXd unit = scale.cwiseInverse();
  Eigen::MatrixXd covariance = unit.asDiagonal() * inverse * unit.asDiagonal();
  for (const Index j : fit.aliased) beta(j) = missing;
  for (const Index j : found.infinite) {
    beta(j) = std::copysign(std::numeric_limits<double>::infinity(), beta(j));
    covariance.row(j).setConstant(missing);
    covariance.col(j).setConstant(missing);
  }
  fit.infinite = found.infinite;
  fit.beta = flat(beta);
  fit.covariance = flat(covariance);
  fit.loglik = found.loglik + fit.penalty;
  fit.iterations = found.iterations;
}

}  // namespace

std::string_view name_of(CoxVerdict verdict) {
  switch (verdict) {
    case CoxVerdict::converged:
      return "converged";
    case CoxVerdict::no_events:
      return "no_events";
    case CoxVerdict::monotone:
      return "monotone";
    case CoxVerdict::singular:
      return "singular";
    case CoxVerdict::not_converged:
      return "not_converged";
  }
  throw ShapeError({.what = "verdict out of range",
                    .found = std::to_string(static_cast<int>(verdict)),
                    .expected = "a CoxVerdict"});
}

CoxTerms cox_terms(const CoxDesign& design, std::span<const double> beta, Ties ties) {
  const CoxRows& rows = *design.rows;
  CoxEngine engine(rows, ties, false);
  CoxTerms terms;
  terms.loglik = engine.evaluate(scaled(rows, beta));
  // dl/dβ = dl/dβ_scaled · scale
  const Eigen::VectorXd scale = scales(rows);
  terms.gradient = flat(engine.gradient().cwiseProduct(scale));
  terms.information = flat(scale.asDiagonal() * engine.information() * scale.asDiagonal());
  return terms;
}

CoxFit cox_fit(const CoxDesign& design, const CoxOptions& options) {
  const CoxRows& rows = *design.rows;
  CoxFit fit;
  fit.n_analysed = design.n_analysed;
  fit.n_events = design.n_events;
  fit.beta.assign(static_cast<std::size_t>(design.n_columns), missing);
  fit.covariance.assign(static_cast<std::size_t>(design.n_columns * design.n_columns), missing);
  const Eigen::VectorXd zero = Eigen::VectorXd::Zero(design.n_columns);
  const Eigen::VectorXd start = options.start.empty() ? zero : scaled(rows, options.start);
  Eigen::VectorXd strength = strengths(rows, options.ridge);
  if (design.n_events == 0) return fit;

  CoxEngine engine(rows, options.ties, false);
  RidgeLikelihood likelihood(engine, std::move(strength));
  fit.loglik_null = likelihood.evaluate(zero);
  fit.score_chi2 = score_test(engine);
  fit.aliased = dependent_columns(likelihood.information(), engine.squares() + likelihood.strength());
  // a ridge has a maximum: its coefficients do not diverge
  std::vector<double> range = rows.range;
  for (Index j = 0; j < design.n_columns; ++j) {
    if (likelihood.strength()(j) > 0) range[static_cast<std::size_t>(j)] = 0;
  }
  NewtonPlan plan{.start = start,
                  .kept = without(design.n_columns, fit.aliased),
                  .range = range,
                  .max_iterations = options.max_iterations};
  for (const Index j : fit.aliased) plan.start(j) = 0;
  if (plan.start.isZero(0)) plan.loglik_at_start = fit.loglik_null;
  const NewtonResult found = newton(likelihood, plan);
  report(rows, found, likelihood, fit);
  fit.verdict = verdict_of<CoxVerdict>(found, !fit.aliased.empty());
  return fit;
}

}  // namespace chorale::kernels
