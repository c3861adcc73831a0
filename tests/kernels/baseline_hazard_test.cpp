// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/baseline_hazard.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "kernels/error.hpp"
#include "kernels/two_group.hpp"
#include "tests/kernels/survival_data.hpp"

namespace chorale::kernels {
namespace {

using survival_data::Cohort;
using survival_data::random_cohort;
using survival_data::twenty_four;
using survival_data::With;

std::vector<double> predictor_of(const Cohort& cohort, double beta) {
  std::vector<double> eta = cohort.covariate;
  for (double& value : eta) value *= beta;
  return eta;
}

/// Cumulative hazards of a linear predictor of 0, without the stratum's first slot.
void expect_matches(With with, double beta, Ties ties, const std::vector<double>& expected) {
  const Cohort cohort = twenty_four(with);
  const RiskOrder order = make_risk_order(cohort.timeline());
  const BaselineHazard hazard = baseline_hazard(order, predictor_of(cohort, beta), {}, ties);
  std::vector<double> found;
  for (std::size_t t = 0; t < hazard.cumulative.size(); ++t)
    if (std::isfinite(order.time[t])) found.push_back(hazard.cumulative[t] * std::exp(-hazard.centre));
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t t = 0; t < found.size(); ++t) EXPECT_NEAR(found[t], expected[t], 1e-12) << t;
}

// survival 3.5.3: coef(coxph(...)), basehaz(centered = FALSE) at event times, tests/oracle/baseline_hazard.R
TEST(BaselineHazard, MatchesRSurvival) {
  expect_matches(
      {}, 0.07531288470396917, Ties::efron,
      {0.0348536340188429, 0.0712381238298198, 0.109167712893286, 0.150878319368837, 0.24081504269363,
       0.341256345443369, 0.401450681089646, 0.465994871306835, 0.541479600333432, 0.715674299520853,
       0.834695257084848, 1.2159373104121, 1.50172938529469, 2.46477313040148});
  expect_matches(
      {.weight = true}, -0.08031647547466728, Ties::efron,
      {0.0329919662981552, 0.100806217374233, 0.136882129331612, 0.252118448043932, 0.38378752516569,
       0.532367494756707, 0.588582219820613, 0.647745296949929, 0.912230608057355, 1.18929524983999,
       1.3100125250559, 1.812852465313, 2.05461064096362, 3.09558612372912});
  expect_matches(
      {.entry = true, .weight = true, .stratum = true}, -0.002519675331893958, Ties::efron,
      {0.0670651301176309, 0.282665467515154, 0.578766274846143, 0.704476447260442, 0.848183966823104,
       1.01597378623296, 0.182819861383043, 0.394904423368051, 0.729920229995093, 0.981498849418505,
       1.14914731538465, 1.88108862494818, 2.3829803639332, 3.38424099552799});
  expect_matches(
      {}, 0.06866026439948317, Ties::breslow,
      {0.0354202287980696, 0.0723953782607311, 0.110950768265424, 0.153349292864217, 0.242481689167372,
       0.34139237336992, 0.402525044495644, 0.468101461518311, 0.544863955291854, 0.712142260321861,
       0.833146994745174, 1.17613874367382, 1.46591664113599, 2.43216910206266});
  expect_matches(
      {.weight = true}, -0.08357694351201048, Ties::breslow,
      {0.0332173181802612, 0.101492231595073, 0.137817577952933, 0.253853416470247, 0.382521126704702,
       0.527939269693453, 0.584523932720009, 0.644081566672375, 0.910394140976509, 1.17492894075651,
       1.29654946421092, 1.74999977435133, 1.99359266647807, 3.03626656692116});
  expect_matches({.entry = true, .weight = true, .stratum = true}, -0.01152393680039859, Ties::breslow,
                 {0.068504071926088, 0.288857594385051, 0.569681817219003, 0.697954657482565,
                  0.844732446139518, 1.01659021021299, 0.186434553041528, 0.39061128582032, 0.731683531155557,
                  0.988966181278447, 1.16015468279339, 1.77339454567178, 2.28207885389434, 3.2878574543636});
}

TEST(BaselineHazard, PredictedSurvivalMatchesRSurvival) {
  // survival 3.5.3: summary(survfit(coxph(...), newdata), times = c(4.5, 9))
  const Cohort cohort = twenty_four({});
  const RiskOrder order = make_risk_order(cohort.timeline());
  const auto eta = predictor_of(cohort, 0.07531288470396917);
  const BaselineHazard hazard = baseline_hazard(order, eta, {}, Ties::efron);
  std::vector<double> survival(24);
  predicted_survival(order, hazard, eta, 4.5, survival);
  EXPECT_NEAR(survival[0], 0.747735709107901, 1e-13);
  EXPECT_NEAR(survival[1], 0.763672732880067, 1e-13);
  EXPECT_NEAR(survival[2], 0.722185394354584, 1e-13);
  predicted_survival(order, hazard, eta, 9, survival);
  EXPECT_NEAR(survival[0], 0.421496623876833, 1e-13);
  EXPECT_NEAR(survival[1], 0.448759925314138, 1e-13);
  EXPECT_NEAR(survival[2], 0.380119700658689, 1e-13);
  predicted_survival(order, hazard, eta, -1, survival);
  EXPECT_EQ(survival[0], 1);
}

TEST(BaselineHazard, WeightsOfZeroAndTwoAreRowsLeftOutAndTwice) {
  const Cohort cohort = random_cohort({.n = 200, .with = {.entry = true, .stratum = true}, .seed = 3});
  const auto eta = predictor_of(cohort, 0.4);
  std::vector<double> weight(200, 1);
  Cohort copies = cohort;
  std::vector<double> eta_of_copies = eta;
  for (std::size_t i = 0; i < 200; ++i) {
    if (i % 3 == 0) {
      weight[i] = 2;
      copies.time.push_back(cohort.time[i]);
      copies.event.push_back(cohort.event[i]);
      copies.entry.push_back(cohort.entry[i]);
      copies.stratum.push_back(cohort.stratum[i]);
      eta_of_copies.push_back(eta[i]);
    } else if (i % 3 == 1) {
      weight[i] = 0;
      copies.event[i] = -1;
    }
  }
  const RiskOrder order = make_risk_order(cohort.timeline()), longer = make_risk_order(copies.timeline());
  const BaselineHazard weighted = baseline_hazard(order, eta, weight, Ties::breslow);
  const BaselineHazard repeated = baseline_hazard(longer, eta_of_copies, {}, Ties::breslow);
  EXPECT_NEAR(weighted.centre, repeated.centre, 1e-13);
  for (Index stratum = 0; stratum < 3; ++stratum) {
    for (const double t : {0.0, 3.0, 7.0, 20.0}) {
      EXPECT_NEAR(cumulative_hazard(order, weighted, stratum, t),
                  cumulative_hazard(longer, repeated, stratum, t), 1e-12);
    }
  }
}

TEST(BaselineHazard, NobodyDiesAndUnknownPredictors) {
  Cohort cohort = twenty_four({});
  cohort.event.assign(24, 0);
  cohort.covariate[3] = missing;
  const RiskOrder order = make_risk_order(cohort.timeline());
  const BaselineHazard hazard = baseline_hazard(order, cohort.covariate, {}, Ties::efron);
  EXPECT_EQ(hazard.n_events, 0);
  EXPECT_EQ(hazard.n_missing_predictor, 1);
  std::vector<double> survival(24);
  predicted_survival(order, hazard, cohort.covariate, 9, survival);
  EXPECT_EQ(survival[0], 1);
  EXPECT_TRUE(std::isnan(survival[3]));
}

TEST(BaselineHazard, PredictionsWithAHazardFromElsewhere) {
  const Cohort cohort = random_cohort({.n = 50, .with = {.stratum = true}, .seed = 4});
  const Timeline timeline = cohort.timeline();
  const RiskOrder order = make_risk_order(timeline);
  std::vector<double> gathered, survival(50);
  for (Index s = 0; s < order.n_strata; ++s) gathered.push_back(0.25 * static_cast<double>(s + 1));
  predicted_survival(order, 0.5, gathered, cohort.covariate, survival);
  for (const std::int32_t patient : order.patient) {
    const auto i = static_cast<std::size_t>(patient);
    const double hazard = 0.25 * (timeline.stratum[i] + 1);  // as given above
    EXPECT_NEAR(survival[i], std::exp(-hazard * std::exp(cohort.covariate[i] - 0.5)), 1e-14);
  }
  EXPECT_THROW(predicted_survival(order, 0.5, {}, cohort.covariate, survival), ShapeError);
}

TEST(BaselineHazard, ArgumentsMustFit) {
  const Cohort cohort = twenty_four({});
  const RiskOrder order = make_risk_order(cohort.timeline());
  std::vector<double> few(23), all(24);
  EXPECT_THROW(baseline_hazard(order, few, {}, Ties::efron), ShapeError);
  EXPECT_THROW(baseline_hazard(order, all, few, Ties::efron), ShapeError);
  EXPECT_THROW(predicted_survival(order, {}, all, 1, all), ShapeError);
  EXPECT_THROW(predicted_survival(order, baseline_hazard(order, all, {}, Ties::efron), all, 1, few),
               ShapeError);
}

}  // namespace
}  // namespace chorale::kernels
