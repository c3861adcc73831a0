// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "kernels/timeline.hpp"
#include "kernels/types.hpp"

namespace chorale::kernels {

/// Patients in the order in which the measures of a prediction walk them; made once for all replicates.
///
/// Slots are the event times of each stratum, with one more before the first: a stratum of K event times has K + 1
/// slots, the first with time -infinity and no deaths. A row leaves at the last slot whose time is not above its exit;
/// rows are sorted by slot, those who do not die there first, then by exit, then by patient.
struct RiskOrder {
  Index n_patients = 0;  ///< in the cohort
  Index n_strata = 1;
  Index n_rows = 0;  ///< patients in the order
  Index n_slots = 0;
  bool late_entries = false;      ///< some rows enter after the first event time
  std::vector<double> time;       ///< n_slots, days
  std::vector<Index> slot_begin;  ///< n_strata + 1, first slot of each stratum
  std::vector<std::int32_t>
      row_begin;  ///< 2 n_slots + 1: slot t holds rows [2t] … [2t + 1] - 1, who do not die
                  ///< there, and [2t + 1] … [2t + 2] - 1, who do
  std::vector<std::int32_t> patient;   ///< n_rows
  std::vector<double> exit;            ///< n_rows, days
  std::vector<std::int32_t> enters;    ///< n_rows, first slot at risk; empty without late entries
  std::vector<std::int32_t> by_entry;  ///< rows by first slot at risk; empty without late entries
  std::vector<double> weight;          ///< n_rows, the timeline's; empty: all 1
  std::vector<std::int32_t> death_row, death_slot;  ///< of each who dies, by row
  std::vector<std::int32_t> tied_slot;              ///< of each death of a slot beyond its first
  std::vector<double> tied_place;                   ///< its number among them, from 1
  std::vector<std::int32_t> back;  ///< rows from the last slot back, those who die at a slot after the others
  std::vector<std::uint8_t> dies;  ///< whether the row does, by place in `back`
};

/// Patients are in the order who are analysed by the timeline and tested, and at risk at some time or, without left
/// truncation, leave before the first event.
///
/// Throws   ShapeError when tested is neither empty nor n_patients long
/// Cost     one sort of the patients
RiskOrder make_risk_order(const Timeline& timeline, std::span<const std::uint8_t> tested = {});

/// Case weights in row order: those given per patient, in place of the timeline's; or the timeline's when empty.
///
/// Throws   ShapeError when there is not one per patient, or one is negative or not finite
void row_weights(const RiskOrder& order, std::span<const double> weight, std::vector<double>& of_row);

/// Values in row order; NaN stays.
///
/// Throws   ShapeError when there is not one per patient, or one is infinite
void row_values(const RiskOrder& order, std::span<const double> values, std::vector<double>& of_row);

}  // namespace chorale::kernels
