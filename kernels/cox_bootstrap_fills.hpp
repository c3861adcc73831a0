// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <Eigen/Dense>
#include <memory>
#include <span>
#include <vector>

#include "kernels/cox_bootstrap.hpp"
#include "kernels/cox_rows.hpp"

namespace chorale::kernels {

/// What the fills of a bootstrap do to a design. A gap column that is the same for everyone fills nothing and leaves.
class BootstrapFills {
 public:
  /// Throws ShapeError when they do not fit the design or the replicates.
  BootstrapFills(const CoxDesign& design, const CoxFills& fills, Index n_replicates);

  const std::vector<Index>& free_columns() const { return free_; }  ///< of the design: all but gap columns
  const std::vector<Index>& gap_columns() const { return gaps_; }   ///< that fill something
  bool any() const { return !gaps_.empty(); }

  /// The design's rows, gaps filled as in the full data; those of the design itself where there are none.
  const CoxRows& rows() const { return *rows_; }

  /// Gap columns x free columns: what the scaled coefficient of a gap column of rows() is in a replicate, for each
  /// unit of a free column's; 0 where the replicate's value is that of the full data.
  Eigen::MatrixXd ties(Index replicate) const;

  /// Adds what fills column j in a replicate to its values in the given rows of the design, up to a constant.
  void fill(Index j, Index replicate, std::span<const Index> row, std::span<double> values) const;

  /// beta (columns of the design): sets those of gap columns from the free ones, all on the original scale.
  void expand(Index replicate, std::span<double> beta) const;

 private:
  double value(Index replicate, std::size_t k) const { return fills_.value[first(replicate) + k]; }
  std::size_t first(Index replicate) const {
    return static_cast<std::size_t>(replicate) * fills_.column.size();
  }

  CoxFills fills_;
  std::shared_ptr<const CoxRows> original_, rows_;
  std::vector<Index> free_, gaps_;
  std::vector<std::size_t> used_;        ///< fills whose gap column is among gaps_
  std::vector<Index> to_free_, to_gap_;  ///< per column of the design, its place in free_, gaps_; -1 = none
};

}  // namespace chorale::kernels
