// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "kernels/cox.hpp"
#include "kernels/cox_engine.hpp"
#include "kernels/cox_newton.hpp"
#include "kernels/error.hpp"

namespace chorale::kernels {
namespace {

Eigen::VectorXd scaled(const CoxRows& rows, std::span<const double> beta) {
  if (static_cast<Index>(beta.size()) != rows.n_columns) {
    throw ShapeError({.what = "coefficients and columns differ in number",
                      .found = std::to_string(beta.size()),
                      .expected = std::to_string(rows.n_columns)});
  }
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

double score_test(const CoxEngine& engine, const std::vector<Index>& kept) {
  if (kept.empty()) return 0;
  const Eigen::VectorXd gradient = engine.gradient()(kept);
  const Eigen::LLT<Eigen::MatrixXd> solver(Eigen::MatrixXd(engine.information()(kept, kept)));
  return gradient.dot(solver.solve(gradient));
}

void report(const CoxRows& rows, const NewtonResult& found, CoxFit& fit) {
  const Index p = rows.n_columns;
  const Eigen::VectorXd scale = scales(rows);
  Eigen::VectorXd beta = found.beta.cwiseQuotient(scale);
  Eigen::MatrixXd covariance = Eigen::MatrixXd::Zero(p, p);
  std::vector<Index> finite;
  for (const Index j : found.kept) {
    const bool infinite = std::find(found.infinite.begin(), found.infinite.end(), j) != found.infinite.end();
    if (!infinite) finite.push_back(j);
  }
  if (!finite.empty()) {
    const Eigen::MatrixXd block = found.information(finite, finite);
    const Eigen::MatrixXd inverse = block.llt().solve(Eigen::MatrixXd::Identity(block.rows(), block.cols()));
    for (std::size_t a = 0; a < finite.size(); ++a) {
      for (std::size_t b = 0; b < finite.size(); ++b) {
        covariance(finite[a], finite[b]) =
            inverse(static_cast<Index>(a), static_cast<Index>(b)) / (scale(finite[a]) * scale(finite[b]));
      }
    }
  }
  for (const Index j : fit.aliased) beta(j) = missing;
  for (const Index j : found.infinite) {
    beta(j) = std::copysign(std::numeric_limits<double>::infinity(), beta(j));
    covariance.row(j).setConstant(missing);
    covariance.col(j).setConstant(missing);
  }
  fit.infinite = found.infinite;
  fit.beta = flat(beta);
  fit.covariance = flat(covariance);
  fit.loglik = found.loglik;
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
  if (design.n_events == 0) return fit;

  CoxEngine engine(rows, options.ties, false);
  fit.loglik_null = engine.evaluate(zero);
  fit.aliased = dependent_columns(engine.information());
  NewtonPlan plan{.start = start, .kept = {}, .range = rows.range, .max_iterations = options.max_iterations};
  for (Index j = 0; j < design.n_columns; ++j) {
    const bool aliased = std::find(fit.aliased.begin(), fit.aliased.end(), j) != fit.aliased.end();
    if (aliased) plan.start(j) = 0;
    if (!aliased) plan.kept.push_back(j);
  }
  fit.score_chi2 = score_test(engine, plan.kept);
  const NewtonResult found = newton(engine, plan);
  report(rows, found, fit);
  fit.verdict = !found.infinite.empty() ? CoxVerdict::monotone
                : !found.converged      ? CoxVerdict::not_converged
                : !fit.aliased.empty()  ? CoxVerdict::singular
                                        : CoxVerdict::converged;
  return fit;
}

}  // namespace chorale::kernels
