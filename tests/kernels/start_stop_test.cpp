// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include <gtest/gtest.h>

#include <cmath>

#include "kernels/concordance.hpp"
#include "kernels/cox_residuals.hpp"
#include "kernels/cox_zph.hpp"
#include "kernels/error.hpp"
#include "kernels/kaplan_meier.hpp"
#include "kernels/martingale.hpp"
#include "kernels/survival_prediction.hpp"
#include "tests/kernels/oracle_numbers.hpp"
#include "tests/kernels/survival_data.hpp"

namespace chorale::kernels {
namespace {

const OracleNumbers& oracle() {
  static const OracleNumbers numbers("start_stop");
  return numbers;
}

/// The rows that R made by tmerge and survSplit: 24 persons, treated from some day on.
struct Rows {
  explicit Rows(bool with_all) {
    cohort.entry = oracle()("tstart");
    cohort.time = oracle()("tstop");
    columns = oracle()("z");
    const std::vector<double> treated = oracle()("treated");
    columns.insert(columns.end(), treated.begin(), treated.end());
    for (const double died : oracle()("died")) cohort.event.push_back(died > 0);
    for (const double id : oracle()("id")) person.push_back(static_cast<std::int32_t>(id) - 1);
    if (with_all) {
      cohort.weight = oracle()("half");
      for (const double s : oracle()("stratum")) cohort.stratum.push_back(static_cast<std::int32_t>(s));
    }
    timeline = cohort.timeline();
    design = make_cox_design(timeline, {columns, 2, {}});
  }

  survival_data::Cohort cohort;
  std::vector<double> columns;
  std::vector<std::int32_t> person;
  Timeline timeline;
  CoxDesign design;
};

TEST(StartStop, CoxWithItsResidualsAndPredictionsIsThatOfR) {
  for (const std::string name : {"efron", "breslow", "all"}) {
    const Ties ties = name == "breslow" ? Ties::breslow : Ties::efron;
    const Rows rows(name == "all");
    const CoxFit fit = cox_fit(rows.design, {.ties = ties});
    ASSERT_EQ(fit.verdict, CoxVerdict::converged);
    expect_near(fit.beta, oracle()(name + " beta"), 1e-11, name);
    // coxph's variances are those of its last step but one
    expect_near(fit.covariance, oracle()(name + " naive"), 1e-9, name);
    expect_near({fit.loglik_null, fit.loglik}, oracle()(name + " loglik"), 1e-11, name);
    const RobustVariance robust = robust_variance(rows.design, fit, ties, rows.person);
    expect_near(robust.covariance, oracle()(name + " cluster"), 1e-9, name + " cluster");
    EXPECT_EQ(robust.n_clusters, 24);

    const std::size_t n = rows.person.size();
    std::vector<double> residuals(n), score(2 * n);
    martingale_residuals(rows.design, fit, ties, residuals);
    expect_near(residuals, oracle()(name + " martingale"), 1e-11, name + " martingale");
    expect_near(sums_by_cluster(residuals, rows.person, 24), oracle()(name + " martingale by person"), 1e-11,
                name + " by person");
    score_residuals(rows.design, fit, ties, score);
    if (name == "all") {
      for (std::size_t k = 0; k < 2 * n; ++k) score[k] *= rows.cohort.weight[k % n];
    }
    expect_near(sums_by_cluster(score, rows.person, 24), oracle()(name + " score by person"), 1e-11,
                name + " score");

    const CoxZph zph = cox_zph(rows.timeline, rows.design, fit, ties, ZphTransform::identity);
    expect_near({zph.terms[0].chi2, zph.terms[1].chi2, zph.global.chi2}, oracle()(name + " zph"), 1e-9, name);

    CoxFit with_robust = fit;
    with_robust.covariance = robust.covariance;
    const double x[] = {2, 1};
    std::vector<double> survival, se;
    for (const PredictedSurvival& at : SurvivalPrediction(rows.design, with_robust, ties)
                                           .curve({.x = x, .stratum = name == "all" ? 1 : 0})
                                           .at) {
      survival.push_back(at.survival);
      se.push_back(at.se);
    }
    expect_near(survival, oracle()(name + " survival"), 1e-11, name + " survival");
    expect_near(se, oracle()(name + " survival se"), 1e-11, name + " survival se");
  }
}

TEST(StartStop, ConcordanceAndItsErrorByPersonAreThoseOfR) {
  const Rows rows(false);
  const std::size_t n = rows.person.size();
  ConcordanceCounter counter;
  std::vector<double> influence(n);
  const Concordance found =
      counter.count(make_risk_order(rows.timeline), std::span(rows.columns).first(n), {}, {}, influence);
  double variance = 0;
  for (const double sum : sums_by_cluster(influence, rows.person, 24)) variance += sum * sum;
  expect_near({found.c, variance}, oracle()("concordance"), 1e-12, "concordance");
}

TEST(StartStop, SurvivalCurveIsThatOfThePersons) {
  const Rows rows(false);
  const KmCurve curve = kaplan_meier(rows.timeline, {});
  std::vector<double> survival, se;
  for (std::size_t k = 0; k < curve.time.size(); ++k) {
    if (curve.events[k] == 0) continue;
    survival.push_back(curve.survival[k]);
    if (curve.survival[k] > 0) se.push_back(curve.se[k]);
  }
  expect_near(survival, oracle()("curve"), 1e-13, "survival");
  std::vector<double> expected = oracle()("curve se");
  expected.resize(se.size());
  expect_near(se, expected, 1e-13, "error");
}

TEST(StartStop, SumsByClusterLeaveOutWhoTakesNoPart) {
  const std::vector<double> values{1, 2, missing, missing, 5, missing, 7, 8};
  const std::vector<std::int32_t> cluster{0, 0, 2, 1};
  const std::vector<double> sums = sums_by_cluster(values, cluster, 3);
  EXPECT_EQ(sums[0], 3);
  EXPECT_TRUE(std::isnan(sums[1]));
  EXPECT_TRUE(std::isnan(sums[2]));
  EXPECT_EQ(sums[3], 5);
  EXPECT_EQ(sums[4], 8);
  EXPECT_EQ(sums[5], 7);
  EXPECT_THROW(sums_by_cluster(values, cluster, 2), ShapeError);
  EXPECT_THROW(sums_by_cluster(std::span(values).first(7), cluster, 3), ShapeError);
}

}  // namespace
}  // namespace chorale::kernels
