// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/pair_cox_reri.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "kernels/error.hpp"
#include "tests/kernels/pair_data.hpp"

namespace chorale::kernels {
namespace {

PairCoxFit fit_of(double a, double b, double ab) {
  PairCoxFit fit;
  fit.a = a;
  fit.b = b;
  fit.ab = ab;
  fit.covariance = {1, 0, 0, 0, 4, 0, 0, 0, 9};
  return fit;
}

TEST(PairCoxReri, IsZeroWhereHazardsAdd) {
  // hazard ratios 2 and 3, together 4 = 2 + 3 − 1
  EXPECT_NEAR(pair_cox_reri(fit_of(std::log(2), std::log(3), std::log(4.0 / 6))).estimate, 0, 1e-15);
}

TEST(PairCoxReri, FollowsTheDeltaMethod) {
  // hazard ratios 2, 3, together 12: 12 − 2 − 3 + 1; slopes 10, 9, 12 against variances 1, 4, 9
  const Reri found = pair_cox_reri(fit_of(std::log(2), std::log(3), std::log(2)), 0.9);
  EXPECT_NEAR(found.estimate, 8, 1e-13);
  const double se = std::sqrt(100.0 * 1 + 81 * 4 + 144 * 9);
  EXPECT_NEAR(found.se, se, 1e-12);
  EXPECT_NEAR(found.lower, 8 - 1.6448536269514722 * se, 1e-11);  // qnorm(0.95)
  EXPECT_NEAR(found.upper, 8 + 1.6448536269514722 * se, 1e-11);
}

TEST(PairCoxReri, MatchesRAtARealFit) {
  // tests/oracle/pair_cox_firth.R, reri
  const pair_data::PairCohort c = pair_data::forty({}, 0);
  const Reri found = pair_cox_reri(pair_data::full_fit(c.design(), c.a, c.b, Ties::efron));
  EXPECT_NEAR(found.estimate, -1.73129410295, 1e-9);
  EXPECT_NEAR(found.se, 1.76391056247, 1e-7);
  EXPECT_NEAR(found.lower, -5.18849527735, 1e-7);
  EXPECT_NEAR(found.upper, 1.72590707145, 1e-7);
}

TEST(PairCoxReri, IsMissingWithoutCoefficients) {
  const Reri found = pair_cox_reri(PairCoxFit{});
  EXPECT_TRUE(std::isnan(found.estimate));
  EXPECT_TRUE(std::isnan(found.upper));
}

TEST(PairCoxReri, RefusesAConfidenceOfOne) {
  EXPECT_THROW(pair_cox_reri(PairCoxFit{}, 1), ShapeError);
}

}  // namespace
}  // namespace chorale::kernels
