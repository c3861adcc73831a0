// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "engine/deal.hpp"

#include <algorithm>

#include <gtest/gtest.h>

namespace chorale::engine {
namespace {

std::vector<Index> sizes(const Deal& deal) {
  std::vector<Index> all;
  for (Index chunk = 0; chunk < deal.n_chunks(); ++chunk) all.push_back(deal.end(chunk) - deal.begin(chunk));
  return all;
}

TEST(Deal, ChunksShrinkRoundByRound) {
  // 2 ranks: 32 / 8 = 4 each, then 24 / 8 = 3, 18 / 8 = 2, 14 / 8 = 1 and so on to the end
  EXPECT_EQ(sizes(Deal(32, 2)),
            (std::vector<Index>{4, 4, 3, 3, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1}));
}

TEST(Deal, StagesDealtAsOneKeepTheirOwnRounds) {
  // 16 / 8 = 2 each, 12 / 8 = 1 …; then 3 single units, which no chunk mixes with those before
  const std::vector<Index> n_units{16, 0, 3};
  EXPECT_EQ(sizes(Deal(n_units, 2)), (std::vector<Index>{2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1}));
}

TEST(Deal, EveryUnitIsInOneChunk) {
  for (const Index n_ranks : {1, 2, 3, 7, 64, 1024})
    for (const Index n_units : {1, 2, 3, 63, 64, 65, 1000, 8191}) {
      const Deal deal(n_units, n_ranks);
      Index next = 0;
      for (Index chunk = 0; chunk < deal.n_chunks(); ++chunk) {
        EXPECT_EQ(deal.begin(chunk), next);
        EXPECT_GT(deal.end(chunk), next);
        next = deal.end(chunk);
      }
      EXPECT_EQ(next, n_units) << n_ranks;
    }
}

TEST(Deal, TheLastChunksAreSingleUnits) {
  for (const Index n_ranks : {1, 2, 16, 1024}) {
    const auto all = sizes(Deal(20'000, n_ranks));
    EXPECT_TRUE(std::is_sorted(all.rbegin(), all.rend()));
    // 4 ranks' worth of units and fewer than 8 are dealt one by one
    EXPECT_GE(std::count(all.begin(), all.end(), 1), 4 * n_ranks);
  }
}

TEST(Deal, DrawsGrowWithTheLogarithmOfTheUnits) {
  EXPECT_LT(Deal(1'000'000, 64).n_chunks(), 64 * 50);  // 4 ln(1e6 / 256) + 4 rounds and some
}

TEST(Deal, MoreRanksThanUnitsLeaveSomeWithNothing) {
  const Deal deal(3, 8);
  EXPECT_EQ(sizes(deal), (std::vector<Index>{1, 1, 1}));
  EXPECT_EQ(deal.begin(7), deal.end(7));
  EXPECT_EQ(Deal(0, 4).n_chunks(), 0);
}

}  // namespace
}  // namespace chorale::engine
