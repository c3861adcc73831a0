// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <cstdint>
#include <mutex>
#include <span>
#include <vector>

#include "kernels/item_sets.hpp"

/// What the pieces of item_sets share. Features go by rank throughout.
namespace chorale::kernels {

/// The pairs that enough patients carry, in the row of their rarer feature.
struct FrequentPairs {
  std::vector<Index> begin;           ///< (n_features + 1)
  std::vector<std::int32_t> partner;  ///< ranks below the row's, ascending
  std::vector<std::int32_t> n;        ///< carriers of both

  Index n_of(Index rank) const;
  std::span<const std::int32_t> partners_of(Index rank) const;
  std::span<const std::int32_t> counts_of(Index rank) const;
};

/// Every patient's features that are frequent by themselves, ascending.
struct Transactions {
  std::vector<Index> begin;        ///< (n_patients + 1)
  std::vector<std::int32_t> rank;  ///< features
  std::vector<std::int32_t>
      ahead;  ///< per entry of the carrier lists: the patient's features before this one
};

/// Codes of panels, ascending.
using Panels = std::vector<std::int16_t>;

/// Who is tested for what, as rows of bits.
struct TestedRows {
  const PairLists* untested = nullptr;  ///< null when nobody is
  Index n_panels = 1;                   ///< 1 without panels
  std::vector<std::int16_t> panel;      ///< (n_patients) -1: tested for nothing
  std::vector<Panels> panels_of;        ///< (n_sets) of each distinct set
  Index n_words = 0;
  std::vector<std::int32_t> set_of;  ///< (n_features) by rank: which of the distinct sets of panels holds it
  Words of_set;                      ///< (n_sets, n_words) patients on its panels
  std::vector<std::int32_t> kept;  ///< (n_features) place in kept_rows, -1: made from its set when asked for
  Words kept_rows;                 ///< where the untested would take longer to strike out than a row to copy

  /// Patients tested for a feature.
  void fill(Index rank, std::uint64_t* row) const;
};

/// Carriers of features and pairs on the panels of others, from which tables of orders 2 and 3 follow.
struct ItemSetParts {
  Index n_sets = 0;                  ///< of panels; 0: tables come from rows of bits
  Index n_meets = 0;                 ///< distinct intersections of two sets
  std::vector<std::int32_t> meet;    ///< (n_sets, n_sets) which intersection
  std::vector<std::int32_t> tested;  ///< (n_meets, n_sets) patients on the panels of both
  std::vector<std::int32_t> n_one;   ///< (n_features, n_meets) carriers on an intersection's panels
  std::vector<std::int32_t> n_pair;  ///< (frequent pairs, n_sets) carriers of both on a set's panels

  std::int32_t meet_of(Index a, Index b) const { return meet[static_cast<std::size_t>(a * n_sets + b)]; }
};

struct ItemSetData {
  const PairLists* carriers = nullptr;
  ItemSetOptions options;
  FrequentPairs pairs;
  TestedRows tested;
  ItemSetParts parts;

  Index n_features() const { return carriers->order->n_features(); }
  /// Made when first asked for: where bits are cheaper throughout nobody does. Safe in threads.
  const Transactions& transactions() const;

 private:
  mutable std::once_flag made_;
  mutable Transactions transactions_;
};

/// What the sets of a rarest feature are expected to take on one core.
struct ItemSetCost {
  double lists_ns;
  double bits_ns;
};
ItemSetCost cost_of(const ItemSetData& data, Index rank, double words_per_ns);

/// n_sets = 0 where the order is above 3, somebody is untested, or so many sets of panels meet that rows are
/// cheaper.
ItemSetParts parts_of(const ItemSetData& data);

FrequentPairs frequent_pairs(const PairLists& carriers, Index min_carriers);
Transactions transactions_of(const PairLists& carriers, Index min_carriers);

/// Throws ShapeError as ItemSetFinder does.
TestedRows tested_rows(const PairLists& carriers, const PanelMask& panels, const PairLists* untested);

/// Bits of a carrier list, kept or set here.
void fill_carriers(const PairLists& lists, Index rank, std::uint64_t* row);

}  // namespace chorale::kernels
