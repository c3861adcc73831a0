// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/pair_counts_tables.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>

#include "kernels/error.hpp"

namespace chorale::kernels {
namespace {

constexpr Index cells_worth_threads = 1 << 17;

std::size_t at(Index i) {
  return static_cast<std::size_t>(i);
}

void check_panels(const PanelMask& panels, const PairLists& lists) {
  require_size("panel × feature mask has the wrong size", panels.holds.size(),
               panels.n_panels * lists.order->n_features());
  for (const std::int32_t patient : lists.patient) {
    if (panels.n_panels == 0) return;
    const bool known = at(patient) < panels.of_patient.size();
    const Index panel = known ? panels.of_patient[at(patient)] : -1;
    if (known && panel >= -1 && panel < panels.n_panels) continue;
    throw ShapeError(
        {.what = "a patient's panel is out of range",
         .found = known ? fmt::format("{}", panel) : fmt::format("{} panels", panels.of_patient.size()),
         .expected = fmt::format("-1 to {}", panels.n_panels - 1),
         .in = fmt::format("patient {}", patient)});
  }
}

/// Without panels all patients are on one that holds everything.
Index panel_of(const PanelMask& panels, std::int32_t patient) {
  return panels.n_panels == 0 ? 0 : panels.of_patient[at(patient)];
}

bool holds(const PanelMask& panels, Index panel, Index n_features, std::int32_t feature) {
  return panels.n_panels == 0 || panels.holds[at(panel * n_features + feature)] != 0;
}

void check_disjoint(const PairLists& carriers, const PairLists& untested) {
  for (Index rank = 0; rank < carriers.order->n_features(); ++rank) {
    std::vector<std::int32_t> both;
    std::ranges::set_intersection(carriers.of(rank), untested.of(rank), std::back_inserter(both));
    if (both.empty()) continue;
    throw ShapeError({.what = "a patient carries a feature without being tested for it",
                      .found = fmt::format("patient {}", carriers.patient[at(both.front())]),
                      .in = fmt::format("feature {}", carriers.order->feature[at(rank)])});
  }
}

}  // namespace

PairTables::PairTables(const PairLists& carriers, const PanelMask& panels, const PairLists* untested)
    : carriers_(&carriers) {
  check_panels(panels, carriers);
  find_panel_sets(panels);
  n_carriers_ = on_panel_sets(carriers, panels);
  if (untested != nullptr && !untested->list.empty()) {
    overlaps_ = {PairCounter(carriers, *untested), PairCounter(*untested, carriers), PairCounter(*untested)};
    check_disjoint(carriers, *untested);
    n_untested_ = on_panel_sets(*untested, panels);
  }
}

void PairTables::find_panel_sets(const PanelMask& panels) {
  const PairOrder& order = *carriers_->order;
  const Index n_panels = std::max<Index>(1, panels.n_panels);
  std::map<std::vector<Index>, std::int32_t> known;
  for (const std::int32_t feature : order.feature) {
    std::vector<Index> set;
    for (Index panel = 0; panel < n_panels; ++panel) {
      if (holds(panels, panel, order.n_features(), feature)) set.push_back(panel);
    }
    const auto [found, added] = known.try_emplace(set, static_cast<std::int32_t>(known.size()));
    if (added) panels_.push_back(set);
    set_of_.push_back(found->second);
  }
  n_sets_ = static_cast<Index>(panels_.size());

  std::vector<std::int32_t> n_on_panel(at(n_panels));
  for (const std::int32_t patient : carriers_->patient) {
    if (const Index panel = panel_of(panels, patient); panel >= 0) ++n_on_panel[at(panel)];
  }
  for (const auto& a : panels_) {
    for (const auto& b : panels_) {
      std::vector<Index> both;
      std::ranges::set_intersection(a, b, std::back_inserter(both));
      std::int32_t n = 0;
      for (const Index panel : both) n += n_on_panel[at(panel)];
      tested_.push_back(n);
    }
  }
}

std::vector<std::int32_t> PairTables::on_panel_sets(const PairLists& lists, const PanelMask& panels) const {
  const PairOrder& order = *lists.order;
  const Index n_features = order.n_features();
  std::vector<std::int32_t> n(at(n_sets_ * n_features));
  std::vector<std::int32_t> on_panel(at(std::max<Index>(1, panels.n_panels)));
  const bool one_panel =
      panels.n_panels <= 1 && std::ranges::all_of(lists.patient, [&](std::int32_t patient) {
        return panel_of(panels, patient) == 0;
      });
  for (Index rank = 0; rank < n_features; ++rank) {
    const std::int32_t feature = order.feature[at(rank)];
    std::fill(on_panel.begin(), on_panel.end(), 0);
    const bool all_on_one = one_panel && holds(panels, 0, n_features, feature);
    if (all_on_one) on_panel[0] = static_cast<std::int32_t>(lists.n_listed(rank, rank + 1));
    for (const std::int32_t place : all_on_one ? std::span<const std::int32_t>() : lists.of(rank)) {
      const Index panel = panel_of(panels, lists.patient[at(place)]);
      if (panel < 0 || !holds(panels, panel, n_features, feature)) {
        throw ShapeError({.what = "a patient is listed for a feature that their panel does not hold",
                          .found = fmt::format("patient {} on panel {}", lists.patient[at(place)], panel),
                          .in = fmt::format("feature {}", feature)});
      }
      ++on_panel[at(panel)];
    }
    for (Index set = 0; set < n_sets_; ++set) {
      std::int32_t& sum = n[at(set * n_features + rank)];
      for (const Index panel : panels_[at(set)]) sum += on_panel[at(panel)];
    }
  }
  return n;
}

void PairTables::fill(const PairTile& tile, std::span<const std::int32_t> n11,
                      std::span<TwoByTwo> tables) const {
  check_tile(*carriers_->order, tile);
  require_size("n11 has the wrong size", n11.size(), tile.n_cells());
  require_size("tables have the wrong size", tables.size(), tile.n_cells());
  std::vector<std::int32_t> overlap[3];
  for (std::size_t k = 0; k < overlaps_.size(); ++k) {
    overlap[k].resize(n11.size());
    overlaps_[k].count(tile, overlap[k]);
  }
  const Index n_features = carriers_->order->n_features();
#pragma omp parallel for schedule(static) if (tile.n_cells() > cells_worth_threads)
  for (Index row = 0; row < tile.n_rows(); ++row) {
    const Index r = tile.row_begin + row, row_set = set_of_[at(r)];
    const std::int32_t* set_of = set_of_.data() + tile.column_begin;
    const std::int32_t* tested = tested_.data() + row_set * n_sets_;
    const std::int32_t* of_row = n_carriers_.data() + r;  // by the column's set
    const std::int32_t* of_column = n_carriers_.data() + row_set * n_features + tile.column_begin;
    const std::size_t first = at(row * tile.n_columns());
    const Index n_pairs = tile.n_pairs_of(row);
    const std::int32_t* both = n11.data() + first;
    TwoByTwo* table = tables.data() + first;
    const auto set_cells = [&](Index c, Index n_tested, Index n_r) {
      const Index n_c = of_column[c];
      table[c] = {both[c], n_r - both[c], n_c - both[c], n_tested - n_r - n_c + both[c]};
    };
    if (n_sets_ == 1) {
      const Index n_tested = tested[0], n_r = of_row[0];
      for (Index c = 0; c < n_pairs; ++c) set_cells(c, n_tested, n_r);
    } else {
      for (Index c = 0; c < n_pairs; ++c) set_cells(c, tested[set_of[c]], of_row[set_of[c] * n_features]);
    }
    std::fill_n(tables.begin() + static_cast<Index>(first) + n_pairs, tile.n_columns() - n_pairs, TwoByTwo{});
    if (overlaps_.empty()) continue;
    const std::int32_t* untested_row = n_untested_.data() + r;
    const std::int32_t* untested_column = n_untested_.data() + row_set * n_features + tile.column_begin;
    for (Index c = 0; c < n_pairs; ++c) {
      const Index carries_r = overlap[0][first + at(c)], carries_c = overlap[1][first + at(c)];
      const Index neither_known = overlap[2][first + at(c)];
      table[c].n10 -= carries_r;
      table[c].n01 -= carries_c;
      // who carries the one and misses the other stood in a cell with a carrier, all other untested in n00
      table[c].n00 -=
          untested_row[set_of[c] * n_features] + untested_column[c] - neither_known - carries_r - carries_c;
    }
  }
}

}  // namespace chorale::kernels
