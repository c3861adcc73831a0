// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include <gtest/gtest.h>

#include <cmath>

#include "kernels/cox.hpp"
#include "kernels/error.hpp"
#include "tests/kernels/oracle_numbers.hpp"
#include "tests/kernels/survival_data.hpp"

namespace chorale::kernels {
namespace {

using survival_data::Cohort;
using survival_data::random_cohort;
using survival_data::twenty_four;

/// The 24 patients with columns z and x; apart: nobody with x = 1 dies.
struct Data {
  explicit Data(bool with_all, bool apart = false)
      : cohort(twenty_four({.entry = with_all, .weight = with_all, .stratum = with_all})),
        columns(cohort.covariate) {
    columns.insert(columns.end(), cohort.feature.begin(), cohort.feature.end());
    for (std::size_t i = 0; apart && i < 24; ++i)
      if (cohort.feature[i] == 1) cohort.event[i] = 0;
  }
  CoxDesign design() const { return make_cox_design(cohort.timeline(), {columns, 2, {}}); }

  Cohort cohort;
  std::vector<double> columns;
};

CoxFit ridged(const CoxDesign& design, std::vector<double> theta, bool by_variance, Ties ties = Ties::efron) {
  return cox_fit(design, {.ties = ties, .ridge = {.theta = theta, .by_variance = by_variance}});
}

void expect_matches(const CoxFit& fit, const std::string& name) {
  static const OracleNumbers oracle("cox_penalised");
  EXPECT_EQ(fit.verdict, CoxVerdict::converged) << name;
  // coxph's own iterations end about there
  expect_near(fit.beta, oracle(name + " beta"), 1e-8, name);
  expect_near(fit.covariance, oracle(name + " var"), 1e-8, name);
  expect_near({fit.loglik, fit.penalty, fit.df}, oracle(name + " loglik penalty df"), 1e-8, name);
}

TEST(CoxRidge, MatchesRSurvival) {
  for (const Ties ties : {Ties::efron, Ties::breslow}) {
    const std::string name = ties == Ties::efron ? "efron" : "breslow";
    for (const bool by_variance : {true, false}) {
      const std::string unit = name + (by_variance ? " variance" : " plain");
      expect_matches(ridged(Data(false).design(), {2}, by_variance, ties), unit);
      expect_matches(ridged(Data(false, true).design(), {0.5}, by_variance, ties), unit + " apart");
      expect_matches(ridged(Data(true).design(), {2, 2}, by_variance, ties), unit + " all");
    }
    expect_matches(ridged(Data(false).design(), {0, 3}, false, ties), name + " two");
  }
  Data copies(false);
  for (std::size_t i = 0; i < 24; ++i) copies.columns.push_back(1 - copies.cohort.feature[i]);
  expect_matches(ridged(make_cox_design(copies.cohort.timeline(), {copies.columns, 3, {}}), {2}, false),
                 "copies");
}

TEST(CoxRidge, OfNothingIsTheFitWithout) {
  const CoxDesign design = Data(true).design();
  const CoxFit plain = cox_fit(design), none = ridged(design, {0}, true);
  EXPECT_EQ(plain.beta, none.beta);
  EXPECT_EQ(plain.covariance, none.covariance);
  EXPECT_EQ(plain.loglik, none.loglik);
  EXPECT_EQ(none.penalty, 0);
  EXPECT_EQ(none.df, 2);
  EXPECT_EQ(plain.score_chi2, ridged(design, {5}, true).score_chi2);
}

TEST(CoxRidge, ColumnsOutsideThePenaltyMayStillDivergeOrFollowFromOthers) {
  const CoxFit apart = ridged(Data(false, true).design(), {1, 0}, true);
  EXPECT_EQ(apart.verdict, CoxVerdict::monotone);
  EXPECT_EQ(apart.infinite, std::vector<Index>{1});
  EXPECT_TRUE(std::isnan(apart.df));
  Data twice(false);
  twice.columns.insert(twice.columns.end(), twice.cohort.feature.begin(), twice.cohort.feature.end());
  const CoxDesign design = make_cox_design(twice.cohort.timeline(), {twice.columns, 3, {}});
  EXPECT_EQ(ridged(design, {1, 0, 0}, true).aliased, std::vector<Index>{2});
  // the penalised copy gives way to the one that costs nothing
  const CoxFit given_way = ridged(design, {0, 0, 1}, true);
  EXPECT_EQ(given_way.verdict, CoxVerdict::converged);
  EXPECT_NEAR(given_way.beta[2], 0, 1e-9);
  EXPECT_NEAR(given_way.beta[1], cox_fit(Data(false).design()).beta[1], 1e-8);
}

TEST(CoxRidge, DrawsCoefficientsTowardsZeroAndTheirDegreesOfFreedomToo) {
  const Cohort c = random_cohort({.n = 300, .days = 60, .seed = 8, .n_covariates = 5});
  const CoxDesign design = make_cox_design(c.timeline(), {c.covariate, 5, {}});
  double norm = INFINITY, df = 5.001, loglik = INFINITY;
  for (const double theta : {0., 1., 10., 100., 1e4, 1e8}) {
    const CoxFit fit = ridged(design, {theta}, true);
    ASSERT_EQ(fit.verdict, CoxVerdict::converged) << theta;
    double length = 0;
    for (const double b : fit.beta) length += b * b;
    EXPECT_LT(length, norm);
    EXPECT_LT(fit.df, df);
    EXPECT_LT(fit.loglik, loglik);
    EXPECT_GE(fit.loglik - fit.penalty, fit.loglik_null);
    norm = length, df = fit.df, loglik = fit.loglik;
  }
  EXPECT_LT(df, 1e-3);
}

TEST(CoxRidge, ThePenaltiesMustFit) {
  const CoxDesign design = Data(false).design();
  for (const std::vector<double>& theta : {std::vector<double>{1, 2, 3}, {-1}, {missing}, {INFINITY}})
    EXPECT_THROW(ridged(design, theta, true), ShapeError);
}

}  // namespace
}  // namespace chorale::kernels
