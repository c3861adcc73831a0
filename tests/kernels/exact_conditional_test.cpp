// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/exact_conditional.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "kernels/draw.hpp"
#include "kernels/error.hpp"
#include "kernels/fisher.hpp"

namespace chorale::kernels {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

void expect_log10(double found, double expected, double tolerance) {
  EXPECT_NEAR(found, expected, tolerance * std::max(1.0, std::abs(expected)));
}

void expect_ratio(const Ratio& found, const Ratio& expected, double tolerance) {
  const auto expect = [&](const char* what, double x, double y) {
    if (std::isnan(y)) {
      EXPECT_TRUE(std::isnan(x)) << what;
    } else if (std::isinf(y) || y == 0) {
      EXPECT_EQ(x, y) << what;
    } else {
      EXPECT_NEAR(x, y, tolerance * y) << what;
    }
  };
  expect("estimate", found.estimate, expected.estimate);
  expect("lower", found.lower, expected.lower);
  expect("upper", found.upper, expected.upper);
}

void expect_same(const ExactConditional& found, const ExactConditional& expected, double tolerance) {
  EXPECT_EQ(found.n_informative, expected.n_informative);
  expect_log10(found.log10_p, expected.log10_p, tolerance);
  expect_log10(found.log10_p_less, expected.log10_p_less, tolerance);
  expect_log10(found.log10_p_greater, expected.log10_p_greater, tolerance);
  expect_ratio(found.odds_ratio, expected.odds_ratio, 10 * tolerance);
}

// cells up to `largest`, evenly in the logarithm, one in seven of them 0
std::vector<TwoByTwo> random_strata(Index i, Index most, double largest) {
  Draws draws(20261121, 31, i);
  std::vector<TwoByTwo> strata;
  const auto cell = [&] {
    const bool zero = draws.bernoulli(0.15);
    const auto count = static_cast<Index>(std::exp(draws.uniform() * std::log(largest + 1)));
    return zero ? Index{0} : count;
  };
  for (Index k = 1 + draws.below(most); k > 0; --k) strata.push_back({cell(), cell(), cell(), cell()});
  return strata;
}

TEST(ExactConditional, TwoTeaTastingsAreCountedByHand) {
  // each: of C(4, 2) = 6 choices 1, 4, 1 have 0, 1, 2 cups right; together 1, 8, 18, 8, 1 of 36 have 0 to 4
  const std::vector<TwoByTwo> strata{{2, 0, 0, 2}, {1, 1, 1, 1}};
  for (const auto& found : {exact_conditional(strata), reference::exact_conditional(strata)}) {
    EXPECT_NEAR(found.log10_p_greater, std::log10(9.0 / 36), 1e-13);
    EXPECT_NEAR(found.log10_p_less, std::log10(35.0 / 36), 1e-13);
    EXPECT_NEAR(found.log10_p, std::log10(18.0 / 36), 1e-13);
    // E(S; ψ) = 3: both strata have mean 3/2, (4ψ + 2ψ²) / (1 + 4ψ + ψ²) = 3/2, ψ² - 4ψ - 3 = 0
    EXPECT_NEAR(found.odds_ratio.estimate, 2 + std::sqrt(7.0), 1e-11);
  }
}

TEST(ExactConditional, MatchesR) {
  struct Case {
    std::vector<TwoByTwo> strata;
    double log10_p, log10_less, log10_greater;
    Ratio odds_ratio;
  };
  // R 4.2.2, tests/oracle/exact_conditional.R
  const std::vector<Case> cases{
      {{{512, 313, 89, 19},
        {353, 207, 17, 8},
        {120, 205, 202, 391},
        {138, 279, 131, 244},
        {53, 138, 94, 299},
        {22, 351, 24, 317}},
       -0.642517727769994,
       -0.935565714313265,
       -0.0462365214852547,
       {0.905069961340971, 0.76973035852583, 1.06342922808982}},
      {{{12, 9, 5, 30}, {0, 0, 7, 9}, {3, 8, 2, 11}, {0, 4, 0, 6}},
       -2.7355865334307,
       -9.72313886129986e-05,
       -2.84982582033565,
       {5.37543168014871, 1.67524827539698, 19.1766798657814}},
      {{{90, 12, 10, 200}, {45, 4, 6, 70}},
       -73.3581359920438,
       0,
       -73.3581359920438,
       {136.147100590467, 64.4734135977222, 309.848822073488}},
      {{{5, 5, 5, 6}, {4, 3, 4, 3}},
       0,
       -0.161759912842869,
       -0.244631672864658,
       {1.10933746513846, 0.247629034405615, 5.01003422218862}},
  };
  for (const Case& each : cases) {
    for (const auto& found : {exact_conditional(each.strata), reference::exact_conditional(each.strata)}) {
      expect_log10(found.log10_p, each.log10_p, 1e-10);
      expect_log10(found.log10_p_less, each.log10_less, 1e-10);
      expect_log10(found.log10_p_greater, each.log10_greater, 1e-10);
      expect_ratio(found.odds_ratio, each.odds_ratio, 1e-9);
    }
  }
}

TEST(ExactConditional, MatchesTheReferenceOnHundredsOfTables) {
  for (Index i = 0; i < 700; ++i) {
    const std::vector<TwoByTwo> strata = random_strata(i, 8, i % 2 == 0 ? 20 : 200);
    SCOPED_TRACE(i);
    const double level = i % 3 == 0 ? 0.99 : 0.95;
    expect_same(exact_conditional(strata, level), reference::exact_conditional(strata, level), 1e-11);
  }
}

TEST(ExactConditional, MatchesTheReferenceInAPooledCohort) {
  for (Index i = 0; i < 12; ++i) {
    std::vector<TwoByTwo> strata;
    for (Index k = 0; k < 4; ++k) {
      Draws draws(20261121, 32, 10 * i + k);
      const Index row1 = 100 + draws.below(900), col1 = 100 + draws.below(900);
      const double expected = static_cast<double>(row1 * col1) / 10'000;
      const double shift = (static_cast<double>(i) - 4) * std::sqrt(expected) + draws.normal();
      const auto n11 = std::clamp(static_cast<Index>(expected + shift), Index{0}, std::min(row1, col1));
      strata.push_back({n11, row1 - n11, col1 - n11, 10'000 - row1 - col1 + n11});
    }
    SCOPED_TRACE(i);
    expect_same(exact_conditional(strata), reference::exact_conditional(strata), 1e-11);
  }
}

TEST(ExactConditional, OneStratumIsFishersTest) {
  for (Index i = 0; i < 1000; ++i) {
    const std::vector<TwoByTwo> strata = random_strata(i, 1, 2000);
    const ExactConditional found = exact_conditional(strata);
    SCOPED_TRACE(i);
    expect_log10(found.log10_p, fisher_log10_p(strata[0]), 1e-11);
    expect_log10(found.log10_p_less, fisher_log10_p_less(strata[0]), 1e-11);
    expect_log10(found.log10_p_greater, fisher_log10_p_greater(strata[0]), 1e-11);
    expect_ratio(found.odds_ratio, fisher_odds_ratio(strata[0]), 1e-10);
  }
}

TEST(ExactConditional, StaysOrderedFarBelowTheSmallestDouble) {
  double before = 1;
  for (Index n11 = 1'000; n11 <= 10'000; n11 += 300) {
    const TwoByTwo table{n11, 10'000 - n11, 10'000 - n11, 80'000 + n11};
    const double log10_p = exact_conditional(std::vector<TwoByTwo>{table, table}).log10_p;
    EXPECT_LT(log10_p, before) << n11;
    before = log10_p;
  }
  // at the end one outcome in each stratum, of C(100000, 10000)
  const double log_choices = std::lgamma(1e5 + 1) - std::lgamma(1e4 + 1) - std::lgamma(9e4 + 1);
  EXPECT_NEAR(before, -2 * log_choices / std::log(10.0), 1e-5);
}

TEST(ExactConditional, ExchangedRowsInvertTheOddsRatio) {
  for (Index i = 0; i < 300; ++i) {
    const std::vector<TwoByTwo> strata = random_strata(i, 6, 500);
    std::vector<TwoByTwo> turned;
    for (const TwoByTwo& t : strata) turned.push_back({t.n01, t.n00, t.n11, t.n10});
    const ExactConditional one = exact_conditional(strata), other = exact_conditional(turned);
    SCOPED_TRACE(i);
    expect_log10(one.log10_p, other.log10_p, 1e-10);
    expect_log10(one.log10_p_less, other.log10_p_greater, 1e-11);
    const Ratio& ratio = one.odds_ratio;
    expect_ratio(other.odds_ratio, {1 / ratio.estimate, 1 / ratio.upper, 1 / ratio.lower}, 1e-10);
  }
}

TEST(ExactConditional, StrataWithAnEmptyMarginChangeNothing) {
  std::vector<TwoByTwo> strata{{12, 9, 5, 30}, {3, 8, 2, 11}};
  const ExactConditional before = exact_conditional(strata);
  for (const TwoByTwo& empty : {TwoByTwo{0, 0, 3, 4}, TwoByTwo{1, 0, 0, 0}, TwoByTwo{0, 0, 0, 0}}) {
    strata.push_back(empty);
  }
  const ExactConditional after = exact_conditional(strata);
  EXPECT_EQ(after.n_informative, 2);
  EXPECT_EQ(after.log10_p, before.log10_p);
  EXPECT_NEAR(after.odds_ratio.upper, before.odds_ratio.upper, 1e-11);
}

TEST(ExactConditional, WithoutAnInformativeStratumThereIsNothingToSay) {
  for (const auto& strata : {std::vector<TwoByTwo>{}, std::vector<TwoByTwo>{{0, 0, 3, 4}, {2, 0, 9, 0}}}) {
    const ExactConditional found = exact_conditional(strata);
    EXPECT_EQ(found.n_informative, 0);
    EXPECT_EQ(found.log10_p, 0);
    EXPECT_TRUE(std::isnan(found.odds_ratio.estimate));
    EXPECT_EQ(found.odds_ratio.lower, 0);
    EXPECT_EQ(found.odds_ratio.upper, infinity);
  }
}

TEST(ExactConditional, ImpossibleArgumentsAreRefused) {
  EXPECT_THROW(exact_conditional(std::vector<TwoByTwo>{{-1, 2, 3, 4}}), ShapeError);
  EXPECT_THROW(exact_conditional(std::vector<TwoByTwo>{{1, 2, 3, 4}}, 1.0), ShapeError);
}

}  // namespace
}  // namespace chorale::kernels
