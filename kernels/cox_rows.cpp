// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/cox_rows.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "kernels/error.hpp"

namespace chorale::kernels {
namespace {

void check(const Timeline& timeline, const CoxColumns& columns) {
  const auto n = static_cast<std::size_t>(timeline.n_patients);
  if (columns.values.size() != n * static_cast<std::size_t>(columns.n_columns)) {
    throw ShapeError({.what = "columns do not have one value per patient",
                      .found = std::to_string(columns.values.size()) + " values",
                      .expected = std::to_string(columns.n_columns) + " x " + std::to_string(n)});
  }
  if (!columns.offset.empty())
    require_size("offset does not have one value per patient", columns.offset.size(), timeline.n_patients);
  const auto infinite = [](double value) { return std::isinf(value); };
  if (std::any_of(columns.values.begin(), columns.values.end(), infinite) ||
      std::any_of(columns.offset.begin(), columns.offset.end(), infinite)) {
    throw ShapeError(
        {.what = "a covariate is infinite", .found = "an infinite value", .expected = "numbers or NaN"});
  }
}

/// included[i] = 0 for whom a column or the offset is missing; returns how many of those counted left so.
Index leave_out_missing(const CoxColumns& columns, std::vector<std::uint8_t>& included) {
  const std::size_t n = included.size();
  Index n_missing = 0;
  for (std::size_t i = 0; i < n; ++i) {
    if (!included[i]) continue;
    bool missing_value = !columns.offset.empty() && std::isnan(columns.offset[i]);
    for (std::size_t at = i; at < columns.values.size(); at += n)
      missing_value |= std::isnan(columns.values[at]);
    included[i] = !missing_value;
    n_missing += missing_value;
  }
  return n_missing;
}

void place_rows(const Timeline& timeline, CoxRows& rows) {
  const auto place = rows.efron.place();
  const auto n_places = static_cast<std::size_t>(2 * rows.efron.n_times());
  rows.place_begin.assign(n_places + 1, 0);
  for (const std::int32_t at : place) {
    if (static_cast<std::size_t>(at) < n_places) ++rows.place_begin[static_cast<std::size_t>(at) + 1];
  }
  for (std::size_t q = 0; q < n_places; ++q) rows.place_begin[q + 1] += rows.place_begin[q];
  rows.n_rows = rows.place_begin.back();

  const auto n_rows = static_cast<std::size_t>(rows.n_rows);
  rows.row_of.assign(place.size(), -1);
  rows.place_of.resize(n_rows);
  if (!timeline.weight.empty()) rows.weight.resize(n_rows);
  if (!rows.efron.enters().empty()) rows.enters.resize(n_rows);
  std::vector<std::int32_t> next = rows.place_begin;
  for (std::size_t i = 0; i < place.size(); ++i) {
    if (static_cast<std::size_t>(place[i]) >= n_places) continue;
    const std::int32_t row = next[static_cast<std::size_t>(place[i])]++;
    const auto at = static_cast<std::size_t>(row);
    rows.row_of[i] = row;
    rows.place_of[at] = place[i];
    if (!rows.weight.empty()) rows.weight[at] = timeline.weight[i];
    if (!rows.enters.empty()) rows.enters[at] = rows.efron.enters()[i];
  }
}

std::vector<double> in_row_order(const CoxRows& rows, std::span<const double> values) {
  std::vector<double> ordered(static_cast<std::size_t>(rows.n_rows));
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (rows.row_of[i] >= 0) ordered[static_cast<std::size_t>(rows.row_of[i])] = values[i];
  }
  return ordered;
}

double mean_of(std::span<const double> values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return values.empty() ? 0 : sum / static_cast<double>(values.size());
}

struct Standard {
  double centre, scale;
};

/// Centres the values and divides them by their standard deviation; a constant becomes zeros, its divisor 1.
Standard standardise(std::span<double> values) {
  const double mean = mean_of(values);
  double squares = 0, largest = 0;
  for (double& value : values) {
    largest = std::max(largest, std::abs(value));
    value -= mean;
    squares += value * value;
  }
  const double deviation = values.empty() ? 0 : std::sqrt(squares / static_cast<double>(values.size()));
  const bool constant = deviation <= 1e-12 * largest;
  for (double& value : values) value = constant ? 0 : value / deviation;
  return {mean, constant ? 1 : deviation};
}

double sum_over_deaths(const CoxRows& rows, std::span<const double> values) {
  double sum = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (rows.place_of[i] % 2 == 1) sum += values[i] * (rows.weight.empty() ? 1 : rows.weight[i]);
  }
  return sum;
}

