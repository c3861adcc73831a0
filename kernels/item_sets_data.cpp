// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/item_sets_data.hpp"

#include <algorithm>
#include <limits>

namespace chorale::kernels {
namespace {

std::size_t at(Index i) {
  return static_cast<std::size_t>(i);
}

}  // namespace

void fill_row(const ItemSetData& data, Index rank, FrequentRow& row) {
  const Index least = data.options.min_carriers;
  row.partner.clear();
  row.n.clear();
  if (data.carriers->n_listed(rank, rank + 1) < least) return;
  const std::vector<Index>& block_begin = data.carriers->order->block_begin;
  for (std::size_t b = 0; block_begin[b] < rank; ++b) {
    const PairTile tile{.row_begin = rank,
                        .row_end = rank + 1,
                        .column_begin = block_begin[b],
                        .column_end = std::min(block_begin[b + 1], rank)};
    const Index n = tile.n_columns();
    row.n_both.resize(at(n));
    data.counter.count(tile, row.n_both);
    for (Index begin = 0; begin < n; begin += Index{few_cells}) {
      const Index end = std::min(n, begin + Index{few_cells});
      std::int32_t most = 0;
      for (Index c = begin; c < end; ++c) most = std::max(most, row.n_both[at(c)]);
      if (most < least) continue;  // as nearly everywhere
      for (Index c = begin; c < end; ++c) {
        if (row.n_both[at(c)] < least) continue;
        row.partner.push_back(static_cast<std::int32_t>(tile.column_begin + c));
        row.n.push_back(row.n_both[at(c)]);
      }
    }
  }
}

ItemSetCost cost_of(const ItemSetData& data, Index rank, const FrequentRow& row, double words_per_ns) {
  // measured on one core; what matters is their ratio
  constexpr double ns_per_patient = 3, ns_per_entry = 4, ns_per_increment = 0.5, ns_per_cell = 0.4;
  constexpr double ns_per_row = 50, ns_per_word = 0.15;
  constexpr double most_row_bytes = 1 << 28;  // in every thread
  const auto patients = static_cast<double>(data.carriers->n_listed(rank, rank + 1));
  const auto features = static_cast<double>(row.partner.size());
  const auto words = static_cast<double>(data.carriers->n_words);
  double entries = 0;  // the carriers' features of lower rank
  for (const std::int32_t n : row.n) entries += n;
  const double increments = patients == 0 ? 0 : entries * entries / patients / 2;
  constexpr double infinity = std::numeric_limits<double>::infinity();
  const bool short_lists = entries < std::numeric_limits<std::uint32_t>::max();  // what a node can number
  const bool few_rows = features * (words * 8 + features * 4) < most_row_bytes || !short_lists;
  return {.lists_ns = short_lists ? patients * ns_per_patient + entries * ns_per_entry +
                                        increments * ns_per_increment + features * features / 2 * ns_per_cell
                                  : infinity,
          .bits_ns = few_rows ? features * (ns_per_row + words * ns_per_word) +
                                    features * features / 2 * (words / words_per_ns + ns_per_cell)
                              : infinity};
}

}  // namespace chorale::kernels
