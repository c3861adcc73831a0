// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/item_sets.hpp"

#include <algorithm>

namespace chorale::kernels::reference {
namespace {

struct Cohort {
  PatientLists carriers, untested;
  const PanelMask& panels;
  std::span<const std::int32_t> patients;

  static bool listed(std::span<const std::int32_t> list, std::int32_t patient) {
    return std::binary_search(list.begin(), list.end(), patient);
  }
  bool carries(std::int32_t patient, std::int32_t feature) const {
    return listed(carriers[static_cast<std::size_t>(feature)], patient);
  }
  bool tested(std::int32_t patient, std::int32_t feature) const {
    if (!untested.empty() && listed(untested[static_cast<std::size_t>(feature)], patient)) return false;
    if (panels.n_panels == 0) return true;
    const std::int16_t panel = panels.of_patient[static_cast<std::size_t>(patient)];
    const auto n_features = static_cast<Index>(carriers.size());
    return panel >= 0 && panels.holds[static_cast<std::size_t>(panel * n_features + feature)] != 0;
  }
};

std::vector<std::int32_t> table(const Cohort& cohort, std::span<const std::int32_t> features) {
  std::vector<std::int32_t> cell(std::size_t{1} << features.size());
  for (const std::int32_t patient : cohort.patients) {
    bool tested = true;
    std::size_t c = 0;
    for (std::size_t j = 0; j < features.size(); ++j) {
      tested = tested && cohort.tested(patient, features[j]);
      if (cohort.carries(patient, features[j])) c |= std::size_t{1} << j;
    }
    if (tested) ++cell[c];
  }
  return cell;
}

/// All sets that begin with these ranks, falling.
void add_sets(const Cohort& cohort, const PairOrder& order, const ItemSetOptions& options,
              std::vector<std::int32_t> ranks, ItemSets& sets) {
  if (static_cast<int>(ranks.size()) == options.order) {
    std::vector<std::int32_t> features;
    for (auto rank = ranks.rbegin(); rank != ranks.rend(); ++rank)
      features.push_back(order.feature[static_cast<std::size_t>(*rank)]);
    const std::vector<std::int32_t> cell = table(cohort, features);
    if (cell.back() < options.min_carriers) return;
    sets.feature.insert(sets.feature.end(), features.begin(), features.end());
    sets.cell.insert(sets.cell.end(), cell.begin(), cell.end());
    return;
  }
  const auto end = ranks.empty() ? static_cast<std::int32_t>(order.n_features()) : ranks.back();
  ranks.push_back(0);
  for (; ranks.back() < end; ++ranks.back()) add_sets(cohort, order, options, ranks, sets);
}

}  // namespace

ItemSets item_sets(const PairOrder& order, PatientLists carriers, PatientLists untested,
                   const PanelMask& panels, std::span<const std::int32_t> patients,
                   const ItemSetOptions& options) {
  ItemSets sets{.order = options.order};
  add_sets({carriers, untested, panels, patients}, order, options, {}, sets);
  return sets;
}

}  // namespace chorale::kernels::reference
