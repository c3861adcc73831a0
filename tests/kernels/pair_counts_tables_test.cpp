// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/pair_counts_tables.hpp"

#include <gtest/gtest.h>
#include <omp.h>

#include <algorithm>

#include "kernels/error.hpp"
#include "tests/kernels/pair_counts_cohort.hpp"

namespace chorale::kernels {
namespace {

using Tables = std::vector<TwoByTwo>;
using Lists = std::vector<std::vector<std::int32_t>>;
using Views = std::vector<std::span<const std::int32_t>>;

void expect_tables_of_reference(const PairLists& lists, const PairLists* untested, const PanelMask& panels,
                                PatientLists carriers, PatientLists missing) {
  const PairOrder& order = *lists.order;
  const PairTables pairs(lists, panels, untested);
  for (const PairTile& tile : pair_tiles(order, 200)) {
    std::vector<std::int32_t> n11(static_cast<std::size_t>(tile.n_cells()));
    Tables tables(n11.size(), {-7, -7, -7, -7});
    PairCounter(lists).count(tile, n11);
    pairs.fill(tile, n11, tables);
    for (std::size_t cell = 0; cell < tables.size(); ++cell) {
      const Index r = tile.row_begin + static_cast<Index>(cell) / tile.n_columns();
      const Index c = tile.column_begin + static_cast<Index>(cell) % tile.n_columns();
      const auto feature = [&](Index rank) { return order.feature[static_cast<std::size_t>(rank)]; };
      const TwoByTwo expected =
          c < r ? reference::pair_table(carriers, missing, panels, lists.patient, feature(r), feature(c))
                : TwoByTwo{};
      ASSERT_EQ(tables[cell], expected) << "rank " << r << " with rank " << c;
    }
  }
}

// carriers, single missing values and panels drawn so that only who is tested carries
struct PanelCohort {
  PanelCohort(Index n_patients, Index n_features, Index n_panels, double share_missing)
      : carriers(static_cast<std::size_t>(n_features)), missing(static_cast<std::size_t>(n_features)) {
    Draws masks(3, 0, 0);
    for (Index k = 0; k < n_panels * n_features; ++k) holds.push_back(masks.bernoulli(0.6));
    for (std::int32_t i = 0; i < n_patients; ++i) {
      Draws draws(3, 1, i);
      const Index on = draws.below(n_panels + 1) - 1;
      panel.push_back(static_cast<std::int16_t>(on));
      stratum.push_back(static_cast<std::int32_t>(draws.below(3)));
      for (Index f = 0; f < n_features && on >= 0; ++f) {
        if (holds[static_cast<std::size_t>(on * n_features + f)] == 0) continue;
        const bool is_missing = draws.bernoulli(share_missing);
        if (is_missing || draws.bernoulli(0.5 / static_cast<double>(1 + f)))
          (is_missing ? missing : carriers)[static_cast<std::size_t>(f)].push_back(i);
      }
    }
    carrier_views.assign(carriers.begin(), carriers.end());
    missing_views.assign(missing.begin(), missing.end());
    mask = {panel, holds, n_panels};
  }

