// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
//
// Conditional odds ratios of many tables at once, at every level.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "kernels/draw.hpp"
#include "kernels/error.hpp"
#include "kernels/fisher.hpp"
#include "kernels/level.hpp"

namespace chorale::kernels {
namespace {

class AtLevel {
 public:
  explicit AtLevel(Level level) : before_(kernels::level()) { force_level(level); }
  ~AtLevel() { force_level(before_); }

 private:
  Level before_;
};

std::vector<Ratio> ratios_of(const std::vector<TwoByTwo>& tables, double confidence) {
  std::vector<Ratio> ratios(tables.size());
  fisher_odds_ratio(tables, confidence, ratios);
  return ratios;
}

void expect_same(double found, double expected, double tolerance) {
  if (std::isfinite(expected)) {
    EXPECT_NEAR(found, expected, tolerance * expected);
  } else {
    EXPECT_EQ(std::isnan(found), std::isnan(expected));
    EXPECT_EQ(std::isinf(found), std::isinf(expected));
  }
}

void expect_the_reference(const std::vector<TwoByTwo>& tables, double confidence) {
  std::vector<Ratio> expected;
  for (const TwoByTwo& table : tables) expected.push_back(reference::fisher_odds_ratio(table, confidence));
  for (const Level level : available_levels()) {
    const AtLevel forced(level);
    const auto found = ratios_of(tables, confidence);
    for (std::size_t i = 0; i < tables.size(); ++i) {
      const TwoByTwo& t = tables[i];
      SCOPED_TRACE(testing::Message()
                   << name_of(level) << ": " << t.n11 << " " << t.n10 << " " << t.n01 << " " << t.n00);
      expect_same(found[i].estimate, expected[i].estimate, 1e-12);
      expect_same(found[i].lower, expected[i].lower, 1e-12);
      expect_same(found[i].upper, expected[i].upper, 1e-12);
    }
  }
}

// cells even in the logarithm up to `largest`, one in seven of them zero
std::vector<TwoByTwo> random_tables(Index n, double largest) {
  std::vector<TwoByTwo> tables;
  for (Index i = 0; i < n; ++i) {
    Draws draws(20261122, 8, i);
    const auto cell = [&] {
      const auto count = static_cast<Index>(std::exp(draws.uniform() * std::log(largest + 1)));
      return draws.bernoulli(0.15) ? Index{0} : count;
    };
    tables.push_back({cell(), cell(), cell(), cell()});
  }
  return tables;
}

TEST(FisherOddsRatios, EverySmallTableMatchesTheReference) {
  std::vector<TwoByTwo> tables;
  for (const Index total : {0, 1, 2, 5, 8}) {
    for (Index a = 0; a <= total; ++a) {
      for (Index b = 0; a + b <= total; ++b) {
        for (Index c = 0; a + b + c <= total; ++c) tables.push_back({a, b, c, total - a - b - c});
      }
    }
  }
  for (const double confidence : {0.05, 0.5, 0.95, 0.9999, 1 - 1e-12})
    expect_the_reference(tables, confidence);
}

TEST(FisherOddsRatios, MatchTheReferenceOnRandomTables) {
  expect_the_reference(random_tables(300, 30), 0.95);
  expect_the_reference(random_tables(300, 1'000), 0.99);
  expect_the_reference(random_tables(30, 20'000), 0.95);  // longer than what is kept of a table's densities
}

TEST(FisherOddsRatios, MatchTheReferenceInTheLargestTotals) {
  std::vector<TwoByTwo> tables;
  for (Index i = 0; i < 40; ++i) {
    Draws draws(6, 6, i);
    const Index row1 = 1 + draws.below(300), col1 = 1 + draws.below(300);
    const Index n11 = draws.below(std::min(row1, col1) + 1), n00 = (Index{1} << 40) - row1 - col1 + n11;
    tables.push_back({n11, row1 - n11, col1 - n11, n00});
    tables.push_back({row1 - n11, n11, n00, col1 - n11});
  }
  expect_the_reference(tables, 0.95);

  const Index quarter = Index{1} << 38;
  const Ratio ratio = fisher_odds_ratio({quarter, quarter, quarter, quarter});
  // the normal interval: 1.96 √(4 / 2^38)
  EXPECT_NEAR(ratio.estimate, 1, 1e-12);
  EXPECT_NEAR(std::log(ratio.upper), 1.959964 * std::ldexp(1, -18), 1e-10);
  EXPECT_NEAR(std::log(ratio.lower), -std::log(ratio.upper), 1e-12);
}

TEST(FisherOddsRatios, NoTableDependsOnItsNeighbours) {
  auto tables = random_tables(1'100, 500);
  tables[600] = {30'000, 20'000, 20'000, 30'000};
  for (const Level level : available_levels()) {
    const AtLevel forced(level);
    const auto whole = ratios_of(tables, 0.95);
    auto turned = tables;
    std::reverse(turned.begin(), turned.end());
    const auto backwards = ratios_of(turned, 0.95);
    for (std::size_t i = 0; i < tables.size(); ++i) {
      const Ratio alone = fisher_odds_ratio(tables[i]);
      for (const Ratio& other : {whole[i], backwards[tables.size() - 1 - i]}) {
        ASSERT_TRUE(alone.estimate == other.estimate ||
                    (std::isnan(alone.estimate) && std::isnan(other.estimate)));
        ASSERT_EQ(alone.lower, other.lower);
        ASSERT_EQ(alone.upper, other.upper);
      }
    }
  }
}

TEST(FisherOddsRatios, ArgumentsThatDoNotFitAreRefused) {
  std::vector<TwoByTwo> tables(3, TwoByTwo{1, 2, 3, 4});
  std::vector<Ratio> ratios(2);
  EXPECT_THROW(fisher_odds_ratio(tables, 0.95, ratios), ShapeError);
  ratios.resize(3);
  EXPECT_THROW(fisher_odds_ratio(tables, 0, ratios), ShapeError);
  tables[2].n00 = -1;
  EXPECT_THROW(fisher_odds_ratio(tables, 0.95, ratios), ShapeError);
}

}  // namespace
}  // namespace chorale::kernels
