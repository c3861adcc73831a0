// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/cox_path_lanes.hpp"

#include <algorithm>

namespace chorale::kernels {
namespace {

std::size_t size(Index n) {
  return static_cast<std::size_t>(n);
}

}  // namespace

template <class Real>
void CoxPathLanes::fill(CoxPathBlock<Real>& block, std::span<const Index> lanes, Ask ask) {
  const Index n_lanes = lanes.size() > size(wide_lanes) ? 2 * wide_lanes : wide_lanes;
  block.n_lanes = n_lanes;
  block.columns.clear();
  block.asked.clear();
  block.checked.clear();
  block.beta.clear();
  block.sparse_beta.assign(size((p_ - n_dense_) * n_lanes), Real(0));
  std::vector<std::int32_t> narrow, asked_narrow;  // of the first half of the lanes alone
  Unset<Real> of_narrow;
  for (Index j = 0; j < p_; ++j) {
    if (!free(j)) continue;
    const auto column = static_cast<std::int32_t>(j);
    Real b[2 * wide_lanes] = {};
    bool nonzero[2] = {}, asked[2] = {};
    for (std::size_t i = 0; i < lanes.size(); ++i) {
      double& value = beta(lanes[i])[j];
      b[i] = static_cast<Real>(value);
      value = static_cast<double>(b[i]);
      const bool half = i >= size(wide_lanes);
      nonzero[half] |= value != 0;
      asked[half] = asked[half] || (ask == Ask::ahead ? ahead(lanes[i], j) : likely(lanes[i], j));
    }
    if (j >= n_dense_) {
      std::copy_n(b, n_lanes, block.sparse_beta.data() + (j - n_dense_) * n_lanes);
      continue;
    }
    if (nonzero[0] || nonzero[1]) {
      (nonzero[1] ? block.columns : narrow).push_back(column);
      auto& to = nonzero[1] ? block.beta : of_narrow;
      to.insert(to.end(), b, b + n_lanes);
    }
    const bool unlikely = !(asked[0] || asked[1]) && ask == Ask::every;
    if (unlikely && sizeof(Real) == 8)
      block.checked.push_back(column);
    else if (asked[1] || ask == Ask::every)
      block.asked.push_back(column);
    else if (asked[0])
      asked_narrow.push_back(column);
  }
  block.n_wide = static_cast<Index>(block.columns.size());
  block.n_asked_wide = static_cast<Index>(block.asked.size());
  block.columns.insert(block.columns.end(), narrow.begin(), narrow.end());
  block.asked.insert(block.asked.end(), asked_narrow.begin(), asked_narrow.end());
  block.beta.insert(block.beta.end(), of_narrow.begin(), of_narrow.end());
  block.clear(wide_);
}

template <class Real>
void CoxPathLanes::walk(std::span<const Index> lanes, Ask ask, Index n_every, const float* known) {
  auto& room = blocks<Real>();
  constexpr auto most = static_cast<std::size_t>(sizeof(Real) == 4 ? 2 * wide_lanes : wide_lanes);
  const std::size_t n_blocks = (lanes.size() + most - 1) / most;
  const auto of_block = [&](std::size_t b) {
    return lanes.subspan(b * most, std::min(most, lanes.size() - b * most));
  };
  if (room.size() < n_blocks) room.resize(n_blocks);
  std::vector<WideBlock<Real>> view;
  for (std::size_t b = 0; b < n_blocks; ++b) {
    fill(room[b], of_block(b), static_cast<Index>(b * most) < n_every ? Ask::every : ask);
    view.push_back(room[b].view());
  }
  for (Index tile = 0; tile < wide_.n_panels; tile += tile_panels) {
    const Index end = std::min(wide_.n_panels, tile + tile_panels);
    for (const auto& block : view) {
      if constexpr (sizeof(Real) == 4) {
        if (known != nullptr) {
          CHORALE_AT_LEVEL(cox_path_wide_start, wide_, block, known, tile, end);
          continue;
        }
      }
      CHORALE_AT_LEVEL(cox_path_wide_risks, wide_, block, tile, end);
    }
  }
  for (const auto& block : view) CHORALE_AT_LEVEL(cox_path_wide_times, wide_, block);
  for (Index tile = 0; tile < wide_.n_panels; tile += tile_panels) {
    const Index end = std::min(wide_.n_panels, tile + tile_panels);
    const bool flush = end == wide_.n_panels || (tile / tile_panels + 1) % tiles_summed == 0;
    for (const auto& block : view) {
      CHORALE_AT_LEVEL(cox_path_wide_slopes, wide_, block, tile, end);
      if (flush) CHORALE_AT_LEVEL(cox_path_wide_flush, wide_, block);
    }
  }
  for (std::size_t b = 0; b < n_blocks; ++b) read(room[b], of_block(b));
  ++n_walks_;
}

template <class Real>
void CoxPathLanes::read(const CoxPathBlock<Real>& block, std::span<const Index> lanes) {
  for (std::size_t i = 0; i < lanes.size(); ++i) {
    const auto take = [&](std::span<const std::int32_t> columns, const Unset<double>& found) {
      for (std::size_t c = 0; c < columns.size(); ++c)
        slope(lanes[i])[columns[c]] = found[c * size(block.n_lanes) + i] / room_.total_weight;
    };
    const bool narrow = i < size(wide_lanes);
    take(std::span(block.asked).first(narrow ? block.asked.size() : size(block.n_asked_wide)), block.slopes);
    take(block.checked, block.checked_slopes);
    for (Index j = n_dense_; j < p_; ++j)
      slope(lanes[i])[j] = block.sparse_slopes[size((j - n_dense_) * block.n_lanes) + i] / room_.total_weight;
    double of_dead = 0;  // Σ dead η / W
    for (Index j = 0; j < p_; ++j) of_dead += room_.died[size(j)] * beta(lanes[i])[j];
    loglik_[size(lanes[i])] = room_.total_weight * of_dead + room_.dead_offset - block.logs[i];
  }
}

template void CoxPathLanes::walk<float>(std::span<const Index>, Ask, Index, const float*);
template void CoxPathLanes::walk<double>(std::span<const Index>, Ask, Index, const float*);

}  // namespace chorale::kernels
