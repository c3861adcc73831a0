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

TEST(LogRank, WeighsEarlyDeathsAsRSurvdiff) {
  // survival 3.5.3: survdiff(…, rho = 1), and rho = 0.5 with strata; tests/oracle/log_rank.R
  const LogRankResult early = log_rank(twenty_four({}).timeline(), three_groups(), 3, {}, {.rho = 1});
  expect_close(early.observed, {3.90612824675325, 3.40273268398268, 3.9030303030303});
  expect_close(early.expected, {3.30416666666667, 3.71535443722944, 4.19237012987013});
  EXPECT_NEAR(early.variance[1], -0.797269663859431, 1e-12);
  EXPECT_NEAR(early.chi2, 0.218951841808514, 1e-12);
  const LogRankResult strata =
      log_rank(twenty_four({.stratum = true}).timeline(), three_groups(), 3, {}, {.rho = 0.5});
  expect_close(strata.observed, {4.76319766664353, 4.17890599616762, 5.0980033615601});
  expect_close(strata.expected, {4.37946910268111, 4.39218471363599, 5.26845320805415});
  EXPECT_NEAR(strata.chi2, 0.0643778603559365, 1e-12);
}

TEST(LogRank, WeighsLateDeathsByTheShareWhoDiedBefore) {
  // tests/oracle/log_rank.R, the sums as they stand
  const Timeline timeline = twenty_four({}).timeline();
  const LogRankResult late = log_rank(timeline, three_groups(), 3, {}, {.gamma = 1});
  expect_close(late.observed, {2.09387175324675, 1.59726731601732, 3.0969696969697});
  EXPECT_NEAR(late.chi2, 0.452850522718689, 1e-12);
  EXPECT_NEAR(log_rank(timeline, three_groups(), 3, {}, {.rho = 1, .gamma = 1}).chi2, 0.251492692625087,
              1e-12);
}

TEST(LogRank, CaseWeightsCountCopiesWhereAskedTo) {
  // survival 3.5.3: survdiff(…, copies, rho = 1), each patient as often as the weight says; tests/oracle/log_rank.R
  Cohort c = twenty_four({.weight = true});
  for (double& weight : c.weight) weight *= 2;
  const LogRankResult test = log_rank(c.timeline(), three_groups(), 3, {}, {.rho = 1, .case_weights = true});
  expect_close(test.observed, {5.72423242494927, 8.15273937532002, 3.69994784851416});
  expect_close(test.expected, {4.70435891600766, 8.5387589842787, 4.33380174849709});
  EXPECT_NEAR(test.chi2, 0.485216997553144, 1e-12);
}

TEST(LogRank, RefusesNegativeWeightsOfTheTest) {
  EXPECT_THROW(log_rank(twenty_four({}).timeline(), three_groups(), 3, {}, {.rho = -1}), ShapeError);
}

TEST(LogRank, RefusesACodeOutOfRange) {
  EXPECT_THROW(log_rank(twenty_four({}).timeline(), three_groups(), 2), ShapeError);
}

}  // namespace
}  // namespace chorale::kernels
