// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <cstdint>
#include <vector>

#include "kernels/cox.hpp"
#include "kernels/cox_body.hpp"
#include "kernels/event_table.hpp"

namespace chorale::kernels {

/// Patients at risk at one event time at least, in the order of their place: by stratum, then by the last event
/// time at risk, those who die after those who do not, then by index. See cox.hpp, CoxDesign.
struct CoxRows {
  CoxRows(const Timeline& timeline, const RiskTotals& totals)
      : efron(timeline, totals, Ties::efron), breslow(timeline, totals, Ties::breslow) {}

  const EventTimes& times(Ties ties) const { return ties == Ties::efron ? efron : breslow; }
  ColumnTable table() const { return {columns.data(), n_rows, n_columns}; }

  EventTimes efron, breslow;
  Index n_rows = 0;
  Index n_columns = 0;
  std::vector<std::int32_t> row_of;       ///< per patient; -1 = not among the rows
  std::vector<std::int32_t> place_of;     ///< per row, 2 · (last event time at risk) + died
  std::vector<std::int32_t> place_begin;  ///< 2 n_times + 1, first row of each place
  std::vector<std::int32_t> enters;       ///< per row, as EventTimes::enters; empty without left truncation
  std::vector<double> weight;             ///< per row; empty: all 1
  std::vector<double> offset;             ///< per row, centred; empty: all 0
  double offset_centre = 0;               ///< what was subtracted
  AlignedDoubles columns;                 ///< n_columns x n_rows, centred and scaled
  std::vector<double> scale;              ///< n_columns, original = scaled · scale + centre
  std::vector<double> centre;             ///< n_columns
  std::vector<double> variance;           ///< n_columns of the design, among all who are analysed (n − 1)
  std::vector<double> range;              ///< n_columns, largest less smallest scaled value
  std::vector<Index> chunk_begin;  ///< event times where each block of work begins, and n_times at the end
  double offset_of_deaths = 0;     ///< Σ w offset over deaths
  std::vector<double> columns_of_deaths;  ///< n_columns, Σ w x over deaths
};

/// Centres and scales one value per row and puts them behind the columns that are there; n_columns stays.
void add_column(CoxRows& rows, std::vector<double> column);

/// The same in place of column j.
void replace_column(CoxRows& rows, Index j, std::vector<double> column);

}  // namespace chorale::kernels
