// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include <algorithm>
#include <cmath>

#include "kernels/cox_path_replicate.hpp"

namespace chorale::kernels {
namespace {

std::size_t size(Index n) {
  return static_cast<std::size_t>(n);
}

/// As CoxPathEngine has it: Σ_t a_t x̄_t x̄_t' of a bin is taken at the mean of S1 over its times, weighted with a_t.
class Curvature {
 public:
  Curvature(const CoxPathGuideData& guide, CoxPathRoom::Arrays& room, const CoxPathBlock<float>& block,
            Index lane, std::span<const std::int32_t> columns, Index stride)
      : guide_(guide),
        room_(room),
        rows_(room.path_rows(guide)),
        block_(block),
        lane_(size(lane)),
        columns_(columns),
        stride_(size(stride)),
        n_dense_(static_cast<std::size_t>(std::lower_bound(columns.begin(), columns.end(),
                                                           static_cast<std::int32_t>(guide.rows().n_dense)) -
                                          columns.begin())),
        n_sums_(size(guide.n_bins) + 1) {}

  void measure() {
    rates();
    spread_over_rows();
    room_.gram.assign(columns_.size() * stride_, 0.0);
    room_.sums.assign(columns_.size() * n_sums_, 0.0);
    room_.parts.assign(columns_.size() * n_sums_, 0.0);
    const auto n = static_cast<Index>(n_dense_);
    room_.rounded.resize(size(CHORALE_AT_LEVEL(cox_path_wide_gram_room, n)));
    room_.squares.assign(size(CHORALE_AT_LEVEL(cox_path_wide_gram_squares, n)), 0.0);
    room_.quantum.clear();
    const float most = *std::max_element(room_.root.begin(), room_.root.end());
    for (std::size_t c = 0; c < n_dense_; ++c) {
      const float furthest = most * guide_.largest[static_cast<std::size_t>(columns_[c])];
      room_.quantum.push_back(furthest > 0 ? static_cast<float>(gram_limit) / furthest : 1.0f);
    }
    const WideGram gram{.columns = columns_.data(),
                        .n_columns = static_cast<Index>(n_dense_),
                        .root = room_.root.data(),
                        .risk = room_.lane_risk.data(),
                        .part = room_.lane_part.data(),
                        .bin = room_.bin.data(),
                        .n_bins = static_cast<Index>(n_sums_),
                        .stride = static_cast<Index>(stride_),
                        .quantum = room_.quantum.data(),
                        .gram = room_.gram.data(),
                        .sums = room_.sums.data(),
                        .parts = room_.parts.data(),
                        .room = room_.rounded.data(),
                        .squares = room_.squares.data()};
    if (n_dense_ > 0) {
      CHORALE_AT_LEVEL(cox_path_wide_gram, room_.panels.data(), guide_.rows().n_dense,
                       rows_.n_rows / panel_rows, gram);
    }
    add_sparse();
    add_late();
    subtract_means();
  }

 private:
  double at(const Unset<double>& of_times, Index t) const {
    return of_times[size(t * block_.n_lanes) + lane_];
  }

  void rates() {
    room_.rate.assign(n_sums_, 0.0);
    room_.alive_share.assign(guide_.bin_of_time.size(), 0.0);
    room_.dead_share.assign(guide_.bin_of_time.size(), 0.0);
    for (Index t = 0; t < rows_.n_times; ++t) {
      const double deaths = rows_.n_deaths[t], weight = rows_.dead_weight[t], at_risk = at(block_.at_risk, t);
      double a = 0, b = 0;
      if (!rows_.efron && deaths > 0) a = weight / (at_risk * at_risk);
      for (double l = 0; rows_.efron && l < deaths; ++l) {
        const double left = at_risk - l / deaths * at(block_.dying, t);
        a += weight / deaths / (left * left);
        b += weight / deaths * (l / deaths) / (left * left);
      }
      double& rate = room_.rate[static_cast<std::size_t>(guide_.bin_of_time[size(t)])];
      rate += a;
      room_.alive_share[size(t)] = rate;
      room_.dead_share[size(t)] = rate - b;
    }
    for (Index t = 0; t < rows_.n_times; ++t) {
      const double rate = room_.rate[static_cast<std::size_t>(guide_.bin_of_time[size(t)])];
      if (!(rate > 0)) continue;
      room_.alive_share[size(t)] /= rate;
      room_.dead_share[size(t)] /= rate;
    }
  }

