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

  /// Room for n_rows sums of each piece, all 0.
  AlignedDoubles room(Index n_rows) const;

  /// From what pair_cox_slot_sums or pair_cox_slot_moments left in such room: sums over the risk set for each of its
  /// rows, M and D as in RiskTable. Extra pieces of `sums` are added up.
  void sum_over_risk_sets(const EventTimes& times, Index n_rows, AlignedDoubles& sums,
                          const RiskTable& table) const;

 private:
  Index n_columns_ = 0;
  std::vector<std::int32_t> layer_begin_;
  AlignedDoubles base_, columns_;
  std::vector<std::int32_t> piece_;  ///< by 2 · event time + died; one past the last where there is nobody
  std::vector<std::int32_t> extra_;  ///< pairs of pieces: add the second to the first
};

}  // namespace chorale::kernels
