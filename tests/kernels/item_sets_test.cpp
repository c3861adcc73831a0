// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/item_sets.hpp"

#include <gtest/gtest.h>
#include <omp.h>

#include <algorithm>

#include "kernels/error.hpp"
#include "kernels/level.hpp"
#include "tests/kernels/pair_counts_cohort.hpp"

namespace chorale::kernels {
namespace {

using Counts = std::vector<std::int32_t>;
using Views = std::vector<std::span<const std::int32_t>>;

void expect_same(const ItemSets& found, const ItemSets& expected, const std::string& where) {
  EXPECT_EQ(found.order, expected.order) << where;
  EXPECT_EQ(found.feature, expected.feature) << where;
  EXPECT_EQ(found.cell, expected.cell) << where;
}

/// Both methods at every level against every patient asked about every set; returns how many sets there are.
Index expect_sets_of_reference(PatientLists carriers, PatientLists untested, const PanelMask& panels,
                               Index n_patients, const Groups& groups, const ItemSetOptions& options,
                               const std::string& where) {
  const PairOrder order = pair_order(carriers, n_patients);
  const PairLists lists = make_pair_lists(order, carriers, n_patients, groups, 0);
  PairLists missing;
  if (!untested.empty()) missing = make_pair_lists(order, untested, n_patients, groups, 0);
  const ItemSets expected = reference::item_sets(order, carriers, untested, panels, lists.patient, options);
  const ItemSetFinder finder(lists, panels, untested.empty() ? nullptr : &missing, options);
  for (const Level level : available_levels()) {
    force_level(level);
    for (const ItemSetMethod method : {ItemSetMethod::cheapest, ItemSetMethod::lists, ItemSetMethod::bits})
      expect_same(finder.find(0, order.n_features(), method), expected, where);
  }
  return expected.n_sets();
}

/// Carriers, single missing values and panels drawn so that only who is tested carries.
struct PanelCohort {
  PanelCohort(Index patients, Index n_features, Index n_panels, double share_missing, double carried)
      : carriers(static_cast<std::size_t>(n_features)), missing(carriers.size()) {
    Draws masks(5, 0, 0);
    for (Index k = 0; k < n_panels * n_features; ++k) holds.push_back(masks.bernoulli(0.8));
    for (std::int32_t i = 0; i < patients; ++i) {
      Draws draws(5, 1, i);
      const Index on = draws.below(n_panels + 1) - 1;
      panel.push_back(static_cast<std::int16_t>(on));
      stratum.push_back(static_cast<std::int32_t>(draws.below(3)) - 1);
      for (Index f = 0; f < n_features && on >= 0; ++f) {
        if (holds[static_cast<std::size_t>(on * n_features + f)] == 0) continue;
        const bool is_missing = draws.bernoulli(share_missing);
        if (is_missing || draws.bernoulli(carried / static_cast<double>(1 + f / 2)))
          (is_missing ? missing : carriers)[static_cast<std::size_t>(f)].push_back(i);
      }
    }
    carrier_views.assign(carriers.begin(), carriers.end());
    missing_views.assign(missing.begin(), missing.end());
    panels = {panel, holds, n_panels};
  }
  PanelCohort(const PanelCohort&) = delete;

