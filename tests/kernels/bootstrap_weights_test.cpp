// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/bootstrap_weights.hpp"

#include <gtest/gtest.h>
#include <omp.h>

#include <array>
#include <cmath>

#include "kernels/error.hpp"
#include "kernels/level.hpp"

namespace chorale::kernels {
namespace {

std::vector<std::uint8_t> weights(const BootstrapPlan& plan, Index first, Index n, std::uint64_t seed = 7) {
  std::vector<std::uint8_t> copies(static_cast<std::size_t>(plan.n_patients * n), 99);
  bootstrap_weights(plan, seed, first, n, copies);
  return copies;
}

TEST(BootstrapWeights, SumToTheNumberOfPatients) {
  for (const Index n : {0, 1, 2, 3, 63, 64, 1023, 1024, 1025, 5003}) {
    const BootstrapPlan plan = make_bootstrap_plan({.n_patients = n, .stratum = {}, .cluster = {}});
    const auto copies = weights(plan, 0, 13);
    for (Index r = 0; r < 13; ++r) {
      Index sum = 0;
      for (Index i = 0; i < n; ++i) sum += copies[static_cast<std::size_t>(i * 13 + r)];
      EXPECT_EQ(sum, n);
    }
  }
}

TEST(BootstrapWeights, AreThoseOfDrawsWithReplacement) {
  // of four units, 4^4 = 256 equally probable rows of draws: a unit is drawn k times with probability
  // binomial(4, 1/4), and all four once with probability 4!/256
  const BootstrapPlan plan = make_bootstrap_plan({.n_patients = 4, .stratum = {}, .cluster = {}});
  constexpr Index n = 200'000;
  const auto copies = weights(plan, 0, n);
  for (std::size_t i = 0; i < 4; ++i) {
    std::array<double, 5> seen{};
    for (std::size_t r = 0; r < n; ++r) ++seen[copies[i * n + r]];
    const std::array<double, 5> probability{81.0 / 256, 108.0 / 256, 54.0 / 256, 12.0 / 256, 1.0 / 256};
    double chi2 = 0;
    for (std::size_t k = 0; k < 5; ++k)
      chi2 += std::pow(seen[k] - n * probability[k], 2) / (n * probability[k]);
    EXPECT_LT(chi2, 18.5) << i;  // 0.999 quantile of chi-square with 4 degrees of freedom
  }
  double once = 0;
  for (std::size_t r = 0; r < n; ++r) {
    once += copies[r] == 1 && copies[n + r] == 1 && copies[2 * n + r] == 1 && copies[3 * n + r] == 1;
  }
  EXPECT_NEAR(once / n, 24.0 / 256, 3.3 * std::sqrt(24.0 / 256 * (1 - 24.0 / 256) / n));
}

TEST(BootstrapWeights, LeaveAShareOfOneOverEOutOfBag) {
  const BootstrapPlan plan = make_bootstrap_plan({.n_patients = 10'000, .stratum = {}, .cluster = {}});
  const auto copies = weights(plan, 0, 40);
  double out = 0;
  for (const std::uint8_t count : copies) out += count == 0;
  EXPECT_NEAR(out / 400'000, std::pow(1 - 1e-4, 1e4), 0.002);
}

TEST(BootstrapWeights, DependOnSeedAndReplicateOnly) {
  const BootstrapPlan plan = make_bootstrap_plan({.n_patients = 3001, .stratum = {}, .cluster = {}});
  const auto all = weights(plan, 0, 37);
  const Level before = level();
  for (const Level each : available_levels()) {
    force_level(each);
    for (const int threads : {1, 3}) {
      omp_set_num_threads(threads);
      const auto few = weights(plan, 11, 5);
      for (std::size_t i = 0; i < 3001; ++i) {
        for (std::size_t r = 0; r < 5; ++r) ASSERT_EQ(few[i * 5 + r], all[i * 37 + 11 + r]);
      }
    }
  }
  omp_set_num_threads(omp_get_num_procs());
  force_level(before);
  EXPECT_NE(weights(plan, 0, 37, 8), all);
}

TEST(BootstrapWeights, KeepTheSizesOfStrata) {
  std::vector<std::int32_t> stratum;
  for (int i = 0; i < 900; ++i) stratum.push_back(i % 7 == 6 ? -1 : i % 7);
  const BootstrapPlan plan = make_bootstrap_plan({.n_patients = 900, .stratum = stratum, .cluster = {}});
  const auto copies = weights(plan, 3, 20);
  for (std::size_t r = 0; r < 20; ++r) {
    std::array<Index, 7> size{}, drawn{};
    for (std::size_t i = 0; i < 900; ++i) {
      ++size[i % 7];
      drawn[i % 7] += copies[i * 20 + r];
    }
    size[6] = 0;  // left out
    EXPECT_EQ(drawn, size);
  }
}

TEST(BootstrapWeights, DrawWholeClusters) {
  std::vector<std::int32_t> cluster;
  for (int i = 0; i < 500; ++i) cluster.push_back(i < 5 ? -1 : 3 * (i * i % 23));
  const BootstrapPlan plan = make_bootstrap_plan({.n_patients = 500, .stratum = {}, .cluster = cluster});
  EXPECT_EQ(plan.n_units, 12);  // squares modulo 23
  const auto copies = weights(plan, 0, 9);
  for (std::size_t r = 0; r < 9; ++r) {
    std::array<Index, 67> of_cluster{};
    of_cluster.fill(-1);
    Index sum = 0;
    for (std::size_t i = 5; i < 500; ++i) {
      Index& copy = of_cluster[static_cast<std::size_t>(cluster[i])];
      if (copy < 0) {
        sum += copy = copies[i * 9 + r];
      } else {
        EXPECT_EQ(copy, copies[i * 9 + r]);
      }
    }
    EXPECT_EQ(sum, 12);
    EXPECT_EQ(copies[r], 0);
  }
}

TEST(BootstrapWeights, RefuseWhatDoesNotFit) {
  const std::vector<std::int32_t> two{0, 1}, same{4, 4}, below{0, -2};
  EXPECT_THROW(make_bootstrap_plan({.n_patients = 3, .stratum = two, .cluster = {}}), ShapeError);
  EXPECT_THROW(make_bootstrap_plan({.n_patients = 2, .stratum = below, .cluster = {}}), ShapeError);
  EXPECT_THROW(make_bootstrap_plan({.n_patients = 2, .stratum = two, .cluster = same}), ShapeError);
  const BootstrapPlan plan = make_bootstrap_plan({.n_patients = 2, .stratum = {}, .cluster = {}});
  std::vector<std::uint8_t> copies(5);
  EXPECT_THROW(bootstrap_weights(plan, 1, 0, 3, copies), ShapeError);
  EXPECT_THROW(bootstrap_weights(plan, 1, -1, 2, std::span(copies).first(4)), ShapeError);
}

std::vector<std::uint8_t> halves(const BootstrapPlan& plan, Index first, Index n_pairs,
                                 std::uint64_t seed = 7) {
  std::vector<std::uint8_t> taken(static_cast<std::size_t>(plan.n_patients * 2 * n_pairs), 99);
  half_samples(plan, seed, first, n_pairs, taken);
  return taken;
}

TEST(HalfSamples, AreDisjointAndHoldHalfOfEachStratum) {
  for (const std::size_t n : {0, 1, 2, 3, 5, 63, 64, 65, 1023, 1024, 1025, 70'001}) {
    std::vector<std::int32_t> stratum;
    for (std::size_t i = 0; i < n; ++i)
      stratum.push_back(static_cast<std::int32_t>(i * i % 4) - (i % 7 == 6));
    const BootstrapPlan plan =
        make_bootstrap_plan({.n_patients = static_cast<Index>(n), .stratum = stratum, .cluster = {}});
    const auto taken = halves(plan, 0, 5);
    for (std::size_t pair = 0; pair < 5; ++pair) {
      std::array<std::size_t, 2> size{}, first{}, second{};
      for (std::size_t i = 0; i < n; ++i) {
        const auto one = taken[i * 10 + 2 * pair], other = taken[i * 10 + 2 * pair + 1];
        ASSERT_LE(one + other, stratum[i] < 0 ? 0 : 1);
        if (stratum[i] < 0) continue;
        const auto h = static_cast<std::size_t>(stratum[i]);
        ++size[h];
        first[h] += one;
        second[h] += other;
      }
      for (std::size_t h = 0; h < 2; ++h) {
        EXPECT_EQ(first[h], size[h] / 2);
        EXPECT_EQ(second[h], size[h] / 2);
      }
    }
  }
}

TEST(HalfSamples, EveryPairOfHalvesIsEquallyProbable) {
  // of five units: five left out, then 6 of 4 choose 2 for the first half; of four: 6
  for (const std::size_t units : {4, 5}) {
    const BootstrapPlan plan =
        make_bootstrap_plan({.n_patients = static_cast<Index>(units), .stratum = {}, .cluster = {}});
    constexpr std::size_t n = 60'000;
    const auto taken = halves(plan, 0, n);
    std::array<double, 1024> seen{};
    for (std::size_t pair = 0; pair < n; ++pair) {
      std::size_t which = 0;
      for (std::size_t i = 0; i < units; ++i) {
        which = 4 * which + taken[i * 2 * n + 2 * pair] + std::size_t{2} * taken[i * 2 * n + 2 * pair + 1];
      }
      ++seen[which];
    }
    const double expected = n / (units == 4 ? 6.0 : 30.0);
    double chi2 = 0, n_kinds = 0;
    for (const double count : seen) {
      if (count == 0) continue;
      ++n_kinds;
      chi2 += (count - expected) * (count - expected) / expected;
    }
    EXPECT_EQ(n_kinds, units == 4 ? 6 : 30);
    EXPECT_LT(chi2, units == 4 ? 20.5 : 58.3);  // 0.999 quantiles of chi-square, 5 and 29 degrees of freedom
  }
}

TEST(HalfSamples, UnitsAreTogetherAsOftenAsAtRandom) {
  constexpr std::size_t n = 200, n_pairs = 4000;
  const BootstrapPlan plan = make_bootstrap_plan({.n_patients = n, .stratum = {}, .cluster = {}});
  const auto taken = halves(plan, 0, n_pairs);
  // two units are both in a half of 100 of 200 with probability 100/200 · 99/199
  const double p = 0.5 * 99 / 199;
  double largest = 0;
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t k = i + 1; k < n; ++k) {
      double both = 0;
      for (std::size_t pair = 0; pair < n_pairs; ++pair)
        both += taken[(i * n_pairs + pair) * 2] & taken[(k * n_pairs + pair) * 2];
      largest = std::max(largest, std::abs(both - n_pairs * p) / std::sqrt(n_pairs * p * (1 - p)));
    }
  }
  EXPECT_LT(largest, 5.3);  // 19,900 pairs of units: beyond with probability 0.002
}

TEST(HalfSamples, DependOnSeedAndPairOnly) {
  const BootstrapPlan plan = make_bootstrap_plan({.n_patients = 3001, .stratum = {}, .cluster = {}});
  const auto all = halves(plan, 0, 19);
  for (const int threads : {1, 3}) {
    omp_set_num_threads(threads);
    const auto few = halves(plan, 11, 3);
    for (std::size_t i = 0; i < 3001; ++i) {
      for (std::size_t s = 0; s < 6; ++s) ASSERT_EQ(few[i * 6 + s], all[i * 38 + 22 + s]);
    }
  }
  omp_set_num_threads(omp_get_num_procs());
  EXPECT_NE(halves(plan, 0, 19, 8), all);
}

TEST(HalfSamples, TakeWholeClusters) {
  std::vector<std::int32_t> cluster;
  for (int i = 0; i < 500; ++i) cluster.push_back(i * i % 23);  // 12 squares modulo 23
  const BootstrapPlan plan = make_bootstrap_plan({.n_patients = 500, .stratum = {}, .cluster = cluster});
  const auto taken = halves(plan, 0, 1);
  std::array<int, 23> of_cluster{};
  of_cluster.fill(-1);
  int n_taken = 0;
  for (std::size_t i = 0; i < 500; ++i) {
    int& first = of_cluster[static_cast<std::size_t>(cluster[i])];
    if (first < 0) n_taken += first = taken[2 * i];
    EXPECT_EQ(first, taken[2 * i]);
  }
  EXPECT_EQ(n_taken, 6);
}

TEST(HalfSamples, RefuseWhatDoesNotFit) {
  const BootstrapPlan plan = make_bootstrap_plan({.n_patients = 2, .stratum = {}, .cluster = {}});
  std::vector<std::uint8_t> taken(4);
  EXPECT_THROW(half_samples(plan, 1, 0, 2, taken), ShapeError);
  EXPECT_THROW(half_samples(plan, 1, -1, 1, taken), ShapeError);
}

}  // namespace
}  // namespace chorale::kernels
