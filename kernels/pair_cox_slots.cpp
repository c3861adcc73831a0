// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/pair_cox_slots.hpp"

#include <algorithm>

namespace chorale::kernels {
namespace {

/// A row of the design at one of its places; sign −1 where it enters.
struct Stay {
  std::int32_t place, row;
  double sign;
};

std::vector<Stay> stays_of(const CoxRows& rows) {
  std::vector<Stay> stays;
  const auto n_times = static_cast<std::int32_t>(rows.efron.n_times());
  for (std::int32_t row = 0; row < static_cast<std::int32_t>(rows.n_rows); ++row) {
    const auto at = static_cast<std::size_t>(row);
    stays.push_back({rows.place_of[at], row, 1});
    if (!rows.enters.empty() && rows.enters[at] < n_times) stays.push_back({2 * rows.enters[at], row, -1});
  }
  std::stable_sort(stays.begin(), stays.end(),
                   [](const Stay& l, const Stay& r) { return l.place < r.place; });
  return stays;
}

struct Piece {
  std::size_t begin, end;  ///< of the stays
};

std::vector<Piece> pieces_of(const std::vector<Stay>& stays) {
  std::vector<Piece> pieces;
  for (std::size_t i = 0; i < stays.size(); ++i) {
    const bool goes_on = !pieces.empty() && stays[pieces.back().begin].place == stays[i].place &&
                         i - pieces.back().begin < static_cast<std::size_t>(longest_piece);
    if (!goes_on) pieces.push_back({i, i});
    pieces.back().end = i + 1;
  }
  std::stable_sort(pieces.begin(), pieces.end(),
                   [](const Piece& l, const Piece& r) { return l.end - l.begin > r.end - r.begin; });
  return pieces;
}

/// Where the first of n_rows sums of a piece stands.
Index position(std::int32_t piece, Index n_rows) {
  return piece / lanes * n_rows * lanes + piece % lanes;
}

/// For `count` rows of sums side by side, from the last event time of each stratum to its first.
template <int count>
void accumulate(const EventTimes& times, const double* centre, std::span<const std::int32_t> piece,
                Index n_rows, const double* sums, const RiskTable& table) {
  const auto strata = times.stratum_begin();
  for (std::size_t s = 0; s + 1 < strata.size(); ++s) {
    double sum[count] = {};
    for (Index t = strata[s + 1] - 1; t >= strata[s]; --t) {
      const double* alive = sums + position(piece[static_cast<std::size_t>(2 * t)], n_rows);
      const double* dead = sums + position(piece[static_cast<std::size_t>(2 * t + 1)], n_rows);
      const double f = centre[t];
      for (int r = 0; r < count; ++r) {
        const double dying = dead[r * lanes];
        sum[r] += alive[r * lanes] + dying;
        table.at_risk[r * table.stride + t] = sum[r] - f * dying;
        table.dying[r * table.stride + t] = f > 0 ? dying : 0;
      }
    }
  }
}

}  // namespace

PairSlots::PairSlots(const CoxRows& rows, std::span<const double> risk) : n_columns_(rows.n_columns) {
  const std::vector<Stay> stays = stays_of(rows);
  const std::vector<Piece> pieces = pieces_of(stays);
  const auto n_blocks = (static_cast<Index>(pieces.size()) + lanes - 1) / lanes;
  layer_begin_.push_back(0);
  for (std::size_t first = 0; first < pieces.size(); first += static_cast<std::size_t>(lanes)) {
    const auto n_layers = static_cast<std::int32_t>(pieces[first].end - pieces[first].begin);
    layer_begin_.push_back(layer_begin_.back() + n_layers);
  }
  const auto n_slots = static_cast<std::size_t>(layer_begin_.back() * lanes);
  base_.assign(n_slots, 0);
  columns_.assign(n_slots * static_cast<std::size_t>(n_columns_), 0);
  const auto nothing = static_cast<std::int32_t>(n_blocks * lanes);
  piece_.assign(static_cast<std::size_t>(2 * rows.efron.n_times()), nothing);

  for (std::size_t k = 0; k < pieces.size(); ++k) {
    const auto block = k / static_cast<std::size_t>(lanes), lane = k % static_cast<std::size_t>(lanes);
    std::int32_t& first = piece_[static_cast<std::size_t>(stays[pieces[k].begin].place)];
    if (first == nothing) {
      first = static_cast<std::int32_t>(k);
    } else {
      extra_.insert(extra_.end(), {first, static_cast<std::int32_t>(k)});
    }
    std::size_t slot = static_cast<std::size_t>(layer_begin_[block] * lanes) + lane;
    for (std::size_t i = pieces[k].begin; i < pieces[k].end; ++i, slot += static_cast<std::size_t>(lanes)) {
      const auto row = static_cast<std::size_t>(stays[i].row);
      base_[slot] = stays[i].sign * risk[row];
      for (std::size_t j = 0; j < static_cast<std::size_t>(n_columns_); ++j)
        columns_[j * n_slots + slot] = rows.columns[j * static_cast<std::size_t>(rows.n_rows) + row];
    }
  }
}

SlotTable PairSlots::table() const {
  return {.base = base_.data(),
          .columns = {columns_.data(), static_cast<Index>(base_.size()), n_columns_},
          .layer_begin = layer_begin_.data(),
          .n_blocks = static_cast<Index>(layer_begin_.size()) - 1};
}

AlignedDoubles PairSlots::room(Index n_rows) const {
  return AlignedDoubles(layer_begin_.size() * static_cast<std::size_t>(n_rows * lanes), 0);
}

void PairSlots::sum_over_risk_sets(const EventTimes& times, Index n_rows, AlignedDoubles& sums,
                                   const RiskTable& table) const {
  for (std::size_t e = 0; e < extra_.size(); e += 2) {
    double* to = sums.data() + position(extra_[e], n_rows);
    const double* from = sums.data() + position(extra_[e + 1], n_rows);
    for (Index r = 0; r < n_rows; ++r) to[r * lanes] += from[r * lanes];
  }
  constexpr Index together = 4;
  const double* centre = times.table().centre;
  for (Index r = 0; r < n_rows; r += together) {
    const RiskTable rest{table.at_risk + r * table.stride, table.dying + r * table.stride, table.stride};
    const double* from = sums.data() + r * lanes;
    const auto with = [&](auto body) { body(times, centre, piece_, n_rows, from, rest); };
    switch (n_rows - r) {
      case 1:
        with(accumulate<1>);
        break;
      case 2:
        with(accumulate<2>);
        break;
      case 3:
        with(accumulate<3>);
        break;
      default:
        with(accumulate<4>);
    }
  }
}

}  // namespace chorale::kernels
