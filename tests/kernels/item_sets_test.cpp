// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/item_sets.hpp"

#include <gtest/gtest.h>
#include <omp.h>

#include <algorithm>

#include "kernels/error.hpp"
#include "kernels/level.hpp"
#include "tests/kernels/pair_counts_cohort.hpp"
#include "tests/kernels/panel_cohort.hpp"

namespace chorale::kernels {
namespace {

using Counts = std::vector<std::int32_t>;
using Views = std::vector<std::span<const std::int32_t>>;

void expect_same(const ItemSets& found, const ItemSets& expected, const std::string& where) {
  EXPECT_EQ(found.order, expected.order) << where;
  EXPECT_EQ(found.feature, expected.feature) << where;
  EXPECT_EQ(found.n_all, expected.n_all) << where;
}

/// Both methods at every level against every patient asked about every set; returns how many sets there are.
Index expect_sets_of_reference(PatientLists carriers, Index n_patients, const Groups& groups,
                               const ItemSetOptions& options, const std::string& where) {
  const PairOrder order = pair_order(carriers, n_patients);
  const PairLists lists = make_pair_lists(order, carriers, n_patients, groups, 0);
  const ItemSets expected = reference::item_sets(order, carriers, lists.patient, options);
  const ItemSetFinder finder(lists, options);
  for (const Level level : available_levels()) {
    force_level(level);
    for (const ItemSetMethod method : {ItemSetMethod::cheapest, ItemSetMethod::lists, ItemSetMethod::bits})
      expect_same(finder.find(0, 1, method), expected, where);
  }
  return expected.n_sets();
}

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
  const ItemSets found = ItemSetFinder(lists, {.order = 3, .min_carriers = 2}).find();
  EXPECT_EQ(found.feature, (Counts{0, 1, 2}));
  EXPECT_EQ(found.n_all, (Counts{2}));  // 0 1
  EXPECT_EQ(found.n_sets(), 1);
  EXPECT_EQ(found.features_of(0)[2], 2);

  const ItemSets carried = ItemSetFinder(lists, {.order = 3, .min_carriers = 1}).find();
  EXPECT_EQ(carried.feature, (Counts{0, 1, 2, 0, 1, 3, 0, 2, 3, 1, 2, 3}));
  EXPECT_EQ(carried.n_all, (Counts{2, 1, 1, 1}));
  const ItemSets four = ItemSetFinder(lists, {.order = 4, .min_carriers = 1}).find();
  EXPECT_EQ(four.feature, (Counts{0, 1, 2, 3}));
  EXPECT_EQ(four.n_all, (Counts{1}));
}

TEST_F(ItemSetsTest, MatchTheReferenceAtEveryLevel) {
  for (const Index n_patients : {0, 1, 63, 64, 65, 211, 523}) {
    for (const Index n_features : {1, 3, 4, 12}) {
      const ListCohort cohort(n_patients, n_features, 0.7, 0.01, 4);
      for (const int order : {2, 3, 4}) {
        for (const Index least : {0, 1, 9}) {
          const std::string where = std::to_string(n_patients) + " patients, " + std::to_string(n_features) +
                                    " features, order " + std::to_string(order);
          expect_sets_of_reference(cohort.carriers(), n_patients, {}, {.order = order, .min_carriers = least},
                                   where);
        }
      }
    }
  }
}

TEST_F(ItemSetsTest, LongRowsAreCountedInPieces) {
  // more than 2^15 patients, so that rows of bits are longer than what the dense body takes at once
  const ListCohort cohort(40'000, 6, 0.6, 0.1);
  const Index n_sets =
      expect_sets_of_reference(cohort.carriers(), 40'000, {}, {.order = 3, .min_carriers = 1}, "long rows");
  EXPECT_EQ(n_sets, 20);
}

TEST_F(ItemSetsTest, CountOnlyTheStratum) {
  const PanelCohort cohort(700, 13, 5, 0.02, 0.8);
  Index n_sets = 0;
  for (const int order : {2, 3, 4})
    n_sets += expect_sets_of_reference(cohort.carrier_views, 700, {cohort.stratum, 2},
                                       {.order = order, .min_carriers = 3}, "order " + std::to_string(order));
  EXPECT_GT(n_sets, 100);
}

TEST_F(ItemSetsTest, FeaturesOfSeveralBlocks) {
  // frequent features are blocks of their own, rare ones others: words of four are filled up in each
  const ListCohort cohort(3000, 60, 0.4, 0.002);
  const PairOrder order = pair_order(cohort.carriers(), 3000);
  ASSERT_GE(order.n_blocks(), 2);
  EXPECT_GT(expect_sets_of_reference(cohort.carriers(), 3000, {}, {.order = 3, .min_carriers = 2}, "blocks"),
            1000);
}

TEST_F(ItemSetsTest, UnitsAndThreadsChangeNothing) {
  const PanelCohort cohort(2000, 40, 3, 0.05, 0.6);
  const PairOrder order = pair_order(cohort.carrier_views, 2000);
  const PairLists lists = make_pair_lists(order, cohort.carrier_views, 2000);
  const int threads = omp_get_max_threads();
  for (const int set_order : {3, 4}) {
    const ItemSetFinder finder(lists, {.order = set_order, .min_carriers = 3});
    omp_set_num_threads(1);
    const ItemSets whole = finder.find();
    EXPECT_GT(whole.n_sets(), 100);
    std::vector<Counts> expected;
    for (Index set = 0; set < whole.n_sets(); ++set) {
      expected.emplace_back(whole.features_of(set).begin(), whole.features_of(set).end());
      expected.back().push_back(whole.n_all[static_cast<std::size_t>(set)]);
    }
    std::ranges::sort(expected);
    omp_set_num_threads(3);
    expect_same(finder.find(), whole, "threads");
    for (const Index n_units : {1, 3, 17, 60}) {
      std::vector<Counts> together;
      for (Index unit = 0; unit < n_units; ++unit) {
        const ItemSets part = finder.find(unit, n_units);
        for (Index set = 0; set < part.n_sets(); ++set) {
          together.emplace_back(part.features_of(set).begin(), part.features_of(set).end());
          together.back().push_back(part.n_all[static_cast<std::size_t>(set)]);
        }
      }
      std::ranges::sort(together);
      EXPECT_EQ(together, expected) << n_units << " units";
    }
  }
  omp_set_num_threads(threads);
}

TEST_F(ItemSetsTest, RefuseWhatDoesNotFit) {
  const Counts a{0, 1}, b{1};
  const Views carriers{a, b};
  const PairOrder order = pair_order(carriers, 2);
  const PairLists lists = make_pair_lists(order, carriers, 2);
  EXPECT_THROW(ItemSetFinder(lists, {.order = 5, .min_carriers = 1}), ShapeError);
  EXPECT_THROW(ItemSetFinder(lists, {.order = 1, .min_carriers = 1}), ShapeError);
  EXPECT_THROW(ItemSetFinder(lists, {.order = 2, .min_carriers = -1}), ShapeError);
  const ItemSetFinder finder(lists, {.order = 2, .min_carriers = 1});
  EXPECT_THROW(finder.find(-1, 1), ShapeError);
  EXPECT_THROW(finder.find(0, 0), ShapeError);
  EXPECT_EQ(finder.find(2, 1).n_sets(), 0);
  EXPECT_EQ(finder.find(1, 7).n_sets(), 1);
}

}  // namespace
}  // namespace chorale::kernels
