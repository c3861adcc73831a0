// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <Eigen/Dense>
#include <cstdint>
#include <optional>
#include <vector>

#include "kernels/cox_bootstrap.hpp"
#include "kernels/cox_bootstrap_fills.hpp"

namespace chorale::kernels {

/// What a replicate's own fills make of the full data's information.
struct FilledReplicate {
  Eigen::MatrixXd ties;                            ///< gap columns x kept columns
  std::optional<Eigen::LLT<Eigen::MatrixXd>> own;  ///< where the full data's would mislead
  bool alone = false;                              ///< a column may have become aliased, or no longer be so
};

/// What all blocks of replicates share.
class BootstrapFrame {
 public:
  BootstrapFrame(const CoxDesign& design, const CoxFit& full, const CoxBootstrapOptions& options,
                 Index n_replicates);

  bool in_lanes() const { return in_lanes_; }
  const CoxBootstrapOptions& options() const { return options_; }
  const CoxRows& original() const { return *design_.rows; }
  const CoxRows& rows() const { return fills_.rows(); }
  const BootstrapFills& fills() const { return fills_; }

  const std::vector<Index>& kept() const { return kept_; }  ///< columns with a coefficient
  const Eigen::VectorXd& start() const { return start_; }   ///< of the kept, scaled
  const Eigen::LLT<Eigen::MatrixXd>& factor() const { return factor_; }
  FilledReplicate filled(Index replicate) const;

  /// Patients who alone tell a column from the others have lost half of what tells it.
  bool lost_tellers(const std::uint8_t* copies, Index stride) const;

 private:
  /// What tells one column from all others: the patients who hold nearly all of its residual's squares.
  struct Tellers {
    std::vector<std::size_t> patient;
    std::vector<double> square;
    double sum = 0;
  };
  void find_tellers();
  Tellers largest(const std::vector<double>& square, double enough) const;
  bool same_aliased(const Eigen::MatrixXd& ties_of_free) const;

  const CoxDesign& design_;
  const CoxBootstrapOptions& options_;
  BootstrapFills fills_;
  bool in_lanes_ = false;
  std::vector<Index> kept_;
  std::vector<Index> kept_among_free_;
  Eigen::VectorXd start_;
  Eigen::MatrixXd information_;  ///< all columns of rows(), with fills
  Eigen::LLT<Eigen::MatrixXd> factor_;
  Eigen::MatrixXd inverse_;
  std::vector<Tellers> tellers_;
};

}  // namespace chorale::kernels
