// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/pair_cox.hpp"

#include <gtest/gtest.h>
#include <omp.h>

#include <algorithm>
#include <cmath>

#include "kernels/error.hpp"
#include "kernels/level.hpp"
#include "kernels/reference/pair_cox.hpp"
#include "tests/kernels/pair_data.hpp"

namespace chorale::kernels {
namespace {

using pair_data::forty;
using pair_data::full_fit;
using pair_data::PairCohort;
using pair_data::random_pair;
using survival_data::close;

/// Every number of two fits, standard errors to 1e-7: their error is that of the last step.
void expect_same(const PairCoxFit& found, const PairCoxFit& expected, const std::string& where) {
  EXPECT_EQ(found.counts.n, expected.counts.n) << where;
  EXPECT_EQ(found.counts.deaths, expected.counts.deaths) << where;
  EXPECT_EQ(found.verdict, expected.verdict) << where << " " << name_of(found.verdict);
  EXPECT_LT(std::abs(found.a - expected.a), 1e-9 * expected.se_a) << where;
  EXPECT_LT(std::abs(found.b - expected.b), 1e-9 * expected.se_b) << where;
  EXPECT_LT(std::abs(found.ab - expected.ab), 1e-9 * expected.se_ab) << where;
  EXPECT_TRUE(close(found.se_a, expected.se_a, 1e-7)) << where;
  EXPECT_TRUE(close(found.se_ab, expected.se_ab, 1e-7)) << where;
  for (std::size_t k = 0; k < 9; ++k) {
    EXPECT_TRUE(close(found.covariance[k], expected.covariance[k], 1e-6)) << where << " covariance " << k;
  }
  EXPECT_TRUE(close(found.loglik_null, expected.loglik_null, 1e-12)) << where;
  EXPECT_TRUE(close(found.loglik_covariates, expected.loglik_covariates, 1e-12)) << where;
  EXPECT_TRUE(close(found.loglik_without, expected.loglik_without, 1e-12)) << where;
  EXPECT_TRUE(close(found.loglik, expected.loglik, 1e-12)) << where;
  EXPECT_TRUE(close(found.lrt_chi2, expected.lrt_chi2, 1e-9)) << where;
  EXPECT_TRUE(close(found.wald_chi2, expected.wald_chi2, 1e-6)) << where;
  EXPECT_TRUE(close(found.score_chi2, expected.score_chi2, 1e-6)) << where;
  for (std::size_t j = 0; j < expected.beta.size(); ++j)
    EXPECT_TRUE(close(found.beta[j], expected.beta[j], 1e-9)) << where;
}

TEST(PairCoxFull, MatchesRSurvivalWithTies) {
  // survival 3.5.3: coxph(Surv(time, event) ~ a + b + a:b), eps = 1e-14; tests/oracle/pair_cox.R, efron crude
  const PairCohort c = forty({}, 0);
  const PairCoxFit fit = full_fit(c.design(), c.a, c.b, Ties::efron);
  EXPECT_EQ(fit.verdict, PairVerdict::converged);
  EXPECT_NEAR(fit.a, 0.944316041661322, 1e-10);
  EXPECT_NEAR(fit.b, 0.784963043679958, 1e-10);
  EXPECT_NEAR(fit.ab, -1.02021618494108, 1e-10);
  EXPECT_NEAR(fit.se_a, 0.471649883400547, 1e-8);
  EXPECT_NEAR(fit.se_b, 0.561315228461481, 1e-8);
  EXPECT_NEAR(fit.se_ab, 0.749896244023621, 1e-8);
  EXPECT_NEAR(fit.loglik_null, -90.1569560163126, 1e-10);
  EXPECT_NEAR(fit.loglik_without, -88.7474466898904, 1e-10);
  EXPECT_NEAR(fit.loglik, -87.8185261189894, 1e-10);
  EXPECT_NEAR(fit.lrt_chi2, 2 * (88.7474466898904 - 87.8185261189894), 1e-9);
  EXPECT_NEAR(fit.score_chi2, 1.89996771033805, 1e-8);
  // ftable(a, b, event)
  EXPECT_EQ(fit.counts.n, (std::array<Index, 4>{11, 14, 6, 9}));
  EXPECT_EQ(fit.counts.deaths, (std::array<Index, 4>{7, 13, 6, 6}));
}

TEST(PairCoxFull, MatchesRSurvivalWithLateEntriesWeightsAndStrata) {
  // tests/oracle/pair_cox.R, efron all and breslow all: ~ z + y + strata(stratum) + a + b + a:b
  const PairCohort c = forty({.entry = true, .weight = true, .stratum = true}, 2);
  const PairCoxFit efron = full_fit(c.design(), c.a, c.b, Ties::efron);
  EXPECT_NEAR(efron.a, 1.46970017832745, 1e-10);
  EXPECT_NEAR(efron.b, 0.210151782273586, 1e-10);
  EXPECT_NEAR(efron.ab, -0.508088746020538, 1e-10);
  EXPECT_NEAR(efron.se_ab, 0.794621439466552, 1e-8);
  EXPECT_NEAR(efron.covariance[1], 0.109537206567664, 1e-8);
  EXPECT_NEAR(efron.covariance[2], -0.234172099807859, 1e-8);
  EXPECT_NEAR(efron.covariance[5], -0.324117547635344, 1e-8);
  EXPECT_NEAR(efron.loglik_null, -65.9775623616197, 1e-10);
  EXPECT_NEAR(efron.loglik_without, -61.9958799652259, 1e-10);
  EXPECT_NEAR(efron.loglik, -61.790129522231, 1e-10);
  EXPECT_NEAR(efron.score_chi2, 0.410921778773718, 1e-8);
  const PairCoxFit breslow = full_fit(c.design(), c.a, c.b, Ties::breslow);
  EXPECT_NEAR(breslow.ab, -0.488286059188606, 1e-10);
  EXPECT_NEAR(breslow.se_ab, 0.794821859529306, 1e-8);
  EXPECT_NEAR(breslow.loglik, -62.3824982506174, 1e-10);
  EXPECT_NEAR(breslow.score_chi2, 0.379173804544407, 1e-8);
}

TEST(PairCoxFull, EveryLevelAgreesWithTheReference) {
  const Level before = level();
  int n_converged = 0;
  for (const Level each : available_levels()) {
    force_level(each);
    for (unsigned seed = 1; seed <= 48; ++seed) {
      const Index p = seed % 6;
      // few days: many rows of one fate at one event time; many: event times with one death
      const PairCohort c = random_pair({.n = 61 + 37 * (seed % 4),
                                        .days = seed % 3 == 0   ? 3
                                                : seed % 3 == 1 ? 15
                                                                : 400,
                                        .carriers = 0.4,
                                        .hazard_ratio = 1.6,
                                        .with = {seed % 5 == 0, seed % 4 == 0, seed % 7 < 2},
                                        .seed = seed,
                                        .n_covariates = p});
      const Ties ties = seed % 3 == 1 ? Ties::breslow : Ties::efron;
      const PairCoxFit expected =
          reference::pair_cox_full(c.cohort.timeline(), c.columns(), c.tested, c.a, c.b, ties);
      const PairCoxFit found = full_fit(c.design(), c.a, c.b, ties);
      const std::string where = "seed " + std::to_string(seed);
      if (expected.verdict != PairVerdict::converged) {
        EXPECT_NE(found.verdict, PairVerdict::converged) << where;
        continue;
      }
      ++n_converged;
      expect_same(found, expected, where);
    }
  }
  force_level(before);
  EXPECT_GT(n_converged, 90);  // of 48 cohorts at each level
}

TEST(PairCoxFull, SwappingTheFeaturesSwapsTheirCoefficients) {
  const PairCohort c = random_pair({.n = 700, .days = 60, .carriers = 0.3, .seed = 3, .n_covariates = 2});
  const CoxDesign design = c.design();
  const PairCoxFit one = full_fit(design, c.a, c.b, Ties::efron);
  PairCoxFit other = full_fit(design, c.b, c.a, Ties::efron);
  std::swap(other.a, other.b);
  std::swap(other.se_a, other.se_b);
  std::swap(other.counts.n[only_a], other.counts.n[only_b]);
  std::swap(other.counts.deaths[only_a], other.counts.deaths[only_b]);
  // (a, b, ab) x (a, b, ab)
  std::swap(other.covariance[0], other.covariance[4]);
  std::swap(other.covariance[2], other.covariance[5]);
  std::swap(other.covariance[6], other.covariance[7]);
  expect_same(other, one, "swapped");
}

TEST(PairCoxFull, TheOrderOfPatientsDoesNotMatter) {
  const PairCohort c = random_pair(
      {.n = 500, .days = 40, .carriers = 0.3, .with = {true, true, true}, .seed = 8, .n_covariates = 2});
  PairCohort turned = c;
  const auto reverse = [](auto& values) { std::reverse(values.begin(), values.end()); };
  reverse(turned.cohort.entry);
  reverse(turned.cohort.time);
  reverse(turned.cohort.event);
  reverse(turned.cohort.weight);
  reverse(turned.cohort.stratum);
  reverse(turned.tested);
  std::reverse(turned.cohort.covariate.begin(), turned.cohort.covariate.begin() + 500);
  std::reverse(turned.cohort.covariate.begin() + 500, turned.cohort.covariate.end());
  for (auto* list : {&turned.a, &turned.b}) {
    for (std::int32_t& carrier : *list) carrier = 499 - carrier;
    reverse(*list);
  }
  expect_same(full_fit(turned.design(), turned.a, turned.b, Ties::efron),
              full_fit(c.design(), c.a, c.b, Ties::efron), "reversed");
}

TEST(PairCoxFull, AWeightOfTwoIsARowTwiceUnderBreslow) {
  PairCohort weighted = random_pair({.n = 150, .days = 30, .carriers = 0.4, .seed = 5, .n_covariates = 1});
  weighted.tested.clear();
  PairCohort doubled = weighted;
  doubled.cohort.covariate.clear();
  for (std::size_t i = 0; i < 150; ++i) weighted.cohort.weight.push_back(i < 50 ? 2 : 1);
  // the first 50 patients again at the end
  survival_data::Cohort& c = doubled.cohort;
  c.covariate = weighted.cohort.covariate;
  for (std::size_t i = 0; i < 50; ++i) {
    c.time.push_back(c.time[i]);
    c.event.push_back(c.event[i]);
    c.covariate.push_back(c.covariate[i]);
  }
  for (auto* list : {&doubled.a, &doubled.b}) {
    const std::vector<std::int32_t> once = *list;
    for (const std::int32_t carrier : once) {
      if (carrier < 50) list->push_back(150 + carrier);
    }
  }
  const PairCoxFit twice = full_fit(doubled.design(), doubled.a, doubled.b, Ties::breslow);
  PairCoxFit once = full_fit(weighted.design(), weighted.a, weighted.b, Ties::breslow);
  once.counts = twice.counts;  // patients, not weights
  expect_same(once, twice, "doubled");
}

TEST(PairCoxFull, FeaturesWithoutDoubleCarriersHaveNoInteraction) {
  const PairCohort c = forty({}, 1);
  std::vector<std::int32_t> b;
  std::set_difference(c.b.begin(), c.b.end(), c.a.begin(), c.a.end(), std::back_inserter(b));
  const PairCoxFit fit = full_fit(c.design(), c.a, b, Ties::efron);
  EXPECT_EQ(fit.verdict, PairVerdict::empty_group);
  EXPECT_EQ(fit.counts.n[both], 0);
  EXPECT_TRUE(std::isnan(fit.ab));
}

TEST(PairCoxFull, DoubleCarriersWithoutADeathGiveTheLimit) {
  PairCohort c = random_pair({.n = 400, .days = 90, .carriers = 0.4, .seed = 6, .n_covariates = 1});
  std::vector<std::int32_t> doubles;
  std::set_intersection(c.a.begin(), c.a.end(), c.b.begin(), c.b.end(), std::back_inserter(doubles));
  for (const std::int32_t i : doubles) {
    auto& event = c.cohort.event[static_cast<std::size_t>(i)];
    if (event == 1) event = 0;
  }
  const PairCoxFit fit = full_fit(c.design(), c.a, c.b, Ties::efron);
  EXPECT_EQ(fit.verdict, PairVerdict::separated);
  EXPECT_TRUE(std::isnan(fit.ab));
  // in the limit they count for nothing: the others' fit of a and b
  std::vector<std::uint8_t> others = c.tested;
  for (const std::int32_t i : doubles) others[static_cast<std::size_t>(i)] = 0;
  std::vector<double> columns = c.cohort.covariate;
  columns.resize(3 * 400, 0);
  for (const std::int32_t i : c.a) columns[static_cast<std::size_t>(400 + i)] = 1;
  for (const std::int32_t i : c.b) columns[static_cast<std::size_t>(800 + i)] = 1;
  const CoxFit limit = cox_fit(make_cox_design(c.cohort.timeline(), {columns, 3, {}}, others));
  EXPECT_NEAR(fit.loglik, limit.loglik, 1e-8);
  const std::vector<double> all = columns;
  const CoxFit without = cox_fit(make_cox_design(c.cohort.timeline(), {all, 3, {}}, c.tested));
  EXPECT_NEAR(fit.loglik_without, without.loglik, 1e-10);
  EXPECT_NEAR(fit.lrt_chi2, 2 * (limit.loglik - without.loglik), 1e-7);
}

TEST(PairCoxFull, AFeatureThatIsACovariateIsSingular) {
  PairCohort c = forty({}, 0);
  c.n_covariates = 1;
  c.cohort.covariate.assign(40, 0);
  for (const std::int32_t i : c.a) c.cohort.covariate[static_cast<std::size_t>(i)] = 1;
  const Level before = level();
  for (const Level each : available_levels()) {
    force_level(each);
    const PairCoxFit fit = full_fit(c.design(), c.a, c.b, Ties::efron);
    EXPECT_EQ(fit.verdict, PairVerdict::singular) << name_of(each);
  }
  force_level(before);
}

TEST(PairCoxFull, NobodyDyingIsNotAFit) {
  PairCohort c = forty({}, 1);
  std::fill(c.cohort.event.begin(), c.cohort.event.end(), std::int8_t{0});
  const PairCoxFit fit = full_fit(c.design(), c.a, c.b, Ties::efron);
  EXPECT_EQ(fit.verdict, PairVerdict::no_events);
  EXPECT_EQ(fit.counts.n, (std::array<Index, 4>{11, 14, 6, 9}));
}

TEST(PairCoxFull, IsEqualToTheBitForAnyNumberOfThreads) {
  const PairCohort c = random_pair({.n = 3000, .days = 300, .seed = 21, .n_covariates = 2});
  const CoxDesign design = c.design();
  const CoxFit covariates = cox_fit(design);
  std::vector<std::vector<std::int32_t>> lists;
  for (unsigned seed = 50; seed < 54; ++seed)
    lists.push_back(survival_data::random_cohort({.n = 3000, .seed = seed}).carriers());
  const std::vector<std::span<const std::int32_t>> carriers(lists.begin(), lists.end());
  const std::vector<FeaturePair> pairs{{0, 1}, {0, 2}, {0, 3}, {1, 2}, {1, 3}, {2, 3}};
  const auto all = [&](int threads) {
    omp_set_num_threads(threads);
    std::vector<PairCoxFit> fits(pairs.size());
    pair_cox_full(design, covariates, carriers, pairs, Ties::efron, fits);
    return fits;
  };
  const auto one = all(1), three = all(3);
  omp_set_num_threads(omp_get_num_procs());
  for (std::size_t k = 0; k < one.size(); ++k) {
    EXPECT_EQ(one[k].verdict, PairVerdict::converged);
    EXPECT_EQ(one[k].ab, three[k].ab);
    EXPECT_EQ(one[k].covariance, three[k].covariance);
    EXPECT_EQ(one[k].loglik, three[k].loglik);
    EXPECT_EQ(one[k].beta, three[k].beta);
  }
}

TEST(PairCoxFull, WithoutTheLikelihoodRatioTheFitIsTheSame) {
  const PairCohort c = forty({}, 1);
  const CoxDesign design = c.design();
  const PairCoxFrame frame(design, cox_fit(design), Ties::efron);
  const std::vector<std::span<const std::int32_t>> carriers{c.a, c.b};
  const FeaturePair pair{0, 1};
  PairCoxFit alone;
  pair_cox_full(frame, carriers, {&pair, 1}, {&alone, 1}, {.with_lrt = false});
  const PairCoxFit both = full_fit(design, c.a, c.b, Ties::efron);
  EXPECT_EQ(alone.verdict, PairVerdict::converged);
  EXPECT_EQ(alone.ab, both.ab);
  EXPECT_EQ(alone.covariance, both.covariance);
  EXPECT_EQ(alone.loglik, both.loglik);
  EXPECT_TRUE(std::isnan(alone.lrt_chi2));
  EXPECT_TRUE(std::isnan(alone.loglik_without));
}

TEST(PairCoxFull, RefusesPairsOfUnknownFeatures) {
  const PairCohort c = forty({}, 0);
  const CoxDesign design = c.design();
  const CoxFit covariates = cox_fit(design);
  const std::vector<std::span<const std::int32_t>> carriers{c.a, c.b};
  std::vector<PairCoxFit> fits(1);
  for (const FeaturePair pair : {FeaturePair{0, 2}, FeaturePair{-1, 1}, FeaturePair{1, 1}}) {
    EXPECT_THROW(pair_cox_full(design, covariates, carriers, {&pair, 1}, Ties::efron, fits), ShapeError);
  }
  EXPECT_THROW(pair_cox_full(design, covariates, carriers, {}, Ties::efron, fits), ShapeError);
}

}  // namespace
}  // namespace chorale::kernels
