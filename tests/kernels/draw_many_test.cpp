// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/draw_many.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels/draw.hpp"
#include "kernels/error.hpp"
#include "kernels/level.hpp"

namespace chorale::kernels {
namespace {

TEST(DrawMany, EveryLevelGivesTheDrawsOfOneAfterAnother) {
  const Index item = (Index{1} << 40) + 12345;
  for (const Level level : available_levels()) {
    force_level(level);
    for (const std::size_t n : {0, 1, 15, 16, 17, 64, 101}) {
      for (const std::uint32_t first : {0U, 6U, 0xfffffe00U}) {
        std::vector<std::uint64_t> bits(n);
        draw_bits(0x123456789abcdef0U, 77, item, first, bits);
        for (std::uint32_t j = 0; j < n; ++j)
          ASSERT_EQ(bits[j], draw_bits(0x123456789abcdef0U, 77, item, first + j))
              << name_of(level) << " " << j;
      }
    }
  }
  force_level(available_levels().back());
}

TEST(DrawMany, RefusesAnOddBeginningAndWhatIsNotThere) {
  std::vector<std::uint64_t> bits(4);
  EXPECT_THROW(draw_bits(1, 1, 1, 3, bits), ShapeError);
  EXPECT_THROW(draw_bits(1, 1, 1, 0xfffffffeU, bits), ShapeError);
}

TEST(IndexDraws, TakesTheHalvesOfTheDrawsLowOnesFirst) {
  IndexDraws draws(5, 6, 7);
  for (std::uint32_t k = 0; k < 300; ++k) {
    const std::uint64_t bits = draw_bits(5, 6, 7, k);
    // 2^31: the upper 31 bits, and nothing is drawn again
    EXPECT_EQ(draws.below(0x80000000U), static_cast<std::uint32_t>(bits) >> 1);
    EXPECT_EQ(draws.below(0x80000000U), static_cast<std::uint32_t>(bits >> 32) >> 1);
  }
}

TEST(IndexDraws, HandsOutItsHalvesInOrder) {
  IndexDraws draws(5, 6, 7);
  std::vector<std::uint32_t> halves;
  for (std::uint32_t at_most = 1; halves.size() < 400; at_most += 7) {
    const auto taken = draws.take(at_most);
    ASSERT_FALSE(taken.empty());
    ASSERT_LE(taken.size(), at_most);
    halves.insert(halves.end(), taken.begin(), taken.end());
  }
  for (std::size_t k = 0; k < halves.size(); ++k) {
    const std::uint64_t bits = draw_bits(5, 6, 7, static_cast<std::uint32_t>(k / 2));
    EXPECT_EQ(halves[k], static_cast<std::uint32_t>(k % 2 == 0 ? bits : bits >> 32)) << k;
  }
}

TEST(IndexDraws, EveryNumberIsEquallyProbable) {
  // 0.999 quantiles of chi-square by Wilson and Hilferty; 3 · 2^30 draws one half in four again
  for (const std::uint32_t n : {1U, 2U, 3U, 10U, 97U, 3U << 30}) {
    const std::size_t cells = std::min(n, 12U * 8);
    std::vector<double> count(cells, 0);
    IndexDraws draws(8, 9, n);
    constexpr int n_draws = 200'000;
    for (int k = 0; k < n_draws; ++k) {
      const std::uint32_t drawn = draws.below(n);
      ASSERT_LT(drawn, n);
      ++count[static_cast<std::size_t>(n > 97 ? drawn / (n / cells) : drawn % cells)];
    }
    if (n == 97 || n == 1) continue;  // cells of unequal size
    double chi2 = 0;
    const double expected = static_cast<double>(n_draws) / static_cast<double>(cells);
    for (const double found : count) chi2 += (found - expected) * (found - expected) / expected;
    const double df = static_cast<double>(cells) - 1, c = 2 / (9 * df);
    EXPECT_LT(chi2, df * std::pow(1 - c + 3.09 * std::sqrt(c), 3)) << n;
  }
}

}  // namespace
}  // namespace chorale::kernels
