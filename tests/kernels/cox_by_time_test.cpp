// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/cox_by_time.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "kernels/error.hpp"
#include "tests/kernels/survival_data.hpp"

namespace chorale::kernels {
namespace {

using survival_data::Cohort;
using survival_data::twenty_four;

/// Patients of a cohort with first <= time < past; who has no time is in the first.
Cohort between(const Cohort& all, double first, double past) {
  Cohort some;
  const std::size_t n = all.time.size(), p = all.covariate.size() / n;
  const auto in = [&](std::size_t i) {
    return std::isnan(all.time[i]) ? first < 0 : all.time[i] >= first && all.time[i] < past;
  };
  for (std::size_t i = 0; i < n; ++i) {
    if (!in(i)) continue;
    some.time.push_back(all.time[i]);
    some.event.push_back(all.event[i]);
    if (!all.weight.empty()) some.weight.push_back(all.weight[i]);
    if (!all.stratum.empty()) some.stratum.push_back(all.stratum[i]);
  }
  for (std::size_t j = 0; j < p; ++j)
    for (std::size_t i = 0; i < n; ++i)
      if (in(i)) some.covariate.push_back(all.covariate[j * n + i]);
  return some;
}

CoxFit by_time(const Cohort& all, std::vector<double> cuts, const CoxOptions& options = {}) {
  const auto p = static_cast<Index>(all.covariate.size() / all.time.size());
  cuts.insert(cuts.begin(), -1);
  cuts.push_back(1e9);
  std::vector<CoxTimeBlock> blocks;
  for (std::size_t b = 0; b + 1 < cuts.size(); ++b) {
    const Cohort some = between(all, cuts[b], cuts[b + 1]);
    blocks.emplace_back(some.view(), CoxColumns{.values = some.covariate, .n_columns = p, .offset = {}});
  }
  const OfAllBlocks alone = [](std::span<const double> mine) {
    return std::vector<double>(mine.begin(), mine.end());
  };
  return cox_fit_by_time(blocks, p, 8, 0, alone, options);
}

CoxFit together(const Cohort& all, const CoxOptions& options = {}) {
  const auto p = static_cast<Index>(all.covariate.size() / all.time.size());
  return cox_fit(make_cox_design(all.timeline(), {.values = all.covariate, .n_columns = p, .offset = {}}),
                 options);
}

void expect_equal(const CoxFit& fit, const CoxFit& expected, double tolerance = 1e-10) {
  EXPECT_EQ(fit.verdict, expected.verdict);
  EXPECT_EQ(fit.n_analysed, expected.n_analysed);
  EXPECT_EQ(fit.n_events, expected.n_events);
  EXPECT_EQ(fit.aliased, expected.aliased);
  EXPECT_EQ(fit.infinite, expected.infinite);
  const auto close = [&](double a, double b, const char* what) {
    if (std::isnan(b)) {
      EXPECT_TRUE(std::isnan(a)) << what;
    } else if (std::isinf(b)) {
      EXPECT_EQ(a, b) << what;
    } else {
      EXPECT_NEAR(a, b, tolerance * std::max(1.0, std::abs(b))) << what;
    }
  };
  close(fit.loglik_null, expected.loglik_null, "loglik_null");
  close(fit.loglik, expected.loglik, "loglik");
  close(fit.score_chi2, expected.score_chi2, "score_chi2");
  close(fit.df, expected.df, "df");
  ASSERT_EQ(fit.beta.size(), expected.beta.size());
  for (std::size_t j = 0; j < fit.beta.size(); ++j) close(fit.beta[j], expected.beta[j], "beta");
  for (std::size_t j = 0; j < fit.covariance.size(); ++j)
    close(fit.covariance[j], expected.covariance[j], "covariance");
}

TEST(CoxByTime, IsTheFitOfAllPatientsWhereverTimeIsCut) {
  for (const bool weight : {false, true}) {
    for (const bool stratum : {false, true}) {
      Cohort c = twenty_four({.entry = false, .weight = weight, .stratum = stratum});
      c.covariate.insert(c.covariate.end(), c.feature.begin(), c.feature.end());
      for (const Ties ties : {Ties::efron, Ties::breslow}) {
        const CoxFit expected = together(c, {.ties = ties});
        for (const std::vector<double>& cuts :
             {std::vector<double>{}, {5}, {1, 2, 4.5, 9}, {2, 14}, {100, 200}})
          expect_equal(by_time(c, cuts, {.ties = ties}), expected);
      }
    }
  }
}

TEST(CoxByTime, TakesOverRandomCohortsWithMissingValues) {
  std::mt19937_64 random(3);
  std::uniform_real_distribution<double> uniform(0, 1);
  for (int round = 0; round < 20; ++round) {
    Cohort c;
    const std::size_t n = 300;
    for (std::size_t i = 0; i < n; ++i) {
      const bool none = uniform(random) < 0.05;
      c.time.push_back(none ? missing
                            : std::floor(100 * uniform(random)) + (uniform(random) < 0.1 ? 1e-9 : 0));
      c.event.push_back(none ? std::int8_t{-1} : static_cast<std::int8_t>(uniform(random) < 0.6));
      c.weight.push_back(0.5 + uniform(random));
      c.stratum.push_back(static_cast<std::int32_t>(4 * uniform(random)) - 1);
    }
    for (std::size_t i = 0; i < 4 * n; ++i)
      c.covariate.push_back(uniform(random) < 0.02 ? missing : uniform(random));
    expect_equal(by_time(c, {10, 20, 50, 51, 99}), together(c));
  }
}

TEST(CoxByTime, TellsAliasedAndInfiniteCoefficients) {
  Cohort c = twenty_four({});
  std::vector<double> twice = c.covariate;
  for (double& x : twice) x *= 2;
  c.covariate.insert(c.covariate.end(), twice.begin(), twice.end());
  expect_equal(by_time(c, {4, 9}), together(c));
  c = twenty_four({});
  for (std::size_t i = 0; i < 24; ++i) c.covariate.push_back(c.event[i] == 0 ? 1 : 0);  // none of them dies
  const CoxFit fit = by_time(c, {4, 9}), expected = together(c);
  EXPECT_EQ(fit.verdict, CoxVerdict::monotone);
  EXPECT_EQ(fit.infinite, expected.infinite);
  EXPECT_NEAR(fit.beta[0], expected.beta[0], 1e-6);
}

TEST(CoxByTime, NobodyDies) {
  Cohort c = twenty_four({});
  std::fill(c.event.begin(), c.event.end(), std::int8_t{0});
  EXPECT_EQ(by_time(c, {4}).verdict, CoxVerdict::no_events);
}

TEST(CoxByTime, RefusesWhoEntersLate) {
  const Cohort c = twenty_four({.entry = true});
  EXPECT_THROW(CoxTimeBlock(c.view(), {.values = c.covariate, .n_columns = 1, .offset = {}}), ShapeError);
}

}  // namespace
}  // namespace chorale::kernels
