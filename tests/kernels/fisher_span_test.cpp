// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
//
// Fisher's test over many tables at once: every way of summing, every level, and no table depends on its
// neighbours.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <vector>

#include "kernels/draw.hpp"
#include "kernels/error.hpp"
#include "kernels/fisher.hpp"
#include "kernels/level.hpp"

namespace chorale::kernels {
namespace {

constexpr std::array all_tests{FisherTest::two_sided, FisherTest::mid, FisherTest::less, FisherTest::greater};

double single(const TwoByTwo& table, FisherTest test) {
  switch (test) {
    case FisherTest::two_sided:
      return fisher_log10_p(table);
    case FisherTest::mid:
      return fisher_log10_mid_p(table);
    case FisherTest::less:
      return fisher_log10_p_less(table);
    case FisherTest::greater:
      return fisher_log10_p_greater(table);
  }
  return std::nan("");
}

double expected(const TwoByTwo& table, FisherTest test) {
  switch (test) {
    case FisherTest::two_sided:
      return reference::fisher_log10_p(table);
    case FisherTest::mid:
      return reference::fisher_log10_mid_p(table);
    case FisherTest::less:
      return reference::fisher_log10_p_less(table);
    case FisherTest::greater:
      return reference::fisher_log10_p_greater(table);
  }
  return std::nan("");
}

std::vector<double> log10_p_of(const std::vector<TwoByTwo>& tables, FisherTest test) {
  std::vector<double> log10_p(tables.size());
  fisher_log10_p(tables, test, log10_p);
  return log10_p;
}

// a pair of features in `total` patients: margins even in the logarithm, n11 up to `spread` standard
// deviations off
TwoByTwo pair_of(Index i, Index total, double spread) {
  Draws draws(20261122, 7, i);
  const auto n = static_cast<double>(total);
  const auto margin = [&] { return static_cast<Index>(std::pow(n, draws.uniform())); };
  const Index row1 = margin(), col1 = margin();
  const double mean = static_cast<double>(row1) * static_cast<double>(col1) / n;
  const auto n11 = static_cast<Index>(std::lround(mean + spread * draws.normal() * std::sqrt(mean)));
  const Index low = std::max<Index>(0, row1 + col1 - total), high = std::min(row1, col1);
  const Index kept = std::clamp(n11, low, high);
  const TwoByTwo t{kept, row1 - kept, col1 - kept, total - row1 - col1 + kept};
  return draws.bernoulli(0.5) ? t : TwoByTwo{t.n10, t.n11, t.n00, t.n01};
}

// every table of a given total: empty margins, ends of the range, equals on both sides
std::vector<TwoByTwo> all_tables(Index total) {
  std::vector<TwoByTwo> tables;
  for (Index a = 0; a <= total; ++a) {
    for (Index b = 0; a + b <= total; ++b) {
      for (Index c = 0; a + b + c <= total; ++c) tables.push_back({a, b, c, total - a - b - c});
    }
  }
  return tables;
}

class AtLevel {
 public:
  explicit AtLevel(Level level) : before_(kernels::level()) { force_level(level); }
  ~AtLevel() { force_level(before_); }

