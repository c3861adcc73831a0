// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <Eigen/Dense>
#include <span>
#include <vector>

#include "kernels/cox_likelihood.hpp"
#include "kernels/cox_rows.hpp"

namespace chorale::kernels {

/// Risks without a feature: per row, and M and D per event time.
struct HeldRisks {
  AlignedDoubles risk, at_risk, dying;
};

/// Evaluates the log partial likelihood of one design, on the scaled columns; keeps its arrays between calls.
///
/// With f = (d−1)/(2d), M = S − f D, u = D0/M0 and g_l = l/d − f, the l-th death at t sees the risk set
/// M0 (1 − g_l u), so that all sums over l follow from few moments of g (see two_group.hpp). A patient enters
/// the information with the risk times the hazard gathered while at risk,
///
///   ω_i = w e^η (Σ_{t at risk} first_t − [i dies at t] (f first_t + first_tied_t)),
///   information = Σ_i ω_i z z' − Σ_t (products of mean covariates),
///
/// which walks the columns as whole vectors. Late entries are subtracted from sums of everybody; where less than 1e-7
/// is left of one, all are summed anew over the intervals that patients are at risk in.
class CoxEngine final : public CoxLikelihood {
 public:
  /// A feature, if there is one, becomes the last coefficient.
  CoxEngine(const CoxRows& rows, Ties ties, bool with_feature);

  /// The rows, ascending, of the patients who carry the feature.
  void set_carriers(std::vector<std::int32_t> rows);

  double evaluate(const Eigen::VectorXd& beta) override;
  const Eigen::VectorXd& gradient() const override { return gradient_; }
  const Eigen::MatrixXd& information() const override { return information_; }

  /// Σ_i ω_i z_ij², from which the information's diagonal is left: what cannot be told from 0 by rounding is small
  /// beside it.
  const Eigen::VectorXd& squares() const { return squares_; }

  Index n_coefficients() const { return rows_.n_columns + (with_feature_ ? 1 : 0); }

  /// The risks of the last evaluate(), to be held while a feature's coefficient alone moves.
  HeldRisks held_risks() const;
  EventTable table_beside(const HeldRisks& held) const;
  CarrierTable carriers_beside(const HeldRisks& held);  ///< valid until the next call of any kind

 private:
  void sum_risks(const Eigen::VectorXd& beta);
  void sum_feature(const double* risk);
  void subtract_late();
  bool in_range() const;
  bool cancelled(std::span<const double> gross) const;
  void sum_without_cancelling();
  void gather_without_cancelling();
  void sum_over_later_times(Index row);
  void add_products();

  const CoxRows& rows_;
  const EventTimes& times_;
  EventTable table_;
  bool with_feature_;
  Index n_padded_;
  std::vector<std::int32_t> carriers_;
  double deaths_of_carriers_ = 0;
  bool cancelled_ = false;                  ///< sums over intervals were needed
  AlignedDoubles risk_, factor_;            ///< per row
  AlignedDoubles at_risk_, dying_;          ///< (1 + n_coefficients) x n_padded
  AlignedDoubles terms_, hazard_, spared_;  ///< 5 x n_padded; n_padded each
  std::vector<double> time_products_, chunk_products_, time_gradient_;
  Eigen::VectorXd gradient_, squares_;
  Eigen::MatrixXd information_;
};

/// Columns of a positive semi-definite matrix that follow from those before them: what is left of the diagonal
/// after the columns before is below 1e-11 of it, or within rounding: 1e-13 of the sums of which it is the difference,
/// and what the columns before pass on of theirs.
std::vector<Index> dependent_columns(const Eigen::MatrixXd& information, const Eigen::VectorXd& sums = {});

/// Inverse of the block of the kept columns, zeros elsewhere.
Eigen::MatrixXd inverse_of(const Eigen::MatrixXd& information, const std::vector<Index>& kept);

}  // namespace chorale::kernels
