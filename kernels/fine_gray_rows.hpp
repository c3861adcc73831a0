// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <cstdint>
#include <vector>

#include "kernels/aligned.hpp"
#include "kernels/cox_body.hpp"
#include "kernels/fine_gray.hpp"

namespace chorale::kernels {

/// One censoring time of one group.
struct CensoringStep {
  double time;
  double at_risk, censored;  ///< weighted
};

/// What a patient adds to the sandwich beside their row.
struct FineGrayPatient {
  std::int32_t row = -1;  ///< -1 = not at risk at any event time
  std::int32_t group = 0;
  std::int32_t steps = 0;  ///< censoring steps of the group up to the patient's time
  bool censored = false;   ///< at the last of those steps
  double weight = 1;
};

/// Patients at risk at one event time at least, by place. Event time k (of any cause, strata one after the
/// other) and censoring group g make k · n_groups + g; the place is twice that, and one more for who has a
/// competing event.
struct FineGrayRows {
  ColumnTable table() const { return {columns.data(), n_rows, n_columns}; }
  Index n_times() const { return static_cast<Index>(deaths.size()); }

  Index n_rows = 0, n_columns = 0, n_groups = 1;
  std::vector<Index> stratum_begin;       ///< positions among the event times
  std::vector<double> time;               ///< n_times
  std::vector<double> deaths;             ///< n_times, weighted events of the cause
  std::vector<double> uncensored;         ///< n_times x n_groups, G H just before the time
  std::vector<std::int32_t> place_begin;  ///< 2 n_times n_groups + 1, first row of each place
  std::vector<std::int32_t> place_of;     ///< per row
  std::vector<std::uint8_t> dies;         ///< per row, of the cause
  std::vector<std::int32_t> enters;  ///< per row, last time (k · n_groups + g) before they are observed, or
                                     ///< n_times n_groups; empty without left truncation
  std::vector<double> weight;        ///< per row; empty: all 1
  std::vector<double> offset;        ///< per row; empty: all 0
  AlignedDoubles columns;            ///< n_columns x n_rows, centred and scaled
  std::vector<double> scale, range;  ///< n_columns; largest less smallest scaled value
  std::vector<double> columns_of_deaths;  ///< n_columns, Σ w x over events of the cause
  double offset_of_deaths = 0;
  std::vector<Index> chunk_begin;  ///< k · n_groups + g where each block of work begins, and the end
  std::vector<std::vector<CensoringStep>> steps;  ///< n_groups, ascending
  std::vector<FineGrayPatient> patients;          ///< n_analysed, those of rows first and in their order
};

}  // namespace chorale::kernels
