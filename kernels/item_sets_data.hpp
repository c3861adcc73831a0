// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <cstdint>
#include <vector>

#include "kernels/item_sets.hpp"

/// What the pieces of item_sets share. Features go by rank throughout.
namespace chorale::kernels {

inline constexpr int few_cells = 64;  ///< looked at together for one that is large enough

/// What forms a frequent pair with one feature and is carried more often.
struct FrequentRow {
  std::vector<std::int32_t> partner;  ///< ranks below the feature's, ascending
  std::vector<std::int32_t> n;        ///< carriers of both
  std::vector<std::int32_t> n_both;   ///< room to count in
};

struct ItemSetData {
  const PairLists* carriers;
  ItemSetOptions options;
  PairCounter counter;

  ItemSetData(const PairLists& lists, const ItemSetOptions& own)
      : carriers(&lists), options(own), counter(lists) {}
  Index n_features() const { return carriers->order->n_features(); }
};

void fill_row(const ItemSetData& data, Index rank, FrequentRow& row);

/// What the sets of a rarest feature are expected to take on one core.
struct ItemSetCost {
  double lists_ns;
  double bits_ns;
};
ItemSetCost cost_of(const ItemSetData& data, Index rank, const FrequentRow& row, double words_per_ns);

}  // namespace chorale::kernels
