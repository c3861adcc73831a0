// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/fisher.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "kernels/draw.hpp"
#include "kernels/error.hpp"
#include "kernels/hypergeometric.hpp"

namespace chorale::kernels {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

// within `tolerance` of the value, or of 1 where that is larger: p itself has no more digits near p = 1
void expect_log10(double found, double expected, double tolerance) {
  EXPECT_NEAR(found, expected, tolerance * std::max(1.0, std::abs(expected)));
}

void expect_ratio(const Ratio& found, const Ratio& expected, double tolerance) {
  const auto expect_same = [tolerance](double one, double other) {
    if (std::isfinite(other)) {
      EXPECT_NEAR(one, other, tolerance * other);
    } else {
      EXPECT_EQ(std::isnan(one), std::isnan(other));
      EXPECT_EQ(std::isinf(one), std::isinf(other));
    }
  };
  expect_same(found.estimate, expected.estimate);
  expect_same(found.lower, expected.lower);
  expect_same(found.upper, expected.upper);
}

testing::Message described(const TwoByTwo& t) {
  return testing::Message() << "n11 = " << t.n11 << ", n10 = " << t.n10 << ", n01 = " << t.n01
                            << ", n00 = " << t.n00;
}

// tables of every size and association: cells spread evenly in the logarithm up to `largest`, a quarter of
// them zero
TwoByTwo random_table(Index i, double largest) {
  Draws draws(20261121, 3, i);
  const auto cell = [&] {
    const bool zero = draws.bernoulli(0.15);
    const auto count = static_cast<Index>(std::exp(draws.uniform() * std::log(largest + 1)));
    return zero ? Index{0} : count;
  };
  return {cell(), cell(), cell(), cell()};
}

TEST(Fisher, TeaTastingIsCountedByHand) {
  // of C(8, 4) = 70 choices 1, 16, 36, 16, 1 have 0 to 4 cups right; 3 right: 1 + 16 above, 16 + 1 as rare
  // below
  const TwoByTwo tea{3, 1, 1, 3};
  EXPECT_NEAR(fisher_log10_p(tea), std::log10(34.0 / 70), 1e-15);
  EXPECT_NEAR(fisher_log10_p_greater(tea), std::log10(17.0 / 70), 1e-15);
  EXPECT_NEAR(fisher_log10_p_less(tea), std::log10(69.0 / 70), 1e-15);
  EXPECT_NEAR(fisher_log10_mid_p(tea), std::log10((2 + 32 / 2.0) / 70), 1e-15);
  // the two middle neighbours are equally probable, and half of them goes into the mid-p
  EXPECT_NEAR(fisher_log10_mid_p({2, 2, 2, 2}), std::log10((34 + 36 / 2.0) / 70), 1e-15);
}

TEST(Fisher, MatchesR) {
  struct Case {
    TwoByTwo table;
    double log10_p, log10_less, log10_greater;
    Ratio odds_ratio;
  };
  // R 4.2.2, tests/oracle/fisher.R
  const std::vector<Case> cases{
      {{3, 1, 1, 3},
       -0.313619122972002,
       -0.00624894927700152,
       -0.614649118635983,
       {6.40831965819967, 0.211735595446579, 626.243530588815}},
      {{5, 65, 30, 1440},
       -1.72530240551116,
       -0.00176306059167206,
       -1.72530240551116,
       {3.68677351165854, 1.08150950832423, 10.0368364896599}},
      {{0, 70, 10, 1460}, 0, -0.202640723243154, 0, {0, 0, 9.50824641832051}},
      {{10, 0, 0, 10}, -4.96556855546015, 0, -5.26659855112413, {infinity, 11.1358405925604, infinity}},
      {{0, 9, 8, 0}, -4.38578495884334, -4.38578495884334, 0, {0, 0, 0.129205463426835}},
      {{7, 63, 350, 1120},
       -2.25101321230014,
       -2.47445732335292,
       -0.000473531287818086,
       {0.3557354439662, 0.136169870143742, 0.786489527872842}},
      {{40, 400, 9, 1000},
       -13.2202674469982,
       -2.26512580023938e-15,
       -13.2202674469982,
       {11.0910221777912, 5.23614232692287, 26.2418710251824}},
      {{300, 700, 700, 98300},
       -359.992195280339,
       0,
       -359.992195280339,
       {60.1641966250807, 51.3712898257711, 70.3802332133584}},
      {{1000, 2000, 3000, 94000},
       -654.663719799613,
       0,
       -654.663719799613,
       {15.6653410660381, 14.3851513319533, 17.0536104147421}},
      {{1200, 8800, 1100, 88900},
       -584.576684223267,
       0,
       -584.576684223267,
       {11.0201067943334, 10.1161329112589, 12.0057804558331}},
      {{400000, 100000, 100000, 400000},
       -83710.2585423744,
       0,
       -83710.55957237,
       {15.9999399975091, 15.8437680490983, 16.1577667094547}},
      {{250300, 249700, 249700, 250300},
       -0.636544093221232,
       -0.0529005857727458,
       -0.937574088885217,
       {1.00481153594593, 0.996956787751734, 1.01272817878663}},
  };
  for (const Case& each : cases) {
    SCOPED_TRACE(described(each.table));
    expect_log10(fisher_log10_p(each.table), each.log10_p, 1e-11);
    expect_log10(fisher_log10_p_less(each.table), each.log10_less, 1e-11);
    expect_log10(fisher_log10_p_greater(each.table), each.log10_greater, 1e-11);
    expect_ratio(fisher_odds_ratio(each.table), each.odds_ratio, 1e-9);
  }
}

TEST(Fisher, MatchesTheReferenceOnThousandsOfTables) {
  for (Index i = 0; i < 4000; ++i) {
    const TwoByTwo table = random_table(i, i % 2 == 0 ? 30 : 5000);
    SCOPED_TRACE(described(table));
    expect_log10(fisher_log10_p(table), reference::fisher_log10_p(table), 1e-12);
    expect_log10(fisher_log10_mid_p(table), reference::fisher_log10_mid_p(table), 1e-12);
    expect_log10(fisher_log10_p_less(table), reference::fisher_log10_p_less(table), 1e-12);
    expect_log10(fisher_log10_p_greater(table), reference::fisher_log10_p_greater(table), 1e-12);
  }
}

TEST(Fisher, MatchesTheReferenceOnACohortOfAMillion) {
  for (Index i = 0; i < 40; ++i) {
    Draws draws(4, 4, i);
    const Index row1 = draws.below(500'000), col1 = draws.below(500'000);
    const double expected = static_cast<double>(row1) * static_cast<double>(col1) / 1e6;
    const Index low = std::max<Index>(0, row1 + col1 - 1'000'000);
    // within 20 standard deviations of what independence expects
    const auto n11 = std::clamp(static_cast<Index>(expected + 20 * draws.normal() * std::sqrt(expected)), low,
                                std::min(row1, col1));
    const TwoByTwo table{n11, row1 - n11, col1 - n11, 1'000'000 - row1 - col1 + n11};
    SCOPED_TRACE(described(table));
    expect_log10(fisher_log10_p(table), reference::fisher_log10_p(table), 1e-12);
    expect_log10(fisher_log10_p_less(table), reference::fisher_log10_p_less(table), 1e-12);
  }
}

TEST(Fisher, DoesNotDependOnHowTheTableIsWritten) {
  for (Index i = 0; i < 2000; ++i) {
    const TwoByTwo t = random_table(i, 2000);
    SCOPED_TRACE(described(t));
    const double log10_p = fisher_log10_p(t);
    expect_log10(fisher_log10_p({t.n11, t.n01, t.n10, t.n00}), log10_p, 1e-13);
    expect_log10(fisher_log10_p({t.n10, t.n11, t.n00, t.n01}), log10_p, 1e-13);
    expect_log10(fisher_log10_p({t.n00, t.n01, t.n10, t.n11}), log10_p, 1e-13);
    EXPECT_LE(log10_p, 0);
  }
}

TEST(Fisher, StaysOrderedFarBelowTheSmallestDouble) {
  // ever more co-occurrence within the same margins of 100,000 among a million
  double before = 0;
  for (Index n11 = 10'500; n11 <= 100'000; n11 += 500) {
    const double log10_p = fisher_log10_p({n11, 100'000 - n11, 100'000 - n11, 800'000 + n11});
    EXPECT_LT(log10_p, before) << n11;
    before = log10_p;
  }
  // at the end one outcome of C(1000000, 100000), whose logarithm is by Stirling 325079.05…
  const double log_choices = std::lgamma(1e6 + 1) - std::lgamma(1e5 + 1) - std::lgamma(9e5 + 1);
  EXPECT_NEAR(before, -log_choices / std::log(10.0), 1e-4);
}

TEST(Fisher, OneSidedTestsShareOnlyTheObservedTable) {
  for (Index i = 0; i < 1000; ++i) {
    const TwoByTwo t = random_table(i, 300);
    // P(X ≤ x) + P(X ≥ x) = 1 + f(x)
    const double sum = std::pow(10, fisher_log10_p_less(t)) + std::pow(10, fisher_log10_p_greater(t));
    const double density = std::exp(Hypergeometric(t).log_density(static_cast<double>(t.n11)));
    EXPECT_NEAR(sum, 1 + density, 1e-12) << described(t);
  }
}

TEST(Fisher, AnEmptyMarginTellsNothing) {
  for (const TwoByTwo& table : {TwoByTwo{0, 0, 5, 7}, TwoByTwo{4, 0, 3, 0}, TwoByTwo{0, 0, 0, 0}}) {
    EXPECT_EQ(fisher_log10_p(table), 0);
    EXPECT_EQ(fisher_log10_p_less(table), 0);
    EXPECT_EQ(fisher_log10_p_greater(table), 0);
    EXPECT_DOUBLE_EQ(fisher_log10_mid_p(table), std::log10(0.5));
    const Ratio ratio = fisher_odds_ratio(table);
    EXPECT_TRUE(std::isnan(ratio.estimate));
    EXPECT_EQ(ratio.lower, 0);
    EXPECT_EQ(ratio.upper, infinity);
  }
}

TEST(Fisher, SpanVersionIsTheSameTest) {
  std::vector<TwoByTwo> tables;
  for (Index i = 0; i < 101; ++i) tables.push_back(random_table(i, 100));
  std::vector<double> log10_p(tables.size());
  fisher_log10_p(tables, log10_p);
  for (std::size_t i = 0; i < tables.size(); ++i) EXPECT_EQ(log10_p[i], fisher_log10_p(tables[i]));
  log10_p.pop_back();
  EXPECT_THROW(fisher_log10_p(tables, log10_p), ShapeError);
}

TEST(Fisher, ImpossibleCountsAreRefused) {
  EXPECT_THROW(fisher_log10_p({-1, 2, 3, 4}), ShapeError);
  EXPECT_THROW(fisher_log10_p({Index{1} << 41, 0, 0, 0}), ShapeError);
  EXPECT_THROW(fisher_odds_ratio({1, 2, 3, 4}, 1.0), ShapeError);
}

TEST(FisherOddsRatio, MatchesTheReferenceOnRandomTables) {
  for (Index i = 0; i < 400; ++i) {
    const TwoByTwo table = random_table(i, i % 2 == 0 ? 30 : 300);
    SCOPED_TRACE(described(table));
    const double level = i % 3 == 0 ? 0.99 : 0.95;
    expect_ratio(fisher_odds_ratio(table, level), reference::fisher_odds_ratio(table, level), 1e-10);
  }
}

TEST(FisherOddsRatio, TwoByTwoOfOnesHasAClosedForm) {
  // margins 2, 2, 2, 2: f ∝ 1, 4, 1, so E(X; ψ) = 1 at ψ = 1;
  // lower: (4ψ + ψ²) / (1 + 4ψ + ψ²) = 0.025, that is ψ² + 4ψ = 1/39; upper = 1 / lower by symmetry
  const double lower = -2 + std::sqrt(4 + 1.0 / 39);
  expect_ratio(fisher_odds_ratio({1, 1, 1, 1}), {1, lower, 1 / lower}, 1e-12);
}

TEST(SampleOddsRatio, IsTheCrossProductRatio) {
  EXPECT_EQ(sample_odds_ratio({6, 2, 3, 4}), 4);
  EXPECT_EQ(sample_odds_ratio({1, 0, 3, 4}), infinity);
  EXPECT_EQ(sample_odds_ratio({0, 2, 3, 4}), 0);
  EXPECT_TRUE(std::isnan(sample_odds_ratio({0, 0, 3, 4})));
}

}  // namespace
}  // namespace chorale::kernels
