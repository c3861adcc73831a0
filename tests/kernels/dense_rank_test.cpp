// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/dense_rank.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

#include "kernels/error.hpp"

namespace chorale::kernels {
namespace {

TEST(DenseRank, EqualsSortingOnAwkwardSizes) {
  std::mt19937_64 engine(2);
  std::normal_distribution<double> normal;
  DenseRank ranks;
  for (const std::size_t n : {0u, 1u, 2u, 255u, 256u, 257u, 2003u, 70001u}) {
    for (const int kind : {0, 1, 2, 3}) {  // many ties, few in most buckets, some ties, most in one bucket
      std::vector<double> values(n);
      for (double& value : values) {
        const double x = normal(engine);
        value = kind == 0   ? std::round(3 * x)
                : kind == 1 ? x
                : kind == 2 ? std::round(1e4 * x)
                            : std::exp(30 * x);
      }
      if (n > 2) values[1] = -values[2];
      std::vector<double> sorted = values;
      std::sort(sorted.begin(), sorted.end());
      sorted.erase(std::unique(sorted.begin(), sorted.end()), sorted.end());
      std::vector<std::int32_t> rank(n);
      EXPECT_EQ(ranks.rank(values, rank), static_cast<Index>(sorted.size()));
      for (std::size_t i = 0; i < n; ++i)
        ASSERT_EQ(rank[i], std::lower_bound(sorted.begin(), sorted.end(), values[i]) - sorted.begin()) << n;
      const auto places = ranks.sorted();
      ASSERT_EQ(places.size(), n);
      for (std::size_t k = 1; k < n; ++k) {
        const double before = values[static_cast<std::size_t>(places[k - 1])];
        const double value = values[static_cast<std::size_t>(places[k])];
        ASSERT_TRUE(before < value || (before == value && places[k - 1] < places[k])) << n;
      }
    }
  }
}

TEST(DenseRank, ZeroHasNoSign) {
  const std::vector<double> values{0.0, -0.0, -std::numeric_limits<double>::denorm_min(), 1e-300};
  std::vector<std::int32_t> rank(4);
  DenseRank ranks;
  EXPECT_EQ(ranks.rank(values, rank), 3);
  EXPECT_EQ(rank, (std::vector<std::int32_t>{1, 1, 0, 2}));
  EXPECT_THROW(ranks.rank(values, std::span(rank).first(3)), ShapeError);
}

}  // namespace
}  // namespace chorale::kernels
