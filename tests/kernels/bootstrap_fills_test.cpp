// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/bootstrap_fills.hpp"

#include <gtest/gtest.h>
#include <omp.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <string>

#include "kernels/error.hpp"
#include "kernels/level.hpp"
#include "kernels/two_group.hpp"

namespace chorale::kernels {
namespace {

/// Rows written out and sorted.
template <class Value, class Known>
std::vector<Value> rows_of(std::span<const Value> values, std::span<const std::uint8_t> copies,
                           std::span<const std::uint8_t> included, std::size_t replicate, Known known) {
  const std::size_t n_replicates = copies.size() / values.size();
  std::vector<Value> rows;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (known(values[i]) && (included.empty() || included[i]))
      rows.insert(rows.end(), copies[i * n_replicates + replicate], values[i]);
  }
  std::sort(rows.begin(), rows.end());
  return rows;
}

TEST(BootstrapFills, MatchR) {
  // R 4.2, median() and table() of the rows written out; tests/oracle/cox_bootstrap.R
  const std::vector<double> medians{5.75, 6.25,   7.625, 7.0625, 6.5625, 7.25,
                                    7,    6.3125, 7.125, 7.375,  6.25,   5.75};
  const std::vector<std::int32_t> modes{1, 2, 2, 2, 1, 1, 2, 1, 1, 1, 1, 1};
  std::vector<double> values;
  std::vector<std::int32_t> codes;
  std::vector<std::uint8_t> copies;
  for (int i = 0; i < 203; ++i) {
    values.push_back(i % 7 == 3 ? missing : ((37 * i) % 101) / 8.0);
    codes.push_back(i % 5 == 2 ? -1 : (i * i) % 7);
    for (int r = 0; r < 12; ++r) copies.push_back(static_cast<std::uint8_t>(((i * i + r * i) % 11) / 4));
  }
  std::vector<double> found(12);
  weighted_fills(values, copies, {}, found);
  EXPECT_EQ(found, medians);
  std::vector<std::int32_t> found_codes(12);
  weighted_fills(codes, copies, {}, found_codes);
  EXPECT_EQ(found_codes, modes);
}

TEST(BootstrapFills, EveryLevelAgreesWithRowsWrittenOut) {
  const Level before = level();
  for (const Level each : available_levels()) {
    force_level(each);
    for (unsigned seed = 1; seed <= 18; ++seed) {
      const std::size_t sizes[] = {1, 2, 3, 63, 255, 256, 257, 700, 1031}, replicates[] = {1, 7, 64, 65, 130};
      const std::size_t n = sizes[seed % 9], n_replicates = replicates[seed % 5];
      std::mt19937 engine(seed);
      const auto below = [&](unsigned bound) { return static_cast<int>(engine() % bound); };
      std::vector<double> values;
      std::vector<std::int32_t> codes;
      std::vector<std::uint8_t> copies, included;
      for (std::size_t i = 0; i < n; ++i) {
        values.push_back(below(6) == 0 ? missing : below(seed % 2 ? 20 : 1'000'000) / 7.0);
        codes.push_back(below(5) - 1);
        if (seed % 3 == 0) included.push_back(below(4) > 0);
      }
      // many copies, so that groups of them fill their 16 bits
      for (std::size_t i = 0; i < n * n_replicates; ++i)
        copies.push_back(static_cast<std::uint8_t>(seed % 7 == 0 ? 255 : below(4)));
      std::vector<double> found(n_replicates);
      std::vector<std::int32_t> found_codes(n_replicates);
      weighted_fills(values, copies, included, found);
      weighted_fills(codes, copies, included, found_codes);
      for (std::size_t r = 0; r < n_replicates; ++r) {
        const std::string where = "seed " + std::to_string(seed) + " replicate " + std::to_string(r);
        const auto rows =
            rows_of<double>(values, copies, included, r, [](double v) { return !std::isnan(v); });
        if (rows.empty()) {
          EXPECT_TRUE(std::isnan(found[r])) << where;
        } else {
          EXPECT_EQ(found[r], (rows[(rows.size() - 1) / 2] + rows[rows.size() / 2]) / 2) << where;
        }
        const auto drawn =
            rows_of<std::int32_t>(codes, copies, included, r, [](int code) { return code >= 0; });
        std::int32_t most = -1;
        for (std::int32_t code = 0; code < 4; ++code) {
          if (std::count(drawn.begin(), drawn.end(), code) >
              (most < 0 ? 0 : std::count(drawn.begin(), drawn.end(), most)))
            most = code;
        }
        EXPECT_EQ(found_codes[r], most) << where;
      }
    }
  }
  force_level(before);
}

TEST(BootstrapFills, AreEqualForAnyNumberOfThreads) {
  std::mt19937 engine(3);
  std::vector<double> values;
  std::vector<std::uint8_t> copies;
  for (int i = 0; i < 5000; ++i) values.push_back(static_cast<double>(engine() % 1000));
  for (int i = 0; i < 5000 * 200; ++i) copies.push_back(static_cast<std::uint8_t>(engine() % 3));
  std::vector<double> one(200), three(200);
  omp_set_num_threads(1);
  weighted_fills(values, copies, {}, one);
  omp_set_num_threads(3);
  weighted_fills(values, copies, {}, three);
  omp_set_num_threads(omp_get_num_procs());
  EXPECT_EQ(one, three);
}

TEST(BootstrapFills, NothingKnownFillsNothing) {
  const std::vector<double> values{missing, 3};
  const std::vector<std::int32_t> codes{-1, 2};
  const std::vector<std::uint8_t> copies{2, 1, 0, 1};  // the second patient stands in replicate 1 only
  std::vector<double> medians(2);
  std::vector<std::int32_t> modes(2);
  weighted_fills(values, copies, {}, medians);
  weighted_fills(codes, copies, {}, modes);
  EXPECT_TRUE(std::isnan(medians[0]));
  EXPECT_EQ(medians[1], 3);
  EXPECT_EQ(modes, (std::vector<std::int32_t>{-1, 2}));
  weighted_fills(values, copies, std::vector<std::uint8_t>{1, 0}, medians);
  EXPECT_TRUE(std::isnan(medians[1]));
}

TEST(BootstrapFills, RefuseWhatDoesNotFit) {
  const std::vector<double> values(3);
  const std::vector<std::int32_t> codes(3), below{0, -2, 1};
  const std::vector<std::uint8_t> copies(6), few(5), two(2);
  std::vector<double> medians(2);
  std::vector<std::int32_t> modes(2);
  EXPECT_THROW(weighted_fills(values, few, {}, medians), ShapeError);
  EXPECT_THROW(weighted_fills(values, copies, two, medians), ShapeError);
  EXPECT_THROW(weighted_fills(codes, few, {}, modes), ShapeError);
  EXPECT_THROW(weighted_fills(codes, copies, two, modes), ShapeError);
  EXPECT_THROW(weighted_fills(below, copies, {}, modes), ShapeError);
}

}  // namespace
}  // namespace chorale::kernels
