// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/calibration.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "kernels/error.hpp"
#include "tests/kernels/survival_data.hpp"

namespace chorale::kernels {
namespace {

using survival_data::Cohort;
using survival_data::random_cohort;
using survival_data::twenty_four;
using survival_data::With;

// survival 3.5.3: coxph(...), tests/oracle/brier.R
TEST(CalibrationSlope, MatchesRSurvival) {
  const auto expect = [](With with, Ties ties, double slope, double se) {
    const Cohort cohort = twenty_four(with);
    const CalibrationSlope found =
        calibration_slope(make_risk_order(cohort.timeline()), cohort.covariate, {}, ties);
    EXPECT_EQ(found.verdict, CoxVerdict::converged);
    EXPECT_NEAR(found.slope, slope, 1e-12);
    // the information is that before the last step, of up to 1e-8 standard errors
    EXPECT_NEAR(found.se, se, 1e-9);
  };
  expect({}, Ties::efron, 0.0753128847039692, 0.196931130312638);
  expect({}, Ties::breslow, 0.0686602643994832, 0.197430660049661);
  expect({.weight = true, .stratum = true}, Ties::efron, -0.0137001803494408, 0.241394577043783);
  expect({.weight = true, .stratum = true}, Ties::breslow, -0.0212107263370975, 0.2424226545861);
}

TEST(CalibrationSlope, IsTheCoxFitOfOneColumnUnderTheSameWeights) {
  for (unsigned seed = 1; seed <= 60; ++seed) {
    const With with{.entry = seed % 2 == 0, .stratum = seed % 3 == 0};
    Cohort cohort = random_cohort({.n = 40 + Index{seed}, .days = 12, .with = with, .seed = seed});
    const RiskOrder order = make_risk_order(cohort.timeline());
    for (std::size_t i = 0; i < cohort.time.size(); ++i)
      cohort.weight.push_back(static_cast<double>((i * seed) % 4));
    const CoxDesign design = make_cox_design(cohort.timeline(), {cohort.covariate, 1, {}});
    for (const Ties ties : {Ties::efron, Ties::breslow}) {
      const CoxFit fit = cox_fit(design, {.ties = ties});
      const CalibrationSlope found = calibration_slope(order, cohort.covariate, cohort.weight, ties);
      ASSERT_EQ(found.verdict, fit.verdict) << seed;
      EXPECT_EQ(found.n_events, fit.n_events);
      if (fit.verdict != CoxVerdict::converged) continue;
      EXPECT_NEAR(found.slope, fit.beta[0], 1e-10) << seed;
      EXPECT_NEAR(found.se, std::sqrt(fit.covariance[0]), 1e-9) << seed;
    }
  }
}

TEST(CalibrationSlope, NoSlopeHasAVerdict) {
  Cohort cohort = twenty_four({});
  const RiskOrder order = make_risk_order(cohort.timeline());
  const std::vector<double> equal(24, 3), none(24, 0);
  EXPECT_EQ(calibration_slope(order, equal, {}, Ties::efron).verdict, CoxVerdict::singular);
  EXPECT_EQ(calibration_slope(order, cohort.covariate, none, Ties::efron).verdict, CoxVerdict::no_events);
  std::vector<double> time = cohort.time;
  for (double& t : time) t = -t;
  const CalibrationSlope perfect = calibration_slope(order, time, {}, Ties::efron);
  EXPECT_EQ(perfect.verdict, CoxVerdict::monotone);
  EXPECT_TRUE(std::isnan(perfect.slope));
}

void expect_matches(const CalibrationGroup& found, const std::vector<double>& r) {
  EXPECT_EQ(found.n, static_cast<Index>(r[0]));
  EXPECT_EQ(found.weight, r[1]);
  EXPECT_NEAR(found.predicted, r[2], 1e-14);
  EXPECT_NEAR(found.observed, r[3], 1e-14);
  EXPECT_NEAR(found.se, r[4], 1e-13);
  EXPECT_NEAR(found.lower, r[5], 1e-13);
  EXPECT_NEAR(found.upper, r[6], 1e-13);
}

// survival 3.5.3: summary(survfit(..., conf.type = "log-log"), times = 8.5), tests/oracle/brier.R
TEST(CalibrationGroups, MatchRSurvival) {
  Cohort cohort = twenty_four({.weight = true});
  std::vector<double> survival, weight;
  for (const double z : cohort.covariate) survival.push_back((1 + z) / 8);
  for (const double w : cohort.weight) weight.push_back(2 * w);
  const RiskOrder order = make_risk_order(cohort.timeline());
  const auto plain = calibration_groups(order, survival, 8.5, std::vector<double>(24, 1), 3);
  ASSERT_EQ(plain.size(), 3u);
  expect_matches(plain[0],
                 {9, 9, 0.25, 0.380952380952381, 0.172216213569592, 0.0891834484080724, 0.68022176853416});
  expect_matches(plain[1], {6, 6, 0.40625, 0.5, 0.204124145231932, 0.110948260351438, 0.803709236850057});
  expect_matches(plain[2], {9, 9, 0.583333333333333, 0.666666666666667, 0.157134840263677, 0.281682242221651,
                            0.878306757631374});
  const auto weighted = calibration_groups(order, survival, 8.5, weight, 3);
  expect_matches(weighted[0],
                 {6, 10, 0.23125, 0.222222222222222, 0.13857990321385, 0.0337114550507025, 0.51306832389973});
  expect_matches(weighted[1], {9, 13, 0.365384615384615, 0.384615384615385, 0.134932002970312,
                               0.14053765540905, 0.627961630098095});
  expect_matches(weighted[2],
                 {9, 13, 0.5625, 0.692307692307692, 0.128007737590437, 0.373363484157172, 0.871750116512527});
}

TEST(CalibrationGroups, AreKaplanMeierOfTheGroupWithLateEntriesToo) {
  const Cohort cohort = random_cohort({.n = 300, .with = {.entry = true}, .seed = 6});
  const Timeline timeline = cohort.timeline();
  const auto groups = calibration_groups(make_risk_order(timeline), cohort.feature, 7, {}, 2);
  std::vector<std::uint8_t> carries;
  for (const double x : cohort.feature) carries.push_back(x != 0);
  const KmCurve curve = kaplan_meier(timeline, carries);
  const std::vector<double> at{7};
  const KmPoint point = km_landmarks(timeline, carries, curve, at)[0];
  EXPECT_NEAR(groups[1].observed, point.survival, 1e-13);
  EXPECT_NEAR(groups[1].se, point.se, 1e-13);
  EXPECT_NEAR(groups[1].lower, point.lower, 1e-13);
}

TEST(CalibrationGroups, EmptyAndBeyondFollowUp) {
  const Cohort cohort = twenty_four({});
  const RiskOrder order = make_risk_order(cohort.timeline());
  const std::vector<double> equal(24, 0.5);
  const auto groups = calibration_groups(order, equal, 99, {}, 3);
  EXPECT_EQ(groups[0].n, 0);
  EXPECT_TRUE(std::isnan(groups[0].predicted));
  EXPECT_EQ(groups[1].n, 24);
  EXPECT_TRUE(std::isnan(groups[1].observed));
  EXPECT_THROW(calibration_groups(order, equal, 5, {}, 0), ShapeError);
  EXPECT_THROW(calibration_groups(order, std::vector<double>(3), 5, {}, 2), ShapeError);
  EXPECT_THROW(
      calibration_groups(make_risk_order(twenty_four({.stratum = true}).timeline()), equal, 5, {}, 2),
      ShapeError);
}

}  // namespace
}  // namespace chorale::kernels
