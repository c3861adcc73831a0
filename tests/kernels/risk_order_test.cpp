// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/risk_order.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "kernels/censoring.hpp"
#include "kernels/error.hpp"
#include "tests/kernels/survival_data.hpp"

namespace chorale::kernels {
namespace {

using survival_data::Cohort;
using survival_data::random_cohort;

TEST(RiskOrder, SixPatientsByHand) {
  Cohort c;
  c.time = {5, 2, 1, 5, 3, 2};
  c.event = {1, 1, 0, 0, 0, 1};
  const RiskOrder order = make_risk_order(c.timeline());
  ASSERT_EQ(order.n_slots, 3);
  EXPECT_EQ(order.time[1], 2);
  EXPECT_EQ(order.time[2], 5);
  // before the first death: 2; on day 2 or after it: 4, then 1 and 5 die; on day 5: 3, then 0 dies
  EXPECT_EQ(order.patient, (std::vector<std::int32_t>{2, 4, 1, 5, 3, 0}));
  EXPECT_EQ(order.row_begin, (std::vector<std::int32_t>{0, 1, 1, 2, 4, 5, 6}));

  const std::vector<double> ones(6, 1);
  const Censoring censored = censoring(order, ones);
  // one of six is censored before day 2, one of the three who survive it before day 5
  EXPECT_NEAR(censored.before[1], 5.0 / 6, 1e-15);
  EXPECT_NEAR(censored.before[2], 5.0 / 6 * 2 / 3, 1e-15);
  EXPECT_NEAR(censored.survival[1], 3.0 / 5, 1e-15);
  EXPECT_NEAR(censored.survival[2], 3.0 / 5 / 2, 1e-15);
  EXPECT_NEAR(horizon_place(order, censored, ones, 0, 2.5).known, 5.0 / 6, 1e-15);
  EXPECT_NEAR(horizon_place(order, censored, ones, 0, 3).known, 5.0 / 6 * 2 / 3, 1e-15);
  EXPECT_EQ(horizon_place(order, censored, ones, 0, 5).known, 0);
}

TEST(RiskOrder, WhoIsAtRiskIsWhoTheTimelineSays) {
  for (unsigned seed = 1; seed <= 40; ++seed) {
    const Timeline timeline = random_cohort({.n = 80, .with = {true, true, true}, .seed = seed}).timeline();
    const RiskOrder order = make_risk_order(timeline);
    const RiskTotals totals = risk_totals(timeline);
    const auto begin_of = [&](Index slot) { return order.row_begin[static_cast<std::size_t>(2 * slot)]; };
    for (Index s = 0; s < order.n_strata; ++s) {
      const Index past = order.slot_begin[static_cast<std::size_t>(s) + 1];
      for (Index t = order.slot_begin[static_cast<std::size_t>(s)] + 1; t < past; ++t) {
        double n = 0;
        for (auto row = static_cast<std::size_t>(begin_of(t)); row < static_cast<std::size_t>(begin_of(past));
             ++row)
          n += order.enters[row] <= t;
        EXPECT_EQ(n, totals.at_risk[static_cast<std::size_t>(t - s - 1)]) << seed;
      }
    }
  }
}

TEST(RiskOrder, ArgumentsMustFit) {
  const Timeline timeline = random_cohort({.n = 30, .with = {.entry = true}}).timeline();
  const RiskOrder order = make_risk_order(timeline);
  const std::vector<double> ones(static_cast<std::size_t>(order.n_rows), 1);
  EXPECT_THROW(censoring(order, ones), ShapeError);
  EXPECT_THROW(censoring(make_risk_order(random_cohort({.n = 30}).timeline()), std::span(ones).first(2)),
               ShapeError);
  EXPECT_THROW(make_risk_order(timeline, std::vector<std::uint8_t>(29)), ShapeError);
}

}  // namespace
}  // namespace chorale::kernels
