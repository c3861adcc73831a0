// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <Eigen/Dense>
#include <array>
#include <optional>
#include <span>
#include <vector>

#include "kernels/firth_maximum.hpp"
#include "kernels/pair_cox_firth_body.hpp"
#include "kernels/pair_cox_frame.hpp"
#include "kernels/pair_cox_members.hpp"

namespace chorale::kernels {

/// Evaluates Firth's penalised log-likelihood of covariates (scaled), a, b and ab; one pair after the other.
///
/// Moments of a risk set up to the second, per event time, are everybody's plus those of the three groups, of which
/// each is a sum over carriers. The third moments are needed summed over all deaths only:
///
///   Σ_deaths w E[v x] = Σ_i ω_i v_i x_i,   ω_i the deaths expected of patient i,
///
/// everybody's from the shared moments (see PairMoments) or a walk over the patients, the rest from the members.
class FirthEngine {
 public:
  explicit FirthEngine(const PairFrame& frame);

  /// Carriers of a and of b, a bit per row.
  void set_pair(std::span<const std::uint64_t> a, std::span<const std::uint64_t> b) {
    members_.set_pair(a, b);
  }
  const PairCounts& counts() const { return members_.counts; }  ///< over rows

  FirthPlace at(const Eigen::VectorXd& beta);

  /// Coefficients that are not aliased; a, b and ab are the last.
  const std::vector<Index>& kept() const { return kept_; }
  Index n_coefficients() const { return frame_.rows.n_columns + 3; }

  /// The covariates' own coefficients, and (a, b, ab) with which these expect of each group the deaths that it has and
  /// a half; without ab, of the carriers of a and of those of b.
  Eigen::VectorXd start() const;
  Eigen::VectorXd start_without() const;

 private:
  RiskView everyone(const Eigen::VectorXd& shift);
  void sum_groups();
  FirthTerms terms();
  double walk(const RiskView& everyone, const Eigen::VectorXd& beta, FirthPlace& place);
  Eigen::VectorXd penalty(const Eigen::VectorXd& shift, const Eigen::MatrixXd& inverse);
  void add_cubes_of_everyone(const Eigen::VectorXd& shift, const Eigen::MatrixXd& inverse,
                             Eigen::VectorXd& to);
  void add_cubes_of_members(const Eigen::MatrixXd& inverse, Eigen::VectorXd& to);
  std::array<double, n_pair_groups> expected() const;

  const PairFrame& frame_;
  const CoxRows& rows_;
  const EventTimes& times_;
  Index n_padded_, n_sums_;  ///< n_sums_: rows of everyone and of each group
  std::vector<Index> kept_;
  double n_deaths_ = 0;  ///< weights
  PairMembers members_;
  std::array<double, n_pair_groups> ratio_{};
  std::optional<MomentSeries> series_;
  std::vector<double> coefficients_, moment_sums_;
  AlignedDoubles slot_sums_, at_risk_, dying_;    ///< everyone's, away from the covariates' own coefficients
  AlignedDoubles groups_at_risk_, groups_dying_;  ///< 3 n_sums x n_padded
  AlignedDoubles model_, room_;
  AlignedDoubles tie_, first_, first_tied_, hazard_, spared_;
  AlignedDoubles row_risk_, row_factor_;  ///< made when first needed
};

}  // namespace chorale::kernels
