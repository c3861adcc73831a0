// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/reference/pair_cox.hpp"

#include <Eigen/Dense>
#include <cmath>

#include "kernels/reference/cox.hpp"

namespace chorale::kernels::reference {
namespace {

struct DenseFit {
  bool converged = false;
  Eigen::VectorXd beta, gradient;
  Eigen::MatrixXd information;
  double loglik = 0;
};

/// Follow-up, covariates, a, b and a·b.
struct DenseModel {
  const Timeline& timeline;
  std::vector<double> columns;
  std::span<const double> offset;
  std::span<const std::uint8_t> included;
  Index n_columns;
  Ties ties;

  DenseFit at(const Eigen::VectorXd& beta) const {
    const CoxTerms terms = cox_terms(timeline, {columns, n_columns, offset}, included,
                                     std::span(beta.data(), static_cast<std::size_t>(n_columns)), ties);
    return {.beta = beta,
            .gradient = Eigen::Map<const Eigen::VectorXd>(terms.gradient.data(), n_columns),
            .information = Eigen::Map<const Eigen::MatrixXd>(terms.information.data(), n_columns, n_columns),
            .loglik = terms.loglik};
  }

  /// The first n_free coefficients move, the others stay 0.
  DenseFit fit(Index n_free) const {
    DenseFit here = at(Eigen::VectorXd::Zero(n_columns));
    for (int k = 0; k < 100 && !here.converged; ++k) {
      Eigen::VectorXd step = Eigen::VectorXd::Zero(n_columns);
      if (n_free > 0) {
        step.head(n_free) =
            here.information.topLeftCorner(n_free, n_free).ldlt().solve(here.gradient.head(n_free));
      }
      DenseFit there = at(here.beta + step);
      while (there.loglik < here.loglik - 1e-12 * std::abs(here.loglik)) {
        step /= 2;
        there = at(here.beta + step);
      }
      there.converged = (step.cwiseAbs2().array() * here.information.diagonal().array()).sum() < 1e-20;
      here = there;
    }
    // far coefficients mean that the likelihood has no maximum
    here.converged &= here.beta.cwiseAbs().maxCoeff() < 12;
    return here;
  }
};

}  // namespace

PairCoxFit pair_cox_full(const Timeline& timeline, const CoxColumns& covariates,
                         std::span<const std::uint8_t> tested, std::span<const std::int32_t> a,
                         std::span<const std::int32_t> b, Ties ties) {
  const auto n = static_cast<std::size_t>(timeline.n_patients);
  std::vector<double> carries_a(n, 0), carries_b(n, 0);
  for (const std::int32_t carrier : a) carries_a[static_cast<std::size_t>(carrier)] = 1;
  for (const std::int32_t carrier : b) carries_b[static_cast<std::size_t>(carrier)] = 1;
  std::vector<double> columns(covariates.values.begin(), covariates.values.end());
  columns.insert(columns.end(), carries_a.begin(), carries_a.end());
  columns.insert(columns.end(), carries_b.begin(), carries_b.end());
  for (std::size_t i = 0; i < n; ++i) columns.push_back(carries_a[i] * carries_b[i]);

  PairCoxFit fit;
  for (std::size_t i = 0; i < n; ++i) {
    if (!timeline.analysed[i] || (!tested.empty() && !tested[i])) continue;
    const auto group = static_cast<std::size_t>(carries_a[i] + 2 * carries_b[i]);
    ++fit.counts.n[group];
    fit.counts.deaths[group] += timeline.event[i];
  }
  const Index p = covariates.n_columns;
  const DenseModel model{timeline, columns, covariates.offset, tested, p + 3, ties};
  const DenseFit alone = model.fit(p), without = model.fit(p + 2), full = model.fit(p + 3);
  if (!alone.converged || !without.converged || !full.converged) {
    fit.verdict = PairVerdict::not_converged;
    return fit;
  }
  const Eigen::MatrixXd covariance = full.information.inverse();
  fit.verdict = PairVerdict::converged;
  fit.a = full.beta(p);
  fit.b = full.beta(p + 1);
  fit.ab = full.beta(p + 2);
  fit.se_a = std::sqrt(covariance(p, p));
  fit.se_b = std::sqrt(covariance(p + 1, p + 1));
  fit.se_ab = std::sqrt(covariance(p + 2, p + 2));
  for (Index j = 0; j < 3; ++j) {
    for (Index k = 0; k < 3; ++k)
      fit.covariance[static_cast<std::size_t>(3 * j + k)] = covariance(p + j, p + k);
  }
  fit.loglik_null = model.at(Eigen::VectorXd::Zero(p + 3)).loglik;
  fit.loglik_covariates = alone.loglik;
  fit.loglik_without = without.loglik;
  fit.loglik = full.loglik;
  fit.lrt_chi2 = 2 * (full.loglik - without.loglik);
  fit.wald_chi2 = fit.ab * fit.ab / covariance(p + 2, p + 2);
  fit.score_chi2 =
      without.gradient(p + 2) * without.gradient(p + 2) * without.information.inverse()(p + 2, p + 2);
  fit.beta.assign(full.beta.data(), full.beta.data() + p);
  return fit;
}

}  // namespace chorale::kernels::reference
