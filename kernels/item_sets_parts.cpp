// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include <algorithm>
#include <iterator>
#include <map>

#include "kernels/item_sets_data.hpp"

namespace chorale::kernels {
namespace {

constexpr Index most_additions = Index{1} << 28;  ///< 0.2 s

std::size_t at(Index i) {
  return static_cast<std::size_t>(i);
}

Panels meet(const Panels& a, const Panels& b) {
  Panels both;
  std::ranges::set_intersection(a, b, std::back_inserter(both));
  return both;
}

std::int32_t sum_over(const Panels& panels, const std::int32_t* n) {
  std::int32_t sum = 0;
  for (const std::int16_t p : panels) sum += n[p];
  return sum;
}

/// For each frequent pair of one rarer feature, its carriers by panel, added over every set's panels.
void fill_pairs(const ItemSetData& data, Index rank, std::vector<std::int32_t>& position,
                std::vector<std::int32_t>& by_panel, std::int32_t* n_pair) {
  const Transactions& all = data.transactions();
  const PairLists& carriers = *data.carriers;
  const TestedRows& tested = data.tested;
  const auto partners = data.pairs.partners_of(rank);
  for (std::size_t k = 0; k < partners.size(); ++k)
    position[at(partners[k])] = static_cast<std::int32_t>(static_cast<Index>(k) * tested.n_panels);
  by_panel.assign((partners.size() + 1) * at(tested.n_panels), 0);
  const Index beside = static_cast<Index>(partners.size()) * tested.n_panels;  // takes what is no partner
  for (Index k = carriers.list_begin[at(rank)]; k < carriers.list_begin[at(rank + 1)]; ++k) {
    const std::int32_t i = carriers.list[at(k)];
    std::int32_t* on_panel = by_panel.data() + tested.panel[at(i)];
    const std::int32_t* from = all.rank.data() + all.begin[at(i)];
    for (const std::int32_t* each = from; each < from + all.ahead[at(k)]; ++each) {
      const std::int32_t p = position[at(*each)];
      ++on_panel[p >= 0 ? p : beside];
    }
  }
  for (std::size_t k = 0; k < partners.size(); ++k) {
    position[at(partners[k])] = -1;
    for (const Panels& panels : tested.panels_of)
      *n_pair++ = sum_over(panels, by_panel.data() + static_cast<Index>(k) * tested.n_panels);
  }
}

}  // namespace

ItemSetParts parts_of(const ItemSetData& data) {
  const TestedRows& tested = data.tested;
  if (data.options.order > 3 || tested.untested != nullptr) return {};
  ItemSetParts parts;
  parts.n_sets = static_cast<Index>(tested.panels_of.size());
  if (parts.n_sets * parts.n_sets * tested.n_panels > most_additions) return {};
  std::map<Panels, std::int32_t> known;
  std::vector<Panels> meets;
  for (const Panels& a : tested.panels_of) {
    for (const Panels& b : tested.panels_of) {
      const Panels both = meet(a, b);
      const auto [found, added] = known.try_emplace(both, static_cast<std::int32_t>(known.size()));
      if (added) meets.push_back(both);
      parts.meet.push_back(found->second);
    }
  }
  parts.n_meets = static_cast<Index>(meets.size());
  const auto n_pairs = static_cast<Index>(data.pairs.partner.size());
  const Index n_sums =
      n_pairs * parts.n_sets + data.n_features() * parts.n_meets + parts.n_meets * parts.n_sets;
  if (parts.n_sets > 1 && n_sums * tested.n_panels > most_additions) return {};

  std::vector<std::int32_t> n(at(tested.n_panels));
  for (const std::int16_t panel : tested.panel) {
    if (panel >= 0) ++n[at(panel)];
  }
  for (const Panels& a : meets) {
    for (const Panels& b : tested.panels_of) parts.tested.push_back(sum_over(meet(a, b), n.data()));
  }
  for (Index rank = 0; rank < data.n_features(); ++rank) {
    std::fill(n.begin(), n.end(), 0);
    for (const std::int32_t i : data.carriers->of(rank)) ++n[at(tested.panel[at(i)])];
    for (const Panels& panels : meets) parts.n_one.push_back(sum_over(panels, n.data()));
  }
  if (parts.n_sets <= 1) {
    parts.n_pair = data.pairs.n;
    return parts;
  }
  parts.n_pair.resize(at(n_pairs * parts.n_sets));
#pragma omp parallel
  {
    std::vector<std::int32_t> position(at(data.n_features()), -1), by_panel;
#pragma omp for schedule(dynamic, 1)
    for (Index rank = 0; rank < data.n_features(); ++rank)
      fill_pairs(data, rank, position, by_panel,
                 parts.n_pair.data() + data.pairs.begin[at(rank)] * parts.n_sets);
  }
  return parts;
}

}  // namespace chorale::kernels
