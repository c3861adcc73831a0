// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/item_sets.hpp"

#include <algorithm>

namespace chorale::kernels::reference {
namespace {

/// All sets that begin with these ranks, falling.
void add_sets(PatientLists carriers, std::span<const std::int32_t> patients, const PairOrder& order,
              const ItemSetOptions& options, std::vector<std::int32_t> ranks, ItemSets& sets) {
  if (static_cast<int>(ranks.size()) == options.order) {
    std::vector<std::int32_t> features;
    for (auto rank = ranks.rbegin(); rank != ranks.rend(); ++rank)
      features.push_back(order.feature[static_cast<std::size_t>(*rank)]);
    const auto carries_all = [&](std::int32_t patient) {
      return std::ranges::all_of(features, [&](std::int32_t feature) {
        const auto list = carriers[static_cast<std::size_t>(feature)];
        return std::binary_search(list.begin(), list.end(), patient);
      });
    };
    const auto n_all = static_cast<std::int32_t>(std::ranges::count_if(patients, carries_all));
    if (n_all < options.min_carriers) return;
    sets.feature.insert(sets.feature.end(), features.begin(), features.end());
    sets.n_all.push_back(n_all);
    return;
  }
  const auto end = ranks.empty() ? static_cast<std::int32_t>(order.n_features()) : ranks.back();
  ranks.push_back(0);
  for (; ranks.back() < end; ++ranks.back()) add_sets(carriers, patients, order, options, ranks, sets);
}

}  // namespace

ItemSets item_sets(const PairOrder& order, PatientLists carriers, std::span<const std::int32_t> patients,
                   const ItemSetOptions& options) {
  ItemSets sets{.order = options.order};
  add_sets(carriers, patients, order, options, {}, sets);
  return sets;
}

}  // namespace chorale::kernels::reference
