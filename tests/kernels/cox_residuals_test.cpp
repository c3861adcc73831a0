// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/cox_residuals.hpp"

#include <gtest/gtest.h>
#include <omp.h>

#include <cmath>

#include "kernels/cox_zph.hpp"
#include "kernels/error.hpp"
#include "kernels/level.hpp"
#include "tests/kernels/cox_residuals_oracle.hpp"
#include "tests/kernels/pair_data.hpp"

namespace chorale::kernels {
namespace {

using pair_data::forty;
using pair_data::PairCohort;
using pair_data::random_pair;
using residuals_oracle::numbers;
using residuals_oracle::TwoColumns;

struct Case {
  const char* name;
  Ties ties;
  bool with_all;
};
constexpr Case cases[] = {{"efron plain", Ties::efron, false},
                          {"efron all", Ties::efron, true},
                          {"breslow plain", Ties::breslow, false},
                          {"breslow all", Ties::breslow, true}};

void expect_near(const std::vector<double>& found, const std::vector<double>& expected,
                 const std::string& what) {
  kernels::expect_near(found, expected, 1e-10, what);
}

/// Without the patients who are not in the model.
std::vector<double> known(std::vector<double> values) {
  std::erase_if(values, [](double value) { return std::isnan(value); });
  return values;
}

TEST(CoxResiduals, MatchRSurvival) {
  for (const Case& c : cases) {
    const TwoColumns data(c.with_all);
    const CoxFit fit = cox_fit(data.design, {.ties = c.ties});
    const std::string name = c.name;
    std::vector<double> one(24), two(48);
    deviance_residuals(data.design, fit, c.ties, one);
    expect_near(known(one), numbers(name + " deviance"), name + " deviance");
    score_residuals(data.design, fit, c.ties, two);
    expect_near(known(two), numbers(name + " score"), name + " score");
    dfbeta_residuals(data.design, fit, c.ties, DfbetaScale::coefficient, two);
    expect_near(known(two), numbers(name + " dfbeta"), name + " dfbeta");
    dfbeta_residuals(data.design, fit, c.ties, DfbetaScale::standard_error, two);
    expect_near(known(two), numbers(name + " dfbetas"), name + " dfbetas");
    expect_near(schoenfeld_residuals(data.design, fit, c.ties).values, numbers(name + " schoenfeld"), name);
    expect_near(schoenfeld_residuals(data.design, fit, c.ties, true).values, numbers(name + " scaledsch"),
                name);
  }
}

TEST(CoxResiduals, RobustVarianceMatchesRSurvival) {
  std::vector<std::int32_t> site;
  for (std::int32_t i = 0; i < 24; ++i) site.push_back(100 * (i % 5));
  for (const Case& c : cases) {
    const TwoColumns data(c.with_all);
    const CoxFit fit = cox_fit(data.design, {.ties = c.ties});
    const std::string name = c.name;
    const RobustVariance alone = robust_variance(data.design, fit, c.ties);
    expect_near(alone.covariance, numbers(name + " robust"), name);
    const RobustVariance by_site = robust_variance(data.design, fit, c.ties, site);
    expect_near(by_site.covariance, numbers(name + " cluster"), name);
    EXPECT_EQ(by_site.n_clusters, 5);
  }
}

TEST(CoxResiduals, WeightedScoresAddUpToZeroAndSchoenfeldTo) {
  for (const Ties ties : {Ties::efron, Ties::breslow}) {
    const PairCohort cohort = random_pair({.n = 700, .with = {true, true, true}, .n_covariates = 3});
    const CoxDesign design = cohort.design();
    const CoxFit fit = cox_fit(design, {.ties = ties});
    ASSERT_EQ(fit.verdict, CoxVerdict::converged);
    std::vector<double> score(2100), dfbeta(2100);
    score_residuals(design, fit, ties, score);
    dfbeta_residuals(design, fit, ties, DfbetaScale::coefficient, dfbeta);
    const SchoenfeldResiduals deaths = schoenfeld_residuals(design, fit, ties);
    ASSERT_EQ(static_cast<Index>(deaths.patient.size()), design.n_events);
    const auto weight = cohort.cohort.weight;
    for (std::size_t j = 0; j < 3; ++j) {
      double sum = 0, moved = 0, of_deaths = 0;
      for (std::size_t i = 0; i < 700; ++i) {
        if (std::isnan(score[j * 700 + i])) continue;
        sum += weight[i] * score[j * 700 + i];
        moved += dfbeta[j * 700 + i];
      }
      for (std::size_t k = 0; k < deaths.patient.size(); ++k)
        of_deaths += weight[static_cast<std::size_t>(deaths.patient[k])] *
                     deaths.values[j * deaths.patient.size() + k];
      EXPECT_NEAR(sum, 0, 1e-9);
      EXPECT_NEAR(moved, 0, 1e-9);
      EXPECT_NEAR(of_deaths, 0, 1e-9);
    }
    // one cluster of everybody has nothing left to vary
    const std::vector<std::int32_t> together(700, 3);
    for (const double v : robust_variance(design, fit, ties, together).covariance) EXPECT_NEAR(v, 0, 1e-18);
  }
}

TEST(CoxResiduals, RobustVarianceIsThatOfDfbetasAtEveryLevel) {
  for (const Level level : available_levels()) {
    force_level(level);
    for (const Index p : {1, 3, 8, 9}) {
      for (const Index n : {40, 263, 4'500}) {
        const survival_data::Cohort c =
            survival_data::random_cohort({.n = n,
                                          .days = 60,
                                          .with = {.entry = p != 8, .weight = true, .stratum = true},
                                          .seed = 5,
                                          .n_covariates = p});
        const CoxDesign design = make_cox_design(c.timeline(), {c.covariate, p, {}});
        const CoxFit fit = cox_fit(design);
        if (fit.verdict != CoxVerdict::converged) continue;  // nine columns of forty patients
        std::vector<double> moved(c.covariate.size());
        dfbeta_residuals(design, fit, Ties::efron, DfbetaScale::coefficient, moved);
        const std::vector<double> robust = robust_variance(design, fit, Ties::efron).covariance;
        const auto n_all = moved.size() / static_cast<std::size_t>(p);
        for (std::size_t j = 0; j < static_cast<std::size_t>(p); ++j) {
          double square = 0, cross = 0;
          for (std::size_t i = 0; i < n_all; ++i) {
            if (std::isnan(moved[i])) continue;
            square += moved[j * n_all + i] * moved[j * n_all + i];
            cross += moved[j * n_all + i] * moved[i];
          }
          EXPECT_NEAR(robust[j * static_cast<std::size_t>(p + 1)], square, 1e-11 * square) << p << " " << n;
          EXPECT_NEAR(robust[j], cross, 1e-10 * std::sqrt(square * robust[0])) << p << " " << n;
        }
      }
    }
  }
  force_level(available_levels().back());
}

TEST(CoxResiduals, AreEqualForAnyNumberOfThreads) {
  const PairCohort cohort = random_pair({.n = 12000, .with = {true, true, true}, .n_covariates = 3});
  const CoxDesign design = cohort.design();
  const CoxFit fit = cox_fit(design);
  std::vector<double> one(36000), two(36000);
  const auto all = [&](int n_threads, std::vector<double>& score) {
    omp_set_num_threads(n_threads);
    score_residuals(design, fit, Ties::efron, score);
    return std::pair(robust_variance(design, fit, Ties::efron).covariance,
                     cox_zph(cohort.cohort.timeline(), design, fit, Ties::efron).global.chi2);
  };
  const int before = omp_get_max_threads();
  EXPECT_EQ(all(1, one), all(3, two));
  omp_set_num_threads(before);
  for (std::size_t k = 0; k < one.size(); ++k) EXPECT_TRUE(one[k] == two[k] || std::isnan(one[k])) << k;
}

TEST(CoxResiduals, NobodyDiesNoMaximumAndAliasedColumns) {
  PairCohort nobody = forty({}, 2);
  nobody.cohort.event.assign(40, 0);
  std::vector<double> two(80);
  const CoxFit none = cox_fit(nobody.design());
  score_residuals(nobody.design(), none, Ties::efron, two);
  for (const double value : two) EXPECT_EQ(value, 0);
  EXPECT_TRUE(schoenfeld_residuals(nobody.design(), none, Ties::efron).values.empty());

  // whoever dies has the larger covariate and dies before the others leave
  PairCohort monotone = forty({}, 1);
  for (std::size_t i = 0; i < 40; ++i) {
    monotone.cohort.event[i] = i < 10;
    monotone.cohort.time[i] = i < 10 ? 1 : 2;
    monotone.cohort.covariate[i] = i < 10;
  }
  const CoxFit infinite = cox_fit(monotone.design());
  std::vector<double> one(40);
  for (const auto residuals : {deviance_residuals, score_residuals}) {
    residuals(monotone.design(), infinite, Ties::efron, one);
    for (const double value : one) EXPECT_TRUE(std::isnan(value));
  }
  EXPECT_TRUE(std::isnan(robust_variance(monotone.design(), infinite, Ties::efron).covariance[0]));

  PairCohort once = forty({}, 1), twice = forty({}, 1);
  twice.n_covariates = 2;
  for (std::size_t i = 0; i < 40; ++i) twice.cohort.covariate.push_back(1 - 2 * twice.cohort.covariate[i]);
  const auto of_one = robust_variance(once.design(), cox_fit(once.design()), Ties::efron).covariance;
  const auto of_two = robust_variance(twice.design(), cox_fit(twice.design()), Ties::efron).covariance;
  EXPECT_NEAR(of_two[0], of_one[0], 1e-12);
  EXPECT_EQ(of_two[1], 0);
  EXPECT_EQ(of_two[3], 0);
}

TEST(CoxResiduals, ArgumentsMustFit) {
  const CoxDesign design = forty({}, 2).design();
  const CoxFit fit = cox_fit(design), other = cox_fit(forty({}, 1).design());
  std::vector<double> few(79), all(80);
  EXPECT_THROW(score_residuals(design, fit, Ties::efron, few), ShapeError);
  EXPECT_THROW(score_residuals(design, other, Ties::efron, all), ShapeError);
  EXPECT_THROW(deviance_residuals(design, fit, Ties::efron, all), ShapeError);
  EXPECT_THROW(robust_variance(design, fit, Ties::efron, std::vector<std::int32_t>(39)), ShapeError);
  EXPECT_THROW(robust_variance(design, fit, Ties::efron, std::vector<std::int32_t>(40, -1)), ShapeError);
}

}  // namespace
}  // namespace chorale::kernels
