// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/carrier_counts.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "kernels/draw.hpp"
#include "kernels/error.hpp"

namespace chorale::kernels {
namespace {

using Counts = std::vector<std::int64_t>;

// a cohort with panels, groups, carriers and single missing values, some patients without any alteration
struct Cohort {
  Index n_patients, n_groups, n_panels, n_features;
  std::vector<std::int64_t> offset = {0}, untested_offset = {0};
  std::vector<std::int32_t> feature = {}, untested_feature = {}, group = {};
  std::vector<std::int16_t> panel = {};
  std::vector<std::uint8_t> holds = {};

  SparseRowsView rows() const { return {offset, feature}; }
  SparseRowsView untested() const { return {untested_offset, untested_feature}; }
  Groups groups() const { return {group, n_groups}; }
  Counts empty_counts() const { return Counts(static_cast<std::size_t>(n_groups * n_features), -7); }
};

Cohort random_cohort(Index n_patients, Index n_groups, Index n_panels, Index n_features, double burden) {
  Cohort cohort{
      .n_patients = n_patients, .n_groups = n_groups, .n_panels = n_panels, .n_features = n_features};
  Draws masks(1, 0, 0);
  for (Index i = 0; i < n_panels * n_features; ++i) cohort.holds.push_back(masks.bernoulli(0.7));
  const double p = burden / static_cast<double>(n_features);
  for (Index patient = 0; patient < n_patients; ++patient) {
    Draws draws(1, 1, patient);
    const Index panel = draws.below(n_panels + 1) - 1;
    cohort.panel.push_back(static_cast<std::int16_t>(panel));
    cohort.group.push_back(static_cast<std::int32_t>(draws.below(n_groups + 1) - 1));
    for (Index f = draws.skip(p); f < n_features; f += 1 + draws.skip(p)) {
      const bool held = panel >= 0 && cohort.holds[static_cast<std::size_t>(panel * n_features + f)] != 0;
      if (!held) continue;
      auto& list = draws.bernoulli(0.1) ? cohort.untested_feature : cohort.feature;
      list.push_back(static_cast<std::int32_t>(f));
    }
    cohort.offset.push_back(static_cast<std::int64_t>(cohort.feature.size()));
    cohort.untested_offset.push_back(static_cast<std::int64_t>(cohort.untested_feature.size()));
  }
  return cohort;
}

Counts tested_of(const Cohort& cohort) {
  Counts n_by_panel(static_cast<std::size_t>(cohort.n_panels * cohort.n_groups));
  Counts untested = cohort.empty_counts(), tested = cohort.empty_counts();
  panel_counts(cohort.panel, cohort.groups(), cohort.n_panels, n_by_panel);
  carrier_counts(cohort.untested(), cohort.groups(), cohort.n_features, untested);
  tested_counts(cohort.holds, n_by_panel, untested, cohort.n_panels, cohort.n_groups, cohort.n_features,
                tested);
  return tested;
}

TEST(CarrierCounts, FourPatientsAreCountedByHand) {
  // patients: 0 in group 0 carries a, c; 1 in group 1 carries nothing; 2 left out carries b; 3 in group 0
  // carries c
  const std::vector<std::int64_t> offset{0, 2, 2, 3, 4};
  const std::vector<std::int32_t> feature{0, 2, 1, 2}, group{0, 1, -1, 0};
  Counts counts(6, -1);
  carrier_counts({offset, feature}, {group, 2}, 3, counts);
  EXPECT_EQ(counts, (Counts{1, 0, 2, 0, 0, 0}));

  // panel 0 holds a and b, panel 1 holds all; patient 3 misses b; patient 1, who carries nothing, is tested
  // all the same
  const std::vector<std::int16_t> panel{1, 0, 0, 1};
  Counts n_by_panel(4), tested(6);
  panel_counts(panel, {group, 2}, 2, n_by_panel);
  EXPECT_EQ(n_by_panel, (Counts{0, 1, 2, 0}));  // (panel, group)
  const std::vector<std::uint8_t> holds{1, 1, 0, 1, 1, 1};
  tested_counts(holds, n_by_panel, Counts{0, 1, 0, 0, 0, 0}, 2, 2, 3, tested);
  EXPECT_EQ(tested, (Counts{2, 1, 2, 1, 1, 0}));
  tested_counts(holds, n_by_panel, {}, 2, 2, 3, tested);
  EXPECT_EQ(tested, (Counts{2, 2, 2, 1, 1, 0}));
}

TEST(CarrierCounts, MatchTheReferenceOnAwkwardSizes) {
  for (const Index n_patients : {0, 1, 63, 64, 65, 211}) {
    for (const Index n_groups : {1, 2, 5}) {
      SCOPED_TRACE(testing::Message() << n_patients << " patients, " << n_groups << " groups");
      const Cohort cohort = random_cohort(n_patients, n_groups, 3, 17, 4);
      Counts found = cohort.empty_counts(), expected = cohort.empty_counts();
      carrier_counts(cohort.rows(), cohort.groups(), cohort.n_features, found);
      reference::carrier_counts(cohort.rows(), cohort.groups(), cohort.n_features, expected);
      EXPECT_EQ(found, expected);
      reference::tested_counts(cohort.holds, cohort.panel, cohort.untested(), cohort.groups(),
                               cohort.n_features, expected);
      EXPECT_EQ(tested_of(cohort), expected);
    }
  }
}

TEST(CarrierCounts, OfOneFeatureAreAColumnOfTheTable) {
  const Cohort cohort = random_cohort(500, 4, 2, 11, 3);
  Counts table = cohort.empty_counts();
  carrier_counts(cohort.rows(), cohort.groups(), cohort.n_features, table);
  for (std::int32_t f = 0; f < 11; ++f) {
    std::vector<std::int32_t> carriers;
    for (std::size_t i = 0; i < 500; ++i) {
      for (auto k = cohort.offset[i]; k < cohort.offset[i + 1]; ++k) {
        if (cohort.feature[static_cast<std::size_t>(k)] == f)
          carriers.push_back(static_cast<std::int32_t>(i));
      }
    }
    Counts column(4);
    group_counts(carriers, cohort.groups(), column);
    for (std::size_t g = 0; g < 4; ++g) EXPECT_EQ(column[g], table[g * 11 + static_cast<std::size_t>(f)]);
  }
}

TEST(CarrierCounts, WrongShapesAreRefused) {
  const Cohort c = random_cohort(30, 2, 2, 5, 2);
  Counts counts = c.empty_counts(), short_counts(3);
  EXPECT_THROW(carrier_counts(c.rows(), c.groups(), 5, short_counts), ShapeError);
  EXPECT_THROW(carrier_counts({}, {}, 5, counts), ShapeError);
  EXPECT_THROW(carrier_counts({c.offset, std::span(c.feature).first(1)}, c.groups(), 5, counts), ShapeError);
  const std::vector<std::int64_t> offset{0, 1};
  const std::vector<std::int32_t> feature{5}, group{0}, bad_group{2};
  EXPECT_THROW(carrier_counts({offset, feature}, {group, 2}, 5, counts), ShapeError);
  EXPECT_THROW(carrier_counts({offset, group}, {bad_group, 2}, 5, counts), ShapeError);
  EXPECT_THROW(group_counts(feature, c.groups(), short_counts), ShapeError);
  const std::vector<std::int16_t> bad_panel{2};
  Counts n_by_panel(4);
  EXPECT_THROW(panel_counts(bad_panel, {group, 2}, 2, n_by_panel), ShapeError);
  EXPECT_THROW(tested_counts(c.holds, n_by_panel, {}, 2, 2, 4, counts), ShapeError);
  EXPECT_THROW(tested_counts(c.holds, n_by_panel, Counts(10, 1), 2, 2, 5, counts), ShapeError);
}

}  // namespace
}  // namespace chorale::kernels
