// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <span>
#include <vector>

#include "kernels/cox_rows.hpp"

namespace chorale::kernels {

/// A Cox model at given coefficients, as its residuals need it: risks per row, and per event time sums over its d deaths,
/// of which the l-th sees the risk set S_l = S0 − (l/d) D0; Breslow: D0 = 0. W is the weight of the deaths.
struct CoxSums {
  /// beta on the original scale, one per column; NaN counts as 0.
  CoxSums(const CoxDesign& design, std::span<const double> beta, Ties ties);

  /// Per event time, Σ risk · (scaled column j) over who is at risk, and over who dies: S1 and D1. D1, as D0, is 0 where a
  /// single patient dies and for Breslow, where it plays no part.
  std::span<const double> at_risk(Index j) const { return row_of(at_risk_, 1 + j); }
  std::span<const double> dying(Index j) const { return row_of(dying_, 1 + j); }

  /// Sums from the first event time of each stratum on, in place.
  void accumulate(std::span<double> per_time) const;

  /// Per row: what gathered while at risk, Σ_{t at risk} of the increments whose sums these are, less `own` for who dies.
  double gathered(std::size_t row, std::span<const double> sums, std::span<const double> own) const;

  bool died(std::size_t row) const { return rows->place_of[row] % 2 == 1; }
  std::size_t time_of(std::size_t row) const { return static_cast<std::size_t>(rows->place_of[row] / 2); }
  double weight(std::size_t row) const { return rows->weight.empty() ? 1 : rows->weight[row]; }

  const CoxRows* rows;
  Ties ties;
  Index n_times;
  std::vector<double> risk;                                   ///< per row, w e^η
  std::vector<double> weight_of_deaths;                       ///< W
  std::vector<double> first, first_tied;                      ///< (W/d) Σ_l (l/d)^k / S_l for k = 0, 1
  std::vector<double> second, second_tied, second_both_tied;  ///< (W/d) Σ_l (l/d)^k / S_l² for k = 0, 1, 2

 private:
  std::span<const double> row_of(const std::vector<double>& table, Index row) const {
    return std::span(table).subspan(static_cast<std::size_t>(row * n_times),
                                    static_cast<std::size_t>(n_times));
  }
  void sum_risks(const std::vector<double>& beta);  ///< scaled

  std::vector<double> at_risk_, dying_;  ///< (1 + n_columns, n_times)
};

}  // namespace chorale::kernels
