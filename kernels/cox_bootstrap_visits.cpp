// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/cox_bootstrap_visits.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "kernels/cox_body.hpp"
#include "kernels/large_pages.hpp"

namespace chorale::kernels {
namespace {

std::size_t size(Index n) {
  return static_cast<std::size_t>(n);
}

/// Visits are read so many at a time.
constexpr Index tile = 8;

Index padded(Index n, Index block) {
  return (n + block - 1) / block * block;
}

}  // namespace

BootstrapVisits::BootstrapVisits(const CoxRows& rows, std::span<const Index> columns,
                                 std::span<const double> start, Ties ties)
    : rows_(rows) {
  walk_.n_times = rows.efron.n_times();
  walk_.efron = ties == Ties::efron;
  order_visits();
  copy_columns(columns, start);
}

BootstrapWalk BootstrapVisits::null_walk() const {
  BootstrapWalk bare = walk_;
  bare.n_columns = 0;
  bare.factor = null_factor_.empty() ? nullptr : null_factor_.data();
  return bare;
}

void BootstrapVisits::order_visits() {
  std::vector<std::vector<std::int32_t>> late(size(walk_.n_times));
  for (Index row = 0; row < rows_.n_rows && late_entries(); ++row) {
    const Index before = rows_.enters[size(row)];
    if (before < walk_.n_times) late[size(before)].push_back(static_cast<std::int32_t>(row));
  }
  std::vector<std::int32_t> patient_of(size(rows_.n_rows));
  for (std::size_t i = 0; i < rows_.row_of.size(); ++i) {
    if (rows_.row_of[i] >= 0) patient_of[size(rows_.row_of[i])] = static_cast<std::int32_t>(i);
  }
  const bool plain = rows_.weight.empty() && rows_.offset.empty() && !late_entries();
  const auto visit = [&](std::int32_t row, double sign) {
    row_.push_back(row);
    patient_.push_back(patient_of[size(row)]);
    const double weight = rows_.weight.empty() ? 1 : rows_.weight[size(row)];
    if (!rows_.weight.empty()) case_weight_.push_back(weight);
    if (plain) return;
    null_factor_.push_back(sign * weight * (rows_.offset.empty() ? 1 : std::exp(rows_.offset[size(row)])));
  };
  const auto strata = rows_.efron.stratum_begin();
  begin_.push_back(0);
  for (std::size_t s = 0; s + 1 < strata.size(); ++s) {
    for (Index t = strata[s + 1] - 1; t >= strata[s]; --t) {
      const std::int32_t* place = rows_.place_begin.data() + 2 * t;
      const auto begin = static_cast<Index>(row_.size());
      for (std::int32_t row = place[1]; row < place[2]; ++row) visit(row, 1);
      begin_.push_back(static_cast<std::int32_t>(row_.size()));
      for (std::int32_t row = place[0]; row < place[1]; ++row) visit(row, 1);
      for (const std::int32_t row : late[size(t)]) visit(row, -1);
      begin_.push_back(static_cast<std::int32_t>(row_.size()));
      walk_.n_room = std::max(walk_.n_room, static_cast<Index>(row_.size()) - begin);
      fresh_.push_back(t == strata[s + 1] - 1);
    }
  }
  walk_.n_room = padded(std::max(walk_.n_room, long_block), tile);
  walk_.n_visits = static_cast<Index>(row_.size()) + tile;
  if (!plain) null_factor_.resize(size(walk_.n_visits), 0);
  if (!case_weight_.empty()) case_weight_.resize(size(walk_.n_visits), 0);
  walk_.visit_begin = begin_.data();
  walk_.fresh = fresh_.data();
  walk_.case_weight = case_weight_.empty() ? nullptr : case_weight_.data();
}

/// Single precision holds 0/1, whole numbers and other multiples of a power of two exactly if they are divided by one, a
/// multiple of another taken away: what it rounds is then different for each patient, and sums hardly see it.
void BootstrapVisits::copy_columns(std::span<const Index> columns, std::span<const double> start) {
  const Index p = walk_.n_columns = padded(static_cast<Index>(columns.size()), column_block);
  columns_.reserve(size(walk_.n_visits * p));
  columns_single_.reserve(size(walk_.n_visits * p));
  wish_large_pages(columns_.data(), columns_.capacity() * sizeof(double));
  wish_large_pages(columns_single_.data(), columns_single_.capacity() * sizeof(float));
  std::vector<double> shift;
  for (const Index j : columns) {
    const double scale = std::exp2(std::round(std::log2(rows_.scale[size(j)])));
    const double grain = scale / 1024, centre = std::round(rows_.centre[size(j)] / grain) * grain;
    unit_.push_back(rows_.scale[size(j)] / scale);
    shift.push_back((rows_.centre[size(j)] - centre) / scale);
  }
  columns_.resize(size(walk_.n_visits * p), 0);
  columns_single_.resize(columns_.size(), 0);
  factor_.assign(size(walk_.n_visits), 0);
  std::vector<const double*> values;
  std::vector<double> of_visits;
  for (std::size_t j = 0; j < columns.size(); ++j) {
    values.push_back(rows_.columns.data() + columns[j] * rows_.n_rows);
    of_visits.push_back(start[j] / unit_[j]);
  }
  for (std::size_t v = 0; v < row_.size(); ++v) {
    double log_risk = 0;
    for (std::size_t j = 0; j < columns.size(); ++j) {
      const double value = values[j][row_[v]] * unit_[j] + shift[j];
      columns_[v * size(p) + j] = value;
      columns_single_[v * size(p) + j] = static_cast<float>(value);
      log_risk += value * of_visits[j];
    }
    factor_[v] = log_risk;
  }
  CHORALE_AT_LEVEL(cox_risks, ColumnTable{nullptr, 0, 0}, factor_.data(),
                   null_factor_.empty() ? nullptr : null_factor_.data(), nullptr, Index{0},
                   static_cast<Index>(row_.size()), factor_.data());
  walk_.factor = factor_.data();
  walk_.columns = columns_.data();
  walk_.columns_single = columns_single_.data();
}

void BootstrapVisits::gather(std::span<const std::uint8_t> copies, Index n_replicates, Index first,
                             std::span<std::uint8_t> to) const {
  const Index n = std::min(bootstrap_lanes, n_replicates - first);
  if (n < bootstrap_lanes) std::fill(to.begin(), to.end(), std::uint8_t{0});
  constexpr std::size_t ahead = 24;  // patients lie anywhere
  for (std::size_t v = 0; v < patient_.size(); ++v) {
    const std::uint8_t* from = copies.data() + patient_[v] * n_replicates + first;
    if (v + ahead < patient_.size())
      __builtin_prefetch(copies.data() + patient_[v + ahead] * n_replicates + first);
    std::uint8_t* lanes_of_visit = to.data() + v * bootstrap_lanes;
    if (n == bootstrap_lanes) {
      std::memcpy(lanes_of_visit, from, bootstrap_lanes);
    } else {
      std::copy_n(from, n, lanes_of_visit);
    }
  }
}

}  // namespace chorale::kernels
