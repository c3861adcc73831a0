// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/pair_counts.hpp"

#include <algorithm>
#include <iterator>

#include "kernels/pair_counts_tables.hpp"

namespace chorale::kernels::reference {

void pair_counts(const PairLists& rows, const PairLists& columns, const PairTile& tile,
                 std::span<std::int32_t> n11) {
  std::size_t cell = 0;
  for (Index r = tile.row_begin; r < tile.row_end; ++r) {
    for (Index c = tile.column_begin; c < tile.column_end; ++c, ++cell) {
      std::vector<std::int32_t> both;
      if (c < r) std::ranges::set_intersection(rows.of(r), columns.of(c), std::back_inserter(both));
      n11[cell] = static_cast<std::int32_t>(both.size());
    }
  }
}

TwoByTwo pair_table(PatientLists carriers, PatientLists untested, const PanelMask& panels,
                    std::span<const std::int32_t> patients, Index a, Index b) {
  const auto listed = [](std::span<const std::int32_t> list, std::int32_t patient) {
    return std::binary_search(list.begin(), list.end(), patient);
  };
  const auto n_features = static_cast<Index>(carriers.size());
  TwoByTwo table;
  for (const std::int32_t patient : patients) {
    const auto tested = [&](Index feature) {
      if (listed(untested[static_cast<std::size_t>(feature)], patient)) return false;
      if (panels.n_panels == 0) return true;
      const std::int16_t panel = panels.of_patient[static_cast<std::size_t>(patient)];
      return panel >= 0 && panels.holds[static_cast<std::size_t>(panel * n_features + feature)] != 0;
    };
    if (!tested(a) || !tested(b)) continue;
    const bool carries_a = listed(carriers[static_cast<std::size_t>(a)], patient);
    const bool carries_b = listed(carriers[static_cast<std::size_t>(b)], patient);
    Index& cell = carries_a ? (carries_b ? table.n11 : table.n10) : (carries_b ? table.n01 : table.n00);
    ++cell;
  }
  return table;
}

}  // namespace chorale::kernels::reference