  std::vector<Counts> carriers, missing;
  Views carrier_views = {}, missing_views = {};
  std::vector<std::uint8_t> holds = {};
  std::vector<std::int16_t> panel = {};
  Counts stratum = {};
  PanelMask panels = {};
};

class ItemSetsTest : public testing::Test {
 protected:
  void TearDown() override { force_level(available_levels().back()); }
};

TEST_F(ItemSetsTest, SixPatientsAreCountedByHand) {
  // patients 0 … 5; a: 0 1 2 3, b: 0 1 2, c: 0 1 5; d: 1
  const Counts a{0, 1, 2, 3}, b{0, 1, 2}, c{0, 1, 5}, d{1};
  const Views carriers{a, b, c, d};
  const PairOrder order = pair_order(carriers, 6);
  const PairLists lists = make_pair_lists(order, carriers, 6);
  const ItemSets found = ItemSetFinder(lists, {}, nullptr, {.order = 3, .min_carriers = 2}).find(0, 4);
  EXPECT_EQ(found.feature, (Counts{0, 1, 2}));
  // none: 4; only a: 3; only b; a and b: 2; only c: 5; a and c; b and c; all: 0 1
  EXPECT_EQ(found.cell, (Counts{1, 1, 0, 1, 1, 0, 0, 2}));
  EXPECT_EQ(found.n_sets(), 1);
  EXPECT_EQ(found.cells_of(0)[7], 2);
  EXPECT_EQ(found.features_of(0)[2], 2);

  const ItemSets carried = ItemSetFinder(lists, {}, nullptr, {.order = 3, .min_carriers = 1}).find(0, 4);
  EXPECT_EQ(carried.feature, (Counts{0, 1, 2, 0, 1, 3, 0, 2, 3, 1, 2, 3}));
  const ItemSets four = ItemSetFinder(lists, {}, nullptr, {.order = 4, .min_carriers = 1}).find(0, 4);
  EXPECT_EQ(four.feature, (Counts{0, 1, 2, 3}));
  // a b c without d: 0; a b: 2; a: 3; c: 5; nothing: 4; all: 1
  EXPECT_EQ(four.cell, (Counts{1, 1, 0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1}));
}

TEST_F(ItemSetsTest, MatchTheReferenceAtEveryLevel) {
  for (const Index n_patients : {0, 1, 63, 64, 65, 211, 523}) {
    for (const Index n_features : {1, 3, 4, 12}) {
      const ListCohort cohort(n_patients, n_features, 0.7, 0.01, 4);
      for (const int order : {2, 3, 4}) {
        for (const Index least : {0, 1, 9}) {
          const std::string where = std::to_string(n_patients) + " patients, " + std::to_string(n_features) +
                                    " features, order " + std::to_string(order);
          expect_sets_of_reference(cohort.carriers(), {}, {}, n_patients, {},
                                   {.order = order, .min_carriers = least}, where);
        }
      }
    }
  }
}

TEST_F(ItemSetsTest, LongRowsAreCountedInPieces) {
  // more than 2^15 patients, so that rows of bits are longer than what the dense body takes at once
  const ListCohort cohort(40'000, 6, 0.6, 0.1);
  const Index n_sets = expect_sets_of_reference(cohort.carriers(), {}, {}, 40'000, {},
                                                {.order = 3, .min_carriers = 1}, "long rows");
  EXPECT_EQ(n_sets, 20);
}

TEST_F(ItemSetsTest, ManySetsOfPanelsAreCountedByRows) {
  // 24 panels of which every feature lies on others: sums over the panels of 300 sets and of where two meet
  // would take longer than rows
  const Index n_panels = 24, n_features = 300;
  Draws draws(7, 0, 0);
  std::vector<std::uint8_t> holds;
  for (Index k = 0; k < n_panels * n_features; ++k) holds.push_back(draws.bernoulli(0.5));
  std::vector<std::int16_t> panel;
  std::vector<Counts> carriers(static_cast<std::size_t>(n_features));
  for (std::int32_t i = 0; i < 400; ++i) {
    panel.push_back(static_cast<std::int16_t>(draws.below(n_panels)));
    for (Index f = 0; f < n_features; ++f) {
      if (holds[static_cast<std::size_t>(panel.back() * n_features + f)] != 0 && draws.bernoulli(0.3))
        carriers[static_cast<std::size_t>(f)].push_back(i);
    }
  }
  const Views views(carriers.begin(), carriers.end());
  const PairOrder order = pair_order(views, 400);
  const PairLists lists = make_pair_lists(order, views, 400);
  const PanelMask panels{panel, holds, n_panels};
  const ItemSets found = ItemSetFinder(lists, panels, nullptr, {.order = 3, .min_carriers = 6}).find(0, 300);
  EXPECT_GT(found.n_sets(), 10);
  for (Index set = 0; set < found.n_sets(); set += 1 + found.n_sets() / 200) {
    Counts cell(8);
    const auto features = found.features_of(set);
    for (std::int32_t i = 0; i < 400; ++i) {
      std::size_t c = 0;
      bool tested = true;
      for (std::size_t j = 0; j < 3; ++j) {
        const Index at_panel = panel[static_cast<std::size_t>(i)] * n_features + features[j];
        tested = tested && holds[static_cast<std::size_t>(at_panel)] != 0;
        const Counts& list = carriers[static_cast<std::size_t>(features[j])];
        if (std::ranges::binary_search(list, i)) c |= std::size_t{1} << j;
      }
      cell[c] += tested;
    }
    EXPECT_TRUE(std::ranges::equal(cell, found.cells_of(set))) << "set " << set;
  }
}

TEST_F(ItemSetsTest, CountOnlyWhoIsTestedForAllFeatures) {
  Index n_sets = 0;
  for (const Index n_panels : {1, 5}) {
    for (const double share_missing : {0.0, 0.02, 0.3}) {
      const PanelCohort cohort(700, 13, n_panels, share_missing, 0.8);
      for (const bool stratified : {false, true}) {
        for (const int order : {2, 3, 4}) {
          const Groups groups = stratified ? Groups{cohort.stratum, 2} : Groups{};
          const std::string where = std::to_string(n_panels) + " panels, " + std::to_string(share_missing) +
                                    " missing, order " + std::to_string(order);
          n_sets += expect_sets_of_reference(cohort.carrier_views, cohort.missing_views, cohort.panels, 700,
                                             groups, {.order = order, .min_carriers = 3}, where);
        }
      }
    }
  }
  EXPECT_GT(n_sets, 500);
}

TEST_F(ItemSetsTest, UnitsAndThreadsChangeNothing) {
  const PanelCohort cohort(2000, 40, 3, 0.05, 0.6);
  const PairOrder order = pair_order(cohort.carrier_views, 2000);
  const PairLists lists = make_pair_lists(order, cohort.carrier_views, 2000);
  const PairLists missing = make_pair_lists(order, cohort.missing_views, 2000);
  const int threads = omp_get_max_threads();
  for (const int set_order : {3, 4}) {
    const ItemSetFinder finder(lists, cohort.panels, &missing, {.order = set_order, .min_carriers = 3});
    omp_set_num_threads(1);
    const ItemSets whole = finder.find(0, 40);
    EXPECT_GT(whole.n_sets(), 100);
    omp_set_num_threads(3);
    for (const Index n_units : {1, 3, 17, 60}) {
      const std::vector<Index> units = finder.split(n_units);
      ASSERT_EQ(static_cast<Index>(units.size()), n_units + 1);
      ItemSets together{.order = set_order};
      for (std::size_t u = 0; u + 1 < units.size(); ++u) {
        const ItemSets part = finder.find(units[u], units[u + 1]);
        together.feature.insert(together.feature.end(), part.feature.begin(), part.feature.end());
        together.cell.insert(together.cell.end(), part.cell.begin(), part.cell.end());
      }
      expect_same(together, whole, std::to_string(n_units) + " units");
    }
  }
  omp_set_num_threads(threads);
}

TEST_F(ItemSetsTest, SplitEvenlyByCost) {
  const ListCohort cohort(5000, 120, 0.3, 0.01);
  const PairOrder order = pair_order(cohort.carriers(), 5000);
  const PairLists lists = make_pair_lists(order, cohort.carriers(), 5000);
  const ItemSetFinder finder(lists, {}, nullptr, {.order = 3, .min_carriers = 1});
  const std::vector<Index> units = finder.split(4);
  ASSERT_EQ(units.size(), 5U);
  EXPECT_EQ(units.front(), 0);
  EXPECT_EQ(units.back(), 120);
  for (std::size_t u = 0; u < 4; ++u) EXPECT_LT(units[u], units[u + 1]);
  EXPECT_GT(units[1], 30);  // features of the first ranks have few before them
}

TEST_F(ItemSetsTest, RefuseWhatDoesNotFit) {
  const Counts a{0, 1}, b{1}, both{0, 1};
  const Views carriers{a, b}, untested{b, both};
  const PairOrder order = pair_order(carriers, 2);
  const PairLists lists = make_pair_lists(order, carriers, 2);
  const PairLists missing = make_pair_lists(order, untested, 2);
  EXPECT_THROW(ItemSetFinder(lists, {}, nullptr, {.order = 5, .min_carriers = 1}), ShapeError);
  EXPECT_THROW(ItemSetFinder(lists, {}, nullptr, {.order = 1, .min_carriers = 1}), ShapeError);
  EXPECT_THROW(ItemSetFinder(lists, {}, nullptr, {.order = 2, .min_carriers = -1}), ShapeError);
  EXPECT_THROW(ItemSetFinder(lists, {}, &missing, {.order = 2, .min_carriers = 1}), ShapeError);
  const std::vector<std::int16_t> panel{0, 1}, none{0, -1}, unknown{0, 2}, few{0};
  const std::vector<std::uint8_t> holds{1, 1, 0, 1}, short_mask{1, 1, 1};
  const auto with = [&](const std::vector<std::int16_t>& of, const std::vector<std::uint8_t>& mask) {
    return ItemSetFinder(lists, {of, mask, 2}, nullptr, {.order = 2, .min_carriers = 1});
  };
  EXPECT_THROW(with(panel, holds), ShapeError);  // patient 1 carries a, which panel 1 does not hold
  EXPECT_THROW(with(none, holds), ShapeError);
  EXPECT_THROW(with(unknown, holds), ShapeError);
  EXPECT_THROW(with(few, holds), ShapeError);
  EXPECT_THROW(with(panel, short_mask), ShapeError);
  const ItemSetFinder finder(lists, {}, nullptr, {.order = 2, .min_carriers = 1});
  EXPECT_THROW(finder.find(0, 3), ShapeError);
  EXPECT_THROW(finder.find(-1, 1), ShapeError);
  EXPECT_THROW(finder.split(0), ShapeError);
  EXPECT_EQ(finder.find(1, 1).n_sets(), 0);
}

}  // namespace
}  // namespace chorale::kernels
