// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/cox_path_recorder.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>

#include "kernels/error.hpp"

namespace chorale::kernels {
namespace {

std::size_t size(Index n) {
  return static_cast<std::size_t>(n);
}

// glmnet's rules for the end of a sequence
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

}  // namespace

PathPenalty penalty_of(std::span<const double> deviation, const CoxPathOptions& options) {
  const std::size_t p = deviation.size();
  PathPenalty penalty{.factor = std::vector<double>(p, 1.0), .alpha = options.alpha, .free = {}};
  std::vector<std::uint8_t> open(p, 1);
  for (std::size_t j = 0; j < options.penalty_factor.size(); ++j) {
    open[j] = std::isfinite(options.penalty_factor[j]);
    if (open[j]) penalty.factor[j] = options.penalty_factor[j];
  }
  const double total = std::accumulate(penalty.factor.begin(), penalty.factor.end(), 0.0);
  for (std::size_t j = 0; j < p; ++j) {
    if (total > 0) penalty.factor[j] *= static_cast<double>(p) / total;
    penalty.free.push_back(open[j] && deviation[j] > 0);
  }
  return penalty;
}

void check_path_weight(const CoxPathDesign& design, std::span<const double> weight) {
  check_span(weight, design.n_patients, "case weights", false);
}

void check_path(const CoxPathDesign& design, const CoxPathOptions& options) {
  check_path_weight(design, options.weight);
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
  if (!(options.stop_after_worse >= 0) || !std::isfinite(options.criterion_per_nonzero)) {
    throw ShapeError({.what = "no criterion to stop by",
                      .found = std::to_string(options.stop_after_worse) + " lambdas, " +
                               std::to_string(options.criterion_per_nonzero) + " a coefficient",
                      .expected = "0 or more, and a number"});
  }
}

CoxPathRecorder::CoxPathRecorder(const CoxPathOptions& options, CoxPath& path)
    : options_(options), path_(path), ever_(size(path.n_columns), 0) {}

bool CoxPathRecorder::take(double lambda, double loglik, std::span<const double> beta) {
  Index n_nonzero = 0;
  std::vector<std::uint8_t> ever = ever_;
  for (std::size_t j = 0; j < ever.size(); ++j) {
    const bool nonzero = beta[j] != 0;
    n_nonzero += nonzero;
    ever[j] |= static_cast<std::uint8_t>(nonzero);
  }
  const auto n_ever = std::accumulate(ever.begin(), ever.end(), Index{0});
  if (options_.max_ever_nonzero > 0 && n_ever > options_.max_ever_nonzero)
    return end(CoxPathVerdict::many_nonzero);
  ever_ = ever;
  path_.beta.insert(path_.beta.end(), beta.begin(), beta.end());
  path_.lambda.push_back(lambda);
  path_.loglik.push_back(loglik);
  path_.dev_ratio.push_back((loglik - path_.loglik_null) / (path_.loglik_saturated - path_.loglik_null));
  path_.n_nonzero.push_back(n_nonzero);
  return goes_on();
}

bool CoxPathRecorder::goes_on() {
  const Index n = path_.n_lambda();
  if (options_.stop_after_worse > 0) {
    const double here = -2 * path_.loglik.back() +
                        options_.criterion_per_nonzero * static_cast<double>(path_.n_nonzero.back());
    if (n == 1 || here < least_) {
      least_ = here;
      worse_ = 0;
    } else if (++worse_ >= options_.stop_after_worse) {
      return end(CoxPathVerdict::criterion_passed);
    }
  }
  if (!(options_.lambda.empty() || options_.stop_early) || n < fewest_lambdas) return true;
  const double now = path_.dev_ratio.back(), before = path_.dev_ratio[size(n - fewest_lambdas)];
  if (options_.max_nonzero > 0 && path_.n_nonzero.back() > options_.max_nonzero)
    return end(CoxPathVerdict::many_nonzero);
  if (now > enough_explained) return end(CoxPathVerdict::explained);
  if (now - before < little_gain * now) return end(CoxPathVerdict::little_gained);
  return true;
}

bool CoxPathRecorder::end(CoxPathVerdict verdict) {
  path_.verdict = verdict;
  return false;
}

}  // namespace chorale::kernels
