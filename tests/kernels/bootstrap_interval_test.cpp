// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
//
// Expected numbers without arithmetic in view: R 4.2.2, tests/oracle/bootstrap_interval.R
#include "kernels/bootstrap_interval.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "kernels/error.hpp"
#include "kernels/optimism.hpp"

namespace chorale::kernels {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
const std::vector<double> estimates{0.31, 0.12, 0.57, 0.44, 0.29, 0.38, 0.51, 0.22, 0.35, 0.41,
                                    0.48, 0.19, 0.33, 0.62, 0.27, 0.39, 0.45, 0.36, 0.53, 0.25};

TEST(BootstrapInterval, PercentilesAreThoseOfR) {
  EXPECT_NEAR(percentile_interval(estimates, 0.9).lower, 0.1865, 1e-14);
  EXPECT_NEAR(percentile_interval(estimates, 0.9).upper, 0.5725, 1e-14);
  EXPECT_NEAR(percentile_interval(estimates, 0.95).lower, 0.15325, 1e-14);
  EXPECT_NEAR(percentile_interval(estimates, 0.95).upper, 0.59625, 1e-14);
}

TEST(BootstrapInterval, PercentilesMoveUntilTheirMeanIsTheCentre) {
  const std::vector<double> some{1, missing, 2, 6};  // mean 3; quartiles 1.5 and 4
  EXPECT_EQ(interval_about(10, some, 0.5).lower, 8.5);
  EXPECT_EQ(interval_about(10, some, 0.5).upper, 11);
  EXPECT_TRUE(std::isnan(interval_about(10, {}, 0.5).lower));
}

TEST(BootstrapInterval, MissingReplicatesAreLeftOutAndInfiniteOnesOrdered) {
  const std::vector<double> some{missing, 1, 2, infinity, missing, 3, -infinity};
  const Interval whole = percentile_interval(some, 0.5);  // of -inf, 1, 2, 3, inf: the second and the fourth

  EXPECT_EQ(whole.lower, 1);
  EXPECT_EQ(whole.upper, 3);
  EXPECT_EQ(percentile_interval(some, 0.95).lower, -infinity);
  EXPECT_EQ(percentile_interval(some, 0.95).upper, infinity);
  EXPECT_TRUE(std::isnan(percentile_interval({}, 0.95).lower));
}

TEST(BootstrapInterval, BcaFollowsItsFormula) {
  const Interval moved = bca_interval(estimates, 0.40, 0.05, 0.9);
  EXPECT_NEAR(moved.lower, 0.244018936603351, 1e-13);
  EXPECT_NEAR(moved.upper, 0.611096945949204, 1e-13);
  const Interval tied = bca_interval(estimates, 0.39, -0.02, 0.9);
  EXPECT_NEAR(tied.lower, 0.214179684344738, 1e-13);
  EXPECT_NEAR(tied.upper, 0.596151972791938, 1e-13);
}

TEST(BootstrapInterval, BcaNeedsEstimatesOnBothSides) {
  EXPECT_TRUE(std::isnan(bca_interval(estimates, 0.7, 0, 0.9).lower));
  EXPECT_TRUE(std::isnan(bca_interval(estimates, 0.1, 0, 0.9).upper));
  EXPECT_TRUE(std::isnan(bca_interval(estimates, missing, 0, 0.9).upper));
  EXPECT_TRUE(std::isnan(bca_interval(estimates, 0.4, missing, 0.9).upper));
}

TEST(BootstrapInterval, LevelsOutsideOneAreRefused) {
  EXPECT_THROW(percentile_interval(estimates, 1), ShapeError);
  EXPECT_THROW(bca_interval(estimates, 0.4, 0, 0), ShapeError);
}

TEST(BootstrapInterval, AccelerationIsThirdOverSecondMoment) {
  EXPECT_NEAR(acceleration(std::vector{0.3, -0.1, 0.05, -0.4, 0.7, 0.02, -0.25}), 0.0655319751759663, 1e-15);
  EXPECT_EQ(acceleration(std::vector{0.0, 0.0}), 0);
  EXPECT_TRUE(std::isnan(acceleration(std::vector{0.1, missing})));
}

const std::vector<double> boot{0.78, 0.76, 0.80, 0.74}, original{0.73, 0.74, 0.72, 0.735},
    oob{0.70, 0.71, 0.66, 0.69};

TEST(Optimism, IsWhatReplicatesLoseOnAllPatients) {
  const Corrected c = correct_optimism(
      {.apparent = 0.75, .no_information = 0.5, .boot = boot, .original = original, .oob = oob}, 0.9);

  EXPECT_EQ(c.n_replicates, 4);
  EXPECT_NEAR(c.optimism, 0.03875, 1e-14);
  EXPECT_NEAR(c.corrected, 0.71125, 1e-14);
  EXPECT_NEAR(c.interval.lower, 0.68425, 1e-14);
  EXPECT_NEAR(c.interval.upper, 0.73825, 1e-14);
  EXPECT_NEAR(c.oob, 0.69, 1e-14);
  EXPECT_NEAR(c.est632, 0.71208, 1e-14);
  EXPECT_NEAR(c.est632plus, 0.708406458406458, 1e-14);
}

TEST(Optimism, NoInformationBoundsTheEstimate) {
  const auto plus = [](double apparent, double out_of_bag, double gamma) {
    const std::vector<double> one{out_of_bag};
    return correct_optimism(
               {.apparent = apparent, .no_information = gamma, .boot = one, .original = one, .oob = one}, 0.9)
        .est632plus;
  };
  EXPECT_NEAR(plus(0.10, 0.16, 0.25), 0.144465290806754, 1e-14);  // an error, such as Brier's
  EXPECT_NEAR(plus(0.75, 0.45, 0.5), 0.5, 1e-14);                 // worse than chance counts as chance
  EXPECT_NEAR(plus(0.75, 0.77, 0.5), 0.76264, 1e-14);             // better than apparent: .632
  EXPECT_TRUE(std::isnan(plus(0.75, 0.7, missing)));
}

TEST(Optimism, ReplicatesWithoutAMeasureAreLeftOut) {
  const std::vector<double> gaps_boot{0.8, missing, 0.7}, gaps_original{0.7, 0.7, missing};
  const Corrected c = correct_optimism(
      {.apparent = 0.75, .no_information = 0.5, .boot = gaps_boot, .original = gaps_original, .oob = {}},
      0.9);

  EXPECT_EQ(c.n_replicates, 1);
  EXPECT_NEAR(c.optimism, 0.1, 1e-14);
  EXPECT_EQ(c.n_oob, 0);
  EXPECT_TRUE(std::isnan(c.est632));
}

TEST(Optimism, WithoutReplicatesNothingIsCorrected) {
  const Corrected c =
      correct_optimism({.apparent = 0.75, .no_information = 0.5, .boot = {}, .original = {}, .oob = {}}, 0.9);

  EXPECT_EQ(c.n_replicates, 0);
  EXPECT_TRUE(std::isnan(c.corrected));
}

TEST(Optimism, UnequalNumbersAreRefused) {
  EXPECT_THROW(
      correct_optimism({.apparent = 0, .no_information = 0, .boot = boot, .original = {}, .oob = {}}, 0.9),
      ShapeError);
}

TEST(StabilityErrorBound, IsThatOfMeinshausenAndBuehlmann) {
  EXPECT_NEAR(stability_error_bound(10, 0.75, 100), 100 / (0.5 * 100), 1e-15);
  EXPECT_TRUE(std::isnan(stability_error_bound(10, 0.5, 100)));
}

}  // namespace
}  // namespace chorale::kernels
