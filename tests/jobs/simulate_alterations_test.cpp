// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "jobs/simulate/alteration_block.hpp"
#include "jobs/simulate/background.hpp"
#include "kernels/error.hpp"

namespace chorale::jobs {
namespace {

std::vector<std::string> letters(std::size_t n) {
  std::vector<std::string> names;
  for (std::size_t j = 0; j < n; ++j) names.emplace_back(1, static_cast<char>('A' + j));
  return names;
}

AlterationBlock block_of(const std::vector<double>& frequency, const std::vector<LinkedPair>& pairs) {
  return {frequency, pairs, letters(frequency.size()), "X"};
}

/// P(every subset) by multiplying the conditional probabilities along the block; bit j of the index is alteration j.
std::vector<double> joint(const AlterationBlock& block) {
  const auto n = static_cast<std::size_t>(block.size());
  std::vector<double> p(std::size_t{1} << n, 1);
  for (std::size_t state = 0; state < p.size(); ++state) {
    std::vector<std::uint8_t> carried(n);
    for (std::size_t j = 0; j < n; ++j) carried[j] = state >> j & 1;
    for (std::size_t j = 0; j < n; ++j) {
      const double q = block.probability(static_cast<Index>(j), carried);
      p[state] *= carried[j] != 0 ? q : 1 - q;
    }
  }
  return p;
}

double probability_of(const std::vector<double>& joint, std::size_t mask) {
  double sum = 0;
  for (std::size_t state = 0; state < joint.size(); ++state) sum += (state & mask) == mask ? joint[state] : 0;
  return sum;
}

TEST(ProbabilityOfBoth, FollowsTheOddsRatio) {
  // margins ½: p² / (½ − p)² = 9 gives p = 3/8
  EXPECT_NEAR(probability_of_both(0.5, 0.5, 9), 0.375, 1e-15);
  // independence: 0.3 · 0.2
  EXPECT_NEAR(probability_of_both(0.3, 0.2, 1), 0.06, 1e-16);
  // 0.05 of 0.1 and 0.2: odds ratio 0.05 · 0.75 / (0.05 · 0.15) = 5
  EXPECT_NEAR(probability_of_both(0.1, 0.2, 5), 0.05, 1e-15);
}

TEST(AlterationBlock, KeepsEveryFrequencyAndEveryListedOddsRatio) {
  // a hub, a cycle, an exclusive pair and one that is linked to nothing
  const std::vector<double> frequency{0.28, 0.24, 0.22, 0.09, 0.02, 0.4};
  const std::vector<LinkedPair> pairs{{0, 1, 8}, {0, 2, 3.5}, {1, 2, 2.2}, {3, 0, 0.12}, {4, 1, 30}};

  const auto p = joint(block_of(frequency, pairs));

  EXPECT_NEAR(probability_of(p, 0), 1, 1e-12);
  for (std::size_t j = 0; j < frequency.size(); ++j)
    EXPECT_NEAR(probability_of(p, std::size_t{1} << j), frequency[j], 1e-9) << "alteration " << j;
  for (const LinkedPair& pair : pairs) {
    const double a = frequency[static_cast<std::size_t>(pair.a)];
    const double b = frequency[static_cast<std::size_t>(pair.b)];
    const double both = probability_of(p, std::size_t{1} << pair.a | std::size_t{1} << pair.b);
    EXPECT_NEAR(both * (1 - a - b + both) / ((a - both) * (b - both)), pair.odds_ratio,
                1e-6 * pair.odds_ratio);
  }
  // 0.4 · 0.28: not listed and without common friends, so independent
  EXPECT_NEAR(probability_of(p, 0b100001), 0.112, 1e-9);
}

TEST(AlterationBlock, DrawsWhatItPromises) {
  const std::vector<double> frequency{0.3, 0.2};
  const auto block = block_of(frequency, {{0, 1, 4}});
  const int n = 200000;
  int a = 0;
  int b = 0;
  int both = 0;
  for (int i = 0; i < n; ++i) {
    std::vector<std::uint8_t> carried(2);
    kernels::Draws draws(1, 2, i);
    block.draw(draws, carried);
    a += carried[0];
    b += carried[1];
    both += carried[0] * carried[1];
  }
  // five standard errors of a binomial share, √(p (1 − p) / n) ≤ 0.0011
  EXPECT_NEAR(a / double{n}, 0.3, 0.0055);
  EXPECT_NEAR(b / double{n}, 0.2, 0.0055);
  EXPECT_NEAR(both / double{n}, probability_of_both(0.3, 0.2, 4), 0.0055);
}

TEST(AlterationBlock, FrequenciesOfZeroAndOneNeedNoDraw) {
  const auto block = block_of({0, 1}, {});
  for (int i = 0; i < 1000; ++i) {
    std::vector<std::uint8_t> carried(2);
    kernels::Draws draws(1, 2, i);
    block.draw(draws, carried);
    ASSERT_EQ(carried, (std::vector<std::uint8_t>{0, 1}));
  }
}

TEST(AlterationBlock, RefusesOddsRatiosThatCannotHoldTogether) {
  // three that exclude each other cannot each be in half of the patients
  try {
    block_of({0.5, 0.5, 0.5}, {{0, 1, 0.001}, {0, 2, 0.001}, {1, 2, 0.001}});
    FAIL() << "expected a ConfigError";
  } catch (const ConfigError& error) {
    EXPECT_EQ(error.text().in, "pairs of X");
    EXPECT_NE(error.text().found.find("C"), std::string::npos);
    EXPECT_NE(error.text().remedy.find("nearer to 1"), std::string::npos);
  }
}

TEST(AlterationBlock, RefusesAHubThatItsTableCannotHold) {
  const std::vector<double> frequency(18, 0.1);
  std::vector<LinkedPair> pairs;
  for (Index j = 0; j < 17; ++j) pairs.push_back({j, 17, 1.1});
  EXPECT_THROW(block_of(frequency, pairs), ConfigError);
}

SimulateSpec background_spec(double burden_shape) {
  SimulateSpec spec;
  spec.background_highest = 0.3;
  spec.background_lowest = 0.003;
  spec.burden_shape = burden_shape;
  spec.entities.resize(1);
  return spec;
}

/// Shares of n patients who carry gene 0, gene 1, both.
std::vector<double> observed(const BackgroundGenes& genes, int n) {
  std::vector<double> share(3, 0);
  for (int i = 0; i < n; ++i) {
    kernels::Draws burden(1, 1, i);
    kernels::Draws hits(1, 2, i);
    bool first = false;
    bool second = false;
    genes.draw_hits(hits, 0, genes.draw_burden(burden), [&](Index gene) {
      first |= gene == 0;
      second |= gene == 1;
    });
    share[0] += first / double(n);
    share[1] += second / double(n);
    share[2] += (first && second) / double(n);
  }
  return share;
}

TEST(BackgroundGenes, FrequenciesAreLogUniform) {
  const BackgroundGenes genes(background_spec(0), 2);
  // 0.3 · (1/100)^¼ and 0.3 · (1/100)^¾
  EXPECT_NEAR(genes.frequency(0, 0), 0.3 * std::pow(0.01, 0.25), 1e-12);
  EXPECT_NEAR(genes.frequency(0, 1), 0.3 * std::pow(0.01, 0.75), 1e-12);
}

TEST(BackgroundGenes, CarriersKeepTheFrequenciesAndAreIndependentWithoutBurden) {
  const BackgroundGenes genes(background_spec(0), 2);
  const auto share = observed(genes, 200000);
  EXPECT_NEAR(share[0], genes.frequency(0, 0), 0.0035);  // five standard errors: 5 √(0.095 · 0.905 / 200000)
  EXPECT_NEAR(share[1], genes.frequency(0, 1), 0.0011);
  EXPECT_NEAR(share[2], genes.frequency(0, 0) * genes.frequency(0, 1), 0.0004);
}

TEST(BackgroundGenes, BurdenKeepsTheFrequenciesAndTiesGenesTogether) {
  const BackgroundGenes genes(background_spec(1), 2);
  const auto share = observed(genes, 200000);
  EXPECT_NEAR(genes.frequency(0, 0), 0.3 * std::pow(0.01, 0.25), 1e-12);
  EXPECT_NEAR(share[0], genes.frequency(0, 0), 0.0035);
  EXPECT_NEAR(share[1], genes.frequency(0, 1), 0.0011);
  // B exponential: P(both) = 1 − 1/(1+μ₀) − 1/(1+μ₁) + 1/(1+μ₀+μ₁) with 1/(1+μ) = 1 − f
  const double f0 = genes.frequency(0, 0);
  const double f1 = genes.frequency(0, 1);
  const double neither = 1 / (1 / (1 - f0) + 1 / (1 - f1) - 1);
  EXPECT_NEAR(share[2], f0 + f1 - 1 + neither, 0.0006);
}

TEST(BackgroundGenes, NoneAreDrawnWhenNoneAreAskedFor) {
  const BackgroundGenes genes(background_spec(0), 0);
  kernels::Draws draws(1, 1, 1);
  genes.draw_hits(draws, 0, 1, [](Index) { FAIL(); });
  EXPECT_EQ(genes.size(), 0);
}

}  // namespace
}  // namespace chorale::jobs
