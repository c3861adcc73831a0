// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/pair_cox_firth.hpp"

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
using pair_data::PairCohort;
using pair_data::random_pair;

/// Whoever carries both is censored where they died.
PairCohort separated(PairCohort c) {
  for (const std::int32_t i : c.a) {
    auto& event = c.cohort.event[static_cast<std::size_t>(i)];
    if (std::binary_search(c.b.begin(), c.b.end(), i) && event == 1) event = 0;
  }
  return c;
}

PairCoxFit firth(const CoxDesign& design, std::span<const std::int32_t> a, std::span<const std::int32_t> b,
                 Ties ties) {
  const CoxFit covariates = cox_fit(design, {.ties = ties});
  const std::vector<std::span<const std::int32_t>> carriers{a, b};
  const FeaturePair pair{0, 1};
  PairCoxFit fit;
  pair_cox_firth(design, covariates, carriers, {&pair, 1}, ties, {&fit, 1});
  return fit;
}

// The numbers below are those of tests/oracle/pair_cox_firth.R, whose optim finds the place of the maximum to about
// 3e-8 and its height to more digits than are printed.
constexpr double by_optim = 2e-7;

TEST(PairCoxFirth, MatchesTheMaximumThatRFinds) {
  const PairCohort c = separated(forty({}, 0));
  const PairCoxFit fit = firth(c.design(), c.a, c.b, Ties::efron);
  EXPECT_EQ(fit.verdict, PairVerdict::penalised);
  EXPECT_NEAR(fit.a, 0.872078382366, by_optim);
  EXPECT_NEAR(fit.b, 0.74854077918, by_optim);
  EXPECT_NEAR(fit.ab, -3.50613708465, by_optim);
  EXPECT_NEAR(fit.se_a, 0.47614233308, by_optim);
  EXPECT_NEAR(fit.se_b, 0.560277272082, by_optim);
  EXPECT_NEAR(fit.se_ab, 1.59941162164, by_optim);
  EXPECT_NEAR(fit.loglik_without, -71.4298656093, 1e-9);
  EXPECT_NEAR(fit.loglik, -66.4058739284, 1e-9);
  EXPECT_NEAR(fit.lrt_chi2, 2 * (71.4298656093 - 66.4058739284), 1e-9);
  EXPECT_EQ(fit.counts.n, (std::array<Index, 4>{11, 14, 6, 9}));
  EXPECT_EQ(fit.counts.deaths, (std::array<Index, 4>{7, 13, 6, 0}));
}

TEST(PairCoxFirth, MatchesRWithLateEntriesWeightsAndStrata) {
  const PairCohort c = separated(forty({.entry = true, .weight = true, .stratum = true}, 2));
  const PairCoxFit efron = firth(c.design(), c.a, c.b, Ties::efron);
  EXPECT_NEAR(efron.beta[0], -0.252441403462, by_optim);
  EXPECT_NEAR(efron.beta[1], 0.722429852787, by_optim);
  EXPECT_NEAR(efron.a, 1.37312021972, by_optim);
  EXPECT_NEAR(efron.b, 0.176569659081, by_optim);
  EXPECT_NEAR(efron.ab, -3.08320171763, by_optim);
  EXPECT_NEAR(efron.se_ab, 1.65203760206, by_optim);
  EXPECT_NEAR(efron.loglik_without, -45.626293075, 1e-9);
  EXPECT_NEAR(efron.loglik, -42.2201110878, 1e-9);
  const PairCoxFit breslow = firth(c.design(), c.a, c.b, Ties::breslow);
  EXPECT_NEAR(breslow.ab, -3.05575864955, by_optim);
  EXPECT_NEAR(breslow.loglik_without, -45.931198038, 1e-9);
  EXPECT_NEAR(breslow.loglik, -42.6023619074, 1e-9);
}

/// The plain body's fit.
PairCoxFit plain(const CoxDesign& design, std::span<const std::int32_t> a, std::span<const std::int32_t> b,
                 Ties ties) {
  const CoxFit covariates = cox_fit(design, {.ties = ties});
  const std::vector<std::span<const std::int32_t>> carriers{a, b};
  const FeaturePair pair{0, 1};
  PairCoxFit fit;
  reference::pair_cox_firth(design, covariates, carriers, {&pair, 1}, ties, {&fit, 1});
  return fit;
}

