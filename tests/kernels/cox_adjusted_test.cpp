// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include <gtest/gtest.h>
#include <omp.h>

#include <cmath>

#include "kernels/cox.hpp"
#include "kernels/error.hpp"
#include "kernels/level.hpp"
#include "tests/kernels/survival_data.hpp"

namespace chorale::kernels {
namespace {

using survival_data::close;
using survival_data::Cohort;
using survival_data::random_cohort;
using survival_data::twenty_four;

AdjustedFit fit_one(const CoxDesign& design, std::span<const std::int32_t> carriers, Ties ties) {
  AdjustedFit fit;
  const CoxFit covariates = cox_fit(design, {.ties = ties});
  adjusted_fits(design, covariates, {&carriers, 1}, ties, {&fit, 1});
  return fit;
}

/// The feature as one more dense column.
CoxFit dense_fit(const Cohort& c, Index n_covariates, Ties ties, std::span<const std::uint8_t> tested) {
  std::vector<double> columns = c.covariate;
  columns.insert(columns.end(), c.feature.begin(), c.feature.end());
  return cox_fit(make_cox_design(c.timeline(), {columns, n_covariates + 1, {}}, tested), {.ties = ties});
}

TEST(AdjustedFits, MatchRSurvival) {
  // survival 3.5.3: coxph(Surv(entry, time, event) ~ z + x + strata(stratum), weights), eps = 1e-14;
  // tests/oracle/survival.R, cox, efron all
  const Cohort c = twenty_four({.entry = true, .weight = true, .stratum = true});
  const auto carriers = c.carriers();
  const AdjustedFit fit = fit_one(make_cox_design(c.timeline(), {c.covariate, 1, {}}), carriers, Ties::efron);
  EXPECT_EQ(fit.verdict, Verdict::converged);
  EXPECT_NEAR(fit.log_hazard, 0.133185074760566, 1e-10);
  EXPECT_NEAR(fit.se, 0.62870483939142, 1e-9);
  EXPECT_NEAR(fit.loglik_null, -19.1698790555052, 1e-11);
  EXPECT_NEAR(fit.loglik, -19.1474692654257, 1e-11);
  EXPECT_NEAR(fit.beta[0], -0.00723205715803257, 1e-10);
  EXPECT_EQ(fit.n_carriers, 10);
  EXPECT_EQ(fit.n_carrier_events, 6);
}

TEST(AdjustedFits, EveryLevelAgreesWithADenseFit) {
  const Level before = level();
  for (const Level each : available_levels()) {
    force_level(each);
    for (unsigned seed = 1; seed <= 60; ++seed) {
      const Index n = 40 + 23 * (seed % 7), p = seed % 4;
      const Ties ties = seed % 3 == 0 ? Ties::breslow : Ties::efron;
      Cohort c = random_cohort({.n = n,
                                .days = seed % 2 ? 12 : 200,
                                .carriers = 0.25,
                                .hazard_ratio = 2,
                                .with = {seed % 5 == 0, seed % 4 == 0, seed % 7 < 3},
                                .seed = seed,
                                .n_covariates = p});
      if (p > 1) c.covariate[5] = std::numeric_limits<double>::quiet_NaN();
      std::vector<std::uint8_t> tested;
      for (Index i = 0; i < n; ++i) tested.push_back(i % 6 != 4);
      const auto carriers = c.carriers();
      const CoxDesign design = make_cox_design(c.timeline(), {c.covariate, p, {}}, tested);
      const AdjustedFit found = fit_one(design, carriers, ties);
      const CoxFit expected = dense_fit(c, p, ties, tested);
      if (expected.verdict != CoxVerdict::converged) {
        EXPECT_NE(found.verdict, Verdict::converged) << seed;
        continue;
      }
      EXPECT_EQ(found.verdict, Verdict::converged) << seed << " " << name_of(found.verdict);
      const auto last = static_cast<std::size_t>(p);
      EXPECT_TRUE(close(found.log_hazard, expected.beta[last], 1e-9)) << seed << " " << found.log_hazard;
      EXPECT_TRUE(close(found.se, std::sqrt(expected.covariance.back()), 1e-8)) << seed;
      EXPECT_TRUE(close(found.loglik, expected.loglik, 1e-12)) << seed;
      EXPECT_TRUE(close(found.loglik_null, expected.loglik_null, 1e-12)) << seed;
      EXPECT_EQ(found.n_analysed, expected.n_analysed);
      for (std::size_t j = 0; j < last; ++j)
        EXPECT_TRUE(close(found.beta[j], expected.beta[j], 1e-9)) << seed;
    }
  }
  force_level(before);
}

TEST(AdjustedFits, LikelihoodHasItsLimitWhenNoCarrierDies) {
  Cohort c = random_cohort({.n = 300, .days = 80, .seed = 4, .n_covariates = 2});
  for (std::size_t i = 0; i < 300; ++i) {
    if (c.feature[i] != 0 && c.event[i] == 1) c.event[i] = 0;
  }
  const auto carriers = c.carriers();
  const AdjustedFit fit = fit_one(make_cox_design(c.timeline(), {c.covariate, 2, {}}), carriers, Ties::efron);
  EXPECT_EQ(fit.verdict, Verdict::no_events_among_carriers);
  EXPECT_TRUE(std::isnan(fit.log_hazard));
  // carriers count for nothing in the limit
  std::vector<std::uint8_t> others;
  for (const double x : c.feature) others.push_back(x == 0);
  const CoxFit limit = cox_fit(make_cox_design(c.timeline(), {c.covariate, 2, {}}, others));
  EXPECT_NEAR(fit.loglik, limit.loglik, 1e-9);
  EXPECT_NEAR(fit.beta[0], limit.beta[0], 1e-9);
  EXPECT_NEAR(fit.beta[1], limit.beta[1], 1e-9);
}

TEST(AdjustedFits, AFeatureThatIsACovariateIsSingular) {
  const Cohort c = twenty_four({});
  const auto carriers = c.carriers();
  const AdjustedFit fit = fit_one(make_cox_design(c.timeline(), {c.feature, 1, {}}), carriers, Ties::efron);
  EXPECT_EQ(fit.verdict, Verdict::singular);
  EXPECT_TRUE(std::isnan(fit.log_hazard));
}

TEST(AdjustedFits, AbsentFeaturesLeaveTheCovariatesFit) {
  const Cohort c = twenty_four({});
  const CoxDesign design = make_cox_design(c.timeline(), {c.covariate, 1, {}});
  const CoxFit covariates = cox_fit(design);
  const AdjustedFit fit = fit_one(design, {}, Ties::efron);
  EXPECT_EQ(fit.verdict, Verdict::no_carriers);
  EXPECT_EQ(fit.loglik, covariates.loglik);
  EXPECT_EQ(fit.beta, covariates.beta);
}

TEST(AdjustedFits, NeedACovariatesFit) {
  Cohort c = twenty_four({});
  for (std::size_t i = 0; i < 24; ++i) c.event[i] = c.feature[i] == 0 ? c.event[i] : std::int8_t{0};
  // the covariate itself diverges
  const std::vector<std::int32_t> carriers{0, 5, 8};
  const AdjustedFit fit = fit_one(make_cox_design(c.timeline(), {c.feature, 1, {}}), carriers, Ties::efron);
  EXPECT_EQ(fit.verdict, Verdict::covariates_failed);
}

TEST(AdjustedFits, AreEqualToTheBitForAnyNumberOfThreads) {
  const Cohort c = random_cohort({.n = 9000, .days = 900, .seed = 21, .n_covariates = 2});
  const CoxDesign design = make_cox_design(c.timeline(), {c.covariate, 2, {}});
  const CoxFit covariates = cox_fit(design);
  std::vector<std::vector<std::int32_t>> lists;
  for (unsigned seed = 50; seed < 58; ++seed)
    lists.push_back(random_cohort({.n = 9000, .seed = seed}).carriers());
  const std::vector<std::span<const std::int32_t>> carriers(lists.begin(), lists.end());
  const auto all = [&](int threads) {
    omp_set_num_threads(threads);
    std::vector<AdjustedFit> fits(carriers.size());
    adjusted_fits(design, covariates, carriers, Ties::efron, fits);
    return fits;
  };
  const auto one = all(1), three = all(3);
  omp_set_num_threads(omp_get_num_procs());
  for (std::size_t g = 0; g < one.size(); ++g) {
    EXPECT_EQ(one[g].log_hazard, three[g].log_hazard);
    EXPECT_EQ(one[g].se, three[g].se);
    EXPECT_EQ(one[g].loglik, three[g].loglik);
    EXPECT_EQ(one[g].beta, three[g].beta);
  }
}

TEST(AdjustedFits, RefuseAFitOfAnotherDesign) {
  const Cohort c = twenty_four({});
  const CoxDesign design = make_cox_design(c.timeline(), {c.covariate, 1, {}});
  CoxFit other = cox_fit(design);
  other.beta.push_back(0);
  EXPECT_THROW(adjusted_fits(design, other, {}, Ties::efron, {}), ShapeError);
}

}  // namespace
}  // namespace chorale::kernels
