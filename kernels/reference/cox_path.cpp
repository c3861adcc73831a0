// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/reference/cox_path.hpp"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>

#include "kernels/reference/cox.hpp"

namespace chorale::kernels::reference {
namespace {

/// The problem written out: dense columns, weights multiplied, penalty factors and deviations per column.
struct Problem {
  Timeline timeline;
  std::vector<double> values, offset;
  Index n_columns;
  double total_weight = 0;
  double alpha;
  Ties ties;
  std::vector<double> deviation, factor;
  std::vector<bool> free;

  Problem(const Timeline& original, const CoxPathColumns& columns, const CoxPathOptions& options)
      : timeline(original),
        values(columns.dense.begin(), columns.dense.end()),
        offset(columns.offset.begin(), columns.offset.end()),
        n_columns(columns.n_dense + static_cast<Index>(columns.sparse.size())),
        alpha(options.alpha),
        ties(options.ties) {
    const auto n = static_cast<std::size_t>(timeline.n_patients), p = static_cast<std::size_t>(n_columns);
    if (timeline.weight.empty()) timeline.weight.assign(n, 1.0);
    for (std::size_t i = 0; i < n; ++i) {
      if (!options.weight.empty()) timeline.weight[i] *= options.weight[i];
      if (timeline.analysed[i] && !(timeline.weight[i] > 0)) timeline.analysed[i] = timeline.event[i] = 0;
      if (timeline.analysed[i]) total_weight += timeline.weight[i];
    }
    for (const auto& list : columns.sparse) {
      std::vector<double> column(n, 0.0);
      for (const std::int32_t patient : list) column[static_cast<std::size_t>(patient)] = 1;
      values.insert(values.end(), column.begin(), column.end());
    }
    double total_factor = 0;
    for (std::size_t j = 0; j < p; ++j) {
      double mean = 0, variance = 0;
      for (std::size_t i = 0; i < n; ++i) {
        if (timeline.analysed[i]) mean += timeline.weight[i] * values[j * n + i] / total_weight;
      }
      for (std::size_t i = 0; i < n; ++i) {
        if (timeline.analysed[i])
          variance += timeline.weight[i] * std::pow(values[j * n + i] - mean, 2) / total_weight;
      }
      const double given = options.penalty_factor.empty() ? 1 : options.penalty_factor[j];
      free.push_back(std::isfinite(given) && variance > 1e-20);
      factor.push_back(std::isfinite(given) ? given : 1);
      total_factor += factor.back();
      deviation.push_back(options.standardise ? std::sqrt(variance) : 1);
    }
    for (double& v : factor) v *= static_cast<double>(p) / total_factor;
  }

  CoxTerms terms(std::span<const double> beta) const {
    return cox_terms(timeline, {.values = values, .n_columns = n_columns, .offset = offset}, {}, beta, ties);
  }
  double objective(double loglik, double lambda, std::span<const double> beta) const {
    double sum = -loglik / total_weight;
    for (std::size_t j = 0; j < beta.size(); ++j) {
      const double b = std::abs(deviation[j] * beta[j]);
      sum += lambda * factor[j] * (alpha * b + (1 - alpha) / 2 * b * b);
    }
    return sum;
  }
};

/// The minimum of the quadratic model at beta, by coordinate descent until nothing moves.
std::vector<double> model_minimum(const Problem& problem, const CoxTerms& terms, double lambda,
                                  std::vector<double> beta) {
  const std::size_t p = beta.size();
  std::vector<double> slope = terms.gradient;
  for (int sweep = 0; sweep < 100000; ++sweep) {
    double moved = 0;
    for (std::size_t j = 0; j < p; ++j) {
      const double curve = terms.information[j * p + j], s = problem.deviation[j], w = problem.total_weight;
      if (!problem.free[j] || !(curve > 1e-12 * w * s * s)) continue;
      const double at = slope[j] + curve * beta[j];
      const double l1 = w * lambda * problem.alpha * problem.factor[j] * s;
      const double l2 = w * lambda * (1 - problem.alpha) * problem.factor[j] * s * s;
      const double next = std::copysign(std::max(std::abs(at) - l1, 0.0), at) / (curve + l2);
      const double change = next - beta[j];
      for (std::size_t k = 0; k < p; ++k) slope[k] -= change * terms.information[j * p + k];
      beta[j] = next;
      moved = std::max(moved, std::abs(change * s));
    }
    if (moved < 1e-14) break;
  }
  return beta;
}

std::vector<double> minimum(const Problem& problem, double lambda, std::vector<double> beta) {
  CoxTerms terms = problem.terms(beta);
  for (int iteration = 0; iteration < 200; ++iteration) {
    std::vector<double> next = model_minimum(problem, terms, lambda, beta);
    const double before = problem.objective(terms.loglik, lambda, beta);
    CoxTerms there = problem.terms(next);
    for (int halvings = 0;
         !(problem.objective(there.loglik, lambda, next) <= before + 1e-14) && halvings < 60; ++halvings) {
      for (std::size_t j = 0; j < next.size(); ++j) next[j] = (next[j] + beta[j]) / 2;
      there = problem.terms(next);
    }
    double moved = 0;
    for (std::size_t j = 0; j < next.size(); ++j)
      moved = std::max(moved, std::abs((next[j] - beta[j]) * problem.deviation[j]));
    beta = next;
    terms = there;
    if (moved < 1e-11) break;
  }
  return beta;
}

}  // namespace

std::vector<double> cox_path(const Timeline& timeline, const CoxPathColumns& columns,
                             const CoxPathOptions& options) {
  const Problem problem(timeline, columns, options);
  std::vector<double> beta(static_cast<std::size_t>(problem.n_columns), 0.0), all;
  for (const double lambda : options.lambda) {
    beta = minimum(problem, lambda, beta);
    all.insert(all.end(), beta.begin(), beta.end());
  }
  return all;
}

double cox_path_violation(const Timeline& timeline, const CoxPathColumns& columns,
                          const CoxPathOptions& options, double lambda, std::span<const double> beta) {
  const Problem problem(timeline, columns, options);
  const CoxTerms terms = problem.terms(beta);
  double worst = 0;
  for (std::size_t j = 0; j < beta.size(); ++j) {
    if (!problem.free[j]) continue;
    const double s = problem.deviation[j], v = lambda * problem.factor[j];
    const double slope =
        terms.gradient[j] / (s * problem.total_weight) - v * (1 - problem.alpha) * s * beta[j];
    const double bound = v * problem.alpha;
    worst = std::max(
        worst, beta[j] != 0 ? std::abs(slope - std::copysign(bound, beta[j])) : std::abs(slope) - bound);
  }
  return worst;
}

}  // namespace chorale::kernels::reference