/// Both end with a step below 1e-9 standard errors, and l* rounds like the number of deaths.
void expect_same(const PairCoxFit& found, const PairCoxFit& expected, const std::string& where) {
  EXPECT_EQ(found.counts.n, expected.counts.n) << where;
  EXPECT_EQ(found.counts.deaths, expected.counts.deaths) << where;
  ASSERT_EQ(found.verdict, expected.verdict) << where << " " << name_of(found.verdict);
  const auto close = survival_data::close;
  EXPECT_TRUE(close(found.loglik_null, expected.loglik_null, 1e-12)) << where;
  EXPECT_TRUE(close(found.loglik_covariates, expected.loglik_covariates, 1e-12)) << where;
  if (expected.verdict != PairVerdict::penalised) return;
  EXPECT_LT(std::abs(found.a - expected.a), 4e-9 * expected.se_a) << where;
  EXPECT_LT(std::abs(found.b - expected.b), 4e-9 * expected.se_b) << where;
  EXPECT_LT(std::abs(found.ab - expected.ab), 4e-9 * expected.se_ab) << where;
  for (std::size_t k = 0; k < 9; ++k)
    EXPECT_TRUE(close(found.covariance[k], expected.covariance[k], 1e-7)) << where << " covariance " << k;
  EXPECT_TRUE(close(found.loglik_without, expected.loglik_without, 1e-11)) << where;
  EXPECT_TRUE(close(found.loglik, expected.loglik, 1e-11)) << where;
  EXPECT_TRUE(close(found.lrt_chi2, expected.lrt_chi2, 1e-9)) << where;
  EXPECT_TRUE(close(found.wald_chi2, expected.wald_chi2, 1e-7)) << where;
  for (std::size_t j = 0; j < expected.beta.size(); ++j)
    EXPECT_TRUE(close(found.beta[j], expected.beta[j], 1e-8)) << where << " column " << j;
}

TEST(PairCoxFirth, EveryLevelAgreesWithThePlainBody) {
  const Level before = level();
  int n_penalised = 0;
  for (unsigned seed = 1; seed <= 60; ++seed) {
    // few days: up to dozens of deaths at one event time; many: event times with one death
    const Index p = seed % 6;
    PairCohort c = random_pair({.n = 61 + 67 * (seed % 5),
                                .days = seed % 3 == 0   ? 4
                                        : seed % 3 == 1 ? 25
                                                        : 400,
                                .carriers = 0.3,
                                .hazard_ratio = 1.6,
                                .with = {seed % 5 == 0, seed % 4 == 0, seed % 7 < 2},
                                .seed = seed,
                                .n_covariates = p});
    if (seed % 8 != 0) c = separated(c);
    const Ties ties = seed % 3 == 1 ? Ties::breslow : Ties::efron;
    const CoxDesign design = c.design();
    const PairCoxFit expected = plain(design, c.a, c.b, ties);
    n_penalised += expected.verdict == PairVerdict::penalised;
    for (const Level each : available_levels()) {
      force_level(each);
      expect_same(firth(design, c.a, c.b, ties), expected, "seed " + std::to_string(seed));
    }
    force_level(before);
  }
  EXPECT_GT(n_penalised, 50);
}

TEST(PairCoxFirth, AgreesWithThePlainBodyInALargerCohort) {
  for (const Index p : {0, 1, 2, 3, 4}) {
    const PairCohort c = separated(random_pair(
        {.n = 6000, .days = 300, .carriers = 0.05, .seed = 77 + unsigned(p), .n_covariates = p}, 0.02, 0.03));
    const CoxDesign design = c.design();
    expect_same(firth(design, c.a, c.b, Ties::efron), plain(design, c.a, c.b, Ties::efron),
                std::to_string(p) + " columns");
  }
}

TEST(PairCoxFirth, AliasedCovariatesStayOut) {
  PairCohort c =
      separated(random_pair({.n = 250, .days = 30, .carriers = 0.3, .seed = 5, .n_covariates = 3}));
  auto& z = c.cohort.covariate;
  for (std::size_t i = 0; i < 250; ++i) z[250 + i] = 2 * z[i] + 1;
  const PairCoxFit found = firth(c.design(), c.a, c.b, Ties::efron);
  EXPECT_EQ(found.verdict, PairVerdict::penalised);
  EXPECT_TRUE(std::isnan(found.beta[1]));
  expect_same(found, plain(c.design(), c.a, c.b, Ties::efron), "aliased");
}

TEST(PairCoxFirth, SeveralGroupsMayHaveNoDeath) {
  PairCohort c = random_pair({.n = 400, .days = 50, .carriers = 0.2, .seed = 9, .n_covariates = 2});
  for (const std::int32_t i : c.a) {
    auto& event = c.cohort.event[static_cast<std::size_t>(i)];
    if (event == 1) event = 0;
  }
  const PairCoxFit one_feature = firth(c.design(), c.a, c.b, Ties::efron);
  EXPECT_EQ(one_feature.counts.deaths[only_a] + one_feature.counts.deaths[both], 0);
  expect_same(one_feature, plain(c.design(), c.a, c.b, Ties::efron), "no death with a");
  for (const std::int32_t i : c.b) {
    auto& event = c.cohort.event[static_cast<std::size_t>(i)];
    if (event == 1) event = 0;
  }
  expect_same(firth(c.design(), c.a, c.b, Ties::efron), plain(c.design(), c.a, c.b, Ties::efron),
              "no death with a or b");
}

