// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>

#include "kernels/cox_path_rows.hpp"
#include "kernels/error.hpp"
#include "kernels/event_table.hpp"

namespace chorale::kernels {
namespace {

std::size_t size(Index n) {
  return static_cast<std::size_t>(n);
}

void check(const Timeline& timeline, const CoxPathColumns& columns) {
  const std::size_t n = size(timeline.n_patients);
  if (columns.n_dense < 0 || columns.dense.size() != n * size(columns.n_dense)) {
    throw ShapeError({.what = "dense columns do not have one value per patient",
                      .found = std::to_string(columns.dense.size()) + " values",
                      .expected = std::to_string(columns.n_dense) + " x " + std::to_string(n)});
  }
  if (!columns.offset.empty() && columns.offset.size() != n) {
    throw ShapeError({.what = "offset does not have one value per patient",
                      .found = std::to_string(columns.offset.size()),
                      .expected = std::to_string(n)});
  }
  const auto infinite = [](double value) { return std::isinf(value); };
  if (std::any_of(columns.dense.begin(), columns.dense.end(), infinite) ||
      std::any_of(columns.offset.begin(), columns.offset.end(), infinite)) {
    throw ShapeError(
        {.what = "a covariate is infinite", .found = "an infinite value", .expected = "numbers or NaN"});
  }
  check_carriers(timeline.n_patients, columns.sparse, columns.sparse.size());
}

Index leave_out_missing(const CoxPathColumns& columns, std::vector<std::uint8_t>& included) {
  const std::size_t n = included.size();
  std::vector<std::uint8_t> missing_value(n, 0);
  for (std::size_t i = 0; i < columns.offset.size(); ++i) missing_value[i] = std::isnan(columns.offset[i]);
  for (std::size_t j = 0; j < size(columns.n_dense); ++j) {
    for (std::size_t i = 0; i < n; ++i) {
      if (std::isnan(columns.dense[j * n + i])) missing_value[i] = 1;
    }
  }
  Index n_missing = 0;
  for (std::size_t i = 0; i < n; ++i) {
    n_missing += included[i] && missing_value[i];
    included[i] = included[i] && !missing_value[i];
  }
  return n_missing;
}

/// Rows by stratum and last event time; who is never at risk at one comes last.
void order_rows(const Timeline& timeline, std::span<const std::uint8_t> included, CoxPathData& data) {
  data.n_times = timeline.n_times();
  data.stratum_begin = timeline.stratum_begin;
  const auto never = static_cast<std::int32_t>(data.n_times);
  std::vector<std::int32_t> exit_of(included.size(), never), begin(size(data.n_times) + 2, 0);
  for (std::size_t i = 0; i < included.size(); ++i) {
    if (!included[i]) continue;
    ++data.n_rows;
    if (timeline.first[i] < timeline.last[i]) exit_of[i] = timeline.last[i] - 1;
    ++begin[static_cast<std::size_t>(exit_of[i]) + 1];
  }
  std::partial_sum(begin.begin(), begin.end(), begin.begin());
  data.patient.resize(size(data.n_rows));
  for (std::size_t i = 0; i < included.size(); ++i) {
    if (included[i])
      data.patient[static_cast<std::size_t>(begin[static_cast<std::size_t>(exit_of[i])]++)] =
          static_cast<std::int32_t>(i);
  }
  for (const std::int32_t patient : data.patient) {
    const auto i = static_cast<std::size_t>(patient);
    data.exit.push_back(exit_of[i]);
    data.died.push_back(timeline.event[i] && exit_of[i] != never);
    data.weight.push_back(timeline.weight.empty() ? 1 : timeline.weight[i]);
    const Index from =
        data.stratum_begin[timeline.stratum.empty() ? 0 : static_cast<std::size_t>(timeline.stratum[i])];
    const bool late = exit_of[i] != never && timeline.first[i] > from;
    data.enter.push_back(late ? timeline.first[i] - 1 : -1);
  }
  if (std::all_of(data.enter.begin(), data.enter.end(), [](std::int32_t e) { return e < 0; }))
    data.enter.clear();
}

void fill_panels(const CoxPathColumns& columns, Index n_patients, CoxPathData& data) {
  data.panels.assign(size(data.n_panels() * data.n_dense * panel_rows), 0.0);
  const std::size_t n_rows = size(data.n_rows);
  std::vector<double> values(n_rows);
  for (Index j = 0; j < data.n_dense; ++j) {
    const double* x = columns.dense.data() + j * n_patients;
    double mean = 0, squares = 0, largest = 0;
    for (std::size_t i = 0; i < n_rows; ++i) {
      values[i] = x[data.patient[i]];
      mean += values[i];
      largest = std::max(largest, std::abs(values[i]));
    }
    mean /= static_cast<double>(std::max(n_rows, std::size_t{1}));
    for (double& value : values) {
      value -= mean;
      squares += value * value;
    }
    const double deviation = n_rows > 0 ? std::sqrt(squares / static_cast<double>(n_rows)) : 0;
    const bool constant = !(deviation > 1e-12 * largest);
    data.scale.push_back(constant ? 0 : deviation);
    for (std::size_t i = 0; i < n_rows; ++i) {
      const Index row = static_cast<Index>(i);
      data.panels[size((row / panel_rows * data.n_dense + j) * panel_rows + row % panel_rows)] =
          constant ? 0 : values[i] / deviation;
    }
  }
}

void fill_carriers(const CoxPathColumns& columns, Index n_patients, CoxPathData& data) {
  std::vector<std::int32_t> row_of(size(n_patients), -1);
  for (std::size_t row = 0; row < data.patient.size(); ++row)
    row_of[static_cast<std::size_t>(data.patient[row])] = static_cast<std::int32_t>(row);
  std::vector<std::int32_t> n_carried(size(data.n_rows) + 1, 0);
  for (const auto& list : columns.sparse) {
    const std::size_t begin = data.carriers.values.size();
    for (const std::int32_t patient : list) {
      const std::int32_t row = row_of[static_cast<std::size_t>(patient)];
      if (row < 0) continue;
      data.carriers.values.push_back(row);
      ++n_carried[static_cast<std::size_t>(row) + 1];
    }
    std::sort(data.carriers.values.begin() + static_cast<std::ptrdiff_t>(begin), data.carriers.values.end());
    data.carriers.close();
  }
  std::partial_sum(n_carried.begin(), n_carried.end(), n_carried.begin());
  data.carried.begin = n_carried;
  data.carried.values.resize(data.carriers.values.size());
  for (Index c = 0; c < data.carriers.n(); ++c) {
    for (const std::int32_t row : data.carriers[c])
      data.carried.values[static_cast<std::size_t>(n_carried[static_cast<std::size_t>(row)]++)] =
          static_cast<std::int32_t>(c);
  }
}

}  // namespace

CoxPathDesign make_cox_path_design(const Timeline& timeline, const CoxPathColumns& columns,
                                   std::span<const std::uint8_t> tested) {
  check(timeline, columns);
  RiskTotals totals = risk_totals(timeline, tested);
  CoxPathDesign design;
  design.n_missing_covariate = leave_out_missing(columns, totals.included);
  const auto data = std::make_shared<CoxPathData>();
  data->n_dense = columns.n_dense;
  order_rows(timeline, totals.included, *data);
  if (!columns.offset.empty()) {
    double mean = 0;
    for (const std::int32_t patient : data->patient)
      data->offset.push_back(columns.offset[static_cast<std::size_t>(patient)]);
    for (const double value : data->offset) mean += value / static_cast<double>(data->n_rows);
    for (double& value : data->offset) value -= mean;
  }
  fill_panels(columns, timeline.n_patients, *data);
  fill_carriers(columns, timeline.n_patients, *data);
  design.n_patients = timeline.n_patients;
  design.n_columns = data->n_columns();
  design.n_analysed = data->n_rows;
  design.n_events = std::accumulate(data->died.begin(), data->died.end(), Index{0});
  design.data = data;
  return design;
}

}  // namespace chorale::kernels
