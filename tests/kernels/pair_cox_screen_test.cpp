// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/pair_cox_screen.hpp"

#include <gtest/gtest.h>
#include <omp.h>

#include <algorithm>
#include <cmath>

#include "kernels/error.hpp"
#include "kernels/level.hpp"
#include "tests/kernels/pair_data.hpp"

namespace chorale::kernels {
namespace {

using pair_data::forty;
using pair_data::full_fit;
using pair_data::PairCohort;
using pair_data::random_pair;

PairScreen screen(const CoxDesign& design, const CoxFit& covariates, std::span<const std::int32_t> a,
                  std::span<const std::int32_t> b, Ties ties) {
  const std::vector<std::span<const std::int32_t>> carriers{a, b};
  const FeaturePair pair{0, 1};
  PairScreen found;
  pair_cox_screen(design, covariates, carriers, {&pair, 1}, ties, {&found, 1});
  return found;
}

/// The full fit of (a, b, ab) where z'β̂ is an offset.
PairCoxFit fit_beside_offset(const PairCohort& c, const CoxFit& covariates, Ties ties) {
  const auto n = static_cast<std::size_t>(c.cohort.timeline().n_patients);
  std::vector<double> offset(n, 0);
  for (std::size_t j = 0; j < covariates.beta.size(); ++j) {
    for (std::size_t i = 0; i < n; ++i) offset[i] += covariates.beta[j] * c.cohort.covariate[j * n + i];
  }
  return full_fit(make_cox_design(c.cohort.timeline(), {{}, 0, offset}, c.tested), c.a, c.b, ties);
}

TEST(PairCoxScreen, MatchesRSurvivalWithoutCovariates) {
  // tests/oracle/pair_cox.R, efron crude; the screen stops 1e-3 standard errors from R
  const PairCohort c = forty({}, 0);
  const CoxDesign design = c.design();
  const PairScreen found = screen(design, cox_fit(design), c.a, c.b, Ties::efron);
  EXPECT_EQ(found.verdict, PairVerdict::converged);
  EXPECT_NEAR(found.a, 0.944316041661322, 1e-3 * 0.47);
  EXPECT_NEAR(found.b, 0.784963043679958, 1e-3 * 0.56);
  EXPECT_NEAR(found.ab, -1.02021618494108, 1e-3 * 0.75);
  EXPECT_NEAR(found.se_ab, 0.749896244023621, 0.01);
  EXPECT_NEAR(found.lrt_chi2, 2 * (88.7474466898904 - 87.8185261189894), 3e-5);
  EXPECT_EQ(found.counts.n, (std::array<Index, 4>{11, 14, 6, 9}));
  EXPECT_EQ(found.counts.deaths, (std::array<Index, 4>{7, 13, 6, 6}));
}

TEST(PairCoxScreen, EveryLevelAgreesWithAFullFitBesideAnOffset) {
  const Level before = level();
  int n_converged = 0;
  for (const Level each : available_levels()) {
    force_level(each);
    for (unsigned seed = 1; seed <= 60; ++seed) {
      const PairCohort c = random_pair({.n = 61 + 97 * (seed % 4),
                                        .days = seed % 3 == 0   ? 3
                                                : seed % 3 == 1 ? 15
                                                                : 400,
                                        .carriers = 0.4,
                                        .hazard_ratio = 1.6,
                                        .with = {seed % 5 == 0, seed % 4 == 0, seed % 7 < 2},
                                        .seed = seed,
                                        .n_covariates = seed % 3});
      const Ties ties = seed % 3 == 1 ? Ties::breslow : Ties::efron;
      const CoxDesign design = c.design();
      const CoxFit covariates = cox_fit(design, {.ties = ties});
      const PairCoxFit expected = fit_beside_offset(c, covariates, ties);
      const PairScreen found = screen(design, covariates, c.a, c.b, ties);
      EXPECT_EQ(found.counts.n, expected.counts.n) << seed;
      EXPECT_EQ(found.counts.deaths, expected.counts.deaths) << seed;
      EXPECT_EQ(found.verdict, expected.verdict) << seed;
      if (expected.verdict != PairVerdict::converged) continue;
      ++n_converged;
      EXPECT_NEAR(found.a, expected.a, 1e-3 * expected.se_a) << seed;
      EXPECT_NEAR(found.b, expected.b, 1e-3 * expected.se_b) << seed;
      EXPECT_NEAR(found.ab, expected.ab, 1e-3 * expected.se_ab) << seed;
      EXPECT_NEAR(found.se_ab, expected.se_ab, 0.015 * expected.se_ab) << seed;
      EXPECT_NEAR(found.lrt_chi2, expected.lrt_chi2, 3e-5) << seed;
    }
  }
  force_level(before);
  EXPECT_GT(n_converged, 120);  // of 60 cohorts at each level
}

TEST(PairCoxScreen, GivesTheLimitWhereNoDoubleCarrierDies) {
  for (const bool with_entry : {false, true}) {
    PairCohort c = random_pair(
        {.n = 400, .days = 90, .carriers = 0.4, .with = {.entry = with_entry}, .seed = 6, .n_covariates = 0});
    std::vector<std::int32_t> doubles;
    std::set_intersection(c.a.begin(), c.a.end(), c.b.begin(), c.b.end(), std::back_inserter(doubles));
    for (const std::int32_t i : doubles) {
      auto& event = c.cohort.event[static_cast<std::size_t>(i)];
      if (event == 1) event = 0;
    }
    const CoxDesign design = c.design();
    const PairCoxFit full = full_fit(design, c.a, c.b, Ties::efron);
    ASSERT_EQ(full.verdict, PairVerdict::separated);
    const PairScreen found = screen(design, cox_fit(design), c.a, c.b, Ties::efron);
    EXPECT_EQ(found.verdict, PairVerdict::separated);
    EXPECT_NEAR(found.lrt_chi2, full.lrt_chi2, 3e-5);
    EXPECT_TRUE(std::isnan(found.ab));
  }
}

TEST(PairCoxScreen, GivesTheLimitWhereNobodyWithOneOfTheFeaturesDies) {
  PairCohort c = random_pair({.n = 400, .days = 90, .carriers = 0.4, .seed = 9, .n_covariates = 0});
  std::vector<std::int32_t> singles;
  std::set_difference(c.a.begin(), c.a.end(), c.b.begin(), c.b.end(), std::back_inserter(singles));
  for (const std::int32_t i : singles) {
    auto& event = c.cohort.event[static_cast<std::size_t>(i)];
    if (event == 1) event = 0;
  }
  const CoxDesign design = c.design();
  const PairCoxFit full = full_fit(design, c.a, c.b, Ties::efron);
  ASSERT_EQ(full.verdict, PairVerdict::separated);
  const PairScreen found = screen(design, cox_fit(design), c.a, c.b, Ties::efron);
  EXPECT_EQ(found.verdict, PairVerdict::separated);
  EXPECT_NEAR(found.lrt_chi2, full.lrt_chi2, 1e-3);
}

TEST(PairCoxScreen, PairsWithoutDoubleCarriersGetAVerdict) {
  const PairCohort c = forty({}, 1);
  std::vector<std::int32_t> b;
  std::set_difference(c.b.begin(), c.b.end(), c.a.begin(), c.a.end(), std::back_inserter(b));
  const CoxDesign design = c.design();
  const PairScreen found = screen(design, cox_fit(design), c.a, b, Ties::efron);
  EXPECT_EQ(found.verdict, PairVerdict::empty_group);
  EXPECT_EQ(found.counts.n[both], 0);
  EXPECT_TRUE(std::isnan(found.lrt_chi2));
}

TEST(PairCoxScreen, NeedsEventsAndACovariatesFit) {
  PairCohort c = forty({}, 0);
  c.n_covariates = 1;
  for (int i = 0; i < 40; ++i) c.cohort.covariate.push_back(c.cohort.event[static_cast<std::size_t>(i)]);
  const CoxDesign diverging = c.design();
  EXPECT_EQ(screen(diverging, cox_fit(diverging), c.a, c.b, Ties::efron).verdict,
            PairVerdict::covariates_failed);
  std::fill(c.cohort.event.begin(), c.cohort.event.end(), std::int8_t{0});
  const CoxDesign nobody_dies = c.design();
  EXPECT_EQ(screen(nobody_dies, cox_fit(nobody_dies), c.a, c.b, Ties::efron).verdict, PairVerdict::no_events);
}

TEST(PairCoxScreen, IsEqualToTheBitForAnyNumberOfThreads) {
  const PairCohort c = random_pair({.n = 3000, .days = 300, .seed = 21, .n_covariates = 2});
  const CoxDesign design = c.design();
  const CoxFit covariates = cox_fit(design);
  std::vector<std::vector<std::int32_t>> lists;
  for (unsigned seed = 50; seed < 58; ++seed)
    lists.push_back(survival_data::random_cohort({.n = 3000, .seed = seed}).carriers());
  const std::vector<std::span<const std::int32_t>> carriers(lists.begin(), lists.end());
  std::vector<FeaturePair> pairs;
  for (std::int32_t a = 0; a < 8; ++a) {
    for (std::int32_t b = 0; b < a; ++b) pairs.push_back({a, b});
  }
  const auto all = [&](int threads) {
    omp_set_num_threads(threads);
    std::vector<PairScreen> found(pairs.size());
    pair_cox_screen(design, covariates, carriers, pairs, Ties::efron, found);
    return found;
  };
  const auto one = all(1), three = all(3);
  omp_set_num_threads(omp_get_num_procs());
  for (std::size_t k = 0; k < one.size(); ++k) {
    EXPECT_EQ(one[k].verdict, PairVerdict::converged);
    EXPECT_EQ(one[k].ab, three[k].ab);
    EXPECT_EQ(one[k].lrt_chi2, three[k].lrt_chi2);
  }
}

TEST(PairCoxScreen, WhatTheBoundLeavesOutCouldNotHavePassed) {
  const Level before = level();
  constexpr double pass_from = 10.827566170662733;  // R: qchisq(1e-3, 1, lower.tail = FALSE)
  int n_below = 0, n_fitted = 0, n_without_deaths = 0;
  double closest = 1e300;
  for (const Level each : available_levels()) {
    force_level(each);
    for (unsigned seed = 1; seed <= 240; ++seed) {
      const PairCohort c = random_pair({.n = 101 + 397 * (seed % 4),
                                        .days = seed % 3 == 0   ? 3
                                                : seed % 3 == 1 ? 15
                                                                : 400,
                                        .carriers = seed % 2 == 0 ? 0.3 : 0.06,
                                        .hazard_ratio = 1.6,
                                        .with = {seed % 5 == 0, seed % 4 == 0, seed % 7 < 2},
                                        .seed = seed,
                                        .n_covariates = seed % 3},
                                       seed % 9 == 0   ? 0.9
                                       : seed % 2 == 0 ? 0.3
                                                       : 0.12,
                                       seed % 9 == 0 ? 0.05 : 0.1);
      const Ties ties = seed % 3 == 1 ? Ties::breslow : Ties::efron;
      const CoxDesign design = c.design();
      const PairCoxFrame frame(design, cox_fit(design, {.ties = ties}), ties);
      const std::vector<std::span<const std::int32_t>> carriers{c.a, c.b};
      const FeaturePair pair{0, 1};
      PairScreen fitted, held;
      pair_cox_screen(frame, carriers, {&pair, 1}, {&fitted, 1});
      pair_cox_screen(frame, carriers, {&pair, 1}, {&held, 1}, {.pass_below_p = 1e-3});
      EXPECT_EQ(held.counts.n, fitted.counts.n) << seed;
      EXPECT_EQ(held.counts.deaths, fitted.counts.deaths) << seed;
      if (held.verdict != PairVerdict::below_bound) {
        n_fitted += fitted.verdict == PairVerdict::converged;
        EXPECT_EQ(held.verdict, fitted.verdict) << seed;
        if (fitted.verdict == PairVerdict::converged) {
          EXPECT_EQ(held.lrt_chi2, fitted.lrt_chi2) << seed;
        }
        continue;
      }
      ++n_below;
      n_without_deaths += held.counts.deaths[both] == 0;
      EXPECT_TRUE(std::isnan(held.lrt_chi2)) << seed;
      EXPECT_LT(held.lrt_at_most, pass_from) << seed;
      // the screen's own likelihood ratio is right to 3e-5
      EXPECT_LT(fitted.lrt_chi2, held.lrt_at_most + 1e-4) << seed;
      closest = std::min(closest, held.lrt_at_most - fitted.lrt_chi2);
    }
  }
  force_level(before);
  EXPECT_GT(n_below, 300);  // of 240 cohorts at each level
  EXPECT_GT(n_fitted, 30);
  EXPECT_GT(n_without_deaths, 5);
  EXPECT_LT(closest, 0.01);
}

TEST(PairCoxScreen, RefusesABoundThatIsNoP) {
  const PairCohort c = forty({}, 0);
  const CoxDesign design = c.design();
  const PairCoxFrame frame(design, cox_fit(design), Ties::efron);
  const std::vector<std::span<const std::int32_t>> carriers{c.a, c.b};
  for (const double p : {0.0, 1.5, std::nan("")}) {
    EXPECT_THROW(pair_cox_screen(frame, carriers, {}, {}, {.pass_below_p = p}), ShapeError);
  }
}

TEST(PairCoxScreen, RefusesPairsOfUnknownFeatures) {
  const PairCohort c = forty({}, 0);
  const CoxDesign design = c.design();
  const std::vector<std::span<const std::int32_t>> carriers{c.a, c.b};
  const FeaturePair pair{0, 2};
  PairScreen found;
  EXPECT_THROW(pair_cox_screen(design, cox_fit(design), carriers, {&pair, 1}, Ties::efron, {&found, 1}),
               ShapeError);
}

}  // namespace
}  // namespace chorale::kernels
