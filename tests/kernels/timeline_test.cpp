// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/timeline.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "kernels/error.hpp"
#include "tests/kernels/survival_data.hpp"

namespace chorale::kernels {
namespace {

using survival_data::Cohort;
using survival_data::random_cohort;

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

TEST(Timeline, HoldsTheDistinctEventTimesAndWhoIsAtRisk) {
  Cohort c;
  c.time = {5, 2, 5, 3, 7, 1};
  c.event = {1, 1, 1, 0, 0, 0};
  const Timeline timeline = c.timeline();

  EXPECT_EQ(timeline.time, (std::vector<double>{2, 5}));
  EXPECT_EQ(timeline.first, (std::vector<std::int32_t>{0, 0, 0, 0, 0, 0}));
  EXPECT_EQ(timeline.last, (std::vector<std::int32_t>{2, 1, 2, 1, 2, 0}));
  const RiskTotals totals = risk_totals(timeline);
  EXPECT_EQ(totals.at_risk, (std::vector<double>{5, 3}));
  EXPECT_EQ(totals.deaths, (std::vector<double>{1, 2}));
  EXPECT_EQ(totals.n_analysed, 6);
  EXPECT_EQ(totals.n_events, 3);
}

TEST(Timeline, KeepsStrataApart) {
  Cohort c;
  c.time = {5, 2, 5, 3};
  c.event = {1, 1, 1, 1};
  c.stratum = {1, 0, 0, 1};
  const Timeline timeline = c.timeline();

  EXPECT_EQ(timeline.time, (std::vector<double>{2, 5, 3, 5}));
  EXPECT_EQ(timeline.stratum_begin, (std::vector<Index>{0, 2, 4}));
  EXPECT_EQ(risk_totals(timeline).at_risk, (std::vector<double>{2, 1, 2, 1}));
}

TEST(Timeline, EntersAfterTheEntryTime) {
  Cohort c;
  c.time = {2, 3, 4};
  c.event = {1, 1, 1};
  c.entry = {0, 2, 3};
  const Timeline timeline = c.timeline();

  // whoever enters at 2 is not at risk at 2
  EXPECT_EQ(timeline.first, (std::vector<std::int32_t>{0, 1, 2}));
  EXPECT_EQ(risk_totals(timeline).at_risk, (std::vector<double>{1, 1, 1}));
}

TEST(Timeline, CountsWhoLeavesAndWhy) {
  Cohort c;
  c.time = {1, nan, 3, 4, 5, 6, 7};
  c.event = {1, 1, -1, 1, 1, 1, 1};
  c.stratum = {0, 0, 0, -1, 0, 0, 0};
  c.weight = {1, 1, 1, 1, 0, 2, 1};
  c.entry = {0, 0, 0, 0, 0, 6, 1};
  const Timeline timeline = c.timeline();

  EXPECT_EQ(timeline.attrition.missing_outcome, 2);
  EXPECT_EQ(timeline.attrition.missing_stratum, 1);
  EXPECT_EQ(timeline.attrition.missing_weight, 1);
  EXPECT_EQ(timeline.attrition.entry_not_before_exit, 1);
  EXPECT_EQ(timeline.analysed, (std::vector<std::uint8_t>{1, 0, 0, 0, 0, 0, 1}));
}

TEST(Timeline, AnEntryThatIsUnknownMakesNobodyLate) {
  Cohort c;
  c.time = {0, nan, 2, 3};
  c.event = {1, -1, 1, 1};
  c.entry = {0, nan, nan, 0};  // the second has no outcome at all, the third's follow-up has no beginning
  const Timeline timeline = c.timeline();
  EXPECT_TRUE(timeline.entry.empty());
  EXPECT_EQ(timeline.attrition.missing_outcome, 2);
  EXPECT_EQ(timeline.analysed, (std::vector<std::uint8_t>{1, 0, 0, 1}));
}

TEST(Timeline, ZeroTimesStayUnlessEntriesAreLate) {
  Cohort c;
  c.time = {0, 1};
  c.event = {1, 1};
  c.entry = {0, 0};
  EXPECT_EQ(risk_totals(c.timeline()).n_analysed, 2);
  EXPECT_TRUE(c.timeline().entry.empty());
  c.entry = {0, 0.5};
  EXPECT_EQ(c.timeline().attrition.entry_not_before_exit, 1);
}

TEST(Timeline, TimesApartByRoundingAreTied) {
  // survival 3.5.3: survfit(Surv(c(1, 1 + 1e-9, 2, 3 - 1e-9, 3, 4), 1) ~ 1)$time and $n.event are
  // 1, 2, 3 - 1e-9, 4 and 2, 1, 2, 1; tests/oracle/survival.R
  Cohort c;
  c.time = {1, 1 + 1e-9, 2, 3 - 1e-9, 3, 4};
  c.event = {1, 1, 1, 1, 1, 1};
  const Timeline timeline = c.timeline();
  EXPECT_EQ(timeline.time, (std::vector<double>{1, 2, 3 - 1e-9, 4}));
  EXPECT_EQ(risk_totals(timeline).deaths, (std::vector<double>{2, 1, 2, 1}));
}

TEST(Timeline, WeightsAllOneAreNoWeights) {
  Cohort c;
  c.time = {1, 2};
  c.event = {1, 0};
  c.weight = {1, 1};
  EXPECT_TRUE(c.timeline().weight.empty());
}

TEST(Timeline, OfNobodyIsEmpty) {
  const Timeline timeline = make_timeline({});
  EXPECT_EQ(timeline.n_times(), 0);
  EXPECT_EQ(risk_totals(timeline).n_analysed, 0);
}

TEST(RiskTotals, CountWhoTheDefinitionCounts) {
  for (unsigned seed = 0; seed < 40; ++seed) {
    const Cohort c = random_cohort(
        {.n = 67, .days = 15, .with = {seed % 2 == 0, seed % 3 == 0, seed % 5 < 2}, .seed = seed});
    const Timeline timeline = c.timeline();
    std::vector<std::uint8_t> tested(67);
    for (std::size_t i = 0; i < 67; ++i) tested[i] = i % 3 != 0;
    const RiskTotals totals = risk_totals(timeline, tested);
    for (std::size_t k = 0; k < timeline.time.size(); ++k) {
      const auto t = static_cast<std::int32_t>(k);
      double at_risk = 0, deaths = 0, weight = 0;
      for (std::size_t i = 0; i < 67; ++i) {
        if (!timeline.analysed[i] || !tested[i] || t < timeline.first[i] || t >= timeline.last[i]) continue;
        at_risk += 1;
        deaths += timeline.event[i] && timeline.last[i] - 1 == t;
        weight += timeline.weight.empty() ? 1 : timeline.weight[i];
      }
      EXPECT_EQ(totals.at_risk[k], at_risk);
      EXPECT_EQ(totals.deaths[k], deaths);
      if (timeline.weight.empty()) continue;
      EXPECT_NEAR(totals.weighted_at_risk[k], weight, 1e-12);
    }
  }
}

TEST(Timeline, RefusesWhatCannotBe) {
  Cohort c;
  c.time = {1, 2};
  c.event = {1};
  EXPECT_THROW(c.timeline(), ShapeError);
  c.event = {1, 2};
  EXPECT_THROW(c.timeline(), ShapeError);
  c.event = {1, 0};
  c.weight = {1, -1};
  EXPECT_THROW(c.timeline(), ShapeError);
  c.weight.clear();
  c.stratum = {0, -2};
  EXPECT_THROW(c.timeline(), ShapeError);
  c.stratum = {0};
  EXPECT_THROW(c.timeline(), ShapeError);
}

TEST(RiskTotals, RefuseAMaskOfAnotherLength) {
  Cohort c;
  c.time = {1, 2};
  c.event = {1, 0};
  const std::vector<std::uint8_t> mask{1};
  EXPECT_THROW(risk_totals(c.timeline(), mask), ShapeError);
}

}  // namespace
}  // namespace chorale::kernels
