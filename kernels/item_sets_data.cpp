// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/item_sets_data.hpp"

#include <algorithm>
#include <limits>

namespace chorale::kernels {
namespace {

constexpr Index pairs_at_once = 1 << 20;
constexpr Index few_cells = 64;  ///< looked at together for a large one

std::size_t at(Index i) {
  return static_cast<std::size_t>(i);
}

}  // namespace

Index FrequentPairs::n_of(Index rank) const {
  return begin[at(rank + 1)] - begin[at(rank)];
}

std::span<const std::int32_t> FrequentPairs::partners_of(Index rank) const {
  return std::span(partner).subspan(at(begin[at(rank)]), at(n_of(rank)));
}

std::span<const std::int32_t> FrequentPairs::counts_of(Index rank) const {
  return std::span(n).subspan(at(begin[at(rank)]), at(n_of(rank)));
}

FrequentPairs frequent_pairs(const PairLists& carriers, Index min_carriers) {
  struct Entry {
    std::int32_t partner, n;
  };
  const PairOrder& order = *carriers.order;
  const PairCounter counter(carriers);
  std::vector<std::vector<Entry>> rows(at(order.n_features()));
  std::vector<std::int32_t> n11;
  for (const PairTile& tile : pair_tiles(order, pairs_at_once)) {  // a row's columns come in ascending tiles
    // rows go by falling carriers: the first one's carriers bound every pair of the tile
    if (carriers.n_listed(tile.row_begin, tile.row_begin + 1) < min_carriers) continue;
    n11.resize(at(tile.n_cells()));
    counter.count(tile, n11);
    for (Index row = 0; row < tile.n_rows(); ++row) {
      const std::int32_t* of_row = n11.data() + row * tile.n_columns();
      const Index n = tile.n_pairs_of(row);
      for (Index begin = 0; begin < n; begin += few_cells) {
        const Index end = std::min(n, begin + few_cells);
        std::int32_t most = 0;
        for (Index c = begin; c < end; ++c) most = std::max(most, of_row[c]);
        if (most < min_carriers) continue;  // as nearly everywhere
        for (Index c = begin; c < end; ++c) {
          if (of_row[c] < min_carriers) continue;
          rows[at(tile.row_begin + row)].push_back(
              {static_cast<std::int32_t>(tile.column_begin + c), of_row[c]});
        }
      }
    }
  }
  FrequentPairs pairs;
  pairs.begin.push_back(0);
  for (const auto& row : rows) pairs.begin.push_back(pairs.begin.back() + static_cast<Index>(row.size()));
  pairs.partner.reserve(at(pairs.begin.back()));
  pairs.n.reserve(at(pairs.begin.back()));
  for (auto& row : rows) {
    for (const Entry& entry : row) {
      pairs.partner.push_back(entry.partner);
      pairs.n.push_back(entry.n);
    }
    row = {};
  }
  return pairs;
}

Transactions transactions_of(const PairLists& carriers, Index min_carriers) {
  const Index n_features = carriers.order->n_features();
  const auto frequent = [&](Index rank) { return carriers.n_listed(rank, rank + 1) >= min_carriers; };
  Transactions all;
  all.begin.resize(at(carriers.n_patients() + 1));
  for (Index rank = 0; rank < n_features; ++rank) {
    if (!frequent(rank)) continue;
    for (const std::int32_t i : carriers.of(rank)) ++all.begin[at(i + 1)];
  }
  for (Index i = 0; i < carriers.n_patients(); ++i) all.begin[at(i + 1)] += all.begin[at(i)];
  all.rank.resize(at(all.begin.back()));
  all.ahead.resize(carriers.list.size());
  std::vector<std::int32_t> filled(at(carriers.n_patients()));
  for (Index rank = 0; rank < n_features; ++rank) {
    if (!frequent(rank)) continue;
    for (Index k = carriers.list_begin[at(rank)]; k < carriers.list_begin[at(rank + 1)]; ++k) {
      const std::size_t i = at(carriers.list[at(k)]);
      all.ahead[at(k)] = filled[i]++;
      all.rank[at(all.begin[i] + all.ahead[at(k)])] = static_cast<std::int32_t>(rank);
    }
  }
  return all;
}

void fill_carriers(const PairLists& lists, Index rank, std::uint64_t* row) {
  if (rank < lists.order->n_head) {
    std::copy_n(lists.head_bits.data() + rank * lists.n_words, lists.n_words, row);
    return;
  }
  std::fill_n(row, lists.n_words, std::uint64_t{0});
  for (const std::int32_t i : lists.of(rank)) row[i / 64] |= std::uint64_t{1} << (i % 64);
}

const Transactions& ItemSetData::transactions() const {
  std::call_once(made_, [&] { transactions_ = transactions_of(*carriers, options.min_carriers); });
  return transactions_;
}

ItemSetCost cost_of(const ItemSetData& data, Index rank, double words_per_ns) {
  // measured on one core; what matters is their ratio
  constexpr double ns_per_patient = 3, ns_per_entry = 4, ns_per_increment = 0.5, ns_per_cell = 0.4;
  constexpr double ns_per_row = 50, ns_per_word = 0.15;
  constexpr double most_row_bytes = 1 << 28;  // in every thread
  const auto patients = static_cast<double>(data.carriers->n_listed(rank, rank + 1));
  const auto features = static_cast<double>(data.pairs.n_of(rank));
  const auto words = static_cast<double>(data.carriers->n_words);
  double entries = 0;  // the carriers' features of lower rank
  for (const std::int32_t n : data.pairs.counts_of(rank)) entries += n;
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
