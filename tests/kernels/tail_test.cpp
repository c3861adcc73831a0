// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/tail.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numbers>
#include <vector>

#include "kernels/error.hpp"
#include "kernels/stirling.hpp"

namespace chorale::kernels {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

void expect_relative(double found, double expected, double tolerance) {
  EXPECT_NEAR(found, expected, tolerance * std::abs(expected));
}

TEST(ChiSquareTail, MatchesRFromOneToTenToTheMinusMillion) {
  struct Case {
    double x, df, log10_upper;
  };
  // R 4.2.2: pchisq(x, df, lower.tail = FALSE, log.p = TRUE) / log(10), tests/oracle/tail.R
  const std::vector<Case> cases{
      {0.001, 1, -0.011096562482616874},    {0.5, 1, -0.31921127782572029},
      {1, 1, -0.49851554582798913},         {1.5, 1, -0.65625402464165228},
      {4, 1, -1.3419860844769553},          {20, 1, -5.1110225181099551},
      {1000, 1, -218.74573410420498},       {0.002, 2, -0.00043429448190325168},
      {1, 2, -0.21714724095162588},         {2, 2, -0.43429448190325176},
      {3, 2, -0.65144172285487767},         {8, 2, -1.737177927613007},
      {40, 2, -8.685889638065035},          {2000, 2, -434.29448190325178},
      {0.003, 3, -1.8962851759809337e-05},  {1.5, 3, -0.16604351432969322},
      {3, 3, -0.40712939663358583},         {4.5, 3, -0.67306987508690264},
      {12, 3, -2.1317576901804922},         {60, 3, -12.230753371327339},
      {3000, 3, -649.80107747351838},       {0.007, 7, -9.444871450573196e-11},
      {3.5, 7, -0.078196263876979824},      {7, 7, -0.36766435002806902},
      {10.5, 7, -0.79058018391315577},      {28, 7, -3.6577896683492366},
      {140, 7, -26.293881811822693},        {7000, 7, -1511.6917825264377},
      {0.1, 100, -1.2075939018667278e-130}, {50, 100, -3.0197925988106261e-06},
      {100, 100, -0.31768188630897309},     {150, 100, -3.0438642185733609},
      {400, 100, -36.771394863808595},      {2000, 100, -350.0567907656947},
      {1e+05, 100, -21547.25824400951},     {2500, 5000, -1.3598989654380683e-212},
      {5000, 5000, -0.30334627911841383},   {7500, 5000, -104.43803610181287},
      {20000, 5000, -1754.6339088081027},   {1e+05, 5000, -17379.789738884378},
      {5e+06, 5000, -1077155.5661934488},   {460000, 1, -99890.660277546398},
      {460000, 4, -99882.36910802366},
  };
  for (const Case& each : cases) {
    SCOPED_TRACE(testing::Message() << "x = " << each.x << ", df = " << each.df);
    expect_relative(chi_square_log10_upper(each.x, each.df), each.log10_upper, 1e-12);
  }
}

TEST(ChiSquareTail, OneDegreeOfFreedomIsTheSquaredNormal) {
  for (double z = 0.001; z < 1000; z *= 1.1) {
    expect_relative(chi_square_log10_upper(z * z, 1), normal_log10_two_sided(z), 1e-13);
  }
}

TEST(ChiSquareTail, FourDegreesOfFreedomHaveAClosedForm) {
  // Q(2, y) = (1 + y) e^-y
  for (double x = 1; x < 1e6; x *= 1.7) {
    expect_relative(chi_square_log10_upper(x, 4), (std::log1p(x / 2) - x / 2) * std::numbers::log10e, 1e-12);
  }
}

TEST(ChiSquareTail, IsOrderedAcrossTheSwitchOfMethods) {
  for (const double df : {1.0, 2.0, 3.0, 50.0}) {
    double before = 0;
    for (double x = 0.5; x < 3000; x += 0.25) {
      const double here = chi_square_log10_upper(x, df);
      EXPECT_LT(here, before) << "x = " << x << ", df = " << df;
      before = here;
    }
  }
}

TEST(ChiSquareTail, EdgesOfItsRange) {
  EXPECT_EQ(chi_square_log10_upper(0, 3), 0);
  EXPECT_EQ(chi_square_log10_upper(-1, 3), 0);
  EXPECT_EQ(chi_square_log10_upper(infinity, 3), -infinity);
  EXPECT_TRUE(std::isnan(chi_square_log10_upper(std::nan(""), 3)));
  EXPECT_THROW(chi_square_log10_upper(1, 0), ShapeError);
  EXPECT_THROW(chi_square_log10_upper(1, std::nan("")), ShapeError);
}

TEST(NormalTail, MatchesR) {
  struct Case {
    double z, log10_two_sided;
  };
  // R 4.2.2: (log(2) + pnorm(-z, log.p = TRUE)) / log(10), tests/oracle/tail.R
  const std::vector<Case> cases{
      {0.01, -0.0034790084018169664}, {0.5, -0.20966199360125953}, {1, -0.49851554582798935},
      {1.96, -1.30106656222387},      {5, -6.2416156767266724},    {10, -22.817023409822092},
      {29, -184.18180245305135},      {31, -210.26837093653992},   {38, -315.23875970829852},
      {100, -2173.5705128733703},     {678, -99822.041600184326},
  };
  for (const Case& each : cases) {
    SCOPED_TRACE(testing::Message() << "z = " << each.z);
    expect_relative(normal_log10_two_sided(each.z), each.log10_two_sided, 1e-12);
    EXPECT_EQ(normal_log10_two_sided(-each.z), normal_log10_two_sided(each.z));
  }
}

TEST(NormalTail, NearZeroTheLogarithmKeepsItsDigits) {
  // P(|Z| >= z) = 1 - z √(2/π) + O(z³), so log10 P = -z √(2/π) / log 10 (1 + z/√(2π) + …)
  const double z = 1e-12;
  expect_relative(normal_log10_two_sided(z), -z * std::sqrt(2 / std::numbers::pi) / std::numbers::ln10,
                  1e-11);
}

TEST(NormalTail, EdgesOfItsRange) {
  EXPECT_EQ(normal_log10_two_sided(0), 0);
  EXPECT_EQ(normal_log10_two_sided(infinity), -infinity);
  EXPECT_EQ(normal_log10_two_sided(-infinity), -infinity);
  EXPECT_TRUE(std::isnan(normal_log10_two_sided(std::nan(""))));
}

TEST(NormalQuantile, MatchesR) {
  struct Case {
    double p, quantile;
  };
  // R 4.2.2: qnorm(p), tests/oracle/tail.R
  const std::vector<Case> cases{
      {1e-300, -37.047096299361201},
      {9.9999999999999995e-21, -9.2623400897984052},
      {1e-10, -6.3613409024040557},
      {0.001, -3.0902323061678132},
      {0.025000000000000001, -1.9599639845400538},
      {0.074899999999999994, -1.4402382675279632},
      {0.0751, -1.4388253927525398},
      {0.29999999999999999, -0.52440051270804067},
      {0.5, 0},
      {0.69999999999999996, 0.52440051270804067},
      {0.97499999999999998, 1.9599639845400536},
      {0.99999999989999999, 6.3613408896974208},
  };
  for (const Case& each : cases) {
    SCOPED_TRACE(testing::Message() << "p = " << each.p);
    expect_relative(normal_quantile(each.p), each.quantile, 1e-14);
  }
}

TEST(NormalQuantile, EdgesOfItsRange) {
  EXPECT_EQ(normal_quantile(0), -infinity);
  EXPECT_EQ(normal_quantile(1), infinity);
  EXPECT_TRUE(std::isnan(normal_quantile(std::nan(""))));
  EXPECT_THROW(normal_quantile(-0.1), ShapeError);
  EXPECT_THROW(normal_quantile(1.1), ShapeError);
}

TEST(StirlingError, IsWhatStirlingMisses) {
  // δ(n) = log n! - (n + ½) log n + n - ½ log 2π; log n! summed in long double, whose own rounding reaches
  // 1e-16 past 100
  long double log_n_factorial = 0;
  for (Index n = 1; n <= 100; ++n) {
    const auto x = static_cast<long double>(n);
    log_n_factorial += std::log(x);
    const long double missed =
        log_n_factorial - (x + 0.5L) * std::log(x) + x - 0.5L * std::log(2 * std::numbers::pi_v<long double>);
    EXPECT_NEAR(stirling_error(n), static_cast<double>(missed), 1e-16) << n;
    expect_relative(log_factorial(n), static_cast<double>(log_n_factorial), 1e-15);
  }
  EXPECT_EQ(log_factorial(0), 0);
}

}  // namespace
}  // namespace chorale::kernels
