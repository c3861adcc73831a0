// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/cox_path.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <string>

#include "kernels/cox_path_solver.hpp"
#include "kernels/error.hpp"

namespace chorale::kernels {
namespace {

std::size_t size(Index n) {
  return static_cast<std::size_t>(n);
}

constexpr double infinity = std::numeric_limits<double>::infinity();

// glmnet's rules for the end of its own sequence
constexpr Index fewest_lambdas = 5;
constexpr double little_gain = 1e-3, enough_explained = 0.99;

void check_span(std::span<const double> values, Index n, const char* name, bool may_be_infinite) {
  if (!values.empty() && values.size() != size(n)) {
    throw ShapeError({.what = std::string(name) + " differ in number",
                      .found = std::to_string(values.size()),
                      .expected = std::to_string(n)});
  }
  for (const double value : values) {
    if (value >= 0 && (may_be_infinite || std::isfinite(value))) continue;
    throw ShapeError({.what = std::string(name) + " out of range",
                      .found = std::to_string(value),
                      .expected = may_be_infinite ? "0 or more" : "finite, 0 or more"});
  }
}

void check(const CoxPathDesign& design, const CoxPathOptions& options) {
  check_span(options.weight, design.n_patients, "case weights", false);
  check_span(options.penalty_factor, design.n_columns, "penalty factors", true);
  check_span(options.lambda, static_cast<Index>(options.lambda.size()), "penalties", false);
  if (!std::is_sorted(options.lambda.rbegin(), options.lambda.rend())) {
    throw ShapeError(
        {.what = "penalties do not fall", .found = "one above the one before", .expected = "falling"});
  }
  if (!(options.alpha >= 0 && options.alpha <= 1)) {
    throw ShapeError(
        {.what = "alpha is no share", .found = std::to_string(options.alpha), .expected = "0 to 1"});
  }
  if (options.lambda.empty() &&
      (options.n_lambda < 1 || !(options.lambda_min_ratio >= 0) || !(options.lambda_min_ratio < 1))) {
    throw ShapeError({.what = "no sequence of penalties",
                      .found = std::to_string(options.n_lambda) + " down to " +
                               std::to_string(options.lambda_min_ratio) + " of the largest",
                      .expected = "1 or more, down to a share of it"});
  }
}

/// Penalty factors sum to the number of columns.
PathPenalty penalty_of(const CoxPathSample& sample, const CoxPathOptions& options) {
  const std::size_t p = sample.deviation.size();
  PathPenalty penalty{.factor = std::vector<double>(p, 1.0), .alpha = options.alpha, .free = {}};
  std::vector<std::uint8_t> open(p, 1);
  for (std::size_t j = 0; j < options.penalty_factor.size(); ++j) {
    open[j] = std::isfinite(options.penalty_factor[j]);
    if (open[j]) penalty.factor[j] = options.penalty_factor[j];
  }
  const double total = std::accumulate(penalty.factor.begin(), penalty.factor.end(), 0.0);
  for (std::size_t j = 0; j < p; ++j) {
    if (total > 0) penalty.factor[j] *= static_cast<double>(p) / total;
    penalty.free.push_back(open[j] && sample.deviation[j] > 0);
  }
  return penalty;
}

std::vector<double> sequence(double largest, double ratio, Index n) {
  std::vector<double> lambda;
  const double step = n > 1 ? std::log(ratio) / static_cast<double>(n - 1) : 0;
  for (Index k = 0; k < n; ++k) lambda.push_back(largest * std::exp(step * static_cast<double>(k)));
  return lambda;
}

/// Collects the results, and says when the path ends.
class Recorder {
 public:
  Recorder(const CoxPathSample& sample, const CoxPathOptions& options, CoxPath& path)
      : sample_(sample), options_(options), path_(path), ever_(sample.deviation.size(), 0) {}

  /// Takes the k-th result of the solver; false where nothing may follow.
  bool take(const CoxPathSolver& solver, Index k, double lambda) {
    Index n_nonzero = 0;
    std::vector<std::uint8_t> ever = ever_;
    for (std::size_t j = 0; j < ever.size(); ++j) {
      const bool nonzero = solver.beta(k, static_cast<Index>(j)) != 0;
      n_nonzero += nonzero;
      ever[j] |= static_cast<std::uint8_t>(nonzero);
    }
    const auto n_ever = std::accumulate(ever.begin(), ever.end(), Index{0});
    if (options_.max_ever_nonzero > 0 && n_ever > options_.max_ever_nonzero)
      return end(CoxPathVerdict::many_nonzero);
    ever_ = ever;
    for (std::size_t j = 0; j < ever.size(); ++j) {
      const double b = solver.beta(k, static_cast<Index>(j));
      path_.beta.push_back(b == 0 ? 0 : b / sample_.deviation[j]);
    }
    path_.lambda.push_back(lambda);
    path_.loglik.push_back(solver.loglik(k));
    path_.dev_ratio.push_back((solver.loglik(k) - path_.loglik_null) /
                              (path_.loglik_saturated - path_.loglik_null));
    path_.n_nonzero.push_back(n_nonzero);
    return options_.lambda.empty() ? goes_on() : true;
  }

 private:
  bool goes_on() {
    const Index n = path_.n_lambda();
    if (n < fewest_lambdas) return true;
    const double now = path_.dev_ratio.back(), before = path_.dev_ratio[size(n - fewest_lambdas)];
    if (options_.max_nonzero > 0 && path_.n_nonzero.back() > options_.max_nonzero)
      return end(CoxPathVerdict::many_nonzero);
    if (now > enough_explained) return end(CoxPathVerdict::explained);
    if (now - before < little_gain * now) return end(CoxPathVerdict::little_gained);
    return true;
  }

  bool end(CoxPathVerdict verdict) {
    path_.verdict = verdict;
    return false;
  }

  const CoxPathSample& sample_;
  const CoxPathOptions& options_;
  CoxPath& path_;
  std::vector<std::uint8_t> ever_;
};

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
  Recorder recorder(sample, options, path);
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
    if (!recorder.take(solver, 0, lambda[0])) return;
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
      if (!recorder.take(solver, static_cast<Index>(k), lambda[done + k])) return;
    }
    done += n;
  }
}

}  // namespace

std::string_view name_of(CoxPathVerdict verdict) {
  constexpr std::string_view names[] = {"complete",      "little_gained", "explained",        "many_nonzero",
                                        "not_converged", "no_events",     "nothing_penalised"};
  return names[static_cast<std::size_t>(verdict)];
}

CoxPath cox_path(const CoxPathDesign& design, const CoxPathOptions& options) {
  check(design, options);
  const CoxPathSample sample(*design.data, options.weight, options.standardise, options.ties);
  CoxPath path;
  path.n_columns = design.n_columns;
  path.n_analysed = sample.n_analysed;
  path.n_events = sample.n_events;
  for (std::size_t j = 0; j < sample.deviation.size(); ++j) {
    if (!(sample.deviation[j] > 0)) path.constant.push_back(static_cast<Index>(j));
  }
  if (sample.n_events == 0) return path;
  const PathPenalty penalty = penalty_of(sample, options);
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
  check_span(weight, design.n_patients, "case weights", false);
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
