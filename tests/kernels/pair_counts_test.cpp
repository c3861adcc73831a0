// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/pair_counts.hpp"

#include <gtest/gtest.h>
#include <omp.h>

#include <algorithm>
#include <numeric>

#include "kernels/error.hpp"
#include "kernels/level.hpp"
#include "kernels/pair_counts_body.hpp"
#include "tests/kernels/pair_counts_cohort.hpp"

#ifdef __x86_64__
namespace chorale::kernels::simd::v4 {
void add_and_counts(const BitRows& rows, const BitRows& columns, bool vpopcntdq, const CountBlock& out);
}
#endif

namespace chorale::kernels {
namespace {

using Counts = std::vector<std::int32_t>;

Counts counted(const PairCounter& counter, const PairTile& tile, PairMethod method = PairMethod::cheapest) {
  Counts n11(static_cast<std::size_t>(tile.n_cells()), -7);
  counter.count(tile, n11, method);
  return n11;
}

Counts defined(const PairLists& rows, const PairLists& columns, const PairTile& tile) {
  Counts n11(static_cast<std::size_t>(tile.n_cells()), -7);
  reference::pair_counts(rows, columns, tile, n11);
  return n11;
}

/// Every tile, one after another.
Counts all_counts(const PairOrder& order, const PairCounter& counter, PairMethod method) {
  Counts all;
  for (const PairTile& tile : pair_tiles(order, 1000)) {
    const Counts n11 = counted(counter, tile, method);
    all.insert(all.end(), n11.begin(), n11.end());
  }
  return all;
}

class PairCounts : public testing::Test {
 protected:
  void TearDown() override { force_level(available_levels().back()); }
};

TEST_F(PairCounts, FourPatientsAreCountedByHand) {
  // patients 0 … 3; a: 0 1 3, b: 1, c: 0 1 2 3, so the order is c, a, b
  const std::vector<std::int32_t> a{0, 1, 3}, b{1}, c{0, 1, 2, 3};
  const std::vector<std::span<const std::int32_t>> carriers{a, b, c};
  const PairOrder order = pair_order(carriers, 4);
  EXPECT_EQ(order.feature, (std::vector<std::int32_t>{2, 0, 1}));
  const PairLists lists = make_pair_lists(order, carriers, 4);
  const auto tiles = pair_tiles(order);
  ASSERT_EQ(tiles, (std::vector<PairTile>{{0, 3, 0, 2}}));
  EXPECT_EQ(tiles[0].n_pairs(), 3);
  // rows c, a, b; columns c, a; what is no pair is 0
  const Counts expected{0, 0, 3, 0, 1, 1};
  for (const PairMethod method : {PairMethod::cheapest, PairMethod::sparse, PairMethod::dense})
    EXPECT_EQ(counted(PairCounter(lists), tiles[0], method), expected);
  EXPECT_EQ(defined(lists, lists, tiles[0]), expected);
}

TEST_F(PairCounts, BothMethodsMatchTheReferenceAtEveryLevel) {
  for (const Level level : available_levels()) {
    force_level(level);
    for (const Index n_patients : {0, 1, 63, 64, 65, 211, 4099}) {
      for (const Index n_features : {1, 2, 5, 37}) {
        SCOPED_TRACE(testing::Message()
                     << name_of(level) << ", " << n_patients << " patients, " << n_features);
        const ListCohort cohort(n_patients, n_features, 0.6, 0.002);
        const PairOrder order = pair_order(cohort.carriers(), n_patients);
        const PairLists lists = make_pair_lists(order, cohort.carriers(), n_patients);
        const PairCounter counter(lists);
        for (PairTile tile : pair_tiles(order, 40)) {
          tile.column_begin +=
              n_features % 3 == 2 && tile.n_columns() > 1 ? 1 : 0;  // or from inside the block
          const Counts expected = defined(lists, lists, tile);
          EXPECT_EQ(counted(counter, tile, PairMethod::sparse), expected);
          EXPECT_EQ(counted(counter, tile, PairMethod::dense), expected);
          EXPECT_EQ(counted(counter, tile, PairMethod::cheapest), expected);
        }
      }
    }
  }
}

TEST_F(PairCounts, SpanManyBlocksOfFeatures) {
  const ListCohort cohort(200, 9700, 0.4, 1e-4);
  const PairOrder order = pair_order(cohort.carriers(), 200);
  EXPECT_GE(order.n_blocks(), 3);  // head and tail
  EXPECT_GT(order.n_head, 0);
  const PairLists lists = make_pair_lists(order, cohort.carriers(), 200);
  const PairCounter counter(lists);
  // 200 patients with k features each make Σ k (k − 1)/2 pairs
  std::vector<Index> burden(200);
  for (const auto& list : cohort.lists) {
    for (const std::int32_t i : list) ++burden[static_cast<std::size_t>(i)];
  }
  Index expected = 0;
  for (const Index k : burden) expected += k * (k - 1) / 2;
  Index found = 0, n_pairs = 0;
  const auto tiles = pair_tiles(order, Index{1} << 22);
  for (const PairTile& tile : tiles) {
    const Counts n11 = counted(counter, tile);
    found += std::accumulate(n11.begin(), n11.end(), Index{0});
    n_pairs += tile.n_pairs();
  }
  EXPECT_EQ(found, expected);
  EXPECT_EQ(n_pairs, Index{9700} * 9699 / 2);
  for (const PairTile& tile : {tiles.front(), tiles[tiles.size() - 2], tiles.back()}) {
    // a narrow part somewhere in the middle of the block
    const Index width = std::min<Index>(tile.n_columns(), 17),
                begin = tile.column_begin + (tile.n_columns() - width) / 2;
    const PairTile part{tile.row_begin, std::min(tile.row_begin + 30, tile.row_end), begin, begin + width};
    if (part.column_end >= part.row_end) continue;
    EXPECT_EQ(counted(counter, part, PairMethod::sparse), defined(lists, lists, part));
    EXPECT_EQ(counted(counter, part, PairMethod::dense), defined(lists, lists, part));
  }
  const Index second = order.block_begin[1];
  Counts four(4);
  EXPECT_THROW(counter.count({second + 3, second + 5, second - 1, second + 1}, four),
               ShapeError);  // of two blocks
  const PairTile& last = tiles[tiles.size() - 2];
  const PairTile corner{last.row_end - 9, last.row_end, last.column_begin, last.column_begin + 21};
  EXPECT_EQ(counted(counter, corner, PairMethod::sparse), defined(lists, lists, corner));
  EXPECT_EQ(counted(counter, corner, PairMethod::dense), defined(lists, lists, corner));
}

TEST_F(PairCounts, BeyondSixteenBitsAreExact) {
  // everyone carries a and b, all but the first carry c: 200,000 fill a 16-bit counter three times over
  constexpr std::int32_t n = 200'000;
  std::vector<std::int32_t> all(n);
  std::iota(all.begin(), all.end(), 0);
  const std::vector<std::span<const std::int32_t>> carriers{all, all, std::span(all).subspan(1)};
  const PairOrder order = pair_order(carriers, n);
  const PairLists lists = make_pair_lists(order, carriers, n);
  const PairTile tile{0, 3, 0, 2};
  const Counts expected{0, 0, n, 0, n - 1, n - 1};
  EXPECT_EQ(counted(PairCounter(lists), tile, PairMethod::sparse), expected);
  EXPECT_EQ(counted(PairCounter(lists), tile, PairMethod::dense), expected);
}

TEST_F(PairCounts, OfStrataAddUpToTheWhole) {
  const ListCohort cohort(1500, 60, 0.3, 0.005);
  std::vector<std::int32_t> code(1500);
  for (std::size_t i = 0; i < code.size(); ++i) code[i] = static_cast<std::int32_t>(i * i % 3) - (i % 7 == 0);
  const PairOrder order = pair_order(cohort.carriers(), 1500);
  // by hand: everyone is in stratum -1, 0 or 1, as squares leave 0 or 1 when divided by 3
  Counts sum;
  for (const std::int32_t stratum : {-1, 0, 1}) {
    const PairLists lists = make_pair_lists(order, cohort.carriers(), 1500, {code, 2}, stratum);
    EXPECT_EQ(lists.n_patients(), std::count(code.begin(), code.end(), stratum));
    const Counts n11 = all_counts(order, PairCounter(lists), PairMethod::cheapest);
    sum.resize(n11.size());
    for (std::size_t k = 0; k < n11.size(); ++k) sum[k] += n11[k];
  }
  const PairLists whole = make_pair_lists(order, cohort.carriers(), 1500);
  EXPECT_EQ(sum, all_counts(order, PairCounter(whole), PairMethod::sparse));
}

TEST_F(PairCounts, OfTwoKindsOfListsMatchTheReference) {
  const ListCohort carriers(900, 50, 0.5, 0.01), others(900, 50, 0.2, 0.001, 2);
  const PairOrder order = pair_order(carriers.carriers(), 900);
  const PairLists a = make_pair_lists(order, carriers.carriers(), 900);
  const PairLists b = make_pair_lists(order, others.carriers(), 900);
  for (const PairMethod method : {PairMethod::sparse, PairMethod::dense}) {
    for (const PairTile& tile : pair_tiles(order, 300)) {
      EXPECT_EQ(counted(PairCounter(a, b), tile, method), defined(a, b, tile));
      EXPECT_EQ(counted(PairCounter(b, a), tile, method), defined(b, a, tile));
    }
  }
}

TEST_F(PairCounts, AreEqualForAnyNumberOfThreads) {
  const ListCohort cohort(5000, 700, 0.5, 0.01);
  const PairOrder order = pair_order(cohort.carriers(), 5000);
  const PairLists lists = make_pair_lists(order, cohort.carriers(), 5000);
  const PairCounter counter(lists);
  const PairTile whole = pair_tiles(order, 1 << 24).front();
  const int n_threads = omp_get_max_threads();
  for (const PairMethod method : {PairMethod::sparse, PairMethod::dense}) {
    omp_set_num_threads(1);
    const Counts alone = counted(counter, whole, method);
    omp_set_num_threads(5);
    EXPECT_EQ(counted(counter, whole, method), alone);
  }
  omp_set_num_threads(n_threads);
}

TEST_F(PairCounts, TheCheaperMethodIsForecast) {
  // half the patients carry each of 200 features: 10,000 increments a pair against 313 words
  const ListCohort dense(20'000, 200, 0.5, 0.5);
  const PairOrder dense_order = pair_order(dense.carriers(), 20'000);
  const PairLists dense_lists = make_pair_lists(dense_order, dense.carriers(), 20'000);
  const PairCost of_dense = PairCounter(dense_lists).cost(pair_tiles(dense_order).front());
  EXPECT_GT(of_dense.sparse_ns, 4 * of_dense.dense_ns);
  // 1 in 1,000: no bit rows are kept
  const ListCohort sparse(20'000, 200, 0.001, 0.001);
  const PairOrder sparse_order = pair_order(sparse.carriers(), 20'000);
  const PairLists sparse_lists = make_pair_lists(sparse_order, sparse.carriers(), 20'000);
  const PairCost of_sparse = PairCounter(sparse_lists).cost(pair_tiles(sparse_order).front());
  EXPECT_GT(of_sparse.dense_ns, of_sparse.sparse_ns);
}

#ifdef __x86_64__
TEST_F(PairCounts, TheDenseBodyWithoutVectorPopcountMatchesTheOneWith) {
  const auto levels = available_levels();
  if (std::find(levels.begin(), levels.end(), Level::v4) == levels.end() ||
      !__builtin_cpu_supports("avx512vpopcntdq")) {
    GTEST_SKIP() << "this CPU has no AVX512_VPOPCNTDQ";
  }
  const ListCohort cohort(70'001, 23, 0.9, 0.1);
  const PairOrder order = pair_order(cohort.carriers(), cohort.n_patients);
  const PairLists lists = make_pair_lists(order, cohort.carriers(), cohort.n_patients);
  const BitRows bits{lists.head_bits.data(), lists.n_words, 23};
  Counts with(23 * 23), without(23 * 23);
  simd::v4::add_and_counts(bits, bits, true, {with.data(), 23, 23});
  simd::v4::add_and_counts(bits, bits, false, {without.data(), 23, 23});
  EXPECT_EQ(with, without);
}
#endif

TEST_F(PairCounts, WrongShapesAreRefused) {
  const ListCohort cohort(100, 12, 0.5, 0.1);
  const PairOrder order = pair_order(cohort.carriers(), 100), other_order = order;
  const PairLists lists = make_pair_lists(order, cohort.carriers(), 100);
  const PairCounter counter(lists);
  Counts n11(12 * 11), few(7);
  EXPECT_THROW(counter.count({0, 12, 0, 11}, few), ShapeError);
  EXPECT_THROW(counter.count({0, 13, 0, 11}, n11), ShapeError);  // beyond the features
  EXPECT_THROW(counter.count({3, 4, 0, 4}, n11), ShapeError);    // a column that no row pairs with
  EXPECT_THROW(counter.count({4, 4, 0, 3}, n11), ShapeError);    // no rows
  EXPECT_THROW(pair_order(cohort.carriers(), Index{1} << 31), ShapeError);
  EXPECT_THROW(make_pair_lists(order, cohort.carriers().first(3), 100), ShapeError);
  EXPECT_THROW(make_pair_lists(order, cohort.carriers(), 10), ShapeError);
  const std::vector<std::int32_t> code(99);
  EXPECT_THROW(make_pair_lists(order, cohort.carriers(), 100, {code, 1}), ShapeError);
  const std::vector<std::int32_t> twice{4, 4};
  const std::vector<std::span<const std::int32_t>> unsorted(12, twice);
  EXPECT_THROW(make_pair_lists(order, unsorted, 100), ShapeError);
  const PairLists elsewhere = make_pair_lists(other_order, cohort.carriers(), 100);
  EXPECT_THROW(PairCounter(lists, elsewhere), ShapeError);
}

}  // namespace
}  // namespace chorale::kernels
