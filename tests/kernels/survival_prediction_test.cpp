// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/survival_prediction.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "kernels/cox_residuals.hpp"
#include "kernels/error.hpp"
#include "tests/kernels/cox_residuals_oracle.hpp"

namespace chorale::kernels {
namespace {

using residuals_oracle::TwoColumns;
using survival_data::Cohort;
using survival_data::twenty_four;

constexpr double new_patients[3][2] = {{0.5, 1}, {2, 0}, {4.5, 1}};

/// The curves of the three new patients of the script, one after the other.
void expect_matches(const SurvivalPrediction& prediction, const std::string& name,
                    const std::vector<Index>& strata, const std::vector<double>& offsets = {0, 0, 0}) {
  static const OracleNumbers oracle("survival_prediction");
  std::vector<double> time, hazard, se, survival, lower, upper;
  for (std::size_t i = 0; i < 3; ++i) {
    const PredictedCurve curve =
        prediction.curve({.x = new_patients[i], .offset = offsets[i], .stratum = strata[i]});
    time.insert(time.end(), curve.time.begin(), curve.time.end());
    for (const PredictedSurvival& at : curve.at) {
      hazard.push_back(at.hazard);
      se.push_back(at.se);
      survival.push_back(at.survival);
      lower.push_back(at.lower);
      upper.push_back(at.upper);
    }
  }
  expect_near(time, oracle(name + " time"), 0, name);
  expect_near(hazard, oracle(name + " hazard"), 1e-11, name + " hazard");
  expect_near(se, oracle(name + " se"), 1e-11, name + " se");
  expect_near(survival, oracle(name + " survival"), 1e-11, name + " survival");
  expect_near(lower, oracle(name + " lower"), 1e-10, name + " lower");
  expect_near(upper, oracle(name + " upper"), 1e-10, name + " upper");
}

TEST(SurvivalPrediction, MatchesRSurvfit) {
  for (const Ties ties : {Ties::efron, Ties::breslow}) {
    const std::string name = ties == Ties::efron ? "efron" : "breslow";
    const TwoColumns plain(false), all(true);
    expect_matches({plain.design, cox_fit(plain.design, {.ties = ties}), ties}, name, {0, 0, 0});
    expect_matches({all.design, cox_fit(all.design, {.ties = ties}), ties}, name + " all", {0, 1, 1});
    Cohort weighted = twenty_four({.weight = true});
    const CoxDesign design = make_cox_design(weighted.timeline(), {plain.columns, 2, {}});
    expect_matches({design, cox_fit(design, {.ties = ties}), ties}, name + " weights", {0, 0, 0});
  }
}

TEST(SurvivalPrediction, MatchesRSurvfitOnOtherScalesWithOffsetAndRobustErrors) {
  const TwoColumns data(false);
  CoxFit fit = cox_fit(data.design);
  expect_matches({data.design, fit, Ties::efron, {.type = ConfType::plain}}, "plain", {0, 0, 0});
  expect_matches({data.design, fit, Ties::efron, {.type = ConfType::log_log}}, "log-log", {0, 0, 0});
  std::vector<std::int32_t> site;
  for (std::int32_t i = 0; i < 24; ++i) site.push_back(i % 5);
  fit.covariance = robust_variance(data.design, fit, Ties::efron, site).covariance;
  expect_matches({data.design, fit, Ties::efron}, "robust", {0, 0, 0});
  std::vector<double> offset;
  for (int i = 0; i < 24; ++i) offset.push_back(i % 4 / 5.0);
  const CoxDesign design = make_cox_design(data.timeline, {data.columns, 2, offset});
  expect_matches({design, cox_fit(design), Ties::efron}, "offset", {0, 0, 0}, {0.3, -0.2, 0});
}

TEST(SurvivalPrediction, AtAHorizonIsTheRowInForce) {
  const TwoColumns data(true);
  const SurvivalPrediction prediction(data.design, cox_fit(data.design), Ties::efron);
  const std::vector<double> x{0.5, 2, 4.5, missing, 1, 0, 1, 0};
  const std::vector<std::int32_t> stratum{0, 1, -1, 0};
  std::vector<PredictedSurvival> at(4);
  for (const double horizon : {-1.0, 1.5, 5.0, 8.7, 1e9}) {
    prediction.at({x, 2, {}}, stratum, horizon, at);
    for (std::size_t i = 0; i < 2; ++i) {
      const PredictedCurve curve = prediction.curve({.x = new_patients[i], .stratum = stratum[i]});
      PredictedSurvival expected{0, 0, 1, 1, 1};
      for (std::size_t t = 0; t < curve.time.size() && curve.time[t] <= horizon; ++t) expected = curve.at[t];
      EXPECT_EQ(at[i].hazard, expected.hazard) << horizon;
      EXPECT_EQ(at[i].se, expected.se);
      EXPECT_EQ(at[i].survival, expected.survival);
      EXPECT_EQ(at[i].lower, expected.lower);
      EXPECT_EQ(at[i].upper, expected.upper);
    }
    EXPECT_TRUE(std::isnan(at[2].survival));  // stratum not known
    EXPECT_TRUE(std::isnan(at[3].survival));  // z missing
  }
}

TEST(SurvivalPrediction, SaysWhyThereIsNone) {
  TwoColumns data(false);
  data.cohort.event.assign(24, 0);
  const CoxDesign nobody = make_cox_design(data.cohort.timeline(), {data.columns, 2, {}});
  const SurvivalPrediction none(nobody, cox_fit(nobody), Ties::efron);
  EXPECT_EQ(none.verdict(), PredictionVerdict::no_events);
  EXPECT_TRUE(none.curve({.x = new_patients[0]}).time.empty());
  std::vector<PredictedSurvival> one(1);
  none.at({new_patients[0], 2, {}}, {}, 5, one);
  EXPECT_EQ(one[0].survival, 1);
  EXPECT_EQ(one[0].se, 0);

  Cohort apart = twenty_four({});
  for (std::size_t i = 0; i < 24; ++i)
    if (apart.feature[i] == 1) apart.event[i] = 0;
  const CoxDesign design = make_cox_design(apart.timeline(), {data.columns, 2, {}});
  const SurvivalPrediction infinite(design, cox_fit(design), Ties::efron);
  EXPECT_EQ(infinite.verdict(), PredictionVerdict::no_maximum);
  EXPECT_TRUE(std::isnan(infinite.curve({.x = new_patients[0]}).at[0].survival));
  EXPECT_EQ(name_of(infinite.verdict()), "no_maximum");
}

TEST(SurvivalPrediction, AliasedColumnsTakeNoPart) {
  const TwoColumns data(false);
  std::vector<double> columns = data.columns;
  for (std::size_t i = 0; i < 24; ++i) columns.push_back(1 - 2 * data.columns[i]);
  const CoxDesign design = make_cox_design(data.timeline, {columns, 3, {}});
  const SurvivalPrediction with(design, cox_fit(design), Ties::efron);
  const SurvivalPrediction without(data.design, cox_fit(data.design), Ties::efron);
  const double x[] = {0.5, 1, 77};
  const PredictedCurve a = with.curve({.x = x}), b = without.curve({.x = new_patients[0]});
  for (std::size_t t = 0; t < a.at.size(); ++t) {
    EXPECT_NEAR(a.at[t].survival, b.at[t].survival, 1e-12);
    EXPECT_NEAR(a.at[t].se, b.at[t].se, 1e-12);
  }
}

TEST(SurvivalPrediction, ArgumentsMustFit) {
  const TwoColumns data(true);
  const CoxFit fit = cox_fit(data.design);
  const SurvivalPrediction prediction(data.design, fit, Ties::efron);
  const double three[] = {1, 2, 3};
  EXPECT_THROW(prediction.curve({.x = three}), ShapeError);
  EXPECT_THROW(prediction.curve({.x = new_patients[0], .stratum = 2}), ShapeError);
  std::vector<PredictedSurvival> one(1);
  EXPECT_THROW(prediction.at({three, 3, {}}, {}, 1, one), ShapeError);
  EXPECT_THROW(prediction.at({three, 2, {}}, {}, 1, one), ShapeError);
  const std::vector<std::int32_t> beyond{2}, below{-2};
  prediction.at({new_patients[0], 2, {}}, beyond, 1, one);
  EXPECT_TRUE(std::isnan(one[0].survival));
  EXPECT_THROW(prediction.at({new_patients[0], 2, {}}, below, 1, one), ShapeError);
  CoxFit other = fit;
  other.beta.pop_back();
  EXPECT_THROW(SurvivalPrediction(data.design, other, Ties::efron), ShapeError);
  EXPECT_THROW(SurvivalPrediction(data.design, fit, Ties::efron, {.level = 0}), ShapeError);
}

}  // namespace
}  // namespace chorale::kernels
