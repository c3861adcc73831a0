// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <span>
#include <vector>

#include "kernels/cox_engine.hpp"
#include "kernels/cox_sums.hpp"
#include "kernels/firth_maximum.hpp"

namespace chorale::kernels {

/// Evaluates Firth's penalised log-likelihood of a design on its scaled columns; see cox_firth.hpp.
class CoxFirthEngine {
 public:
  CoxFirthEngine(const CoxDesign& design, Ties ties);

  FirthPlace at(const Eigen::VectorXd& beta);

  const std::vector<Index>& aliased() const { return aliased_; }
  const std::vector<Index>& kept() const { return kept_; }
  double loglik_null() const { return loglik_null_; }  ///< not penalised

 private:
  /// Per event time, what its deaths pass on to the rows at risk: Σ_l V μ_l dΛ_l and, for the dying, Σ_l (l/d) V μ_l dΛ_l.
  struct Pulls {
    Eigen::MatrixXd all, tied;  ///< n_times x n_columns
  };

  Eigen::VectorXd penalty(const Eigen::VectorXd& beta, const Eigen::MatrixXd& root);
  void fill_leverages(const Eigen::MatrixXd& root);
  Pulls walk_deaths(const CoxSums& sums, const Eigen::MatrixXd& inverse, Eigen::VectorXd& penalty) const;
  void walk_rows(const CoxSums& sums, const Pulls& pulls, Eigen::VectorXd& penalty) const;

  const CoxDesign& design_;
  const CoxRows& rows_;
  Ties ties_;
  CoxEngine engine_;
  std::vector<Index> aliased_, kept_;
  double loglik_null_;
  std::vector<double> leverage_;  ///< per row, v = x'Vx
};

}  // namespace chorale::kernels
