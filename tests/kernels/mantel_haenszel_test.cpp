// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/mantel_haenszel.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "kernels/draw.hpp"
#include "kernels/error.hpp"

namespace chorale::kernels {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

struct Case {
  const char* name;
  std::vector<TwoByTwo> strata;
  Index n_informative;
  Ratio odds_ratio;
  double chi2, log10_p, chi2_corrected, log10_p_corrected;
  double breslow_day, tarone, log10_p_tarone;
};

// R 4.2.2, tests/oracle/mantel_haenszel.R
const std::vector<Case> cases{
    {"admissions",
     {{512, 313, 89, 19},
      {353, 207, 17, 8},
      {120, 205, 202, 391},
      {138, 279, 131, 244},
      {53, 138, 94, 299},
      {22, 351, 24, 317}},
     6,
     {0.904696828258623, 0.77190736175935, 1.06032976443666},
     1.52460666044344,
     -0.663693002442702,
     1.42694622858669,
     -0.634019103350681,
     18.8255137052361,
     18.8255012520528,
     -2.68373573500642},
    {"with_empty_margin",
     {{12, 9, 5, 30}, {0, 0, 7, 9}, {3, 8, 2, 11}, {0, 4, 0, 6}},
     2,
     {5.30769230769231, 1.83018542338284, 15.3927559870217},
     10.41651727321,
     -2.90346120097967,
     8.83672691113733,
     -2.52984224146926,
     1.283691197254,
     1.2730615847282,
     -0.586376541394465},
    {"strong",
     {{900, 120, 100, 2000}, {450, 40, 60, 700}},
     2,
     {143.75667022412, 114.124682260436, 181.082477730504},
     3057.9627040156,
     -665.869082045563,
     3054.24891155619,
     -665.062378553681,
     0.273468260367165,
     0.273010595327613,
     -0.220894819194365},
    {"weak",
     {{5, 5, 5, 6}, {4, 3, 4, 3}},
     2,
     {1.11627906976744, 0.294494727574207, 4.23124370295179},
     0.0247016797142206,
     -0.0579360138818582,
     0.0247016797142206,
     -0.0579360138818582,
     0.017197226579078,
     0.0171972186907174,
     -0.047853906975073},
};

void expect_relative(double found, double expected, double tolerance) {
  EXPECT_NEAR(found, expected, tolerance * std::abs(expected));
}

TEST(MantelHaenszel, MatchesR) {
  for (const Case& each : cases) {
    SCOPED_TRACE(each.name);
    const MantelHaenszel found = mantel_haenszel(each.strata);
    EXPECT_EQ(found.verdict, MantelHaenszelVerdict::estimated);
    EXPECT_EQ(found.n_informative, each.n_informative);
    expect_relative(found.odds_ratio.estimate, each.odds_ratio.estimate, 1e-13);
    expect_relative(found.odds_ratio.lower, each.odds_ratio.lower, 1e-13);
    expect_relative(found.odds_ratio.upper, each.odds_ratio.upper, 1e-13);
    expect_relative(found.chi2, each.chi2, 1e-12);
    expect_relative(found.log10_p, each.log10_p, 1e-12);
    expect_relative(found.chi2_corrected, each.chi2_corrected, 1e-12);
    expect_relative(found.log10_p_corrected, each.log10_p_corrected, 1e-12);
  }
}

TEST(MantelHaenszel, OneStratumIsCountedByHand) {
  // odds ratio (3·4)/(1·2) = 6; expected n11 = 4·5/10 = 2, variance 4·6·5·5/(100·9) = 2/3;
  // chi2 = 1 / (2/3), corrected (1/2)² / (2/3)
  const std::vector<TwoByTwo> strata{{3, 1, 2, 4}};
  const MantelHaenszel found = mantel_haenszel(strata);
  EXPECT_DOUBLE_EQ(found.odds_ratio.estimate, 6);
  EXPECT_DOUBLE_EQ(found.chi2, 1.5);
  EXPECT_DOUBLE_EQ(found.chi2_corrected, 0.375);
  // in one stratum the Robins-Breslow-Greenland variance is Woolf's 1/3 + 1/1 + 1/2 + 1/4
  EXPECT_NEAR(found.odds_ratio.upper, 6 * std::exp(1.9599639845400545 * std::sqrt(25.0 / 12)), 1e-11);
}

TEST(MantelHaenszel, StrataWithAnEmptyMarginChangeNothing) {
  std::vector<TwoByTwo> strata = cases[0].strata;
  const MantelHaenszel before = mantel_haenszel(strata);
  for (const TwoByTwo& empty :
       {TwoByTwo{0, 0, 3, 4}, TwoByTwo{1, 0, 0, 0}, TwoByTwo{0, 0, 0, 0}, TwoByTwo{2, 0, 9, 0}}) {
    strata.push_back(empty);
  }
  const MantelHaenszel after = mantel_haenszel(strata);
  EXPECT_EQ(after.n_informative, before.n_informative);
  EXPECT_EQ(after.odds_ratio.lower, before.odds_ratio.lower);
  EXPECT_EQ(after.chi2, before.chi2);
  EXPECT_EQ(breslow_day(strata).chi2_tarone, breslow_day(cases[0].strata).chi2_tarone);
  EXPECT_EQ(breslow_day(strata).df, 5);
}

TEST(MantelHaenszel, ExchangedRowsInvertTheOddsRatio) {
  for (Index i = 0; i < 500; ++i) {
    Draws draws(1, 6, i);
    std::vector<TwoByTwo> strata, turned;
    for (int k = 0; k < 7; ++k) {
      const TwoByTwo t{1 + draws.below(40), 1 + draws.below(400), draws.below(40), 1 + draws.below(40)};
      strata.push_back(t);
      turned.push_back({t.n01, t.n00, t.n11, t.n10});
    }
    const MantelHaenszel one = mantel_haenszel(strata), other = mantel_haenszel(turned);
    expect_relative(one.odds_ratio.estimate * other.odds_ratio.estimate, 1, 1e-12);
    expect_relative(one.odds_ratio.lower * other.odds_ratio.upper, 1, 1e-12);
    EXPECT_NEAR(one.chi2, other.chi2, 1e-10 * (1 + one.chi2));
    const Homogeneity same = breslow_day(strata), turned_same = breslow_day(turned);
    EXPECT_NEAR(same.chi2_tarone, turned_same.chi2_tarone, 1e-9 * (1 + same.chi2_tarone));
  }
}

TEST(MantelHaenszel, AllDegenerateStrataAreAVerdict) {
  const std::vector<TwoByTwo> strata{{0, 0, 3, 4}, {2, 0, 9, 0}};
  const MantelHaenszel found = mantel_haenszel(strata);
  EXPECT_EQ(found.verdict, MantelHaenszelVerdict::no_informative_stratum);
  EXPECT_EQ(found.n_informative, 0);
  EXPECT_TRUE(std::isnan(found.chi2));
  EXPECT_EQ(mantel_haenszel({}).verdict, MantelHaenszelVerdict::no_informative_stratum);
}

TEST(MantelHaenszel, AnEmptyDiagonalLeavesTheTestAndNoInterval) {
  const MantelHaenszel found = mantel_haenszel(std::vector<TwoByTwo>{{5, 0, 0, 5}, {2, 0, 1, 4}});
  EXPECT_EQ(found.verdict, MantelHaenszelVerdict::no_interval);
  EXPECT_EQ(found.odds_ratio.estimate, infinity);
  EXPECT_EQ(found.odds_ratio.lower, 0);
  EXPECT_EQ(found.odds_ratio.upper, infinity);
  // excess 5 - 5·5/10 = 2.5 and 2 - 2·3/7 = 8/7; variance 25·25/(100·9) and 2·5·3·4/(49·6)
  const double excess = 2.5 + 8.0 / 7, variance = 625.0 / 900 + 120.0 / 294;
  expect_relative(found.chi2, excess * excess / variance, 1e-14);
}

TEST(MantelHaenszel, WrongArgumentsAreRefused) {
  EXPECT_THROW(mantel_haenszel(std::vector<TwoByTwo>{{-1, 2, 3, 4}}), ShapeError);
  EXPECT_THROW(mantel_haenszel(cases[0].strata, 0), ShapeError);
}

TEST(BreslowDay, MatchesItsFormulaInR) {
  for (const Case& each : cases) {
    SCOPED_TRACE(each.name);
    const Homogeneity found = breslow_day(each.strata);
    EXPECT_EQ(found.verdict, HomogeneityVerdict::tested);
    EXPECT_EQ(found.df, each.n_informative - 1);
    expect_relative(found.chi2, each.breslow_day, 1e-10);
    expect_relative(found.chi2_tarone, each.tarone, 1e-10);
    expect_relative(found.log10_p, each.log10_p_tarone, 1e-10);
  }
}

TEST(BreslowDay, EqualOddsRatiosGiveZero) {
  // odds ratio 4·3 / (2·1) = 6 in every stratum, so the fitted tables are the observed ones
  const Homogeneity found = breslow_day(std::vector<TwoByTwo>{{4, 2, 1, 3}, {40, 20, 10, 30}, {4, 1, 2, 3}});
  EXPECT_NEAR(found.chi2_tarone, 0, 1e-20);
  EXPECT_NEAR(found.log10_p, 0, 1e-9);
}

TEST(BreslowDay, SaysWhyThereIsNoTest) {
  EXPECT_EQ(breslow_day(std::vector<TwoByTwo>{{4, 2, 1, 3}}).verdict, HomogeneityVerdict::one_stratum);
  EXPECT_EQ(breslow_day(std::vector<TwoByTwo>{{4, 2, 1, 3}, {0, 0, 1, 3}}).verdict,
            HomogeneityVerdict::one_stratum);
  const Homogeneity found = breslow_day(std::vector<TwoByTwo>{{5, 0, 0, 5}, {2, 0, 1, 4}});
  EXPECT_EQ(found.verdict, HomogeneityVerdict::no_common_odds_ratio);
  EXPECT_EQ(found.df, 1);
  EXPECT_TRUE(std::isnan(found.log10_p));
}

}  // namespace
}  // namespace chorale::kernels
