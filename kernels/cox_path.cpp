// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/cox_path.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "kernels/cox_path_recorder.hpp"
#include "kernels/cox_path_solver.hpp"
#include "kernels/error.hpp"

namespace chorale::kernels {
namespace {

std::size_t size(Index n) {
  return static_cast<std::size_t>(n);
}

constexpr double infinity = std::numeric_limits<double>::infinity();

std::vector<double> sequence(double largest, double ratio, Index n) {
  std::vector<double> lambda;
  const double step = n > 1 ? std::log(ratio) / static_cast<double>(n - 1) : 0;
  for (Index k = 0; k < n; ++k) lambda.push_back(largest * std::exp(step * static_cast<double>(k)));
  return lambda;
}

/// Hands the k-th result of the solver to the recorder.
bool take(CoxPathRecorder& recorder, const CoxPathSolver& solver, const CoxPathSample& sample, Index k,
          double lambda) {
  std::vector<double> beta;
  for (std::size_t j = 0; j < sample.deviation.size(); ++j) {
    const double b = solver.beta(k, static_cast<Index>(j));
    beta.push_back(b == 0 ? 0 : b / sample.deviation[j]);
  }
  return recorder.take(lambda, solver.loglik(k), beta);
}

/// The largest penalty that leaves a column nonzero.
double largest_lambda(const CoxPathSolver& solver, const PathPenalty& penalty) {
  double largest = 0;
  for (std::size_t j = 0; j < penalty.factor.size(); ++j) {
    if (!penalty.free[j] || penalty.factor[j] == 0) continue;
    largest = std::max(largest, std::abs(solver.slope(0, static_cast<Index>(j))) / penalty.factor[j]);
  }
  return largest / std::max(penalty.alpha, 1e-3);
}

void follow(CoxPathSolver& solver, const CoxPathSample& sample, const PathPenalty& penalty,
            const CoxPathOptions& options, double min_ratio, CoxPath& path) {
  std::vector<double> lambda(options.lambda.begin(), options.lambda.end());
  CoxPathRecorder recorder(options, path);
  std::size_t done = 0;
  if (lambda.empty()) {
    const double none_enters[] = {infinity};
    path.verdict = CoxPathVerdict::not_converged;
    if (!solver.solve(none_enters)) return;
    const double largest = largest_lambda(solver, penalty);
    path.verdict = CoxPathVerdict::nothing_penalised;
    if (!(largest > 0)) return;
    lambda = sequence(largest, min_ratio, options.n_lambda);
    path.verdict = CoxPathVerdict::complete;
    if (!take(recorder, solver, sample, 0, lambda[0])) return;
    done = 1;
  }
  path.verdict = CoxPathVerdict::complete;
  while (done < lambda.size()) {
    const std::size_t n = std::min(lambda.size() - done, size(path_lanes));
    if (!solver.solve(std::span(lambda).subspan(done, n))) {
      path.verdict = CoxPathVerdict::not_converged;
      return;
    }
    for (std::size_t k = 0; k < n; ++k) {
      if (!take(recorder, solver, sample, static_cast<Index>(k), lambda[done + k])) return;
    }
    done += n;
  }
}

}  // namespace

std::string_view name_of(CoxPathVerdict verdict) {
  constexpr std::string_view names[] = {"complete",          "little_gained",   "explained",
                                        "many_nonzero",      "not_converged",   "no_events",
                                        "nothing_penalised", "criterion_passed"};
  return names[static_cast<std::size_t>(verdict)];
}

CoxPath cox_path(const CoxPathDesign& design, const CoxPathOptions& options) {
  check_path(design, options);
  const CoxPathSample sample(*design.data, options.weight, options.standardise, options.ties);
  CoxPath path;
  path.n_columns = design.n_columns;
  path.n_analysed = sample.n_analysed;
  path.n_events = sample.n_events;
  for (std::size_t j = 0; j < sample.deviation.size(); ++j) {
    if (!(sample.deviation[j] > 0)) path.constant.push_back(static_cast<Index>(j));
  }
  if (sample.n_events == 0) return path;
  const PathPenalty penalty = penalty_of(sample.deviation, options);
  CoxPathSolver solver(sample, penalty);
  path.loglik_null = solver.loglik(0);
  path.loglik_saturated = sample.loglik_saturated;
  const double usual = design.n_analysed >= design.n_columns ? 1e-4 : 0.01;
  follow(solver, sample, penalty, options, options.lambda_min_ratio > 0 ? options.lambda_min_ratio : usual,
         path);
  path.n_evaluations = solver.n_evaluations();
  return path;
}

std::vector<double> cox_path_loglik(const CoxPathDesign& design, std::span<const double> beta, Ties ties,
                                    std::span<const double> weight) {
  check_path_weight(design, weight);
  const std::size_t p = size(design.n_columns), n = p > 0 ? beta.size() / p : 0;
  if (beta.size() != n * p) {
    throw ShapeError({.what = "coefficients do not fit the columns",
                      .found = std::to_string(beta.size()),
                      .expected = "multiples of " + std::to_string(p)});
  }
  const CoxPathSample sample(*design.data, weight, false, ties);
  CoxPathEngine engine(sample);
  std::vector<double> loglik;
  for (std::size_t first = 0; first < n; first += size(path_lanes)) {
    std::vector<std::int32_t> columns;
    std::vector<double> lanes;
    for (std::size_t j = 0; j < p; ++j) {
      double b[path_lanes];
      for (std::size_t k = 0; k < size(path_lanes); ++k) b[k] = beta[std::min(first + k, n - 1) * p + j];
      if (std::all_of(b, b + path_lanes, [](double value) { return value == 0; })) continue;
      columns.push_back(static_cast<std::int32_t>(j));
      lanes.insert(lanes.end(), b, b + path_lanes);
    }
    engine.evaluate(columns, lanes, {}, {});
    for (std::size_t k = 0; k < std::min(size(path_lanes), n - first); ++k)
      loglik.push_back(engine.loglik(static_cast<Index>(k)));
  }
  return loglik;
}

}  // namespace chorale::kernels
