// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "kernels/error.hpp"
#include "kernels/item_sets_data.hpp"

namespace chorale::kernels {
namespace {

std::size_t at(Index i) {
  return static_cast<std::size_t>(i);
}

bool bit(const std::uint64_t* row, Index i) {
  return (row[i / 64] >> (i % 64) & 1) != 0;
}

/// Each patient's panel; without panels everyone is on one.
std::vector<std::int16_t> panel_of_place(const PairLists& carriers, const PanelMask& panels) {
  std::vector<std::int16_t> panel(carriers.patient.size());
  if (panels.n_panels == 0) return panel;
  if (static_cast<Index>(panels.holds.size()) != panels.n_panels * carriers.order->n_features()) {
    throw ShapeError({.what = "panel × feature mask has the wrong size",
                      .found = fmt::format("{}", panels.holds.size()),
                      .expected = fmt::format("{} x {}", panels.n_panels, carriers.order->n_features())});
  }
  for (std::size_t i = 0; i < panel.size(); ++i) {
    const std::size_t patient = at(carriers.patient[i]);
    const bool known = patient < panels.of_patient.size();
    panel[i] = known ? panels.of_patient[patient] : std::int16_t{-2};
    if (panel[i] >= -1 && panel[i] < panels.n_panels) continue;
    throw ShapeError({.what = "a patient's panel is out of range",
                      .found = known ? fmt::format("{}", panel[i]) : "no panel",
                      .expected = fmt::format("-1 to {}", panels.n_panels - 1),
                      .in = fmt::format("patient {}", patient)});
  }
  return panel;
}

/// Throws when a listed patient has no bit.
void check_listed(const PairLists& lists, Index rank, const std::uint64_t* row, const char* otherwise) {
  for (const std::int32_t i : lists.of(rank)) {
    if (bit(row, i)) continue;
    throw ShapeError({.what = otherwise,
                      .found = fmt::format("patient {}", lists.patient[at(i)]),
                      .in = fmt::format("feature {}", lists.order->feature[at(rank)])});
  }
}

}  // namespace

void TestedRows::fill(Index rank, std::uint64_t* row) const {
  const std::int32_t place = kept[at(rank)];
  const std::uint64_t* from =
      place >= 0 ? kept_rows.data() + place * n_words : of_set.data() + set_of[at(rank)] * n_words;
  std::copy_n(from, n_words, row);
  if (place >= 0 || untested == nullptr) return;
  for (const std::int32_t i : untested->of(rank)) row[i / 64] &= ~(std::uint64_t{1} << (i % 64));
}

TestedRows tested_rows(const PairLists& carriers, const PanelMask& panels, const PairLists* untested) {
  const Index n_features = carriers.order->n_features();
  TestedRows tested;
  tested.panel = panel_of_place(carriers, panels);
  tested.n_panels = std::max<Index>(1, panels.n_panels);
  tested.n_words = carriers.n_words;
  tested.kept.assign(at(n_features), -1);
  if (untested != nullptr && !untested->list.empty()) {
    if (untested->order != carriers.order || untested->patient != carriers.patient) {
      throw ShapeError({.what = "carriers and untested were packed for different patients or features",
                        .found = fmt::format("{} patients", untested->n_patients()),
                        .expected = fmt::format("{} patients, one order", carriers.n_patients())});
    }
    tested.untested = untested;
  }

  Words of_panel(at(tested.n_panels * tested.n_words));
  for (std::size_t i = 0; i < tested.panel.size(); ++i) {
    if (tested.panel[i] >= 0)
      of_panel[at(tested.panel[i] * tested.n_words) + i / 64] |= std::uint64_t{1} << (i % 64);
  }
  std::map<Panels, std::int32_t> known;
  for (const std::int32_t feature : carriers.order->feature) {
    Panels holding;
    for (Index p = 0; p < tested.n_panels; ++p) {
      if (panels.n_panels == 0 || panels.holds[at(p * n_features + feature)] != 0)
        holding.push_back(static_cast<std::int16_t>(p));
    }
    const auto [found, added] = known.try_emplace(holding, static_cast<std::int32_t>(known.size()));
    tested.set_of.push_back(found->second);
    if (!added) continue;
    tested.of_set.resize(tested.of_set.size() + at(tested.n_words));
    std::uint64_t* row = tested.of_set.data() + found->second * tested.n_words;
    for (const std::int16_t p : holding) {
      for (Index w = 0; w < tested.n_words; ++w) row[w] |= of_panel[at(p * tested.n_words + w)];
    }
    tested.panels_of.push_back(std::move(holding));
  }

  Words row(at(tested.n_words));
  for (Index rank = 0; rank < n_features; ++rank) {
    const std::uint64_t* on_panels = tested.of_set.data() + tested.set_of[at(rank)] * tested.n_words;
    constexpr const char* not_held = "a patient is listed for a feature that their panel does not hold";
    check_listed(carriers, rank, on_panels, not_held);
    if (tested.untested == nullptr) continue;
    check_listed(*untested, rank, on_panels, not_held);
    tested.fill(rank, row.data());
    check_listed(carriers, rank, row.data(), "a patient carries a feature without being tested for it");
    if (untested->n_listed(rank, rank + 1) <= tested.n_words) continue;
    tested.kept[at(rank)] = static_cast<std::int32_t>(tested.kept_rows.size() / at(tested.n_words));
    tested.kept_rows.insert(tested.kept_rows.end(), row.begin(), row.end());
  }
  return tested;
}

}  // namespace chorale::kernels