  Lists carriers, missing;
  Views carrier_views, missing_views;
  std::vector<std::int16_t> panel;
  std::vector<std::int32_t> stratum;
  std::vector<std::uint8_t> holds;
  PanelMask mask;
};

TEST(PairTables, FivePatientsAreCountedByHand) {
  // panel 0 holds a and b, panel 1 only a; patients 0 to 3 on panel 0, 4 on panel 1, 5 on none
  // a: 0 1 4; b: 1; patient 3 misses b
  const std::vector<std::int32_t> a{0, 1, 4}, b{1}, misses_b{3};
  const Views carriers{a, b}, missing{{}, misses_b};
  const std::vector<std::int16_t> panel{0, 0, 0, 0, 1, -1};
  const std::vector<std::uint8_t> holds{1, 1, 1, 0};
  const PairOrder order = pair_order(carriers, 6);
  const PairLists lists = make_pair_lists(order, carriers, 6), untested = make_pair_lists(order, missing, 6);
  const PairTables pairs(lists, {panel, holds, 2}, &untested);
  Tables tables(2);
  pairs.fill({0, 2, 0, 1}, std::vector<std::int32_t>{0, 1}, tables);
  // tested for both: 0, 1, 2. The row is b, the column a: 1 carries both, nobody only b, 0 only a, 2 neither
  EXPECT_EQ(tables[1], (TwoByTwo{1, 0, 1, 1}));
  EXPECT_EQ(tables[0], TwoByTwo{});  // no pair

  // had patient 3's value been known
  PairTables(lists, {panel, holds, 2}).fill({0, 2, 0, 1}, std::vector<std::int32_t>{0, 1}, tables);
  EXPECT_EQ(tables[1], (TwoByTwo{1, 0, 1, 2}));
}

TEST(PairTables, MatchAPassOverAllPatients) {
  for (const Index n_patients : {0, 1, 65, 400}) {
    for (const Index n_panels : {1, 4}) {
      for (const double share_missing : {0.0, 0.1}) {
        SCOPED_TRACE(testing::Message()
                     << n_patients << " patients, " << n_panels << " panels, " << share_missing);
        const PanelCohort cohort(n_patients, 31, n_panels, share_missing);
        const PairOrder order = pair_order(cohort.carrier_views, n_patients);
        const PairLists lists = make_pair_lists(order, cohort.carrier_views, n_patients);
        const PairLists untested = make_pair_lists(order, cohort.missing_views, n_patients);
        expect_tables_of_reference(lists, &untested, cohort.mask, cohort.carrier_views, cohort.missing_views);
      }
    }
  }
}

TEST(PairTables, WithoutPanelsEveryoneIsTested) {
  const ListCohort cohort(300, 20, 0.5, 0.01);
  const PairOrder order = pair_order(cohort.carriers(), 300);
  const PairLists lists = make_pair_lists(order, cohort.carriers(), 300);
  expect_tables_of_reference(lists, nullptr, {}, cohort.carriers(), Views(20));
}

TEST(PairTables, OfOneStratumCountItsPatientsOnly) {
  const PanelCohort cohort(400, 17, 3, 0.1);
  const PairOrder order = pair_order(cohort.carrier_views, 400);
  for (std::int32_t stratum = 0; stratum < 3; ++stratum) {
    const Groups groups{cohort.stratum, 3};
    const PairLists lists = make_pair_lists(order, cohort.carrier_views, 400, groups, stratum);
    const PairLists untested = make_pair_lists(order, cohort.missing_views, 400, groups, stratum);
    expect_tables_of_reference(lists, &untested, cohort.mask, cohort.carrier_views, cohort.missing_views);
  }
}

TEST(PairTables, AreEqualForAnyNumberOfThreads) {
  const PanelCohort cohort(500, 600, 5, 0.02);
  const PairOrder order = pair_order(cohort.carrier_views, 500);
  const PairLists lists = make_pair_lists(order, cohort.carrier_views, 500);
  const PairLists untested = make_pair_lists(order, cohort.missing_views, 500);
  const PairTables pairs(lists, cohort.mask, &untested);
  const auto tiles = pair_tiles(order, 1 << 24);
  const auto tile = *std::ranges::max_element(tiles, {}, &PairTile::n_cells);
  ASSERT_GT(tile.n_cells(), 1 << 17);  // worth threads
  const int n_threads = omp_get_max_threads();
  std::vector<Tables> found;
  for (const int threads : {1, 5}) {
    omp_set_num_threads(threads);
    std::vector<std::int32_t> n11(static_cast<std::size_t>(tile.n_cells()));
    PairCounter(lists).count(tile, n11);
    pairs.fill(tile, n11, found.emplace_back(n11.size()));
  }
  omp_set_num_threads(n_threads);
  EXPECT_EQ(found[0], found[1]);
}

TEST(PairTables, WhatCannotBeIsRefused) {
  const std::vector<std::int32_t> a{0, 1}, b{1};
  const Views carriers{a, b}, missing{{}, b}, other_missing{{}, a};
  const PairOrder order = pair_order(carriers, 2);
  const PairLists lists = make_pair_lists(order, carriers, 2), untested = make_pair_lists(order, missing, 2);
  const std::vector<std::int16_t> panel{0, 0}, on_none{0, -1}, unknown{0, 1};
  const std::vector<std::uint8_t> both{1, 1}, only_a{1, 0};
  EXPECT_THROW(PairTables(lists, {panel, both, 1}, &untested), ShapeError);  // 1 carries b and misses it
  EXPECT_THROW(PairTables(lists, {panel, only_a, 1}), ShapeError);  // 1 carries b, which is on no panel
  EXPECT_THROW(PairTables(lists, {on_none, both, 1}), ShapeError);
  EXPECT_THROW(PairTables(lists, {unknown, both, 1}), ShapeError);
  EXPECT_THROW(PairTables(lists, {std::span(panel).first(1), both, 1}), ShapeError);
  EXPECT_THROW(PairTables(lists, {panel, std::span(both).first(1), 1}), ShapeError);
  const PairTables pairs(lists, {panel, both, 1});
  Tables tables(2), few(1);
  EXPECT_THROW(pairs.fill({0, 2, 0, 1}, std::vector<std::int32_t>{0, 1}, few), ShapeError);
  EXPECT_THROW(pairs.fill({0, 2, 0, 1}, std::vector<std::int32_t>{1}, tables), ShapeError);
  EXPECT_THROW(pairs.fill({1, 3, 0, 1}, std::vector<std::int32_t>{0, 1}, tables), ShapeError);  // no such row
}

}  // namespace
}  // namespace chorale::kernels
