// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/restricted_mean.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "kernels/error.hpp"
#include "tests/kernels/survival_data.hpp"

namespace chorale::kernels {
namespace {

using survival_data::Cohort;
using survival_data::twenty_four;

TEST(RestrictedMean, IsTheAreaUnderTheCurve) {
  Cohort c;  // S = 1, then 3/4 from day 1, 1/2 from day 2, 0 from day 4
  c.time = {1, 2, 3, 4};
  c.event = {1, 1, 0, 1};
  const RestrictedMean mean = restricted_mean(kaplan_meier(c.timeline(), {}), 3.5);
  EXPECT_EQ(mean.verdict, RmstVerdict::estimated);
  EXPECT_NEAR(mean.mean, 1 + 0.75 + 1.5 * 0.5, 1e-14);
  // (3/4 + 3/4)² · 1/(4·3) + (3/4)² · 1/(3·2)
  EXPECT_NEAR(mean.se, std::sqrt(1.5 * 1.5 / 12 + 0.75 * 0.75 / 6), 1e-14);
}

TEST(RestrictedMean, MatchesRSurvfit) {
  // survival 3.5.3: print(survfit(…), rmean = ); tests/oracle/nelson_aalen.R
  const Timeline timeline = twenty_four({}).timeline();
  const RestrictedMean ten = restricted_mean(kaplan_meier(timeline, {}), 10);
  EXPECT_NEAR(ten.mean, 7.07357954545455, 1e-13);
  EXPECT_NEAR(ten.se, 0.676053150557586, 1e-14);
  const RestrictedMean all = restricted_mean(kaplan_meier(timeline, {}), 15);
  EXPECT_NEAR(all.mean, 8.26578733766234, 1e-13);
  EXPECT_NEAR(all.se, 0.971789642529483, 1e-14);
  const RestrictedMean late = restricted_mean(kaplan_meier(twenty_four({.entry = true}).timeline(), {}), 9.5);
  EXPECT_NEAR(late.mean, 6.92929292929293, 1e-13);
  EXPECT_NEAR(late.se, 0.657229782791002, 1e-14);
  Cohort c = twenty_four({.weight = true});
  for (double& weight : c.weight) weight *= 2;
  const RestrictedMean copies = restricted_mean(kaplan_meier(c.timeline(), {}), 9.5);
  EXPECT_NEAR(copies.mean, 6.71815440632645, 1e-13);
  EXPECT_NEAR(copies.se, 0.510781309567008, 1e-14);
}

TEST(RestrictedMean, ComparesTwoGroups) {
  // survival 3.5.3: print(survfit(Surv(time, event) ~ x), rmean = 9.5); tests/oracle/nelson_aalen.R
  const Cohort c = twenty_four({});
  std::vector<std::uint8_t> without, with;
  for (const double x : c.feature) {
    with.push_back(x != 0);
    without.push_back(x == 0);
  }
  const Timeline timeline = c.timeline();
  const RestrictedMean a = restricted_mean(kaplan_meier(timeline, without), 9.5);
  const RestrictedMean b = restricted_mean(kaplan_meier(timeline, with), 9.5);
  EXPECT_NEAR(a.mean, 6.93650793650794, 1e-13);
  EXPECT_NEAR(b.se, 1.0385486570153, 1e-13);
  const RmstDifference gained = compare(a, b);
  EXPECT_NEAR(gained.difference, 6.7234375 - 6.93650793650794, 1e-13);
  EXPECT_NEAR(gained.se, std::hypot(0.81455862951475, 1.0385486570153), 1e-13);
  EXPECT_NEAR(gained.upper - gained.lower, 2 * 1.95996398454005 * gained.se, 1e-12);
  EXPECT_NEAR(gained.log10_p, std::log10(std::erfc(std::abs(gained.z) / std::sqrt(2))), 1e-12);
}

TEST(RestrictedMean, DoesNotRestOnTimesThatNobodySaw) {
  Cohort c = twenty_four({});
  EXPECT_NEAR(restricted_mean(kaplan_meier(c.timeline(), {}), 20).mean, 8.26578733766234, 1e-13);  // S is 0
  c.event.back() = 0;
  const RestrictedMean mean = restricted_mean(kaplan_meier(c.timeline(), {}), 15.5);
  EXPECT_EQ(mean.verdict, RmstVerdict::beyond_follow_up);
  EXPECT_TRUE(std::isnan(mean.mean) && std::isnan(mean.se) && std::isnan(mean.lower));
}

TEST(RestrictedMean, OfNobodyIsMissing) {
  EXPECT_EQ(restricted_mean(KmCurve{}, 5).verdict, RmstVerdict::nobody);
}

TEST(RestrictedMean, RefusesWhatCannotBeAHorizon) {
  const KmCurve curve = kaplan_meier(twenty_four({}).timeline(), {});
  EXPECT_THROW(restricted_mean(curve, 0), ShapeError);
  EXPECT_THROW(compare(restricted_mean(curve, 5), restricted_mean(curve, 6)), ShapeError);
}

}  // namespace
}  // namespace chorale::kernels
