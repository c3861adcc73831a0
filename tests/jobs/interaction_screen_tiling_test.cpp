// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

#include "jobs/interaction_screen/design.hpp"
#include "jobs/interaction_screen/tiling.hpp"

namespace chorale::jobs::interaction {
namespace {

using kernels::PairTile;

/// Features that ever fewer patients carry: from a share of 0.3 down by a power law.
struct Genes {
  static constexpr Index n_patients = 20'000;
  std::vector<std::vector<std::int32_t>> lists;
  std::vector<std::span<const std::int32_t>> spans;
  kernels::PairOrder order;
  std::vector<Index> carriers;

  explicit Genes(Index n) {
    for (Index f = 0; f < n; ++f) {
      const auto count = static_cast<Index>(0.3 * n_patients / std::pow(static_cast<double>(f + 1), 0.7));
      auto& list = lists.emplace_back();
      for (Index i = 0; i < count; ++i) list.push_back(static_cast<std::int32_t>(i));
    }
    spans.assign(lists.begin(), lists.end());
    order = kernels::pair_order(spans, n_patients);
    for (const std::int32_t f : order.feature)
      carriers.push_back(static_cast<Index>(lists[static_cast<std::size_t>(f)].size()));
  }
  Tiling tiling(const TileCost& cost, Index n_units, Index most_cells) const {
    return {order, carriers, n_patients, cost, n_units, most_cells};
  }
};

constexpr TileCost with_outcome{.pair = 2e-7, .asked = 8e-6, .feature = 1e-5, .row = 3e-6, .min_both = 5};
constexpr TileCost counting{.pair = 2e-7, .asked = 0, .feature = 0, .row = 3e-6, .min_both = 5};

/// Seconds of a tile by its definition, pair by pair.
double seconds(const Genes& genes, const TileCost& cost, const PairTile& tile) {
  double asked = 0;
  for (Index row = 0; row < tile.n_rows(); ++row) {
    for (Index column = 0; column < tile.n_pairs_of(row); ++column) {
      const double mean =
          static_cast<double>(genes.carriers[static_cast<std::size_t>(tile.row_begin + row)] *
                              genes.carriers[static_cast<std::size_t>(tile.column_begin + column)]) /
          Genes::n_patients;
      double below = 0, term = std::exp(-mean);
      for (Index x = 0; x < cost.min_both; ++x) below += term, term *= mean / static_cast<double>(x + 1);
      asked += 1 - below;
    }
  }
  const auto rows = static_cast<double>(tile.n_rows()), columns = static_cast<double>(tile.n_columns());
  return cost.pair * static_cast<double>(tile.n_pairs()) + cost.asked * asked +
         cost.feature * (std::min(rows, asked) + std::min(columns, asked)) + cost.row * rows;
}

TEST(Tiling, HoldsEveryPairOnceAndEveryTileInOneUnit) {
  for (const Index n_features : {2, 3, 5, 37, 400}) {
    const Genes genes(n_features);
    for (const TileCost& cost : {with_outcome, counting}) {
      for (const Index n_units : {1, 3, 50, 1000}) {
        const Tiling tiling = genes.tiling(cost, n_units, 300);
        std::set<std::pair<Index, Index>> pairs;
        for (Index number = 0; number < tiling.n_tiles(); ++number) {
          const PairTile& tile = tiling.tile(number);
          EXPECT_NO_THROW(kernels::check_tile(genes.order, tile));
          EXPECT_LE(tile.n_cells(), 300);
          for (Index row = 0; row < tile.n_rows(); ++row)
            for (Index column = 0; column < tile.n_pairs_of(row); ++column)
              EXPECT_TRUE(pairs.emplace(tile.row_begin + row, tile.column_begin + column).second);
        }
        EXPECT_EQ(static_cast<Index>(pairs.size()), n_features * (n_features - 1) / 2);
        Index next = 0;
        for (Index unit = 0; unit < n_units; ++unit) {
          EXPECT_EQ(tiling.begin(unit), next);
          next = tiling.end(unit);
        }
        EXPECT_EQ(next, tiling.n_tiles());
      }
    }
  }
}

TEST(Tiling, SharesOutWhatPairsAreExpectedToCostAndLessFromUnitToUnit) {
  const Genes genes(1500);
  const Tiling tiling = genes.tiling(with_outcome, 100, 8192);
  std::vector<double> units;
  double all = 0;
  for (Index unit = 0; unit < 100; ++unit) {
    double sum = 0;
    for (Index number = tiling.begin(unit); number < tiling.end(unit); ++number)
      sum += seconds(genes, with_outcome, tiling.tile(number));
    units.push_back(sum);
    all += sum;
  }
  // 1.8 times the mean at the beginning, 0.2 times at the end; the last tile may belong to the next unit as well
  Index n_far = 0;
  for (std::size_t unit = 0; unit < 100; ++unit) {
    const double share = (1.8 - 1.6 * (static_cast<double>(unit) + 0.5) / 100) * all / 100;
    EXPECT_LT(units[unit], 2.2 * share) << unit;
    n_far += std::abs(units[unit] - share) > 0.6 * share ? 1 : 0;
  }
  EXPECT_LT(n_far, 15);
}

TEST(Tiling, FallingSharesHoldEverythingOnce) {
  for (const Index n : {0, 1, 15, 16, 17, 1000, 200'000}) {
    for (const Index n_units : {1, 7, 1024}) {
      Index next = 0, n_before = n + 1;
      for (Index unit = 0; unit < n_units; ++unit) {
        const Range own = Design::falling_share(n, unit, n_units, 16);
        if (own.begin == own.end && next == 0) continue;  // empty ones first
        EXPECT_EQ(own.begin, next);
        next = own.end;
        EXPECT_LE(own.end - own.begin, n_before + 1);
        n_before = own.end - own.begin;
      }
      EXPECT_EQ(next, n);
    }
  }
}

TEST(Tiling, IsSquareWherePairsAreAskedAndFlatWhereTheyAreCounted) {
  const Genes genes(1024);
  const Tiling asked = genes.tiling(with_outcome, 200, 8192);
  const PairTile& often = asked.tile(0);  // most of the most frequent features' pairs are asked about
  EXPECT_LE(often.n_rows(), 2 * often.n_columns() + Tiling::grain);
  EXPECT_LE(often.n_columns(), 2 * often.n_rows() + Tiling::grain);
  const Tiling counted = genes.tiling(counting, 200, 8192);
  for (Index number = 0; number < counted.n_tiles(); ++number) {
    const PairTile& tile = counted.tile(number);
    // as wide as the block, but for the diagonal and where four rows of a block would be too many cells
    const auto& begin = genes.order.block_begin;
    const auto block = std::upper_bound(begin.begin(), begin.end(), tile.column_begin);
    const Index width = std::min(*block, tile.row_end - 1) - *(block - 1);
    EXPECT_TRUE(tile.n_columns() == width || tile.n_rows() <= Tiling::grain) << number;
  }
}

}  // namespace
}  // namespace chorale::jobs::interaction