  void spread_over_rows() {
    const std::size_t n = size(rows_.n_rows);
    for (auto* of_rows : {&room_.factor, &room_.root, &room_.lane_risk, &room_.lane_part}) of_rows->resize(n);
    room_.bin.resize(n);
    for (std::size_t i = 0; i < n; ++i) {
      const Index t = rows_.exit[i];
      const bool dies = rows_.dead[i] > 0;
      double hazard = at(block_.hazard, t);
      if (dies && rows_.efron) hazard -= at(block_.spared, t);
      if (rows_.enter != nullptr && rows_.enter[i] >= 0) hazard -= at(block_.hazard, rows_.enter[i]);
      const float risk = block_.risk[i * size(block_.n_lanes) + lane_];
      room_.factor[i] = risk * static_cast<float>(hazard);
      room_.root[i] = std::sqrt(std::max(room_.factor[i], 0.0f));
      room_.lane_risk[i] = risk;
      room_.lane_part[i] =
          risk * static_cast<float>(dies ? room_.dead_share[size(t)] : room_.alive_share[size(t)]);
      room_.bin[i] = guide_.bin_of_time[size(t)];
    }
  }

  float value(std::size_t column, Index row) const {
    return room_.panels[size((row / panel_rows * guide_.rows().n_dense + columns_[column]) * panel_rows +
                             row % panel_rows)];
  }

  /// A row adds to the pairs of its own sparse columns, to those with the dense ones, and to its bin.
  void add_sparse() {
    if (n_dense_ == columns_.size()) return;
    const CoxPathData& data = guide_.rows();
    const std::size_t n_sparse = columns_.size() - n_dense_, n_pad = (n_dense_ + 3) / 4 * 4;
    std::vector<std::int32_t> place(size(data.carriers.n()), -1), here;
    for (std::size_t c = n_dense_; c < columns_.size(); ++c)
      place[size(columns_[c] - data.n_dense)] = static_cast<std::int32_t>(c - n_dense_);
    here.resize(place.size());
    std::vector<float> x(n_pad, 0.0f), risk(n_sparse, 0.0f), part(n_sparse, 0.0f);
    room_.with_dense.assign(n_sparse * n_pad, 0.0f);
    room_.with_sparse.assign(n_sparse * n_sparse, 0.0f);
    const auto close = [&](std::int32_t bin) {
      for (std::size_t c = 0; c < n_sparse; ++c) {
        room_.sums[(c + n_dense_) * n_sums_ + static_cast<std::size_t>(bin)] += static_cast<double>(risk[c]);
        room_.parts[(c + n_dense_) * n_sums_ + static_cast<std::size_t>(bin)] += static_cast<double>(part[c]);
      }
      std::fill(risk.begin(), risk.end(), 0.0f);
      std::fill(part.begin(), part.end(), 0.0f);
    };
    for (Index i = 0; i < room_.n_analysed; ++i) {
      const auto row = size(i);
      if (i > 0 && room_.bin[row] != room_.bin[row - 1]) close(room_.bin[row - 1]);
      std::size_t n_here = 0;
      for (const std::int32_t c : data.carried[room_.source[row]]) {
        here[n_here] = place[static_cast<std::size_t>(c)];
        n_here += here[n_here] >= 0;
      }
      if (n_here == 0) continue;
      const float factor = room_.factor[row];
      for (std::size_t j = 0; j < n_dense_; ++j) x[j] = factor * value(j, i);
      for (std::size_t a = 0; a < n_here; ++a) {
        const auto own = static_cast<std::size_t>(here[a]);
        risk[own] += room_.lane_risk[row];
        part[own] += room_.lane_part[row];
        float* dense = room_.with_dense.data() + own * n_pad;
        for (std::size_t j = 0; j < n_pad; ++j) dense[j] += x[j];
        float* sparse = room_.with_sparse.data() + own * n_sparse;
        for (std::size_t b = a; b < n_here; ++b) sparse[here[b]] += factor;
      }
    }
    close(room_.bin[size(room_.n_analysed - 1)]);
    for (std::size_t c = 0; c < n_sparse; ++c) {
      for (std::size_t j = 0; j < n_dense_; ++j)
        room_.gram[j * stride_ + c + n_dense_] += static_cast<double>(room_.with_dense[c * n_pad + j]);
      for (std::size_t k = c; k < n_sparse; ++k)
        room_.gram[(c + n_dense_) * stride_ + k + n_dense_] +=
            static_cast<double>(room_.with_sparse[c * n_sparse + k]);
    }
  }

