// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <vector>

#include "kernels/cox_body.hpp"
#include "kernels/cox_by_time.hpp"

namespace chorale::kernels {

/// What all blocks of time together say of the columns.
struct CoxTimeScale {
  Index n_rows = 0, n_events = 0;
  double tied = 0;  ///< times that differ by no more are tied
  std::vector<double> centre, scale, range;
};

/// Centres and scales the columns of the blocks in place; two exchanges.
CoxTimeScale standardise(std::span<CoxTimeBlock> blocks, Index n_columns, const OfAllBlocks& of_all);

/// The rows of one block in the order that a fit walks them, and its part of likelihood and derivatives. Places of time:
/// in each stratum of the block first who leaves before its first event time, then the event times, each with those who
/// leave before the next one and those who die at it.
class CoxTimeRows {
 public:
  CoxTimeRows(CoxTimeBlock& block, double tied, Ties ties, Index n_strata);

  /// Of each stratum Σ risk and Σ risk · x, n_strata x (1 + n_columns).
  void sum_risks(const double* beta, double* sums);
  /// `later`: those sums over later blocks. Fills likelihood, gradient and the products of means; of each stratum Σ first.
  void walk_back(const double* later, double* hazards);
  /// `earlier`: those sums over earlier blocks. Completes the information and squares.
  void gather(const double* earlier);
  /// Log-likelihood or −∞ less βx of the deaths; gradient; upper triangle of the information; its squares.
  const std::vector<double>& terms() const { return terms_; }
  Index n_rows() const { return n_rows_; }
  static Index n_terms(Index n_columns) { return 1 + 2 * n_columns + n_columns * (n_columns + 1) / 2; }

 private:
  struct Stratum {
    std::int32_t code;
    Index begin, end;  ///< places
  };
  void order(CoxTimeBlock& block, double tied);
  void add_time(Index t, const double* at_risk, double weight);
  Index n_places() const { return static_cast<Index>(deaths_.size()); }
  ColumnTable table() const { return {columns_.data(), n_rows_, n_columns_}; }

  Index n_rows_, n_columns_, n_strata_;
  Ties ties_;
  AlignedDoubles columns_, weight_, risk_, factor_;
  std::vector<Stratum> strata_;
  std::vector<std::int32_t> place_begin_;
  std::vector<double> deaths_, weight_of_deaths_, centre_;  ///< per place
  std::vector<double> at_risk_, dying_;                     ///< (1 + n_columns) x places
  std::vector<double> hazard_, spared_;                     ///< per place
  std::vector<double> columns_of_deaths_, terms_, products_;
};

}  // namespace chorale::kernels