TEST(PairCoxFirth, IsFiniteWhereTheFullFitIsNot) {
  const PairCohort c =
      separated(random_pair({.n = 300, .days = 60, .carriers = 0.3, .seed = 12, .n_covariates = 1}));
  const CoxDesign design = c.design();
  const PairCoxFit full = pair_data::full_fit(design, c.a, c.b, Ties::efron);
  ASSERT_EQ(full.verdict, PairVerdict::separated);
  const PairCoxFit fit = firth(design, c.a, c.b, Ties::efron);
  EXPECT_EQ(fit.verdict, PairVerdict::penalised);
  EXPECT_LT(fit.ab, -1);
  EXPECT_GT(fit.ab, -10);
  EXPECT_EQ(fit.counts.n, full.counts.n);
  EXPECT_EQ(fit.counts.deaths, full.counts.deaths);
}

TEST(PairCoxFirth, LeavesLargeCohortsWhereTheyAre) {
  // the penalty is of the order 1 / deaths: 1,500 patients move by far less than a standard error
  const PairCohort c = random_pair({.n = 1500, .days = 200, .carriers = 0.4, .seed = 2, .n_covariates = 1});
  const PairCoxFit full = pair_data::full_fit(c.design(), c.a, c.b, Ties::efron);
  const PairCoxFit fit = firth(c.design(), c.a, c.b, Ties::efron);
  EXPECT_NE(fit.ab, full.ab);
  EXPECT_NEAR(fit.ab, full.ab, 0.05 * full.se_ab);
  EXPECT_NEAR(fit.lrt_chi2, full.lrt_chi2, 0.1);
}

TEST(PairCoxFirth, OneFrameServesManyCalls) {
  const PairCohort c = separated(forty({.stratum = true}, 2));
  const CoxDesign design = c.design();
  const PairCoxFrame frame(design, cox_fit(design), Ties::efron);
  const std::vector<std::span<const std::int32_t>> carriers{c.a, c.b};
  const FeaturePair pair{0, 1};
  for (int call = 0; call < 2; ++call) {
    PairCoxFit fit;
    pair_cox_firth(frame, carriers, {&pair, 1}, {&fit, 1});
    EXPECT_EQ(fit.ab, firth(design, c.a, c.b, Ties::efron).ab);
  }
}

TEST(PairCoxFirth, SaysWhyThereIsNoFit) {
  PairCohort c = forty({}, 0);
  std::vector<std::int32_t> b;
  std::set_difference(c.b.begin(), c.b.end(), c.a.begin(), c.a.end(), std::back_inserter(b));
  EXPECT_EQ(firth(c.design(), c.a, b, Ties::efron).verdict, PairVerdict::empty_group);
  c.n_covariates = 1;
  c.cohort.covariate.assign(40, 0);
  for (const std::int32_t i : c.a) c.cohort.covariate[static_cast<std::size_t>(i)] = 1;
  EXPECT_EQ(firth(c.design(), c.a, c.b, Ties::efron).verdict, PairVerdict::singular);
  std::fill(c.cohort.event.begin(), c.cohort.event.end(), std::int8_t{0});
  EXPECT_EQ(firth(c.design(), c.a, c.b, Ties::efron).verdict, PairVerdict::no_events);
}

TEST(PairCoxFirth, IsEqualToTheBitForAnyNumberOfThreads) {
  const PairCohort c = separated(forty({.weight = true}, 2));
  const CoxDesign design = c.design();
  const CoxFit covariates = cox_fit(design);
  const std::vector<std::span<const std::int32_t>> carriers{c.a, c.b};
  const std::vector<FeaturePair> pairs{{0, 1}, {1, 0}, {0, 1}};
  const auto all = [&](int threads) {
    omp_set_num_threads(threads);
    std::vector<PairCoxFit> fits(pairs.size());
    pair_cox_firth(design, covariates, carriers, pairs, Ties::efron, fits);
    return fits;
  };
  const auto one = all(1), three = all(3);
  omp_set_num_threads(omp_get_num_procs());
  for (std::size_t k = 0; k < one.size(); ++k) EXPECT_EQ(one[k].ab, three[k].ab);
  EXPECT_EQ(one[0].ab, one[2].ab);
  EXPECT_NEAR(one[0].ab, one[1].ab, 1e-8);  // the features in the other order
  EXPECT_NEAR(one[0].a, one[1].b, 1e-8);
}

}  // namespace
}  // namespace chorale::kernels