 private:
  Level before_;
};

void expect_the_reference(const std::vector<TwoByTwo>& tables, double tolerance) {
  for (const FisherTest test : all_tests) {
    std::vector<double> right;
    for (const TwoByTwo& table : tables) right.push_back(expected(table, test));
    for (const Level level : available_levels()) {
      const AtLevel forced(level);
      const auto found = log10_p_of(tables, test);
      for (std::size_t i = 0; i < tables.size(); ++i) {
        EXPECT_NEAR(found[i], right[i], tolerance * std::max(1.0, std::abs(right[i])))
            << "test " << static_cast<int>(test) << " at " << name_of(level) << ": " << tables[i].n11 << " "
            << tables[i].n10 << " " << tables[i].n01 << " " << tables[i].n00;
      }
    }
  }
}

TEST(FisherSpan, EverySmallTableMatchesTheReference) {
  for (const Index total : {0, 1, 2, 7, 12, 21}) expect_the_reference(all_tables(total), 1e-12);
}

TEST(FisherSpan, PairsInCohortsOfEverySizeMatchTheReference) {
  for (const Index total : {10, 100, 1'000, 10'000, 100'000, 1'000'000}) {
    for (const double spread : {0.0, 1.0, 3.0, 10.0}) {
      std::vector<TwoByTwo> tables;
      for (Index i = 0; i < 500; ++i) tables.push_back(pair_of(i, total, spread));
      expect_the_reference(tables, 1e-12);
    }
  }
}

TEST(FisherSpan, LargestTotalsMatchTheReference) {
  std::vector<TwoByTwo> tables;
  for (Index i = 0; i < 60; ++i) {
    Draws draws(5, 5, i);
    const Index row1 = 1 + draws.below(20'000), col1 = (Index{1} << 20) + draws.below(Index{1} << 38);
    const Index n11 = draws.below(row1 + 1);
    tables.push_back({n11, row1 - n11, col1 - n11, (Index{1} << 40) - row1 - col1 + n11});
  }
  expect_the_reference(tables, 1e-12);
}

// outcomes as probable as the observed one, or nearly: margins of halves mirror every outcome, and one
// patient more or less moves the mirror image by less than 1e-7 only in the largest cohorts
std::vector<TwoByTwo> near_ties() {
  std::vector<TwoByTwo> tables;
  for (const Index half : {1, 2, 3, 10, 500, 20'000}) {
    for (const Index off : {0, 1, 2, 5, 30}) {
      for (const Index more : {-1, 0, 1}) {
        const Index n11 = half - std::min(off, half), n10 = half + std::min(off, half);
        tables.push_back({n11, n10, n10 + std::max<Index>(more, -n10), n11});
        tables.push_back({n10, n11, n11 + std::max<Index>(more, -n11), n10});
      }
    }
  }
  // two modes of exactly the same probability: (n11 + 1)(n00 + 1) = n10 n01
  tables.insert(tables.end(),
                {{11, 30, 40, 99}, {999, 1000, 2000, 1999}, {99'999, 100'000, 100'000, 99'999}});
  // f(n11 + 1) / f(n11) within 1e-7 of 1 and not 1
  tables.insert(tables.end(), {{6'000, 8'000, 12'003, 16'000}, {20'000, 20'000, 20'000, 20'000}});
  return tables;
}

TEST(FisherSpan, EqualOutcomesCountAsInTheReference) {
  expect_the_reference(near_ties(), 1e-12);
}

// tables that are summed in every way, among them extreme ones
std::vector<TwoByTwo> mixed(Index n) {
  std::vector<TwoByTwo> tables;
  for (Index i = 0; i < n; ++i)
    tables.push_back(pair_of(i, i % 3 == 0 ? 500 : 100'000, i % 7 == 0 ? 30.0 : 1.0));
  tables[static_cast<std::size_t>(n / 2)] = {30'000, 20'000, 20'000, 30'000};
  tables[static_cast<std::size_t>(n / 3)] = {0, 0, 3, 4};
  return tables;
}

TEST(FisherSpan, NoTableDependsOnItsNeighbours) {
  const auto tables = mixed(1'499);
  for (const Level level : available_levels()) {
    const AtLevel forced(level);
    for (const FisherTest test : all_tests) {
      const auto whole = log10_p_of(tables, test);
      for (std::size_t i = 0; i < tables.size(); ++i) ASSERT_EQ(single(tables[i], test), whole[i]);
      // in pieces, and in another order
      for (const std::size_t piece : {2, 7, 513}) {
        for (std::size_t begin = 0; begin < tables.size(); begin += piece) {
          const auto from = tables.begin() + static_cast<Index>(begin);
          std::vector<TwoByTwo> some(from, from + static_cast<Index>(std::min(piece, tables.size() - begin)));
          std::reverse(some.begin(), some.end());
          const auto found = log10_p_of(some, test);
          for (std::size_t k = 0; k < some.size(); ++k)
            ASSERT_EQ(found[k], whole[begin + some.size() - 1 - k]);
        }
      }
    }
  }
}

TEST(FisherSpan, ArgumentsThatDoNotFitAreRefused) {
  std::vector<TwoByTwo> tables(600, TwoByTwo{1, 2, 3, 4});
  std::vector<double> log10_p(599);
  EXPECT_THROW(fisher_log10_p(tables, FisherTest::less, log10_p), ShapeError);
  tables[599].n01 = -1;
  EXPECT_THROW(log10_p_of(tables, FisherTest::mid), ShapeError);
  tables[599] = {0, 0, 1, Index{1} << 40};
  EXPECT_THROW(log10_p_of(tables, FisherTest::mid), ShapeError);
  EXPECT_TRUE(log10_p_of({}, FisherTest::greater).empty());
}

}  // namespace
}  // namespace chorale::kernels