/// Of the included patients' values, divided by their number less one; 0 for fewer than two.
double variance_of(std::span<const double> values, std::span<const std::uint8_t> included) {
  double sum = 0, squares = 0, n = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!included[i]) continue;
    sum += values[i];
    ++n;
  }
  const double mean = n > 0 ? sum / n : 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (included[i]) squares += (values[i] - mean) * (values[i] - mean);
  }
  return n > 1 ? squares / (n - 1) : 0;
}

void fill_columns(const Timeline& timeline, const CoxColumns& columns, std::span<const std::uint8_t> included,
                  CoxRows& rows) {
  const auto n = static_cast<std::size_t>(timeline.n_patients);
  for (std::size_t j = 0; j < static_cast<std::size_t>(columns.n_columns); ++j) {
    const auto column = columns.values.subspan(j * n, n);
    rows.variance.push_back(variance_of(column, included));
    add_column(rows, in_row_order(rows, column));
  }
  if (columns.offset.empty()) return;
  rows.offset = in_row_order(rows, columns.offset);
  rows.offset_centre = mean_of(rows.offset);
  for (double& value : rows.offset) value -= rows.offset_centre;
  rows.offset_of_deaths = sum_over_deaths(rows, rows.offset);
}

/// Blocks of whole event times of about the same number of rows, whatever the threads.
void cut_chunks(CoxRows& rows) {
  constexpr Index rows_per_chunk = 4096;
  rows.chunk_begin.push_back(0);
  Index begin = 0;
  for (Index t = 0; t < rows.efron.n_times(); ++t) {
    const Index end = rows.place_begin[static_cast<std::size_t>(2 * t + 2)];
    const bool last = t + 1 == rows.efron.n_times();
    if (end - begin < rows_per_chunk && !last) continue;
    rows.chunk_begin.push_back(t + 1);
    begin = end;
  }
}

}  // namespace

void add_column(CoxRows& rows, std::vector<double> column) {
  const auto j = static_cast<Index>(rows.scale.size());
  for (auto* of_columns : {&rows.scale, &rows.centre, &rows.range, &rows.columns_of_deaths})
    of_columns->push_back(0);
  rows.columns.resize(rows.columns.size() + column.size());
  replace_column(rows, j, std::move(column));
}

void replace_column(CoxRows& rows, Index j, std::vector<double> column) {
  const auto at = static_cast<std::size_t>(j);
  const Standard standard = standardise(column);
  rows.scale[at] = standard.scale;
  rows.centre[at] = standard.centre;
  const auto [low, high] = std::minmax_element(column.begin(), column.end());
  rows.range[at] = column.empty() ? 0 : *high - *low;
  rows.columns_of_deaths[at] = sum_over_deaths(rows, column);
  std::copy(column.begin(), column.end(), rows.columns.begin() + j * rows.n_rows);
}

CoxDesign make_cox_design(const Timeline& timeline, const CoxColumns& columns,
                          std::span<const std::uint8_t> tested) {
  check(timeline, columns);
  CoxDesign design;
  RiskTotals totals = risk_totals(timeline, tested);
  design.n_missing_covariate = leave_out_missing(columns, totals.included);
  if (design.n_missing_covariate > 0) totals = risk_totals(timeline, std::vector(totals.included));
  const auto rows = std::make_shared<CoxRows>(timeline, totals);
  rows->n_columns = columns.n_columns;
  place_rows(timeline, *rows);
  fill_columns(timeline, columns, totals.included, *rows);
  cut_chunks(*rows);
  design.n_patients = timeline.n_patients;
  design.n_columns = columns.n_columns;
  design.n_analysed = totals.n_analysed;
  design.n_events = totals.n_events;
  design.rows = rows;
  return design;
}

}  // namespace chorale::kernels
