// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include "kernels/item_sets_data.hpp"

namespace chorale::kernels {

/// Takes sets as they are found and appends them with their tables. One thread's own.
class ItemSetTables {
 public:
  ItemSetTables(const ItemSetData& data, ItemSets& out);

  /// The sets made of `chosen` and one of `last` each.
  ///
  /// Shapes   chosen (order - 1) ranks, falling; last ranks below them, ascending; n_all as last: who carries
  ///          the whole set
  void add(std::span<const std::int32_t> chosen, std::span<const std::int32_t> last,
           std::span<const std::int32_t> n_all);

 private:
  void add_by_parts(std::span<const std::int32_t> chosen, std::span<const std::int32_t> last,
                    std::span<const std::int32_t> n_all, std::int32_t* cells);
  void add_by_rows(std::span<const std::int32_t> chosen, std::span<const std::int32_t> last,
                   std::int32_t* cells);
  void choose(std::span<const std::int32_t> chosen);
  std::uint64_t* level_row(std::size_t level, Index row);

  const ItemSetData& data_;
  ItemSets& out_;
  std::vector<std::int32_t> at_level_;  ///< the feature that each level of rows was made with
  Words levels_;                        ///< rows of 1, 2, … chosen features: 2 + 4 + … of them
  Words columns_;                       ///< of a few last features, tested and carriers
  std::vector<std::int32_t> counts_;
};

}  // namespace chorale::kernels
