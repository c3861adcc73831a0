// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/cox_bootstrap_alone.hpp"

#include <algorithm>
#include <vector>

#include "kernels/cox_rows.hpp"

namespace chorale::kernels {
namespace {

/// Rows written out, in times that keep the order of the event times.
struct WrittenOut {
  std::vector<double> entry, time, weight, offset;
  std::vector<std::int8_t> event;
  std::vector<std::int32_t> stratum;
  std::vector<Index> row;  ///< of the design

  SurvivalView view() const {
    return {.entry = entry, .time = time, .event = event, .weight = weight, .stratum = stratum};
  }
};

WrittenOut write_out(const CoxRows& rows, const std::uint8_t* copies, Index stride, Resample resample) {
  const auto strata = rows.efron.stratum_begin();
  WrittenOut out;
  for (std::size_t i = 0; i < rows.row_of.size(); ++i) {
    const int n_copies = copies[static_cast<Index>(i) * stride];
    if (rows.row_of[i] < 0 || n_copies == 0) continue;
    const auto row = static_cast<std::size_t>(rows.row_of[i]);
    const Index t = rows.place_of[row] / 2;
    const bool died = rows.place_of[row] % 2 == 1;
    const auto stratum = std::upper_bound(strata.begin(), strata.end(), t) - strata.begin() - 1;
    const double weight = rows.weight.empty() ? 1 : rows.weight[row];
    const bool as_rows = resample == Resample::rows;
    for (int copy = 0; copy < (as_rows ? n_copies : 1); ++copy) {
      out.row.push_back(static_cast<Index>(row));
      out.event.push_back(died);
      // event time t stands at t + 1; who lives leaves before the next, who enters late does so at an event time
      out.time.push_back(static_cast<double>(t) + (died ? 1 : 1.5));
      out.stratum.push_back(static_cast<std::int32_t>(stratum));
      out.weight.push_back(as_rows ? weight : weight * n_copies);
      if (!rows.offset.empty()) out.offset.push_back(rows.offset[row]);
      if (rows.enters.empty()) continue;
      const Index before = rows.enters[row];
      out.entry.push_back(before < rows.efron.n_times() ? static_cast<double>(before) + 1 : 0);
    }
  }
  return out;
}

}  // namespace

CoxFit fit_alone(const CoxRows& rows, const BootstrapFills& fills, Index replicate,
                 const std::uint8_t* copies, Index stride, const CoxBootstrapOptions& options) {
  const WrittenOut out = write_out(rows, copies, stride, options.resample);
  const std::size_t n = out.row.size(), p = fills.free_columns().size();
  std::vector<double> columns;
  columns.reserve(n * p);
  for (const Index j : fills.free_columns()) {
    for (const Index row : out.row)
      columns.push_back(rows.columns[static_cast<std::size_t>(j * rows.n_rows + row)]);
    fills.fill(j, replicate, out.row, std::span(columns).last(n));
  }
  const CoxDesign design =
      make_cox_design(make_timeline(out.view()),
                      {.values = columns, .n_columns = static_cast<Index>(p), .offset = out.offset});
  return cox_fit(design, {.ties = options.ties, .max_iterations = options.max_iterations});
}

}  // namespace chorale::kernels
