// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/reference/cox.hpp"

#include <Eigen/Dense>
#include <cmath>

namespace chorale::kernels::reference {

CoxTerms cox_terms(const Timeline& timeline, const CoxColumns& columns,
                   std::span<const std::uint8_t> included, std::span<const double> beta, Ties ties) {
  const Index n = timeline.n_patients, p = columns.n_columns;
  const auto x = [&](Index i) {
    Eigen::VectorXd row(p);
    for (Index j = 0; j < p; ++j) row(j) = columns.values[static_cast<std::size_t>(j * n + i)];
    return row;
  };
  const auto at = [](const auto& values, Index i, double otherwise) {
    return values.empty() ? otherwise : static_cast<double>(values[static_cast<std::size_t>(i)]);
  };
  const auto counts = [&](Index i) {
    return timeline.analysed[static_cast<std::size_t>(i)] && at(included, i, 1) != 0;
  };
  const Eigen::VectorXd b = Eigen::Map<const Eigen::VectorXd>(beta.data(), p);
  const auto eta = [&](Index i) { return (p > 0 ? b.dot(x(i)) : 0.0) + at(columns.offset, i, 0); };

  double loglik = 0;
  Eigen::VectorXd gradient = Eigen::VectorXd::Zero(p);
  Eigen::MatrixXd information = Eigen::MatrixXd::Zero(p, p);
  for (Index t = 0; t < timeline.n_times(); ++t) {
    int n_deaths = 0;
    double weight_of_deaths = 0;
    for (Index i = 0; i < n; ++i) {
      if (!counts(i) || !timeline.event[static_cast<std::size_t>(i)]) continue;
      if (timeline.last[static_cast<std::size_t>(i)] - 1 != t) continue;
      ++n_deaths;
      weight_of_deaths += at(timeline.weight, i, 1);
      loglik += at(timeline.weight, i, 1) * eta(i);
      gradient += at(timeline.weight, i, 1) * x(i);
    }
    for (int l = 0; l < n_deaths; ++l) {
      // the l-th death finds those who die at t still there with probability 1 - l/d
      const double gone = ties == Ties::efron ? static_cast<double>(l) / n_deaths : 0;
      double s0 = 0;
      Eigen::VectorXd s1 = Eigen::VectorXd::Zero(p);
      Eigen::MatrixXd s2 = Eigen::MatrixXd::Zero(p, p);
      for (Index i = 0; i < n; ++i) {
        const auto row = static_cast<std::size_t>(i);
        if (!counts(i) || t < timeline.first[row] || t >= timeline.last[row]) continue;
        const bool dies = timeline.event[row] && timeline.last[row] - 1 == t;
        const double risk = at(timeline.weight, i, 1) * std::exp(eta(i)) * (dies ? 1 - gone : 1);
        s0 += risk;
        s1 += risk * x(i);
        s2 += risk * x(i) * x(i).transpose();
      }
      const double weight = weight_of_deaths / n_deaths;
      loglik -= weight * std::log(s0);
      gradient -= weight * s1 / s0;
      information += weight * (s2 / s0 - s1 * s1.transpose() / (s0 * s0));
    }
  }
  return {.loglik = loglik,
          .gradient = {gradient.data(), gradient.data() + p},
          .information = {information.data(), information.data() + p * p}};
}

}  // namespace chorale::kernels::reference
