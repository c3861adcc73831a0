// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/draw.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <boost/math/special_functions/gamma.hpp>
#include <cmath>
#include <functional>
#include <numbers>
#include <vector>

#include "kernels/error.hpp"

namespace chorale::kernels {
namespace {

constexpr Index n_items = 20'000;

// one value of each of n_items items, as the simulator draws them
std::vector<double> sample(const std::function<double(Draws&)>& take) {
  std::vector<double> values;
  for (Index item = 0; item < n_items; ++item) {
    Draws draws(2026, 1, item);
    values.push_back(take(draws));
  }
  return values;
}

// √n · sup |F_n - F|; 1.95 is exceeded with probability 0.001
double kolmogorov_smirnov(std::vector<double> values, const std::function<double(double)>& cdf) {
  std::sort(values.begin(), values.end());
  const auto n = static_cast<double>(values.size());
  double distance = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double f = cdf(values[i]);
    distance = std::max({distance, (static_cast<double>(i) + 1) / n - f, f - static_cast<double>(i) / n});
  }
  return std::sqrt(n) * distance;
}

// Σ (observed - expected)² / expected over k = 0 … and one last cell for the rest
double chi_square(const std::vector<double>& values, const std::vector<double>& probabilities) {
  std::vector<double> observed(probabilities.size() + 1, 0.0);
  for (const double value : values) {
    observed[std::min(static_cast<std::size_t>(value), probabilities.size())] += 1;
  }
  double rest = 1, sum = 0;
  const auto n = static_cast<double>(values.size());
  for (std::size_t k = 0; k < probabilities.size(); ++k) {
    const double expected = n * probabilities[k];
    sum += (observed[k] - expected) * (observed[k] - expected) / expected;
    rest -= probabilities[k];
  }
  return sum + (observed.back() - n * rest) * (observed.back() - n * rest) / (n * rest);
}

TEST(DrawBits, ArePhiloxKnownAnswers) {
  // Random123, kat_vectors, "philox4x32 10": counter (block, stream, item low, item high), key (seed)
  // 00000000 × 4, 00000000 × 2 → 6627e8d5 e169c58d bc57ac4c 9b00dbd8
  EXPECT_EQ(draw_bits(0, 0, 0, 0), 0xe169c58d6627e8d5u);
  EXPECT_EQ(draw_bits(0, 0, 0, 1), 0x9b00dbd8bc57ac4cu);
  // counter 243f6a88 85a308d3 13198a2e 03707344, key a4093822 299f31d0 → d16cfe09 94fdcceb 5001e420 24126ea1;
  // a first word of 243f6a88 is block k/2, reached by k = 2 · 243f6a88 and the odd one after it
  const std::uint64_t seed = 0x299f31d0a4093822u;
  const auto item = static_cast<Index>(0x0370734413198a2eu);
  EXPECT_EQ(draw_bits(seed, 0x85a308d3u, item, 2 * 0x243f6a88u), 0x94fdccebd16cfe09u);
  EXPECT_EQ(draw_bits(seed, 0x85a308d3u, item, 2 * 0x243f6a88u + 1), 0x24126ea15001e420u);
}

TEST(DrawBits, EveryPartOfTheKeyMatters) {
  const std::uint64_t bits = draw_bits(1, 2, 3, 4);
  EXPECT_NE(bits, draw_bits(0, 2, 3, 4));
  EXPECT_NE(bits, draw_bits(1, 0, 3, 4));
  EXPECT_NE(bits, draw_bits(1, 2, 0, 4));
  EXPECT_NE(bits, draw_bits(1, 2, 3, 0));
  EXPECT_NE(bits, draw_bits(1 + (std::uint64_t{1} << 32), 2, 3, 4));
  EXPECT_NE(bits, draw_bits(1, 2, 3 + (Index{1} << 32), 4));
}

TEST(Draws, AreDrawBitsInOrder) {
  Draws draws(7, 8, 9);
  for (std::uint32_t k = 0; k < 101; ++k) EXPECT_EQ(draws.bits(), draw_bits(7, 8, 9, k)) << k;
  Draws again(7, 8, 9);
  for (std::uint32_t k = 0; k < 101; ++k) EXPECT_EQ(again.uniform(), draw_uniform(7, 8, 9, k)) << k;
}

TEST(Draws, UniformIsUniform) {
  const auto values = sample([](Draws& draws) { return draws.uniform(); });
  EXPECT_LT(kolmogorov_smirnov(values, [](double x) { return x; }), 1.95);
  EXPECT_GT(*std::min_element(values.begin(), values.end()), 0);
  EXPECT_LT(*std::max_element(values.begin(), values.end()), 1);
}

TEST(Draws, LaterDrawsOfAnItemAreUniformToo) {
  Draws draws(5, 5, 5);
  std::vector<double> values(n_items);
  std::generate(values.begin(), values.end(), [&] { return draws.uniform(); });
  EXPECT_LT(kolmogorov_smirnov(values, [](double x) { return x; }), 1.95);
}

TEST(Draws, NormalIsNormal) {
  const auto cdf = [](double x) { return 0.5 * std::erfc(-x / std::numbers::sqrt2); };
  EXPECT_LT(kolmogorov_smirnov(sample([](Draws& draws) { return draws.normal(); }), cdf), 1.95);
}

TEST(Draws, ExponentialIsExponential) {
  const auto cdf = [](double x) { return 1 - std::exp(-x); };
  EXPECT_LT(kolmogorov_smirnov(sample([](Draws& draws) { return draws.exponential(); }), cdf), 1.95);
}

TEST(Draws, GammaIsGammaForSmallAndLargeShapes) {
  for (const double shape : {0.3, 1.0, 2.5, 40.0}) {
    const auto cdf = [shape](double x) { return boost::math::gamma_p(shape, x); };
    EXPECT_LT(kolmogorov_smirnov(sample([shape](Draws& draws) { return draws.gamma(shape); }), cdf), 1.95)
        << shape;
  }
}

TEST(Draws, PoissonMatchesItsProbabilities) {
  for (const double mean : {0.4, 6.5, 10.0, 60.0}) {
    const auto probability = [mean](int k) {
      return std::exp(k * std::log(mean) - mean - std::lgamma(k + 1.0));
    };
    // cells from mean - 2.5 sd to mean + 3 sd; what lies below joins the first, what lies above is the rest
    const int first = std::max(0, static_cast<int>(mean - 2.5 * std::sqrt(mean)));
    const int last = static_cast<int>(mean + 3 * std::sqrt(mean));
    std::vector<double> cells(static_cast<std::size_t>(last - first) + 1, 0.0);
    for (int k = 0; k <= last; ++k) cells[static_cast<std::size_t>(std::max(0, k - first))] += probability(k);
    const auto values = sample([mean, first](Draws& draws) {
      return static_cast<double>(std::max<Index>(0, draws.poisson(mean) - first));
    });
    const auto df = static_cast<double>(cells.size());
    // χ²(df) has mean df and variance 2 df; 4 standard deviations
    EXPECT_LT(chi_square(values, cells), df + 4 * std::sqrt(2 * df)) << mean;
  }
}

TEST(Draws, PoissonOfLargeMeansKeepsMeanAndVariance) {
  const double mean = 1e6;
  const auto values = sample([mean](Draws& draws) { return static_cast<double>(draws.poisson(mean)); });
  double sum = 0, squares = 0;
  for (const double value : values) {
    sum += value - mean;
    squares += (value - mean) * (value - mean);
  }
  // standard errors: of the mean √(μ/n) = 7.1, of the variance μ √(2/n) = 1e4; 4 of each
  EXPECT_NEAR(sum / n_items, 0, 4 * 7.1);
  EXPECT_NEAR(squares / n_items, mean, 4e4);
  EXPECT_EQ(Draws(1, 1, 1).poisson(0), 0);
}

TEST(Draws, CategoricalFollowsItsWeightsAndSkipsZeros) {
  const std::vector<double> cumulative{0.0, 1.0, 1.0, 3.0, 4.0, 4.0};  // weights 0 1 0 2 1 0
  std::vector<double> count(6, 0.0);
  for (const double value :
       sample([&](Draws& draws) { return static_cast<double>(draws.categorical(cumulative)); })) {
    count[static_cast<std::size_t>(value)] += 1;
  }
  EXPECT_EQ(count[0] + count[2] + count[5], 0);
  // 4 standard deviations √(n p (1 - p)): at p = 1/4 245, at p = 1/2 283
  EXPECT_NEAR(count[1], n_items / 4, 245);
  EXPECT_NEAR(count[3], n_items / 2, 283);
  EXPECT_NEAR(count[4], n_items / 4, 245);
}

TEST(Draws, BelowIsEvenAndStaysBelow) {
  std::vector<double> cells(6, 1.0 / 7);
  const auto values = sample([](Draws& draws) { return static_cast<double>(draws.below(7)); });
  EXPECT_EQ(*std::max_element(values.begin(), values.end()), 6);
  EXPECT_LT(chi_square(values, cells), 22.46);  // χ²(6) exceeds it with probability 0.001
  // the high word of bits · n, in 128 bits: here n = 2^40 takes the top 40 bits
  EXPECT_EQ(Draws(3, 1, 4).below(Index{1} << 40), static_cast<Index>(draw_bits(3, 1, 4, 0) >> 24));
  EXPECT_EQ(Draws(3, 1, 4).below(1), 0);
}

TEST(Draws, SkipVisitsWhatBernoulliTrialsWould) {
  const double p = 0.013;
  const Index n_genes = 500;
  double n_hits = 0;
  for (Index item = 0; item < n_items; ++item) {
    Draws draws(11, 2, item);
    for (Index gene = draws.skip(p); gene < n_genes; gene += 1 + draws.skip(p)) n_hits += 1;
  }
  // n p = 6.5 a patient, variance n p (1 - p) = 6.4155; 4 standard errors of the mean over 20000 patients
  EXPECT_NEAR(n_hits / n_items, 6.5, 4 * std::sqrt(6.4155 / n_items));
  // P(skip = k) = (1-p)^k p, so P(skip > x) = (1-p)^(x+1): compare at the upper edge of each whole number
  std::vector<double> cells;
  for (int k = 0; k < 20; ++k) cells.push_back(std::pow(1 - 0.2, k) * 0.2);
  const auto skips = sample([](Draws& draws) { return static_cast<double>(draws.skip(0.2)); });
  EXPECT_LT(chi_square(skips, cells), 45.31);  // χ²(20) exceeds it with probability 0.001
}

TEST(Draws, SkipAtTheEdgesOfItsRange) {
  EXPECT_EQ(Draws(1, 1, 1).skip(1), 0);
  EXPECT_EQ(Draws(1, 1, 1).skip(0), Draws::never());
  EXPECT_EQ(Draws(1, 1, 1).skip(1e-300), Draws::never());
  EXPECT_GT(n_items + 1 + Draws::never(), 0);
}

TEST(Draws, BernoulliTakesItsShare) {
  double n_hits = 0;
  for (const double value : sample([](Draws& draws) { return draws.bernoulli(0.3) ? 1.0 : 0.0; }))
    n_hits += value;
  EXPECT_NEAR(n_hits, 0.3 * n_items, 4 * std::sqrt(0.21 * n_items));
  EXPECT_FALSE(Draws(1, 1, 1).bernoulli(0));
  EXPECT_TRUE(Draws(1, 1, 1).bernoulli(1));
}

TEST(Draws, ParametersOutOfRangeAreRefused) {
  Draws draws(1, 1, 1);
  EXPECT_THROW(draws.gamma(0), ShapeError);
  EXPECT_THROW(draws.poisson(-1), ShapeError);
  EXPECT_THROW(draws.poisson(std::nan("")), ShapeError);
  EXPECT_THROW(draws.categorical({}), ShapeError);
  EXPECT_THROW(draws.below(0), ShapeError);
  EXPECT_THROW(draws.bernoulli(1.5), ShapeError);
  EXPECT_THROW(draws.skip(-0.1), ShapeError);
}

}  // namespace
}  // namespace chorale::kernels
