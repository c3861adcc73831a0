// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/fine_gray.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "kernels/cox_engine.hpp"
#include "kernels/cox_newton.hpp"
#include "kernels/error.hpp"
#include "kernels/fine_gray_engine.hpp"

namespace chorale::kernels {
namespace {

bool contains(const std::vector<Index>& list, Index j) {
  return std::find(list.begin(), list.end(), j) != list.end();
}

std::vector<double> flat(const Eigen::MatrixXd& matrix) {
  return {matrix.data(), matrix.data() + matrix.size()};
}

/// A covariance of the scaled, finite coefficients on the original scale, among all coefficients.
std::vector<double> spread(const Eigen::MatrixXd& of_finite, const std::vector<Index>& finite,
                           const std::vector<Index>& infinite, const std::vector<double>& scale) {
  const auto p = static_cast<Index>(scale.size());
  Eigen::MatrixXd covariance = Eigen::MatrixXd::Zero(p, p);
  covariance(finite, finite) = of_finite;
  const Eigen::VectorXd by = Eigen::Map<const Eigen::VectorXd>(scale.data(), p).cwiseInverse();
  covariance = by.asDiagonal() * covariance * by.asDiagonal();
  for (const Index j : infinite) {
    covariance.row(j).setConstant(missing);
    covariance.col(j).setConstant(missing);
  }
  return flat(covariance);
}

void report(const FineGrayRows& rows, const NewtonResult& found, double n_events,
            const FineGrayOptions& options, FineGrayEngine& engine, FineGrayFit& fit) {
  fit.infinite = found.infinite;
  fit.loglik = found.loglik;
  fit.iterations = found.iterations;
  Eigen::VectorXd beta = found.beta.cwiseQuotient(
      Eigen::Map<const Eigen::VectorXd>(rows.scale.data(), static_cast<Index>(rows.scale.size())));
  for (const Index j : fit.aliased) beta(j) = missing;
  for (const Index j : fit.infinite)
    beta(j) = std::copysign(std::numeric_limits<double>::infinity(), beta(j));
  fit.beta = flat(beta);

  std::vector<Index> finite;
  for (const Index j : found.kept) {
    if (!contains(found.infinite, j)) finite.push_back(j);
  }
  const auto inverse_of = [&](const Eigen::MatrixXd& information) -> Eigen::MatrixXd {
    const Eigen::MatrixXd block = information(finite, finite);
    return block.llt().solve(Eigen::MatrixXd::Identity(block.rows(), block.cols()));
  };
  if (!options.robust) {
    fit.naive_covariance = spread(inverse_of(found.information), finite, found.infinite, rows.scale);
    return;
  }
  // a step changes the information by about its length over the root of the events
  constexpr double rounding = 1e-12;
  const bool there = found.converged && found.last_step < rounding * std::sqrt(n_events);
  if (!there) engine.evaluate(found.beta);
  const Eigen::MatrixXd inverse = inverse_of(engine.information());
  const Eigen::MatrixXd products = engine.residual_products()(finite, finite);
  fit.naive_covariance = spread(inverse, finite, found.infinite, rows.scale);
  fit.covariance = spread(inverse * products * inverse, finite, found.infinite, rows.scale);
}

}  // namespace

std::string_view name_of(FineGrayVerdict verdict) {
  switch (verdict) {
    case FineGrayVerdict::converged:
      return "converged";
    case FineGrayVerdict::no_events:
      return "no_events";
    case FineGrayVerdict::monotone:
      return "monotone";
    case FineGrayVerdict::singular:
      return "singular";
    case FineGrayVerdict::not_converged:
      return "not_converged";
  }
  throw ShapeError({.what = "verdict out of range",
                    .found = std::to_string(static_cast<int>(verdict)),
                    .expected = "a FineGrayVerdict"});
}

FineGrayFit fine_gray_fit(const FineGrayDesign& design, const FineGrayOptions& options) {
  const auto p = static_cast<std::size_t>(design.n_columns);
  if (!options.start.empty() && options.start.size() != p) {
    throw ShapeError({.what = "coefficients and columns differ in number",
                      .found = std::to_string(options.start.size()),
                      .expected = std::to_string(p)});
  }
  FineGrayFit fit;
  fit.beta.assign(p, missing);
  fit.naive_covariance.assign(p * p, missing);
  if (options.robust) fit.covariance.assign(p * p, missing);
  if (design.n_events == 0) return fit;

  const FineGrayRows& rows = *design.rows;
  FineGrayEngine engine(rows);
  fit.loglik_null = engine.evaluate(Eigen::VectorXd::Zero(design.n_columns));
  fit.aliased = dependent_columns(engine.information(), engine.squares());
  NewtonPlan plan{.start = Eigen::VectorXd::Zero(design.n_columns),
                  .kept = {},
                  .range = rows.range,
                  .max_iterations = options.max_iterations};
  for (Index j = 0; j < design.n_columns; ++j) {
    if (contains(fit.aliased, j)) continue;
    const auto at = static_cast<std::size_t>(j);
    plan.kept.push_back(j);
    if (!options.start.empty()) plan.start(j) = options.start[at] * rows.scale[at];
  }
  if (plan.start.isZero(0)) plan.loglik_at_start = fit.loglik_null;
  const NewtonResult found = newton(engine, plan);
  report(rows, found, static_cast<double>(design.n_events), options, engine, fit);
  fit.verdict = verdict_of<FineGrayVerdict>(found, !fit.aliased.empty());
  return fit;
}

}  // namespace chorale::kernels
