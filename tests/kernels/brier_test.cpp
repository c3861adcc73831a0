// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/brier.hpp"

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

/// A prediction that is not a good one.
std::vector<double> prediction_of(const Cohort& cohort) {
  std::vector<double> survival;
  for (const double z : cohort.covariate) survival.push_back((1 + z) / 8);
  return survival;
}

// the formula in R with survfit's curve of censoring, tests/oracle/brier.R
TEST(Brier, MatchesTheFormulaInR) {
  const auto expect = [](With with, const std::vector<double>& expected) {
    const Cohort cohort = twenty_four(with);
    const RiskOrder order = make_risk_order(cohort.timeline());
    const std::vector<double> horizons{4, 8.5, 12};
    for (std::size_t k = 0; k < 3; ++k) {
      const BrierScore found = brier_score(order, prediction_of(cohort), horizons[k], {});
      EXPECT_EQ(found.verdict, HorizonVerdict::computed);
      EXPECT_NEAR(found.score, expected[k], 1e-13) << horizons[k];
    }
  };
  expect({}, {0.300732421875, 0.24794921875, 0.253000076095779});
  expect({.weight = true}, {0.298922631048387, 0.222956880351454, 0.211089565287734});
  expect({.weight = true, .stratum = true}, {0.298254588293651, 0.222583912037037, 0.208436673280423});
}

TEST(Brier, OfKaplanMeierIsItsVariance) {
  // weights of cases and controls add up to the patients who die by the horizon and live on, as the curve has them
  for (unsigned seed = 1; seed <= 100; ++seed) {
    const Cohort cohort =
        random_cohort({.n = 20 + Index{seed}, .days = 15, .with = {.weight = seed % 2 == 0}, .seed = seed});
    const Timeline timeline = cohort.timeline();
    const RiskOrder order = make_risk_order(timeline);
    const KmCurve curve = kaplan_meier(timeline, {});
    for (const double horizon : {0.0, 2.5, 6.0}) {
      const auto after = std::upper_bound(curve.time.begin(), curve.time.end(), horizon) - curve.time.begin();
      const double km = after == 0 ? 1 : curve.survival[static_cast<std::size_t>(after - 1)];
      const BrierScore found = brier_score(order, std::vector<double>(cohort.time.size(), km), horizon, {});
      if (found.verdict != HorizonVerdict::computed) continue;
      EXPECT_NEAR(found.score, km * (1 - km), 1e-12) << seed << " " << horizon;
      EXPECT_NEAR(found.null_score, km * (1 - km), 1e-12) << seed << " " << horizon;
    }
  }
}

TEST(Brier, CurveIsTheScoreOfPredictedSurvival) {
  const Cohort cohort = random_cohort({.n = 400, .with = {.stratum = true}, .seed = 8});
  const RiskOrder order = make_risk_order(cohort.timeline());
  std::vector<double> eta = cohort.covariate, weight;
  for (double& value : eta) value *= 0.3;
  for (std::size_t i = 0; i < 400; ++i) weight.push_back(static_cast<double>(i % 4));
  const BaselineHazard hazard = baseline_hazard(order, eta, weight, Ties::efron);
  const std::vector<double> horizons{2, 5, 9};
  const BrierCurve curve = brier_curve(order, hazard, eta, horizons, weight);
  std::vector<double> survival(400);
  for (std::size_t k = 0; k < 3; ++k) {
    predicted_survival(order, hazard, eta, horizons[k], survival);
    EXPECT_NEAR(curve.at[k].score, brier_score(order, survival, horizons[k], weight).score, 1e-14);
  }
  EXPECT_NEAR(
      curve.integrated,
      (3 * (curve.at[0].score + curve.at[1].score) + 4 * (curve.at[1].score + curve.at[2].score)) / 14,
      1e-15);
  // with a hazard from elsewhere: 0.1 h in the first stratum, 0.2 h in the second, …
  std::vector<double> gathered;
  for (const double horizon : horizons)
    for (Index s = 0; s < order.n_strata; ++s) gathered.push_back(0.1 * static_cast<double>(s + 1) * horizon);
  const BrierCurve foreign = brier_curve(order, 0.5, gathered, eta, horizons, weight);
  for (std::size_t k = 0; k < 3; ++k) {
    const auto n_strata = static_cast<std::size_t>(order.n_strata);
    predicted_survival(order, 0.5, std::span(gathered).subspan(k * n_strata, n_strata), eta, survival);
    EXPECT_NEAR(foreign.at[k].score, brier_score(order, survival, horizons[k], weight).score, 1e-14);
  }
}

TEST(Brier, WeightsOfZeroAndTwoAreRowsLeftOutAndTwice) {
  const Cohort cohort = random_cohort({.n = 150, .seed = 3});
  std::vector<double> weight(150, 1);
  Cohort copies = cohort;
  for (std::size_t i = 0; i < 150; ++i) {
    if (i % 3 == 0) {
      weight[i] = 2;
      copies.time.push_back(cohort.time[i]);
      copies.event.push_back(cohort.event[i]);
      copies.covariate.push_back(cohort.covariate[i]);
    } else if (i % 3 == 1) {
      weight[i] = 0;
      copies.event[i] = -1;
    }
  }
  const BrierScore weighted =
      brier_score(make_risk_order(cohort.timeline()), prediction_of(cohort), 6, weight);
  const BrierScore repeated = brier_score(make_risk_order(copies.timeline()), prediction_of(copies), 6, {});
  EXPECT_EQ(weighted.verdict, HorizonVerdict::computed);
  EXPECT_NEAR(weighted.score, repeated.score, 1e-13);
  EXPECT_NEAR(weighted.null_score, repeated.null_score, 1e-13);
}

TEST(Brier, NobodyUnknownAndBeyondFollowUp) {
  Cohort cohort = twenty_four({});
  const RiskOrder order = make_risk_order(cohort.timeline());
  auto survival = prediction_of(cohort);
  EXPECT_EQ(brier_score(order, survival, 5, std::vector<double>(24, 0)).verdict, HorizonVerdict::nobody);
  // the last patient dies: nothing is unknown afterwards
  EXPECT_EQ(brier_score(order, survival, 99, {}).verdict, HorizonVerdict::computed);
  survival[7] = missing;
  EXPECT_EQ(brier_score(order, survival, 5, {}).n_missing, 1);
  cohort.event[23] = 0;
  const BrierScore beyond = brier_score(make_risk_order(cohort.timeline()), survival, 15, {});
  EXPECT_EQ(beyond.verdict, HorizonVerdict::beyond_follow_up);
  EXPECT_TRUE(std::isnan(beyond.score));
}

TEST(Brier, ArgumentsMustFit) {
  const Cohort cohort = twenty_four({});
  const RiskOrder order = make_risk_order(cohort.timeline()),
                  late = make_risk_order(twenty_four({.entry = true}).timeline());
  const std::vector<double> few(23), all(24), horizons{3, 2};
  EXPECT_THROW(brier_score(order, few, 5, {}), ShapeError);
  EXPECT_THROW(brier_score(order, all, 5, few), ShapeError);
  EXPECT_THROW(brier_score(late, all, 5, {}), ShapeError);
  EXPECT_THROW(brier_curve(order, baseline_hazard(order, all, {}, Ties::efron), all, horizons, {}),
               ShapeError);
  EXPECT_THROW(brier_curve(order, {}, all, std::span(horizons).first(1), {}), ShapeError);
  EXPECT_THROW(brier_curve(order, 0, std::span(all).first(2), all, std::span(horizons).first(1), {}),
               ShapeError);
}

}  // namespace
}  // namespace chorale::kernels
