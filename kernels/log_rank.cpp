// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/log_rank.hpp"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "kernels/error.hpp"
#include "kernels/group_totals.hpp"

namespace chorale::kernels {
namespace {

void check(const LogRankOptions& options) {
  if (!(options.rho >= 0 && options.gamma >= 0)) {
    throw ShapeError(
        {.what = "weights of a log-rank test out of range",
         .found = "rho " + std::to_string(options.rho) + ", gamma " + std::to_string(options.gamma),
         .expected = "0 or more"});
  }
}

/// 0 for who dies, -1 for the others.
std::vector<std::int8_t> deaths_of(const Timeline& timeline) {
  std::vector<std::int8_t> kind(timeline.event.size());
  for (std::size_t i = 0; i < kind.size(); ++i) kind[i] = timeline.event[i] ? 0 : -1;
  return kind;
}

}  // namespace

LogRankResult log_rank(const Timeline& timeline, std::span<const std::int32_t> group, Index n_groups,
                       std::span<const std::uint8_t> tested, const LogRankOptions& options) {
  check(options);
  LogRankResult result;
  GroupTotals totals =
      group_totals(timeline, group, n_groups, deaths_of(timeline), 1, tested, options.case_weights);
  result.n_analysed = totals.n_analysed;
  result.n = std::move(totals.n);
  const Eigen::MatrixXd& deaths = totals.events[0];

  Eigen::VectorXd observed = Eigen::VectorXd::Zero(n_groups), expected = Eigen::VectorXd::Zero(n_groups);
  Eigen::MatrixXd variance = Eigen::MatrixXd::Zero(n_groups, n_groups);
  for (std::size_t s = 0; s + 1 < timeline.stratum_begin.size(); ++s) {
    double survival = 1;
    for (Index t = timeline.stratum_begin[s]; t < timeline.stratum_begin[s + 1]; ++t) {
      const double n = totals.at_risk.col(t).sum(), d = deaths.col(t).sum();
      if (d == 0) continue;
      const double u = std::pow(survival, options.rho) * std::pow(1 - survival, options.gamma);
      survival *= std::max(n - d, 0.0) / n;
      const Eigen::VectorXd share = totals.at_risk.col(t) / n;
      observed += u * deaths.col(t);
      expected += u * d * share;
      // V_gh += u² d (n - d)/(n - 1) p_g ([g = h] - p_h)
      const double spread = n > 1 ? u * u * d * (n - d) / (n - 1) : 0;
      variance += spread * (Eigen::MatrixXd(share.asDiagonal()) - share * share.transpose());
    }
  }
  result.observed.assign(observed.data(), observed.data() + n_groups);
  result.expected.assign(expected.data(), expected.data() + n_groups);
  result.variance.assign(variance.data(), variance.data() + variance.size());

  std::vector<Index> compared;
  for (Index g = 0; g < n_groups; ++g) {
    if (expected(g) > 0) compared.push_back(g);
  }
  if (compared.size() < 2) return result;
  compared.erase(compared.begin());
  result.df = static_cast<Index>(compared.size());
  const Eigen::VectorXd difference = (observed - expected)(compared);
  const Eigen::LDLT<Eigen::MatrixXd> solver(Eigen::MatrixXd(variance(compared, compared)));
  const bool comparable = solver.vectorD().minCoeff() > 1e-12 * solver.vectorD().maxCoeff();
  result.chi2 =
      comparable ? difference.dot(solver.solve(difference)) : std::numeric_limits<double>::quiet_NaN();
  return result;
}

}  // namespace chorale::kernels
