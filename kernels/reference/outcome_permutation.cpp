// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/outcome_permutation.hpp"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>

namespace chorale::kernels::reference {

Interaction interaction(std::span<const double> residuals, CarrierLists carriers, const Groups& strata,
                        std::span<const std::uint8_t> tested, const FeaturePair& pair, Index min_both) {
  const auto carries = [&](std::int32_t feature, std::int32_t patient) {
    const auto list = carriers[static_cast<std::size_t>(feature)];
    return std::find(list.begin(), list.end(), patient) != list.end();
  };
  const auto is_tested = [&](Index stratum, std::int32_t feature) {
    return tested.empty() ||
           tested[static_cast<std::size_t>(stratum) * carriers.size() + static_cast<std::size_t>(feature)] !=
               0;
  };
  Eigen::Vector3d u = Eigen::Vector3d::Zero();
  Eigen::Matrix3d v = Eigen::Matrix3d::Zero();
  Eigen::Vector3d carriers_times_squares = Eigen::Vector3d::Zero();
  double all_squares = 0;
  std::vector<double> mean_of(static_cast<std::size_t>(strata.n_groups), 0);
  Interaction found;
  for (Index s = 0; s < strata.n_groups; ++s) {
    if (!is_tested(s, pair.a) || !is_tested(s, pair.b)) continue;
    double n = 0, sum = 0, squares = 0;
    Eigen::Vector3d carriers_of = Eigen::Vector3d::Zero(), sum_of = Eigen::Vector3d::Zero();
    Eigen::Matrix3d shared = Eigen::Matrix3d::Zero();
    for (std::size_t i = 0; i < residuals.size(); ++i) {
      if (strata.code[i] != s || std::isnan(residuals[i])) continue;
      const double a = carries(pair.a, static_cast<std::int32_t>(i));
      const double b = carries(pair.b, static_cast<std::int32_t>(i));
      const Eigen::Vector3d g(a, b, a * b);
      n += 1;
      sum += residuals[i];
      squares += residuals[i] * residuals[i];
      carriers_of += g;
      sum_of += residuals[i] * g;
      shared += g * g.transpose();
    }
    if (n == 0) continue;
    found.n_both += static_cast<Index>(carriers_of(2));
    mean_of[static_cast<std::size_t>(s)] = sum / n;
    carriers_times_squares += (squares - sum * sum / n) / n * carriers_of;
    all_squares += squares - sum * sum / n;
    u += sum_of - sum / n * carriers_of;
    if (n > 1)
      v += (squares - sum * sum / n) / (n - 1) * (shared - carriers_of * carriers_of.transpose() / n);
  }
  if (found.n_both < min_both) return found;
  found.verdict = InteractionVerdict::not_identified;
  const Eigen::Matrix2d single = v.topLeftCorner<2, 2>();
  if (!(single.determinant() > 1e-9 * v(0, 0) * v(1, 1))) return found;
  const Eigen::Vector2d share = single.inverse() * v.topRightCorner<2, 1>();
  const double left = v(2, 2) - share.dot(v.topRightCorner<2, 1>());
  if (!(left > 1e-9 * v(2, 2))) return found;
  found.verdict = InteractionVerdict::tested;
  const Eigen::Vector3d weight = Eigen::Vector3d(-share(0), -share(1), 1) / std::sqrt(left);
  const double mean = weight.dot(carriers_times_squares) / all_squares;
  double robust = 0;
  for (std::size_t i = 0; i < residuals.size(); ++i) {
    if (strata.code[i] < 0 || std::isnan(residuals[i])) continue;
    if (!is_tested(strata.code[i], pair.a) || !is_tested(strata.code[i], pair.b)) continue;
    const double a = carries(pair.a, static_cast<std::int32_t>(i));
    const double b = carries(pair.b, static_cast<std::int32_t>(i));
    const double centred = residuals[i] - mean_of[static_cast<std::size_t>(strata.code[i])];
    robust += std::pow((weight.dot(Eigen::Vector3d(a, b, a * b)) - mean) * centred, 2);
  }
  const auto n_both = static_cast<double>(found.n_both);
  found.z = weight.dot(u) /
            std::sqrt((n_both * robust + outcome_prior_carriers) / (n_both + outcome_prior_carriers));
  return found;
}

}  // namespace chorale::kernels::reference
