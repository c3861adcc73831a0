// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/quantile.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "kernels/draw.hpp"
#include "kernels/error.hpp"

namespace chorale::kernels {
namespace {

const std::vector<double> probabilities{0, 0.1, 0.25, 0.5, 0.75, 0.9, 1};

TEST(Quantiles, MatchR) {
  const std::vector<double> vaf{0.48, 0.05, std::nan(""), 0.5, 0.31, 0.48, 0.95, 0.12};
  // R 4.2.2: quantile(vaf, probabilities, na.rm = TRUE), tests/oracle/quantile.R
  const std::vector<double> expected{0.05, 0.092, 0.215, 0.48, 0.49, 0.68, 0.95};
  const auto found = quantiles(vaf, probabilities);
  for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_NEAR(found[i], expected[i], 1e-15) << i;
}

TEST(Quantiles, LieBetweenOrderStatistics) {
  // 4 values, p = 0.5: h = 1.5, half way from 2 to 10
  EXPECT_EQ(quantiles(std::vector<double>{10, 1, 2, 20}, std::vector<double>{0.5})[0], 6);
  EXPECT_EQ(quantiles(std::vector<double>{7}, std::vector<double>{0.3})[0], 7);
}

TEST(Quantiles, OfNothingAreMissing) {
  EXPECT_TRUE(std::isnan(quantiles(std::vector<double>{}, probabilities)[3]));
  EXPECT_TRUE(std::isnan(quantiles(std::vector<double>{std::nan("")}, probabilities)[0]));
  EXPECT_TRUE(std::isnan(ValueCounts{}.quantiles(probabilities)[3]));
}

TEST(Quantiles, InfiniteValuesDoNotBecomeMissing) {
  const double infinity = std::numeric_limits<double>::infinity();
  EXPECT_EQ(quantiles(std::vector<double>{1, infinity, infinity}, std::vector<double>{0.75})[0], infinity);
}

TEST(Quantiles, ProbabilitiesOutOfRangeAreRefused) {
  EXPECT_THROW(quantiles(std::vector<double>{1}, std::vector<double>{1.1}), ShapeError);
  EXPECT_THROW(ValueCounts{}.quantiles(std::vector<double>{-0.1}), ShapeError);
}

// VAF with two digits, as MAF files give them, some missing
std::vector<float> random_vaf(Index shard) {
  Draws draws(9, 9, shard);
  std::vector<float> vaf(static_cast<std::size_t>(draws.below(200)));
  for (float& each : vaf) {
    each = draws.bernoulli(0.05) ? std::nanf("") : static_cast<float>(draws.below(101)) / 100.0f;
  }
  return vaf;
}

TEST(ValueCounts, GiveTheQuantilesOfAllShardsTogether) {
  ValueCounts forwards, backwards;
  std::vector<float> all;
  for (Index shard = 0; shard < 12; ++shard) {
    const auto vaf = random_vaf(shard);
    all.insert(all.end(), vaf.begin(), vaf.end());
    forwards.add(vaf);
    ValueCounts of_shard;
    of_shard.add(random_vaf(11 - shard));
    backwards.merge(of_shard);
  }
  EXPECT_EQ(forwards.quantiles(probabilities), quantiles(all, probabilities));
  EXPECT_EQ(backwards.quantiles(probabilities), quantiles(all, probabilities));
  const auto n_missing = std::count_if(all.begin(), all.end(), [](float v) { return std::isnan(v); });
  EXPECT_EQ(forwards.total(), static_cast<Index>(all.size()) - n_missing);
}

TEST(ValueCounts, CanBeStoredAndAddedAgain) {
  ValueCounts counts, restored;
  counts.add(random_vaf(1));
  for (std::size_t i = 0; i < counts.values().size(); ++i)
    restored.add(counts.values()[i], counts.counts()[i]);
  EXPECT_EQ(restored.quantiles(probabilities), counts.quantiles(probabilities));
  EXPECT_THROW(restored.add(std::nanf(""), 1), ShapeError);
  EXPECT_THROW(restored.add(0.5f, -1), ShapeError);
}

}  // namespace
}  // namespace chorale::kernels
