// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/log_rank.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "kernels/error.hpp"
#include "tests/kernels/survival_data.hpp"

namespace chorale::kernels {
namespace {

using survival_data::Cohort;
using survival_data::twenty_four;

void expect_close(const std::vector<double>& found, const std::vector<double>& expected) {
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t k = 0; k < found.size(); ++k) EXPECT_NEAR(found[k], expected[k], 1e-12);
}

std::vector<std::int32_t> three_groups() {
  std::vector<std::int32_t> group;
  for (int i = 0; i < 24; ++i) group.push_back(i % 3);
  return group;
}

TEST(LogRank, ExpectsDeathsInProportionToThoseAtRisk) {
  Cohort c;  // two of four die together, one of each group
  c.time = {1, 1, 2, 2};
  c.event = {1, 1, 0, 0};
  const std::vector<std::int32_t> group{0, 1, 1, 1};
  const LogRankResult test = log_rank(c.timeline(), group, 2);

  expect_close(test.observed, {1, 1});
  expect_close(test.expected, {2 * 1. / 4, 2 * 3. / 4});
  // d (n − d)/(n − 1) p (1 − p) = 2·2/3 · 1/4 · 3/4
  expect_close(test.variance, {0.25, -0.25, -0.25, 0.25});
  EXPECT_NEAR(test.chi2, 0.5 * 0.5 / 0.25, 1e-14);
  EXPECT_EQ(test.df, 1);
}

TEST(LogRank, MatchesRSurvdiffForThreeGroups) {
  // survival 3.5.3: survdiff(Surv(time, event) ~ group); tests/oracle/survival.R
  const LogRankResult test = log_rank(twenty_four({}).timeline(), three_groups(), 3);
  expect_close(test.observed, {6, 5, 7});
  expect_close(test.expected, {4.96085870426966, 5.73432168630042, 7.30481960942992});
  expect_close(test.variance,
               {3.31336721110667, -1.57484591355526, -1.73852129755141, -1.57484591355526, 3.56348547541404,
                -1.98863956185878, -1.73852129755141, -1.98863956185878, 3.72716085941019});
  EXPECT_NEAR(test.chi2, 0.346429734851932, 1e-12);
  EXPECT_EQ(test.df, 2);
}

TEST(LogRank, MatchesRSurvdiffWithStrata) {
  // survival 3.5.3: survdiff(Surv(time, event) ~ group + strata(stratum)); tests/oracle/survival.R
  const LogRankResult test = log_rank(twenty_four({.stratum = true}).timeline(), three_groups(), 3);
  expect_close(test.expected, {5.46147186147186, 5.32258297258297, 7.21594516594517});
  expect_close(test.variance,
               {3.37901932122711, -1.58974571003792, -1.7892736111892, -1.58974571003792, 3.17454401258514,
                -1.58479830254722, -1.7892736111892, -1.58479830254722, 3.37407191373642});
  EXPECT_NEAR(test.chi2, 0.0878018883772878, 1e-12);
}

TEST(LogRank, GroupsNeverAtRiskTakeNoPart) {
  // a third group whose patients left before the first death changes nothing
  Cohort c = twenty_four({});
  auto group = three_groups();
  for (auto& code : group) code = code == 2 ? 1 : code;
  const LogRankResult two = log_rank(c.timeline(), group, 2);
  c.time.push_back(-1);
  c.event.push_back(0);
  group.push_back(2);
  const LogRankResult three = log_rank(c.timeline(), group, 3);
  EXPECT_EQ(three.n[2], 1);
  EXPECT_EQ(three.df, 1);
  EXPECT_NEAR(three.chi2, two.chi2, 1e-14);
}

TEST(LogRank, PatientsWithoutGroupLeave) {
  auto group = three_groups();
  group[0] = -1;
  const LogRankResult test = log_rank(twenty_four({}).timeline(), group, 3);
  EXPECT_EQ(test.n_analysed, 23);
}

TEST(LogRank, OneGroupHasNothingToCompare) {
  const std::vector<std::int32_t> group(24, 0);
  const LogRankResult test = log_rank(twenty_four({}).timeline(), group, 1);
  EXPECT_EQ(test.df, 0);
  EXPECT_EQ(test.chi2, 0);
}

TEST(LogRank, RefusesACodeOutOfRange) {
  EXPECT_THROW(log_rank(twenty_four({}).timeline(), three_groups(), 2), ShapeError);
}

}  // namespace
}  // namespace chorale::kernels
