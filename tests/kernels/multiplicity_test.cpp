// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/multiplicity.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "kernels/error.hpp"

namespace chorale::kernels {
namespace {

const double missing = std::nan("");
const std::vector<double> p{0.01, missing, 0.02, 0.02, 0.04, 1e-200, 0.9, 1, 0.041, missing, 1e-7};

std::vector<double> log10_of(const std::vector<double>& values) {
  std::vector<double> logs;
  for (const double value : values) logs.push_back(std::log10(value));
  return logs;
}

void expect_same(const std::vector<double>& log10_found, const std::vector<double>& expected) {
  ASSERT_EQ(log10_found.size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    if (std::isnan(expected[i])) {
      EXPECT_TRUE(std::isnan(log10_found[i])) << i;
    } else {
      EXPECT_NEAR(log10_found[i], std::log10(expected[i]), 1e-12) << i;
    }
  }
}

TEST(BenjaminiHochberg, MatchesR) {
  std::vector<double> q(p.size());
  benjamini_hochberg(log10_of(p), q);
  // R 4.2.2: p.adjust(p, "BH"), tests/oracle/multiplicity.R
  expect_same(q, {0.03, missing, 0.036, 0.036, 0.0527142857142857, 9e-200, 1, 1, 0.0527142857142857, missing,
                  4.5e-07});
}

TEST(BenjaminiHochberg, CountsTestsThatAreNotAtHand) {
  std::vector<double> q(4);
  benjamini_hochberg(log10_of({1e-200, 1e-7, 0.01, 0.02}), 20, q);
  // R 4.2.2: p.adjust(sort(p)[1:4], "BH", n = 20), tests/oracle/multiplicity.R
  expect_same(q, {2e-199, 1e-6, 0.0666666666666667, 0.1});
}

TEST(BenjaminiHochberg, KeepsTheOrderOfTinyP) {
  std::vector<double> q(3);
  benjamini_hochberg(std::vector<double>{-2000, -90000, -2001}, q);
  // m = 3: ranks 3, 1, 2
  EXPECT_DOUBLE_EQ(q[0], -2000);
  EXPECT_DOUBLE_EQ(q[1], -90000 + std::log10(3.0));
  EXPECT_DOUBLE_EQ(q[2], -2001 + std::log10(3.0 / 2));
}

TEST(BenjaminiHochberg, WorksInPlace) {
  auto values = log10_of(p);
  std::vector<double> q(p.size());
  benjamini_hochberg(values, q);
  benjamini_hochberg(values, values);
  for (std::size_t i = 0; i < q.size(); ++i)
    EXPECT_TRUE(values[i] == q[i] || (std::isnan(values[i]) && std::isnan(q[i])));
}

TEST(BenjaminiHochberg, NoTestsAtAllAreFine) {
  std::vector<double> none;
  benjamini_hochberg(none, none);
  std::vector<double> only_missing{missing};
  benjamini_hochberg(only_missing, only_missing);
  EXPECT_TRUE(std::isnan(only_missing[0]));
}

TEST(Bonferroni, MatchesR) {
  std::vector<double> adjusted(p.size());
  bonferroni(log10_of(p), adjusted);
  // R 4.2.2: p.adjust(p, "bonferroni"), tests/oracle/multiplicity.R
  expect_same(adjusted, {0.09, missing, 0.18, 0.18, 0.36, 9e-200, 1, 1, 0.369, missing, 9e-07});
}

TEST(Multiplicity, WrongArgumentsAreRefused) {
  std::vector<double> one(1), two(2, -1.0);
  EXPECT_THROW(benjamini_hochberg(two, one), ShapeError);
  EXPECT_THROW(benjamini_hochberg(two, 1, two), ShapeError);
  EXPECT_THROW(bonferroni(two, one), ShapeError);
  EXPECT_THROW(benjamini_hochberg(std::vector<double>{0.5}, one), ShapeError);  // a p where log10 p belongs
}

}  // namespace
}  // namespace chorale::kernels
