// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include <gtest/gtest.h>

#include <cmath>

#include "kernels/error.hpp"
#include "kernels/two_group.hpp"
#include "tests/kernels/survival_data.hpp"

namespace chorale::kernels {
namespace {

using survival_data::close;
using survival_data::Cohort;
using survival_data::random_cohort;
using survival_data::twenty_four;

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

TwoGroupCurves curves_of(const Timeline& timeline, std::span<const std::int32_t> carriers,
                         std::span<const double> landmarks, ConfOptions conf,
                         std::span<const std::uint8_t> tested = {}) {
  TwoGroupCurves curves;
  two_group_curves(timeline, risk_totals(timeline, tested), {&carriers, 1}, landmarks, conf, {&curves, 1});
  return curves;
}

void expect_point(const KmPoint& found, const KmPoint& expected) {
  EXPECT_EQ(found.time, expected.time);
  EXPECT_TRUE(close(found.at_risk, expected.at_risk, 1e-12)) << found.at_risk << ", " << expected.at_risk;
  EXPECT_TRUE(close(found.survival, expected.survival, 1e-11)) << found.survival << ", " << expected.survival;
  EXPECT_TRUE(close(found.se, expected.se, 1e-10)) << found.se << ", " << expected.se;
  EXPECT_TRUE(close(found.lower, expected.lower, 1e-10)) << found.lower << ", " << expected.lower;
  EXPECT_TRUE(close(found.upper, expected.upper, 1e-10)) << found.upper << ", " << expected.upper;
}

void expect_median(const KmMedian& found, const KmMedian& expected) {
  EXPECT_TRUE(close(found.time, expected.time, 0)) << found.time << ", " << expected.time;
  EXPECT_TRUE(close(found.lower, expected.lower, 0)) << found.lower << ", " << expected.lower;
  EXPECT_TRUE(close(found.upper, expected.upper, 0)) << found.upper << ", " << expected.upper;
}

TEST(TwoGroupCurves, MatchRSurvfitInEachArm) {
  // survival 3.5.3: survfit(Surv(time, event) ~ 1, d[d$x == k, ], conf.type = "log-log"), summary at 3 and 8.5;
  // tests/oracle/survival.R; landmarks given out of order
  const Cohort c = twenty_four({});
  const std::vector<double> landmarks{8.5, 3};
  const auto carriers = c.carriers();
  const TwoGroupCurves curves = curves_of(c.timeline(), carriers, landmarks, {.type = ConfType::log_log});

  const KmPoint others[] = {
      {3, 12, 0.857142857142857, 0.0935219529582824, 0.539448177623169, 0.962231856406329},
      {8.5, 6, 0.476190476190476, 0.138117390774069, 0.202634467161499, 0.708340269047655}};
  const KmPoint with[] = {{3, 8, 0.7875, 0.134032995004961, 0.380881523205497, 0.942590952223704},
                          {8.5, 4, 0.5625, 0.165063908078053, 0.209421243710472, 0.809170921530992}};
  expect_median(curves.others.median, {8, 4, 12});
  expect_median(curves.carriers.median, {9, 1, nan});
  for (std::size_t k = 0; k < 2; ++k) {
    expect_point(curves.others.landmarks[k], others[1 - k]);
    expect_point(curves.carriers.landmarks[k], with[1 - k]);
  }
  EXPECT_EQ(curves.others.n_analysed, 14);
  EXPECT_EQ(curves.others.n_events, 12);
  EXPECT_EQ(curves.carriers.n_analysed, 10);
  EXPECT_EQ(curves.carriers.n_events, 6);
}

TEST(TwoGroupCurves, EqualTheCurveOfEachArmAlone) {
  unsigned seed = 0;
  for (const Index n : {1, 7, 64, 65, 211}) {
    for (const int days : {3, 40}) {
      for (const ConfType type : {ConfType::plain, ConfType::log, ConfType::log_log}) {
        for (const double share : {0.1, 0.95}) {
          ++seed;
          const Cohort c = random_cohort({.n = n,
                                          .days = days,
                                          .carriers = share,
                                          .with = {.entry = seed % 3 == 0, .weight = seed % 4 == 0},
                                          .seed = seed});
          const Timeline timeline = c.timeline();
          std::vector<std::uint8_t> tested, arm[2];
          for (Index i = 0; i < n; ++i) {
            const auto patient = static_cast<std::size_t>(i);
            tested.push_back(i % 5 != 2);
            for (const int k : {0, 1}) arm[k].push_back(tested.back() && c.feature[patient] == k);
          }
          const std::vector<double> landmarks{days / 3., days / 2., 0., 2. * days};
          const auto carriers = c.carriers();
          const TwoGroupCurves curves = curves_of(timeline, carriers, landmarks, {.type = type}, tested);
          for (const int k : {0, 1}) {
            const ArmCurve& found = k == 1 ? curves.carriers : curves.others;
            const KmCurve expected = kaplan_meier(timeline, arm[k], {.type = type});
            EXPECT_EQ(found.n_analysed, expected.n_analysed);
            EXPECT_EQ(found.n_events, expected.n_events);
            expect_median(found.median, km_median(expected));
            const auto points = km_landmarks(timeline, arm[k], expected, landmarks);
            for (std::size_t p = 0; p < points.size(); ++p) expect_point(found.landmarks[p], points[p]);
          }
        }
      }
    }
  }
}

TEST(TwoGroupCurves, RefuseATimelineWithStrata) {
  const Cohort c = twenty_four({.stratum = true});
  const auto carriers = c.carriers();
  EXPECT_THROW(curves_of(c.timeline(), carriers, {}, {}), ShapeError);
}

}  // namespace
}  // namespace chorale::kernels
