// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/log_linear.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "kernels/draw.hpp"
#include "kernels/error.hpp"

namespace chorale::kernels {
namespace {

using Cells = std::vector<std::int32_t>;

struct Case {
  const char* name;
  Cells cell;
  double expected, g2, log10_p;
  double interaction = missing, se = missing;  ///< of tables without an empty cell
};

// R 4.2.2, tests/oracle/log_linear.R: loglin(eps = 1e-13) and glm(family = poisson)
const std::vector<Case> cases{
    {"even",
     {40, 20, 25, 15, 30, 12, 18, 30},
     26.6988285358718,
     4.07988678477507,
     -1.36254463053542,
     1.24479479884619,
     0.622271823419816},
    {"cohort",
     {81234, 6120, 9011, 702, 1503, 140, 211, 61},
     30.4547481067712,
     35.7107095050781,
     -8.64035002878298,
     1.09908784383335,
     0.175077576981069},
    {"empty_highest", {500, 40, 30, 6, 20, 4, 3, 0}, 0.742761271487116, 2.02467429327706, -0.810335380906619},
    {"empty_pair", {500, 40, 30, 0, 20, 4, 3, 7}, 3.93161530504392, 12.6971344414677, -3.43626227766918},
    {"strong",
     {900, 20, 30, 400, 10, 700, 800, 50},
     351.624791143256,
     2884.11980726745,
     -628.10687576014,
     -13.4180136195053,
     0.457846061327403},
    {"four",
     {700, 80, 90, 21, 60, 14, 17, 9, 50, 12, 8, 5, 11, 4, 6, 3},
     3.46431746044843,
     0.345921215943003,
     -0.254588556013895,
     -0.744190993400041,
     1.26488380218076},
    {"pair",
     {60, 20, 15, 12},
     8.07476635514019,
     3.48550748995405,
     -1.20825058480189,
     0.875468737353899,
     0.465474668125631}};

TEST(LogLinear, MatchesRLoglinAndGlm) {
  for (const Case& each : cases) {
    const LogLinear found = log_linear(each.cell);
    EXPECT_NEAR(found.expected, each.expected, 1e-10 * each.expected) << each.name;
    EXPECT_NEAR(found.g2, each.g2, 1e-10 * each.g2) << each.name;
    EXPECT_NEAR(found.log10_p, each.log10_p, 1e-9 * std::abs(each.log10_p)) << each.name;
    if (std::isnan(each.interaction)) {
      EXPECT_EQ(found.verdict, LogLinearVerdict::infinite) << each.name;
      EXPECT_TRUE(std::isnan(found.se)) << each.name;
    } else {
      EXPECT_EQ(found.verdict, LogLinearVerdict::estimated) << each.name;
      EXPECT_NEAR(found.interaction, each.interaction, 1e-8 * std::abs(each.interaction)) << each.name;
      EXPECT_NEAR(found.se, each.se, 1e-5 * each.se) << each.name;  // glm's is that of its last but one step
    }
  }
}

TEST(LogLinear, OfAPairIsIndependence) {
  // expected 27 · 32 / 107; log odds ratio log(60 · 12 / (20 · 15))
  const LogLinear found = log_linear(Cells{60, 20, 15, 12});
  EXPECT_NEAR(found.expected, 27.0 * 32 / 107, 1e-13);
  EXPECT_NEAR(found.interaction, std::log(2.4), 1e-14);
  EXPECT_NEAR(found.se, std::sqrt(1 / 60.0 + 1 / 20.0 + 1 / 15.0 + 1 / 12.0), 1e-14);
}

/// Expected count of the last cell and g2, by halving the range of δ in long double.
std::pair<long double, long double> by_bisection(const Cells& cell) {
  const int order = std::countr_zero(cell.size());
  const auto sign = [&](std::size_t c) { return (order - std::popcount(c)) % 2 == 0 ? 1.0L : -1.0L; };
  long double low = -1e30L, high = 1e30L;
  for (std::size_t c = 0; c < cell.size(); ++c) {
    const long double n = cell[c];
    if (sign(c) > 0) low = std::max(low, -n);
    if (sign(c) < 0) high = std::min(high, n);
  }
  for (int step = 0; step < 200; ++step) {
    const long double delta = (low + high) / 2;
    long double sum = 0;
    for (std::size_t c = 0; c < cell.size(); ++c)
      sum += sign(c) * std::log(static_cast<long double>(cell[c]) + sign(c) * delta);
    (sum > 0 ? high : low) = delta;
  }
  const long double delta = (low + high) / 2;
  long double g2 = 0;
  for (std::size_t c = 0; c < cell.size(); ++c) {
    const long double n = cell[c];
    if (n > 0) g2 += 2 * n * std::log(n / (n + sign(c) * delta));
  }
  return {cell.back() + delta, g2};
}

TEST(LogLinear, AgreesWithBisectionForAnyTable) {
  int n_tables = 0;
  for (Index k = 0; k < 2000; ++k) {
    Draws draws(6, 0, k);
    const int order = 2 + static_cast<int>(draws.below(3));
    Cells cell;
    for (Index c = 0; c < (Index{1} << order); ++c)
      cell.push_back(static_cast<std::int32_t>(std::pow(10, 4 * draws.uniform()) - 1));
    const LogLinear found = log_linear(cell);
    if (found.verdict == LogLinearVerdict::not_identified) continue;
    ++n_tables;
    const auto [expected, g2] = by_bisection(cell);
    EXPECT_NEAR(found.expected, static_cast<double>(expected), 1e-12 * (1 + found.expected)) << "table " << k;
    EXPECT_NEAR(found.g2, static_cast<double>(g2), 1e-9 * (1 + found.g2)) << "table " << k;
  }
  EXPECT_GT(n_tables, 1500);
}

TEST(LogLinear, ATriplePairsExplainIsAsExpected) {
  // the first feature's odds given the second and third: 1/2 throughout
  const LogLinear found = log_linear(Cells{400, 200, 100, 50, 60, 30, 20, 10});
  EXPECT_NEAR(found.expected, 10, 1e-12);
  EXPECT_NEAR(found.g2, 0, 1e-20);
  EXPECT_NEAR(found.interaction, 0, 1e-13);
  EXPECT_NEAR(found.log10_p, 0, 1e-9);
}

TEST(LogLinear, EmptyCellsAreJudged) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  // nobody carries all three: minus infinity; nobody carries just the first two: plus infinity
  EXPECT_EQ(log_linear(Cells{9, 4, 3, 2, 5, 1, 2, 0}).interaction, -infinity);
  EXPECT_EQ(log_linear(Cells{9, 4, 3, 0, 5, 1, 2, 2}).interaction, infinity);
  // both: no other table has these margins
  const LogLinear fixed = log_linear(Cells{9, 4, 3, 0, 5, 1, 2, 0});
  EXPECT_EQ(fixed.verdict, LogLinearVerdict::not_identified);
  EXPECT_EQ(fixed.expected, 0);
  EXPECT_TRUE(std::isnan(fixed.g2) && std::isnan(fixed.log10_p) && std::isnan(fixed.interaction));
  EXPECT_EQ(log_linear(Cells{0, 0, 0, 0, 0, 0, 0, 0}).verdict, LogLinearVerdict::not_identified);
  EXPECT_EQ(log_linear(Cells{9, 0, 3, 0, 5, 0, 2, 0}).verdict, LogLinearVerdict::not_identified);
}

TEST(LogLinear, RefusesWhatIsNoTable) {
  EXPECT_THROW(log_linear(Cells{}), ShapeError);
  EXPECT_THROW(log_linear(Cells{1, 2}), ShapeError);
  EXPECT_THROW(log_linear(Cells{1, 2, 3, 4, 5, 6}), ShapeError);
  EXPECT_THROW(log_linear(Cells{1, 2, 3, -4}), ShapeError);
  EXPECT_EQ(name_of(LogLinearVerdict::infinite), "infinite");
}

}  // namespace
}  // namespace chorale::kernels
