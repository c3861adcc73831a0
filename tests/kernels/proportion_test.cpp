// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/proportion.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "kernels/error.hpp"

namespace chorale::kernels {
namespace {

TEST(WilsonInterval, MatchesR) {
  struct Case {
    Index carriers, tested;
    double level, lower, upper;
  };
  // R 4.2.2: prop.test(carriers, tested, conf.level = level, correct = FALSE)$conf.int,
  // tests/oracle/proportion.R
  const std::vector<Case> cases{
      {0, 10, 0.95, 0, 0.277532799862889},
      {1, 10, 0.95, 0.0178762130950729, 0.404150026795238},
      {10, 10, 0.95, 0.722467200137111, 1},
      {433, 1540, 0.95, 0.25928114277452, 0.304145531545488},
      {433, 1540, 0.99, 0.252647045690447, 0.311568140788778},
      {3, 100000, 0.95, 1.02027585445173e-05, 8.82080492517673e-05},
      {1, 1, 0.8, 0.378447503225353, 1},
  };
  for (const Case& each : cases) {
    SCOPED_TRACE(testing::Message() << each.carriers << " of " << each.tested);
    const Proportion found = wilson_interval(each.carriers, each.tested, each.level);
    EXPECT_EQ(found.estimate, static_cast<double>(each.carriers) / static_cast<double>(each.tested));
    // R's own lower bound is a difference: 1e-16 of 1 is 1e-11 of the smallest one here
    EXPECT_NEAR(found.lower, each.lower, 1e-11 * each.lower);
    EXPECT_NEAR(found.upper, each.upper, 1e-13 * each.upper);
  }
}

TEST(WilsonInterval, BoundsSolveTheScoreEquation) {
  // (p̂ - p)² = z² p (1 - p) / n at both bounds; z = 1.9599639845400545 for 0.95
  const double z = 1.9599639845400545, n = 57, estimate = 9.0 / 57;
  const Proportion found = wilson_interval(9, 57);
  for (const double p : {found.lower, found.upper}) {
    EXPECT_NEAR((estimate - p) * (estimate - p), z * z * p * (1 - p) / n, 1e-15);
  }
}

TEST(WilsonInterval, IsExactAtTheEdges) {
  for (const Index tested : {1, 7, 1'000'000}) {
    EXPECT_EQ(wilson_interval(0, tested).lower, 0);
    EXPECT_EQ(wilson_interval(tested, tested).upper, 1);
  }
}

TEST(WilsonInterval, NobodyTestedIsUnknownAndNotZero) {
  const Proportion found = wilson_interval(0, 0);
  EXPECT_TRUE(std::isnan(found.estimate));
  EXPECT_EQ(found.lower, 0);
  EXPECT_EQ(found.upper, 1);
}

TEST(WilsonInterval, ImpossibleCountsAreRefused) {
  EXPECT_THROW(wilson_interval(-1, 5), ShapeError);
  EXPECT_THROW(wilson_interval(6, 5), ShapeError);
  EXPECT_THROW(wilson_interval(1, 5, 1.0), ShapeError);
}

}  // namespace
}  // namespace chorale::kernels
