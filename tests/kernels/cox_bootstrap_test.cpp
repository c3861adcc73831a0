// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/cox_bootstrap.hpp"

#include <gtest/gtest.h>
#include <omp.h>

#include <cmath>
#include <string>

#include "kernels/error.hpp"
#include "kernels/level.hpp"
#include "tests/kernels/bootstrap_data.hpp"
#include "tests/kernels/survival_data.hpp"

namespace chorale::kernels {
namespace {

using bootstrap_data::bootstrap;
using bootstrap_data::draws;
using bootstrap_data::Replicates;
using bootstrap_data::resampled;
using survival_data::close;
using survival_data::Cohort;
using survival_data::random_cohort;

TEST(CoxBootstrap, EveryLevelAgreesWithRowsWrittenOut) {
  const Level before = level();
  for (const Level each : available_levels()) {
    force_level(each);
    for (unsigned seed = 1; seed <= 60; ++seed) {
      const Index n = 60 + 61 * (seed % 9), p = seed % 6;
      const CoxBootstrapOptions options{.ties = seed % 4 == 0 ? Ties::breslow : Ties::efron,
                                        .resample = seed % 2 ? Resample::rows : Resample::weights};
      const Cohort c = random_cohort({.n = n,
                                      .days = seed % 3 ? 15 : 300,
                                      .with = {seed % 5 == 0, seed % 3 == 0, seed % 7 < 3},
                                      .seed = seed,
                                      .n_covariates = p});
      std::vector<double> offset;
      for (Index i = 0; i < n && seed % 8 == 1; ++i) offset.push_back(0.1 * static_cast<double>(i % 11));
      constexpr Index n_replicates = 35;
      const auto copies = draws(n, n_replicates, seed);
      const Replicates found =
          bootstrap(make_cox_design(c.timeline(), {c.covariate, p, offset}), copies, options);
      for (std::size_t r = 0; r < n_replicates; r += 5) {
        const auto times = [&](std::size_t i) { return std::size_t{copies[i * n_replicates + r]}; };
        const Cohort rows = resampled(c, p, options.resample, times);
        Cohort offsets = c;
        offsets.covariate = offset;
        const auto drawn = resampled(offsets, offset.empty() ? 0 : 1, options.resample, times).covariate;
        const CoxFit expected = cox_fit(make_cox_design(rows.timeline(), {rows.covariate, p, drawn}),
                                        {.ties = options.ties, .max_iterations = 60});
        const CoxReplicate& fit = found.fits[r];
        const std::string where = "seed " + std::to_string(seed) + " replicate " + std::to_string(r);
        EXPECT_EQ(fit.verdict, expected.verdict) << where << " " << name_of(fit.verdict);
        if (fit.verdict != CoxVerdict::converged) continue;
        if (options.resample == Resample::rows) {
          EXPECT_EQ(fit.n_events, expected.n_events) << where;
        }
        EXPECT_TRUE(close(fit.loglik, expected.loglik, 1e-11))
            << where << " " << fit.loglik - expected.loglik;
        EXPECT_TRUE(close(fit.loglik_null, expected.loglik_null, 1e-11)) << where;
        for (std::size_t j = 0; j < static_cast<std::size_t>(p); ++j) {
          const double se = std::sqrt(expected.covariance[j * static_cast<std::size_t>(p + 1)]);
          EXPECT_NEAR(found.beta[r * static_cast<std::size_t>(p) + j], expected.beta[j], 1e-9 * se)
              << where << " " << fit.alone << " " << fit.iterations;
        }
      }
    }
  }
  force_level(before);
}

/// The 200 patients of tests/oracle/cox_bootstrap.R.
Cohort two_hundred(bool all) {
  Cohort c;
  std::vector<double> z, y, u;
  for (int i = 0; i < 200; ++i) {
    c.time.push_back(1 + (37 * i) % 29);
    c.event.push_back(i % 5 != 2);
    z.push_back(((11 * i) % 13) / 4.0);
    y.push_back(((5 * i) % 9) / 3.0);
    u.push_back((i * i) % 7 < 2);
    if (!all) continue;
    c.entry.push_back(i % 4 == 1 ? (i % 3) / 3.0 : 0);
    c.weight.push_back((1 + i % 3) / 2.0);
    c.stratum.push_back(i % 2);
  }
  for (const auto& column : {z, y, u}) c.covariate.insert(c.covariate.end(), column.begin(), column.end());
  return c;
}

TEST(CoxBootstrap, MatchesRSurvival) {
  // survival 3.5.3, eps = 1e-14, on the rows written out and with weights; tests/oracle/cox_bootstrap.R
  struct Expected {
    Ties ties;
    Resample resample;
    bool all;
    double numbers[5];  // three coefficients, log-likelihood at 0 and at them
  };
  const Expected cases[] = {
      {Ties::efron,
       Resample::rows,
       false,
       {-0.0523162762636483, 0.163286369708728, -0.0229748628923551, -842.07080503621, -840.126581377975}},
      {Ties::efron,
       Resample::weights,
       false,
       {-0.0514754928930763, 0.163348540773828, -0.0259063591483131, -843.260094551413, -841.321281273241}},
      {Ties::efron,
       Resample::rows,
       true,
       {-0.0170482571246263, 0.192925182271422, -0.0348607685726992, -706.851321968035, -704.466750250602}},
      {Ties::efron,
       Resample::weights,
       true,
       {-0.0153456201203572, 0.191522238128166, -0.038398865043873, -709.021610506226, -706.666591440331}},
      {Ties::breslow,
       Resample::rows,
       false,
       {-0.0420133566609887, 0.160711908203141, -0.0373126279069704, -854.171192788468, -852.342965241298}},
      {Ties::breslow,
       Resample::weights,
       true,
       {-0.00592736260443936, 0.187078368486463, -0.0467762338787947, -718.082283006069, -715.811400743614}},
  };
  std::vector<std::uint8_t> copies;
  for (int i = 0; i < 200; ++i) copies.push_back(static_cast<std::uint8_t>(((i * i + 3 * i) % 11) / 4));
  for (const Expected& expected : cases) {
    const Cohort c = two_hundred(expected.all);
    const Replicates found = bootstrap(make_cox_design(c.timeline(), {c.covariate, 3, {}}), copies,
                                       {.ties = expected.ties, .resample = expected.resample});
    EXPECT_FALSE(found.fits[0].alone);
    for (std::size_t j = 0; j < 3; ++j) EXPECT_NEAR(found.beta[j], expected.numbers[j], 1e-10);
    EXPECT_NEAR(found.fits[0].loglik_null, expected.numbers[3], 1e-9);
    EXPECT_NEAR(found.fits[0].loglik, expected.numbers[4], 1e-9);
  }
}

TEST(CoxBootstrap, ConvergesInLanesWhereEventsAreMany) {
  constexpr Index n = 20'000, p = 6, n_replicates = 70;
  Cohort c = random_cohort({.n = n, .days = 900, .seed = 3, .n_covariates = p});
  for (std::size_t i = 0; i < n; ++i) c.covariate[i] = c.covariate[i] > 2.8;  // one patient in twenty
  const auto copies = draws(n, n_replicates, 5);
  const Replicates found = bootstrap(make_cox_design(c.timeline(), {c.covariate, p, {}}), copies);
  for (const CoxReplicate& fit : found.fits) EXPECT_TRUE(!fit.alone && fit.verdict == CoxVerdict::converged);
  for (const std::size_t r : {0, 69}) {
    const Cohort rows = resampled(c, p, Resample::rows,
                                  [&](std::size_t i) { return std::size_t{copies[i * n_replicates + r]}; });
    const CoxFit expected = cox_fit(make_cox_design(rows.timeline(), {rows.covariate, p, {}}));
    EXPECT_NEAR(found.fits[r].loglik, expected.loglik, 1e-6);
    for (std::size_t j = 0; j < p; ++j) {
      EXPECT_NEAR(found.beta[r * p + j], expected.beta[j],
                  1e-9 * std::sqrt(expected.covariance[j * (p + 1)]));
    }
  }
}

TEST(CoxBootstrap, SaysWhatBecameOfAReplicate) {
  Cohort c = random_cohort({.n = 400, .days = 60, .seed = 9, .n_covariates = 2, .missing = 0});
  std::vector<std::uint8_t> copies(400 * 4, 1);
  const auto copies_of = [&](std::size_t i, std::size_t r) -> std::uint8_t& { return copies[i * 4 + r]; };
  for (std::size_t i = 0; i < 400; ++i) {
    c.covariate[400 + i] = i < 12;
    if (c.event[i] == 1) copies_of(i, 0) = 0;            // nobody dies
    if (i < 12) copies_of(i, 1) = 0;                     // a column without carriers
    if (i < 12 && c.event[i] == 1) copies_of(i, 2) = 0;  // no carrier dies
  }
  const CoxDesign design = make_cox_design(c.timeline(), {c.covariate, 2, {}});
  const Replicates found = bootstrap(design, copies);
  EXPECT_EQ(found.fits[0].verdict, CoxVerdict::no_events);
  EXPECT_EQ(found.fits[0].n_events, 0);
  EXPECT_TRUE(std::isnan(found.beta[0]));
  EXPECT_EQ(found.fits[1].verdict, CoxVerdict::singular);
  EXPECT_TRUE(std::isfinite(found.beta[2]));
  EXPECT_TRUE(std::isnan(found.beta[3]));
  EXPECT_EQ(found.fits[2].verdict, CoxVerdict::monotone);
  EXPECT_EQ(found.beta[5], -std::numeric_limits<double>::infinity());
  EXPECT_EQ(found.fits[3].verdict, CoxVerdict::converged);
  EXPECT_FALSE(found.fits[3].alone);
  EXPECT_EQ(found.fits[3].n_events, design.n_events);
  EXPECT_NEAR(found.beta[6], cox_fit(design).beta[0], 1e-10);
}

TEST(CoxBootstrap, ColumnsAliasedInTheFullDataStaySo) {
  Cohort c = random_cohort({.n = 500, .days = 60, .seed = 2, .n_covariates = 3});
  for (std::size_t i = 0; i < 500; ++i) c.covariate[500 + i] = 2 * c.covariate[i] + 1;
  const auto copies = draws(500, 3, 1);
  const Replicates found = bootstrap(make_cox_design(c.timeline(), {c.covariate, 3, {}}), copies);
  for (std::size_t r = 0; r < 3; ++r) {
    EXPECT_EQ(found.fits[r].verdict, CoxVerdict::singular);
    EXPECT_TRUE(std::isfinite(found.beta[3 * r]) && std::isnan(found.beta[3 * r + 1]));
  }
}

TEST(CoxBootstrap, FitsEachAloneWhereTheFullFitFailed) {
  Cohort c = random_cohort({.n = 300, .days = 60, .seed = 2, .n_covariates = 1});
  for (std::size_t i = 0; i < 300; ++i) c.covariate[i] = c.event[i] != 1 && i % 2 == 1;
  const auto copies = draws(300, 3, 1);
  const Replicates found = bootstrap(make_cox_design(c.timeline(), {c.covariate, 1, {}}), copies);
  for (const CoxReplicate& fit : found.fits) {
    EXPECT_TRUE(fit.alone);
    EXPECT_EQ(fit.verdict, CoxVerdict::monotone);
  }
}

TEST(CoxBootstrap, AReplicateDoesNotDependOnThoseBesideIt) {
  constexpr Index n = 3'000, p = 3, n_replicates = 300;
  const Cohort c =
      random_cohort({.n = n, .days = 200, .with = {.weight = true}, .seed = 6, .n_covariates = p});
  const CoxDesign design = make_cox_design(c.timeline(), {c.covariate, p, {}});
  const auto copies = draws(n, n_replicates, 8);
  omp_set_num_threads(1);
  const Replicates all = bootstrap(design, copies);
  omp_set_num_threads(3);
  EXPECT_EQ(bootstrap(design, copies).beta, all.beta);
  omp_set_num_threads(omp_get_num_procs());
  // with one thread the few that need more passes than the others leave their blocks of 64
  std::vector<std::size_t> some{0, 63, 64, 299};
  for (std::size_t block = 0; block < n_replicates; block += 64) {
    std::vector<std::size_t> longer;
    for (std::size_t r = block; r < std::min<std::size_t>(n_replicates, block + 64); ++r)
      if (!all.fits[r].alone && all.fits[r].iterations > 6) longer.push_back(r);
    if (longer.size() <= 16) some.insert(some.end(), longer.begin(), longer.end());
  }
  ASSERT_GT(some.size(), 8U);
  for (const std::size_t r : some) {
    std::vector<std::uint8_t> one;
    for (std::size_t i = 0; i < n; ++i) one.push_back(copies[i * n_replicates + r]);
    const Replicates alone = bootstrap(design, one);
    for (std::size_t j = 0; j < p; ++j) EXPECT_EQ(alone.beta[j], all.beta[r * p + j]);
    EXPECT_EQ(alone.fits[0].loglik, all.fits[r].loglik);
  }
}

TEST(CoxBootstrap, RefusesWhatDoesNotFit) {
  const Cohort c = two_hundred(false);
  const CoxDesign design = make_cox_design(c.timeline(), {c.covariate, 3, {}});
  CoxFit full = cox_fit(design);
  const std::vector<std::uint8_t> copies(200, 1);
  std::vector<CoxReplicate> fits(1);
  std::vector<double> beta(3);
  EXPECT_THROW(cox_bootstrap(design, full, std::span(copies).first(199), {}, fits, beta), ShapeError);
  EXPECT_THROW(cox_bootstrap(design, full, copies, {}, fits, std::span(beta).first(2)), ShapeError);
  full.beta.pop_back();
  EXPECT_THROW(cox_bootstrap(design, full, copies, {}, fits, beta), ShapeError);
}

}  // namespace
}  // namespace chorale::kernels
