// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <span>
#include <vector>

#include "kernels/cox_path_rows.hpp"

namespace chorale::kernels {

/// Evaluates eight coefficient vectors of one sample side by side, and a model of the curvature at one of them.
/// Coefficients are those of standardised columns; keeps its arrays between calls.
class CoxPathEngine {
 public:
  explicit CoxPathEngine(const CoxPathSample& sample);

  /// loglik of every lane, and slopes[c, lane] = ∂ loglik/∂ coefficient / W of the columns asked for.
  ///
  /// columns   ascending; beta[c, lane] their coefficients, all others are 0
  /// asked     ascending
  void evaluate(std::span<const std::int32_t> columns, std::span<const double> beta,
                std::span<const std::int32_t> asked, std::span<double> slopes);

  double loglik(Index lane) const { return loglik_[lane]; }

  /// −∂²loglik/W of the columns (ascending) at the last place evaluated, n x stride, symmetric. Event times beyond 256
  /// are pooled, and with Efron's ties a term is left out that the dying add among themselves, so that it is
  /// slightly larger than the exact one.
  void hessian(Index lane, std::span<const std::int32_t> columns, Index stride, std::span<double> hessian);

 private:
  void pool_times();
  /// Splits ascending columns in dense and sparse ones; returns the number of dense ones.
  std::size_t n_dense_of(std::span<const std::int32_t> columns) const;
  void rates(Index lane);
  void mean_covariates(std::span<const std::int32_t> columns);
  void add_late(std::span<const std::int32_t> columns);
  void add_sparse_products(std::span<const std::int32_t> columns, Index stride, std::span<double> hessian);

  const CoxPathSample& sample_;
  PathRows rows_;
  Panels panels_;
  AlignedDoubles eta_, risk_, at_risk_, dying_, hazard_, spared_;
  double loglik_[path_lanes] = {};
  std::vector<double> beta_, slopes_;
  Index n_bins_ = 0;
  std::vector<std::int32_t> bin_of_time_, bin_of_row_;
  std::vector<std::uint8_t> ends_stratum_;               ///< per bin
  AlignedDoubles factor_, lane_risk_, part_;             ///< per row
  std::vector<double> rate_, alive_share_, dead_share_;  ///< per bin; per time, see rates()
  AlignedDoubles sums_, parts_, means_;
};

}  // namespace chorale::kernels
