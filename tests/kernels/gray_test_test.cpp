// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/gray_test.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "kernels/error.hpp"
#include "tests/kernels/causes_data.hpp"

namespace chorale::kernels {
namespace {

using causes_data::causes_of;
using causes_data::two_causes;
using survival_data::Cohort;
using survival_data::twenty_four;

std::vector<std::int32_t> three_groups() {
  std::vector<std::int32_t> group;
  for (int i = 0; i < 24; ++i) group.push_back(i % 3);
  return group;
}

TEST(GrayTest, MatchesCuminc) {
  // cmprsk 2.2.11: cuminc(time, cause, group, strata, rho)$Tests; tests/oracle/competing_risks.R
  const CauseTimeline plain = two_causes({}), strata = two_causes({.stratum = true});
  const double of_plain[2][2] = {{1.90597851820185, 4.897625786563}, {1.86519225956727, 4.76901790976121}};
  const double of_strata[2][2] = {{1.96522970672997, 4.80629485131481}, {1.92015889872397, 5.01055914046098}};
  for (const int rho : {0, 1}) {
    for (const int cause : {1, 2}) {
      const GrayOptions options{.rho = static_cast<double>(rho)};
      const GrayResult a = gray_test(plain, cause, three_groups(), 3, {}, options);
      EXPECT_EQ(a.df, 2);
      EXPECT_NEAR(a.chi2, of_plain[rho][cause - 1], 1e-11) << rho << " " << cause;
      EXPECT_NEAR(a.score[0] + a.score[1] + a.score[2], 0, 1e-13);
      const GrayResult b = gray_test(strata, cause, three_groups(), 3, {}, options);
      EXPECT_NEAR(b.chi2, of_strata[rho][cause - 1], 1e-11) << rho << " " << cause;
    }
  }
}

TEST(GrayTest, CaseWeightsCountCopiesWhereAskedTo) {
  // cmprsk 2.2.11: cuminc(copies), each patient as often as the weight says; tests/oracle/competing_risks.R
  Cohort c = twenty_four({.weight = true});
  for (double& weight : c.weight) weight *= 2;
  const CauseTimeline causes = causes_of(c, causes_data::causes, 2);
  EXPECT_NEAR(gray_test(causes, 1, three_groups(), 3, {}, {.case_weights = true}).chi2, 4.10415713365098,
              1e-11);
  EXPECT_NEAR(gray_test(causes, 2, three_groups(), 3, {}, {.case_weights = true}).chi2, 11.2286109384118,
              1e-10);
  EXPECT_NEAR(gray_test(causes, 1, three_groups(), 3).chi2, 1.90597851820185, 1e-11);
}

TEST(GrayTest, OneGroupHasNothingToCompare) {
  const std::vector<std::int32_t> group(24, 0);
  const GrayResult test = gray_test(two_causes({}), 1, group, 1);
  EXPECT_EQ(test.df, 0);
  EXPECT_TRUE(std::isnan(test.chi2));
}

TEST(GrayTest, AnEmptyGroupTakesNoPart) {
  const GrayResult test = gray_test(two_causes({}), 1, three_groups(), 4);
  EXPECT_EQ(test.df, 2);
  EXPECT_NEAR(test.chi2, 1.90597851820185, 1e-11);
}

TEST(GrayTest, ACauseThatNobodyHasIsNoTest) {
  const CauseTimeline causes = causes_of(twenty_four({}), causes_data::causes, 3);
  EXPECT_TRUE(std::isnan(gray_test(causes, 3, three_groups(), 3).chi2));
}

TEST(GrayTest, RefusesWhatDoesNotFit) {
  const CauseTimeline causes = two_causes({});
  EXPECT_THROW(gray_test(causes, 3, three_groups(), 3), ShapeError);
  EXPECT_THROW(gray_test(causes, 1, three_groups(), 2), ShapeError);
  EXPECT_THROW(gray_test(causes, 1, {}, 2), ShapeError);
  EXPECT_THROW(gray_test(causes, 1, three_groups(), 3, {}, {.rho = -1}), ShapeError);
}

}  // namespace
}  // namespace chorale::kernels
