// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/poisson_binomial.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "kernels/draw.hpp"
#include "kernels/error.hpp"
#include "kernels/level.hpp"

namespace chorale::kernels {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

struct Trials {
  std::vector<double> n, p;
  double n_trials = 0, mean = 0, variance = 0;

  void add(double count, double probability) {
    n.push_back(count);
    p.push_back(probability);
    n_trials += count;
    mean += count * probability;
    variance += count * probability * (1 - probability);
  }
  operator TrialGroups() const { return {n, p}; }
};

// groups of random size whose odds spread around a random centre
Trials random_trials(Index i, double largest) {
  Draws draws(20261121, 21, i);
  Trials trials;
  const Index n_groups = 1 + draws.below(20);
  const double centre = std::exp(-7 * draws.uniform()), spread = 2 * draws.uniform();
  const double size = std::exp(draws.uniform() * std::log(largest));
  for (Index g = 0; g < n_groups; ++g) {
    const double odds = centre * std::exp(spread * draws.normal());
    trials.add(1 + std::floor(size * draws.uniform()), odds / (1 + odds));
  }
  return trials;
}

Index random_count(Index i, const Trials& trials, double reach) {
  Draws draws(20261121, 22, i);
  const double at = trials.mean + reach * std::sqrt(trials.variance) * draws.normal();
  return static_cast<Index>(std::clamp(std::round(at), 0.0, trials.n_trials));
}

// how far p is off, relative to itself
double relative_error(double found_log10, double expected_log10) {
  if (found_log10 == expected_log10) return 0;
  return std::abs(found_log10 - expected_log10) * std::log(10.0);
}

double relative_error(const PoissonBinomialTails& found, const PoissonBinomialTails& expected) {
  return std::max(relative_error(found.log10_less, expected.log10_less),
                  relative_error(found.log10_greater, expected.log10_greater));
}

double promise(TailMethod method) {
  return method == TailMethod::saddlepoint ? 1e-6 : 1e-10;
}

TEST(PoissonBinomial, ThreeCoinsAreCountedByHand) {
  // probabilities ½, ¼, ¼: none 9/32; one 9/32 + 2·3/32 = 15/32; two 2·3/32 + 1/32 = 7/32; three 1/32
  const Trials trials = [] {
    Trials coins;
    coins.add(1, 0.5);
    coins.add(2, 0.25);
    return coins;
  }();
  const std::vector<double> density{9.0 / 32, 15.0 / 32, 7.0 / 32, 1.0 / 32};
  double less = 0, greater = 1;
  for (Index k = 0; k <= 3; ++k) {
    less += density[static_cast<std::size_t>(k)];
    for (const auto& found : {poisson_binomial(trials, k), reference::poisson_binomial(trials, k)}) {
      EXPECT_NEAR(found.log10_less, std::log10(less), 1e-13) << k;
      EXPECT_NEAR(found.log10_greater, std::log10(greater), 1e-13) << k;
      EXPECT_DOUBLE_EQ(found.mean, 1);
      EXPECT_DOUBLE_EQ(found.variance, 0.25 + 2 * 3.0 / 16);
    }
    greater -= density[static_cast<std::size_t>(k)];
  }
}

TEST(PoissonBinomial, MatchesR) {
  struct Case {
    std::vector<double> n, p;
    Index observed;
    double log10_less, log10_greater;
  };
  // R 4.2.2, tests/oracle/poisson_binomial.R
  const std::vector<Case> cases{
      {{3, 2}, {0.5, 0.25}, 2, -0.1627272974977, -0.1727115184043},
      {{40, 25, 5}, {0.01, 0.2, 0.7}, 12, -0.0292511541356761, -0.876670182807338},
      {{40, 25, 5}, {0.01, 0.2, 0.7}, 40, 0, -28.4046454059956},
      {{2000, 300, 20}, {0.001, 0.02, 0.4}, 3, -4.6828859146092, -1.24266791949257e-06},
      {{2000, 300, 20}, {0.001, 0.02, 0.4}, 120, -4.82163733276644e-17, -81.8479626011237},
      {{3000, 800, 100}, {0.3, 0.5, 0.9}, 1500, -3.22559192011211e-05, -4.06972458837768},
      {{3000, 800, 100}, {0.3, 0.5, 0.9}, 1390, -0.294516360797498, -0.295663726479673},
      {{3000, 800, 100}, {0.3, 0.5, 0.9}, 1000, -43.0348026492428, -9.64327466553287e-17},
  };
  for (const Case& each : cases) {
    const PoissonBinomialTails expected{0, 0, each.log10_less, each.log10_greater, TailMethod::certain};
    const PoissonBinomialTails found = poisson_binomial({each.n, each.p}, each.observed);
    EXPECT_LT(relative_error(found, expected), promise(found.method)) << each.observed;
    EXPECT_LT(relative_error(reference::poisson_binomial({each.n, each.p}, each.observed), expected), 1e-11);
  }
}

TEST(PoissonBinomial, KeepsItsPromiseOnThousandsOfDistributionsAtEveryLevel) {
  const Level before = level();
  std::vector<Index> n_by_method(4, 0);
  for (Index i = 0; i < 1500; ++i) {
    const Trials trials = random_trials(i, 300);
    const Index observed = random_count(i, trials, i % 3 == 0 ? 6 : 1.5);
    const PoissonBinomialTails expected = reference::poisson_binomial(trials, observed);
    for (const Level each : available_levels()) {
      force_level(each);
      const PoissonBinomialTails found = poisson_binomial(trials, observed);
      ASSERT_LT(relative_error(found, expected), promise(found.method)) << i << " " << name_of(found.method);
      ASSERT_NEAR(found.mean, expected.mean, 1e-12 * expected.mean);
      ASSERT_NEAR(found.variance, expected.variance, 1e-12 * expected.variance);
      ++n_by_method[static_cast<std::size_t>(found.method)];
    }
  }
  force_level(before);
  EXPECT_GT(n_by_method[static_cast<std::size_t>(TailMethod::recursion)], 100);
  EXPECT_GT(n_by_method[static_cast<std::size_t>(TailMethod::contour)], 20);
  EXPECT_GT(n_by_method[static_cast<std::size_t>(TailMethod::saddlepoint)], 20);
}

TEST(PoissonBinomial, MethodsAgreeWhereverTwoOfThemServe) {
  Index n_saddlepoints = 0, n_recursions = 0;
  for (Index i = 0; i < 4000; ++i) {
    // up to millions of trials, beyond the reach of the reference
    const Trials trials = random_trials(i, 1e5);
    const Index observed = random_count(i, trials, i % 3 == 0 ? 20 : 1.5);
    const PoissonBinomialTails contour = poisson_binomial(trials, observed, TailChoice::contour);
    const PoissonBinomialTails found = poisson_binomial(trials, observed);
    if (found.method == TailMethod::saddlepoint) {
      ASSERT_LT(relative_error(found, contour), 1e-6) << i;
      ++n_saddlepoints;
    } else {
      ASSERT_LT(relative_error(found, contour), 1e-9) << i << " " << name_of(found.method);
      n_recursions += found.method == TailMethod::recursion ? 1 : 0;
    }
  }
  EXPECT_GT(n_saddlepoints, 1000);
  EXPECT_GT(n_recursions, 500);
}

TEST(PoissonBinomial, ASaddlepointAskedForIsCloseEvenWithFewSuccesses) {
  Index n = 0;
  for (Index i = 0; i < 500; ++i) {
    const Trials trials = random_trials(i, 300);
    const Index observed = random_count(i, trials, 1.5);
    // a few trials may put it on the mean itself, where the formula has no value
    if (trials.variance < 4 || std::abs(static_cast<double>(observed) - trials.mean) < 1.5) continue;
    const PoissonBinomialTails found = poisson_binomial(trials, observed, TailChoice::saddlepoint);
    EXPECT_EQ(found.method, TailMethod::saddlepoint);
    EXPECT_LT(relative_error(found, reference::poisson_binomial(trials, observed)), 0.05) << i;
    ++n;
  }
  EXPECT_GT(n, 100);
}

TEST(PoissonBinomial, StaysOrderedFarBelowTheSmallestDouble) {
  Trials trials;
  trials.add(90'000, 0.001);
  trials.add(10'000, 0.02);
  double before = 0;
  for (Index k = 300; k <= 100'000; k += 997) {
    const double log10_p = poisson_binomial(trials, k).log10_greater;
    EXPECT_LT(log10_p, before) << k;
    before = log10_p;
  }
  // all of them: 0.001^90000 · 0.02^10000
  const double all = 90'000 * std::log10(0.001) + 10'000 * std::log10(0.02);
  EXPECT_NEAR(poisson_binomial(trials, 100'000).log10_greater, all, 1e-7);
  // none of them: 0.999^90000 · 0.98^10000
  const double none = 90'000 * std::log10(0.999) + 10'000 * std::log10(0.98);
  EXPECT_NEAR(poisson_binomial(trials, 0).log10_less, none, 1e-9);
}

TEST(PoissonBinomial, TrialsThatMustOrCannotSucceedAreCountedApart) {
  Trials trials;
  trials.add(5, 1);
  trials.add(7, 0);
  trials.add(2, 0.5);
  // 5 + Binomial(2, ½)
  EXPECT_NEAR(poisson_binomial(trials, 6).log10_greater, std::log10(0.75), 1e-13);
  EXPECT_NEAR(poisson_binomial(trials, 5).log10_less, std::log10(0.25), 1e-13);
  EXPECT_EQ(poisson_binomial(trials, 5).log10_greater, 0);
  EXPECT_EQ(poisson_binomial(trials, 4).log10_less, -infinity);
  EXPECT_EQ(poisson_binomial(trials, 4).log10_greater, 0);
  EXPECT_EQ(poisson_binomial(trials, 8).log10_greater, -infinity);
  EXPECT_EQ(poisson_binomial(trials, 8).log10_less, 0);
  EXPECT_DOUBLE_EQ(poisson_binomial(trials, 4).mean, 6);
}

TEST(PoissonBinomial, WithoutTrialsNothingHappensForSure) {
  const PoissonBinomialTails none = poisson_binomial({}, 0);
  EXPECT_EQ(none.method, TailMethod::certain);
  EXPECT_EQ(none.log10_less, 0);
  EXPECT_EQ(none.log10_greater, 0);
  EXPECT_EQ(poisson_binomial({}, 1).log10_greater, -infinity);
}

TEST(PoissonBinomial, NumbersOfGroupsAroundAVectorAreAllTheSameToIt) {
  for (const Index n_groups : {1, 7, 8, 9, 15, 16, 17, 61}) {
    Trials trials;
    for (Index g = 0; g < n_groups; ++g) trials.add(30, 0.01 + 0.2 * static_cast<double>(g % 5));
    const Index observed = static_cast<Index>(trials.mean * 1.1);
    const PoissonBinomialTails found = poisson_binomial(trials, observed);
    EXPECT_LT(relative_error(found, reference::poisson_binomial(trials, observed)), promise(found.method))
        << n_groups;
  }
}

TEST(PoissonBinomial, AnObjectUsedAgainForgetsWhatItHeld) {
  PoissonBinomial trials;
  trials.add(100, 0.9);
  trials.add(3, 1);
  trials.tails(50);
  trials.clear();
  trials.add(2, 0.5);
  EXPECT_NEAR(trials.tails(2).log10_greater, std::log10(0.25), 1e-13);
}

TEST(PoissonBinomial, ImpossibleTrialsAreRefused) {
  const std::vector<double> one{1}, two{1, 1}, half{0.5}, negative{-1}, above{1.5};
  EXPECT_THROW(poisson_binomial({one, two}, 0), ShapeError);
  EXPECT_THROW(poisson_binomial({half, half}, 0), ShapeError);
  EXPECT_THROW(poisson_binomial({negative, half}, 0), ShapeError);
  EXPECT_THROW(poisson_binomial({one, above}, 0), ShapeError);
}

TEST(PoissonBinomial, AMethodThatCannotServeSaysSo) {
  Trials trials;
  trials.add(10'000, 0.5);
  EXPECT_THROW(poisson_binomial(trials, 5000, TailChoice::recursion), ShapeError);
  EXPECT_THROW(poisson_binomial(trials, 5000, TailChoice::saddlepoint), ShapeError);
  // symmetric about 5000: P(X ≥ 5000) = ½ + f(5000)/2
  const double middle = std::exp(std::lgamma(10'001) - 2 * std::lgamma(5001) - 10'000 * std::log(2.0));
  EXPECT_NEAR(poisson_binomial(trials, 5000).log10_greater, std::log10(0.5 + middle / 2), 1e-10);
}

}  // namespace
}  // namespace chorale::kernels
