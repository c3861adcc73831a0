// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "kernels/cox_rows.hpp"
#include "kernels/pair_cox_body.hpp"

namespace chorale::kernels {

/// Rows of a design sorted into pieces of equal length side by side, so that a register sums the risk sets of
/// several event times at once with little filling. Who enters late is there a second time, as a row below zero
/// at the last event time before.
class PairSlots {
 public:
  /// risk: per row, w e^η.
  PairSlots(const CoxRows& rows, std::span<const double> risk);

  SlotTable table() const;
  Index n_sums() const { return (static_cast<Index>(layer_begin_.size()) - 1) * n_rows_ * lanes; }

  /// From what pair_cox_slot_sums left: sums over the risk set for each of its rows, M and D as in RiskTable.
  /// `sums` has room for a block more than n_sums(), and its extra pieces are added up.
  void sum_over_risk_sets(const EventTimes& times, AlignedDoubles& sums, const RiskTable& table) const;

 private:
  Index n_columns_ = 0;
  Index n_rows_ = 0;  ///< of sums
  std::vector<std::int32_t> layer_begin_;
  AlignedDoubles base_, columns_;
  std::vector<std::int32_t> position_;  ///< of the first row of sums, by 2 · event time + died
  std::vector<std::int32_t> extra_;     ///< pairs of positions: add the second to the first
};

}  // namespace chorale::kernels
