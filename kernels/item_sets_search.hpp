// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <deque>

#include "kernels/item_sets_data.hpp"

namespace chorale::kernels {

/// Walks the tree of frequent sets beneath one rarest feature after another. One thread's own.
class ItemSetSearch {
 public:
  /// Appends to `out`.
  ItemSetSearch(const ItemSetData& data, ItemSets& out) : data_(data), out_(out) {}

  /// All frequent sets whose rarest feature has this rank.
  void below(Index rank, ItemSetMethod method);

 private:
  /// Patients who carry what is chosen so far, with those of their features that may still follow.
  struct ListNode {
    /// A patient's features from `begin` on that stand before the one at `end`.
    struct Met {
      std::uint32_t begin, end;
    };
    std::vector<std::int32_t> rank;        ///< what may follow, ascending; below: by position in it
    std::vector<std::int32_t> item;        ///< features of one patient after the other, ascending
    std::vector<std::uint32_t> begin;      ///< (patients + 1) in item
    std::vector<std::uint32_t> met_begin;  ///< (rank.size() + 1) in met
    std::vector<Met> met;                  ///< per feature: its patients who have features before it
  };
  /// The same as rows of bits.
  struct BitNode {
    std::vector<std::int32_t> rank;
    Words row;                         ///< (rank.size(), n_words) carriers of it and all that is chosen
    std::vector<std::int32_t> n_both;  ///< (rank.size(), rank.size()) below the diagonal
  };

  void root_lists(Index rank);
  void root_bits(Index rank);
  void index_lists(ListNode& node);
  void child_of(const ListNode& parent, std::size_t item, ListNode& node);
  void search_lists(std::size_t depth);
  void search_bits(std::size_t depth);
  void count_bits(BitNode& node);
  /// Keeps in last_ and n_last_ which features before `item` make a frequent set with it.
  void keep_frequent(const std::vector<std::int32_t>& rank, const std::int32_t* n, std::size_t item);
  bool at_last(std::size_t depth) const;
  /// Appends the sets made of chosen_ and one of `last` each: ranks below them, ascending; n_all of each.
  void add(std::span<const std::int32_t> last, std::span<const std::int32_t> n_all);

  const ItemSetData& data_;
  ItemSets& out_;
  FrequentRow root_;
  std::vector<std::int32_t> chosen_;  ///< ranks, falling
  /// In the node being made, -1 for others: by rank, and behind each block one for what fills its words up.
  std::vector<std::int32_t> position_of_;
  std::vector<std::int32_t> count_, last_, n_last_, kept_;
  std::deque<ListNode> lists_;  ///< by depth; a deque leaves them where they are
  std::deque<BitNode> bits_;
};

}  // namespace chorale::kernels
