// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <Eigen/Dense>
#include <vector>

#include "kernels/cox_likelihood.hpp"
#include "kernels/fine_gray_rows.hpp"

namespace chorale::kernels {

/// Evaluates Fine and Gray's log partial likelihood on the scaled columns; keeps its arrays between calls.
///
/// A patient enters the information with the risk times the hazard gathered while at risk,
///
///   ω_i = w e^η (Σ_{t <= time} dΛ + [other cause] Σ_{t > time} dΛ G(t-)/G(time-)),   dΛ = d_t / S0(t),
///   information = Σ_i ω_i z z' − Σ_t d_t z̄ z̄',                                       z̄ = S1 / S0
///
/// so that the bodies of the Cox engine do the walks over the patients.
class FineGrayEngine final : public CoxLikelihood {
 public:
  explicit FineGrayEngine(const FineGrayRows& rows);

  double evaluate(const Eigen::VectorXd& beta) override;
  const Eigen::VectorXd& gradient() const override { return gradient_; }
  const Eigen::MatrixXd& information() const override { return information_; }

  /// Σ_i ω_i z_ij², see dependent_columns()
  const Eigen::VectorXd& squares() const { return squares_; }

  /// Σ_i w_i² (η_i + ψ_i)(η_i + ψ_i)' at the place of the last evaluate().
  Eigen::MatrixXd residual_products() const;

 private:
  void sum_risks(const Eigen::VectorXd& beta);
  void subtract_late();
  template <int count>
  void sum_over_time(Index first);
  void sum_over_time();
  void add_products();
  Eigen::MatrixXd censoring_terms(std::size_t group, const Eigen::MatrixXd& mean) const;

  const FineGrayRows& rows_;
  Index n_places_;                ///< n_times · n_groups
  AlignedDoubles risk_, factor_;  ///< per row
  AlignedDoubles centre_, alone_,
      others_;                      ///< n_places; (1 + p) x n_places: what the time adds, of it other causes
  AlignedDoubles sums_;             ///< (1 + p) x n_times, S0 and S1
  AlignedDoubles hazard_, spared_;  ///< n_places, per place: see cox_factors
  std::vector<double> inverse_;     ///< n_places, 1 / uncensored, 0 where that is 0
  std::vector<double> increment_;   ///< n_times, dΛ
  std::vector<double> chunk_products_, time_products_;
  Eigen::VectorXd gradient_, squares_;
  Eigen::MatrixXd information_;
};

}  // namespace chorale::kernels
