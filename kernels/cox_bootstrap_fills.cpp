// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/cox_bootstrap_fills.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "kernels/error.hpp"

namespace chorale::kernels {
namespace {

std::size_t size(Index n) {
  return static_cast<std::size_t>(n);
}

void check_size(const char* what, std::size_t found, std::size_t expected) {
  if (found == expected) return;
  throw ShapeError({.what = what, .found = std::to_string(found), .expected = std::to_string(expected)});
}

void check(const CoxDesign& design, const CoxFills& fills, Index n_replicates) {
  const std::size_t n = fills.column.size();
  check_size("fills do not have one gap column each", fills.gap.size(), n);
  check_size("fills do not have one value for each replicate", fills.value.size(), size(n_replicates) * n);
  check_size("fills do not have one value of the full data", fills.full_fill.size(), n);
  const auto range = "0 to " + std::to_string(design.n_columns - 1);
  for (const auto& columns : {fills.column, fills.gap}) {
    for (const Index j : columns) {
      if (j >= 0 && j < design.n_columns) continue;
      throw ShapeError(
          {.what = "a fill names no column of the design", .found = std::to_string(j), .expected = range});
    }
  }
  for (const Index j : fills.column) {
    if (std::find(fills.gap.begin(), fills.gap.end(), j) == fills.gap.end()) continue;
    throw ShapeError({.what = "a column is filled and a gap column",
                      .found = "column " + std::to_string(j),
                      .expected = "gap columns that are not filled themselves"});
  }
  for (const auto& values : {fills.value, fills.full_fill}) {
    if (std::all_of(values.begin(), values.end(), [](double value) { return std::isfinite(value); }))
      continue;
    throw ShapeError({.what = "a gap is filled with no number",
                      .found = "NaN or an infinite value",
                      .expected = "a finite value for each fill"});
  }
}

}  // namespace

BootstrapFills::BootstrapFills(const CoxDesign& design, const CoxFills& fills, Index n_replicates)
    : fills_(fills),
      original_(design.rows),
      rows_(design.rows),
      to_free_(size(design.n_columns), -1),
      to_gap_(size(design.n_columns), -1) {
  check(design, fills, n_replicates);
  for (Index j = 0; j < design.n_columns; ++j) {
    if (std::find(fills.gap.begin(), fills.gap.end(), j) == fills.gap.end()) {
      to_free_[size(j)] = static_cast<Index>(free_.size());
      free_.push_back(j);
    } else if (original_->range[size(j)] > 0) {
      to_gap_[size(j)] = static_cast<Index>(gaps_.size());
      gaps_.push_back(j);
    }
  }
  for (std::size_t k = 0; k < fills.gap.size(); ++k) {
    if (to_gap_[size(fills.gap[k])] >= 0) used_.push_back(k);
  }
  if (!any()) return;
  auto filled = std::make_shared<CoxRows>(*original_);
  for (const Index j : free_) {
    std::vector<double> column(size(original_->n_rows));
    for (std::size_t row = 0; row < column.size(); ++row)
      column[row] = original_->columns[size(j * original_->n_rows) + row] * original_->scale[size(j)] +
                    original_->centre[size(j)];
    bool is_filled = false;
    for (const std::size_t k : used_) {
      if (fills.column[k] != j) continue;
      is_filled = true;
      const double* gap = original_->columns.data() + fills.gap[k] * original_->n_rows;
      const double scale = original_->scale[size(fills.gap[k])],
                   centre = original_->centre[size(fills.gap[k])];
      for (std::size_t row = 0; row < column.size(); ++row)
        column[row] += fills.full_fill[k] * (gap[row] * scale + centre);
    }
    if (is_filled) replace_column(*filled, j, std::move(column));
  }
  rows_ = std::move(filled);
}

Eigen::MatrixXd BootstrapFills::ties(Index replicate) const {
  Eigen::MatrixXd ties =
      Eigen::MatrixXd::Zero(static_cast<Index>(gaps_.size()), static_cast<Index>(free_.size()));
  for (const std::size_t k : used_) {
    const auto j = size(fills_.column[k]), g = size(fills_.gap[k]);
    ties(to_gap_[g], to_free_[j]) +=
        (value(replicate, k) - fills_.full_fill[k]) * rows_->scale[g] / rows_->scale[j];
  }
  return ties;
}

void BootstrapFills::fill(Index j, Index replicate, std::span<const Index> row,
                          std::span<double> values) const {
  const double scale = original_->scale[size(j)];
  bool is_filled = false;
  for (const std::size_t k : used_) {
    if (fills_.column[k] != j) continue;
    const auto g = size(fills_.gap[k]);
    // not centred, so that a column that a fill makes constant is known by its rounding
    const double shift = is_filled ? 0 : original_->centre[size(j)] / scale;
    is_filled = true;
    const double* gap = original_->columns.data() + fills_.gap[k] * original_->n_rows;
    for (std::size_t i = 0; i < row.size(); ++i) {
      const double of_gap = gap[row[i]] * original_->scale[g] + original_->centre[g];
      values[i] += shift + value(replicate, k) / scale * of_gap;
    }
  }
}

void BootstrapFills::expand(Index replicate, std::span<double> beta) const {
  for (std::size_t j = 0; j < beta.size(); ++j) {
    if (to_free_[j] >= 0) continue;
    double sum = 0;
    bool known = false;
    for (std::size_t k = 0; k < fills_.column.size(); ++k) {
      const double of_column = beta[size(fills_.column[k])], by = value(replicate, k);
      if (fills_.gap[k] != static_cast<Index>(j) || std::isnan(of_column)) continue;
      known = true;
      if (by != 0) sum += by * of_column;
    }
    beta[j] = known ? sum : missing;
  }
}

}  // namespace chorale::kernels
