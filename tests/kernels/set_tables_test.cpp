// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/set_tables.hpp"

#include <gtest/gtest.h>

#include <numeric>

#include "kernels/error.hpp"
#include "tests/kernels/panel_cohort.hpp"

namespace chorale::kernels {
namespace {

using Counts = std::vector<std::int32_t>;
using Views = std::vector<std::span<const std::int32_t>>;

Counts table(const SetTables& tables, const Counts& set) {
  Counts cell(std::size_t{1} << set.size());
  tables.fill(set, static_cast<int>(set.size()), cell);
  return cell;
}

TEST(SetTables, SixPatientsAreCountedByHand) {
  // patients 0 … 5; a: 0 1 2 3, b: 0 1 2, c: 0 1 5; d: 1
  const Counts a{0, 1, 2, 3}, b{0, 1, 2}, c{0, 1, 5}, d{1};
  const Views carriers{a, b, c, d};
  const SetTables tables(carriers, {}, {}, 6);
  // none: 4; only a: 3; only b; a and b: 2; only c: 5; a and c; b and c; all: 0 1
  EXPECT_EQ(table(tables, {0, 1, 2}), (Counts{1, 1, 0, 1, 1, 0, 0, 2}));
  // a b c without d: 0; a b: 2; a: 3; c: 5; nothing: 4; all: 1
  EXPECT_EQ(table(tables, {0, 1, 2, 3}), (Counts{1, 1, 0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1}));
  EXPECT_EQ(table(tables, {3}), (Counts{5, 1}));
}

TEST(SetTables, OnlyWhoIsTestedForAllCounts) {
  // a: 0 1; b: 1 2; patient 3 is untested for b, patient 4 on a panel without b, patient 5 on none
  const Counts a{0, 1}, b{1, 2}, nobody{}, gaps{3};
  const Views carriers{a, b}, untested{nobody, gaps};
  const std::vector<std::int16_t> panel{0, 0, 0, 0, 1, -1, 0};
  const std::vector<std::uint8_t> holds{1, 1, 1, 0};
  const SetTables tables(carriers, untested, {panel, holds, 2}, 7);
  EXPECT_EQ(table(tables, {0, 1}), (Counts{1, 1, 1, 1}));  // 6; 0; 2; 1
  EXPECT_EQ(table(tables, {0}), (Counts{4, 2}));           // 2 3 4 6; 0 1
}

TEST(SetTables, MatchTheReference) {
  for (const Index n_panels : {0, 1, 5}) {
    for (const double share_missing : {0.0, 0.02, 0.3}) {
      const PanelCohort cohort(700, 9, std::max<Index>(n_panels, 1), share_missing, 0.8);
      const PanelMask panels = n_panels == 0 ? PanelMask{} : cohort.panels;
      Counts everyone(700);
      std::iota(everyone.begin(), everyone.end(), 0);
      const SetTables tables(cohort.carrier_views, cohort.missing_views, panels, 700);
      Counts sets, expected;
      for (std::int32_t x = 0; x < 9; ++x) {
        for (std::int32_t y = 0; y < x; ++y) {
          for (std::int32_t z = 0; z < y; ++z) {
            sets.insert(sets.end(), {y, z, x});
            const Counts own = reference::set_table(cohort.carrier_views, cohort.missing_views, panels,
                                                    everyone, Counts{y, z, x});
            expected.insert(expected.end(), own.begin(), own.end());
          }
        }
      }
      Counts cell(sets.size() / 3 * 8);
      tables.fill(sets, 3, cell);
      EXPECT_EQ(cell, expected) << n_panels << " panels, " << share_missing << " missing";
    }
  }
}

TEST(SetTables, RefuseWhatDoesNotFit) {
  const Counts a{0, 1}, b{1}, both{0, 1};
  const Views carriers{a, b}, untested{b, both}, fewer{b};
  const std::vector<std::int16_t> panel{0, 1}, unknown{0, 2}, few{0};
  const std::vector<std::uint8_t> holds{1, 1, 0, 1}, short_mask{1, 1, 1};
  Counts cell(4);
  const Counts set{0, 1};
  EXPECT_THROW(SetTables(carriers, {}, {panel, short_mask, 2}, 2), ShapeError);
  EXPECT_THROW(SetTables(carriers, {}, {unknown, holds, 2}, 2), ShapeError);
  EXPECT_THROW(SetTables(carriers, {}, {few, holds, 2}, 2), ShapeError);
  EXPECT_THROW(SetTables(carriers, fewer, {}, 2), ShapeError);
  // patient 1 carries a, which panel 1 does not hold
  EXPECT_THROW(SetTables(carriers, {}, {panel, holds, 2}, 2).fill(set, 2, cell), ShapeError);
  EXPECT_THROW(SetTables(carriers, untested, {}, 2).fill(set, 2, cell), ShapeError);
  const SetTables tables(carriers, {}, {}, 2);
  EXPECT_THROW(tables.fill(set, 1, std::span(cell).first(3)), ShapeError);
  EXPECT_THROW(tables.fill(set, 0, cell), ShapeError);
  Counts many(256);
  EXPECT_THROW(tables.fill(Counts(8), 8, many), ShapeError);
}

}  // namespace
}  // namespace chorale::kernels