  void add_late() {
    if (rows_.enter == nullptr) return;
    const CoxPathData& data = guide_.rows();
    const auto subtract = [&](std::size_t c, Index row, double x) {
      const auto t = static_cast<std::size_t>(rows_.enter[row]);
      const auto bin = static_cast<std::size_t>(guide_.bin_of_time[t]);
      const double risk = static_cast<double>(room_.lane_risk[size(row)]);
      room_.sums[c * n_sums_ + bin] -= x * risk;
      room_.parts[c * n_sums_ + bin] -= x * risk * room_.alive_share[t];
    };
    for (Index row = 0; row < room_.n_analysed; ++row) {
      if (rows_.enter[row] < 0) continue;
      for (std::size_t c = 0; c < n_dense_; ++c) subtract(c, row, static_cast<double>(value(c, row)));
    }
    for (std::size_t c = n_dense_; c < columns_.size(); ++c) {
      for (const std::int32_t row : data.carriers[columns_[c] - data.n_dense]) {
        const std::int32_t i = room_.row_of[static_cast<std::size_t>(row)];
        if (i >= 0 && rows_.enter[i] >= 0) subtract(c, i, 1);
      }
    }
  }

  void subtract_means() {
    const std::size_t n_values =
        (size(guide_.n_bins) + size(panel_rows) - 1) / size(panel_rows) * size(panel_rows);
    room_.means.assign(columns_.size() * n_values, 0.0f);
    for (std::size_t c = 0; c < columns_.size(); ++c) {
      double later = 0;
      for (std::size_t bin = size(guide_.n_bins); bin-- > 0;) {
        if (guide_.ends_stratum[bin]) later = 0;
        room_.means[c * n_values + bin] =
            static_cast<float>(std::sqrt(room_.rate[bin]) * (later + room_.parts[c * n_sums_ + bin]));
        later += room_.sums[c * n_sums_ + bin];
      }
    }
    CHORALE_AT_LEVEL(cox_path_wide_means, room_.means.data(), static_cast<Index>(columns_.size()),
                     static_cast<Index>(n_values), static_cast<Index>(stride_), room_.gram.data());
  }

  const CoxPathGuideData& guide_;
  CoxPathRoom::Arrays& room_;
  PathRows rows_;
  const CoxPathBlock<float>& block_;
  std::size_t lane_;
  std::span<const std::int32_t> columns_;
  std::size_t stride_, n_dense_, n_sums_;
};

}  // namespace

void cox_path_curvature(const CoxPathGuideData& guide, CoxPathRoom::Arrays& room,
                        const CoxPathBlock<float>& block, Index lane, std::span<const std::int32_t> columns,
                        Index stride) {
  Curvature(guide, room, block, lane, columns, stride).measure();
}

}  // namespace chorale::kernels
