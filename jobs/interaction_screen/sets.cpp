// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include <algorithm>
#include <tuple>

#include "jobs/interaction_screen/stages.hpp"

namespace chorale::jobs::interaction {
namespace {

/// Keeps the first sets of each order.
void keep_most_carried(std::vector<FoundSet>& sets, Index most) {
  std::sort(sets.begin(), sets.end(), carried_more);
  std::int32_t order = 0;
  Index n = 0;
  std::erase_if(sets, [&](const FoundSet& set) {
    n = set.order == order ? n + 1 : 1;
    order = set.order;
    return n > most;
  });
}

FoundSet found_set(const kernels::ItemSets& sets, Index k) {
  FoundSet set;
  set.order = sets.order;
  std::ranges::copy(sets.features_of(k), set.feature.begin());
  set.n_all = sets.n_all[static_cast<std::size_t>(k)];
  return set;
}

}  // namespace

bool carried_more(const FoundSet& x, const FoundSet& y) {
  return std::tuple(x.order, -x.n_all, x.feature) < std::tuple(y.order, -y.n_all, y.feature);
}

Part find_sets(const Frame& frame, engine::Unit unit, Index n_units) {
  const Config& config = frame.design.config;
  Part part;
  for (int order = 3; order <= config.largest_set; ++order) {
    const kernels::ItemSets found = frame.finder(order).find(unit.index, n_units);
    part.n_sets[static_cast<std::size_t>(order)] = found.n_sets();
    for (Index k = 0; k < found.n_sets(); ++k) part.sets.push_back(found_set(found, k));
  }
  keep_most_carried(part.sets, config.most_sets);
  return part;
}

std::vector<FoundSet> choose_sets(const Design& design, std::span<const Part> parts) {
  std::vector<FoundSet> all;
  for (const Part& part : parts) all.insert(all.end(), part.sets.begin(), part.sets.end());
  keep_most_carried(all, design.config.most_sets);
  return all;
}

Part fit_sets(const Frame& frame, std::span<const FoundSet> chosen, engine::Unit unit, Index n_units) {
  const Range own =
      Design::share(static_cast<Index>(chosen.size()), unit.index, n_units, Design::sets_together);
  Part part;
  for (Index k = own.begin; k < own.end; ++k) {
    SetRow& row = part.set_rows.emplace_back();
    row.set = chosen[static_cast<std::size_t>(k)];
    const auto cell = std::span(row.cell).first(std::size_t{1} << row.set.order);
    frame.set_tables.fill(row.set.features(), row.set.order, cell);
    row.association = kernels::log_linear(cell);
  }
  if (!frame.outcome || part.set_rows.empty()) return part;
  for (int order = 3; order <= kernels::max_item_set_order; ++order) {
    std::vector<std::int32_t> features;
    std::vector<std::size_t> places;
    for (std::size_t k = 0; k < part.set_rows.size(); ++k) {
      const FoundSet& set = part.set_rows[k].set;
      if (set.order != order) continue;
      features.insert(features.end(), set.feature.begin(), set.feature.begin() + order);
      places.push_back(k);
    }
    std::vector<kernels::SetCoxFit> fits(places.size());
    frame.outcome->fit_sets(features, order, fits);
    for (std::size_t k = 0; k < places.size(); ++k) part.set_rows[places[k]].fit = std::move(fits[k]);
  }
  return part;
}

}  // namespace chorale::jobs::interaction
