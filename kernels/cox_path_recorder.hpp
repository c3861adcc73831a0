// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <span>
#include <vector>

#include "kernels/cox_path.hpp"

namespace chorale::kernels {

struct PathPenalty {
  std::vector<double> factor;  ///< v, per column
  double alpha = 1;
  std::vector<std::uint8_t> free;  ///< per column; the others stay 0
};

/// Penalty factors sum to the number of columns; those with a deviation above 0 are free.
PathPenalty penalty_of(std::span<const double> deviation, const CoxPathOptions& options);

/// Throws ShapeError where options do not fit the design.
void check_path(const CoxPathDesign& design, const CoxPathOptions& options);
void check_path_weight(const CoxPathDesign& design, std::span<const double> weight);

/// Collects the results of a path, and says when it ends.
class CoxPathRecorder {
 public:
  CoxPathRecorder(const CoxPathOptions& options, CoxPath& path);

  /// beta: of all columns, on the original scale. False where nothing may follow.
  bool take(double lambda, double loglik, std::span<const double> beta);

 private:
  bool goes_on();
  bool end(CoxPathVerdict verdict);

  const CoxPathOptions& options_;
  CoxPath& path_;
  std::vector<std::uint8_t> ever_;
  double least_ = 0;
  Index worse_ = 0;
};

}  // namespace chorale::kernels
