// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <Eigen/Dense>
#include <array>
#include <span>
#include <vector>

#include "kernels/cox_likelihood.hpp"
#include "kernels/pair_cox.hpp"
#include "kernels/pair_cox_frame.hpp"
#include "kernels/pair_cox_members.hpp"
#include "kernels/pair_cox_newton.hpp"

namespace chorale::kernels {

/// The log partial likelihood of covariates, a, b and ab, in this order, covariates scaled; one pair after the
/// other. ab may be −∞ where no carrier of both dies. Everybody's sums over the risk sets come from moments near the
/// covariates' own coefficients, elsewhere from the patients. Second moments of the covariates alone come from sums
/// by event time as the first moments do; those with a feature from its carriers, each with the hazard gathered
/// while at risk (see CoxEngine).
class PairEngine final : public CoxLikelihood {
 public:
  explicit PairEngine(const PairFrame& frame);

  /// Carriers of a and of b, a bit per row.
  void set_pair(std::span<const std::uint64_t> a, std::span<const std::uint64_t> b);
  const PairCounts& counts() const { return members_.counts; }  ///< over rows; `neither` too
  bool none_of_both_dies() const { return members_.deaths[both] == 0; }

  double evaluate(const Eigen::VectorXd& beta) override;
  const Eigen::VectorXd& gradient() const override { return gradient_; }
  const Eigen::MatrixXd& information() const override { return information_; }

  Index n_coefficients() const { return frame_.rows.n_columns + 3; }

  /// (a, b, ab) beside the covariates held at their own coefficients; 0 for what does not converge.
  std::array<double, 3> start();

  /// (a, b) without ab, the covariates held where evaluate() was asked last; the climb sets out from `near`.
  std::array<double, 3> start_without(const std::array<double, 3>& near);

 private:
  void scatter_carriers(const Eigen::VectorXd& shift);
  void scatter_columns(const PairPoint& at);
  void accumulate_members(Index first, Index n_rows);
  double walk(const Eigen::VectorXd& shift, const PairPoint& at);
  std::array<double, 3> climb_beside(const RiskView& everyone, const PairClimb& plan) const;
  void add_feature_products(const PairPoint& at);
  void finish_information();

  const PairFrame& frame_;
  const CoxRows& rows_;
  const EventTimes& times_;
  EventTable table_;
  Index n_padded_;
  PairMembers members_;
  std::array<double, 3> deaths_{};    ///< weights of the dying carriers of a, b, both
  std::vector<double> coefficients_;  ///< of the moments
  AlignedDoubles slot_sums_, slots_at_risk_,
      slots_dying_;             ///< made when first needed; n_slot_sums x n_padded
  bool carriers_held_ = false;  ///< the members' rows a, b and both are those of the frame's risks
  AlignedDoubles member_at_risk_, member_dying_;  ///< (3 + n_columns) x n_padded: a, b, both; excess risk · z
  AlignedDoubles first_, first_tied_, everyone_at_risk_, everyone_dying_, hazard_, spared_;  ///< n_padded
  AlignedDoubles room_;
  std::vector<double> time_gradient_, time_products_, everyone_products_, segment_products_;
  Eigen::VectorXd gradient_;
  Eigen::MatrixXd information_;
};

}  // namespace chorale::kernels
