// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/log_rank.hpp"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "kernels/error.hpp"

namespace chorale::kernels {
namespace {

void check(const Timeline& timeline, std::span<const std::int32_t> group, Index n_groups,
           const LogRankOptions& options) {
  if (!(options.rho >= 0 && options.gamma >= 0)) {
    throw ShapeError(
        {.what = "weights of a log-rank test out of range",
         .found = "rho " + std::to_string(options.rho) + ", gamma " + std::to_string(options.gamma),
         .expected = "0 or more"});
  }
  if (static_cast<Index>(group.size()) != timeline.n_patients) {
    throw ShapeError({.what = "group does not have one value per patient",
                      .found = std::to_string(group.size()),
                      .expected = std::to_string(timeline.n_patients)});
  }
  for (const std::int32_t code : group) {
    if (code < -1 || code >= n_groups) {
      throw ShapeError({.what = "group code out of range",
                        .found = std::to_string(code),
                        .expected = "-1 to " + std::to_string(n_groups - 1)});
    }
  }
}

/// At risk and dying per group and event time, groups side by side.
struct GroupTotals {
  Eigen::MatrixXd at_risk, deaths;  // n_groups x n_times
};

GroupTotals group_totals(const Timeline& timeline, std::span<const std::int32_t> group, Index n_groups,
                         std::span<const std::uint8_t> tested, bool case_weights, LogRankResult& result) {
  const bool weighted = case_weights && !timeline.weight.empty();
  GroupTotals totals{Eigen::MatrixXd::Zero(n_groups, timeline.n_times()),
                     Eigen::MatrixXd::Zero(n_groups, timeline.n_times())};
  for (std::size_t i = 0; i < group.size(); ++i) {
    if (!timeline.analysed[i] || group[i] < 0 || (!tested.empty() && !tested[i])) continue;
    ++result.n_analysed;
    ++result.n[static_cast<std::size_t>(group[i])];
    const Index first = timeline.first[i], last = timeline.last[i];
    if (first == last) continue;
    const double weight = weighted ? timeline.weight[i] : 1;
    totals.at_risk(group[i], last - 1) += weight;
    const Index begin = timeline.stratum_begin[static_cast<std::size_t>(timeline.stratum[i])];
    if (first > begin) totals.at_risk(group[i], first - 1) -= weight;
    totals.deaths(group[i], last - 1) += timeline.event[i] * weight;
  }
  for (std::size_t s = 0; s + 1 < timeline.stratum_begin.size(); ++s) {
    for (Index t = timeline.stratum_begin[s + 1] - 2; t >= timeline.stratum_begin[s]; --t) {
      totals.at_risk.col(t) += totals.at_risk.col(t + 1);
    }
  }
  return totals;
}

}  // namespace

LogRankResult log_rank(const Timeline& timeline, std::span<const std::int32_t> group, Index n_groups,
                       std::span<const std::uint8_t> tested, const LogRankOptions& options) {
  check(timeline, group, n_groups, options);
  if (!tested.empty() && static_cast<Index>(tested.size()) != timeline.n_patients) {
    throw ShapeError({.what = "tested does not have one value per patient",
                      .found = std::to_string(tested.size()),
                      .expected = std::to_string(timeline.n_patients)});
  }
  LogRankResult result;
  result.n.assign(static_cast<std::size_t>(n_groups), 0);
  const GroupTotals totals = group_totals(timeline, group, n_groups, tested, options.case_weights, result);

  Eigen::VectorXd observed = Eigen::VectorXd::Zero(n_groups), expected = Eigen::VectorXd::Zero(n_groups);
  Eigen::MatrixXd variance = Eigen::MatrixXd::Zero(n_groups, n_groups);
  for (std::size_t s = 0; s + 1 < timeline.stratum_begin.size(); ++s) {
    double survival = 1;
    for (Index t = timeline.stratum_begin[s]; t < timeline.stratum_begin[s + 1]; ++t) {
      const double n = totals.at_risk.col(t).sum(), d = totals.deaths.col(t).sum();
      if (d == 0) continue;
      const double u = std::pow(survival, options.rho) * std::pow(1 - survival, options.gamma);
      survival *= std::max(n - d, 0.0) / n;
      const Eigen::VectorXd share = totals.at_risk.col(t) / n;
      observed += u * totals.deaths.col(t);
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
