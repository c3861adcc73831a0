// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/fisher.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <numbers>

#include "kernels/error.hpp"
#include "kernels/fisher_body.hpp"
#include "kernels/fisher_extreme.hpp"

namespace chorale::kernels {
namespace {

constexpr Index capacity = FisherBlock::capacity;
constexpr double most_terms = 1 << 14;     // of a sum in lanes
constexpr double smallest_density = -600;  // log f(n11) such that f(mode) / f(n11) is a double

// Tables of a block by falling number of terms, so that the lanes of a vector finish together
struct Order {
  std::array<std::int32_t, capacity> table;
  Index n_first = 0;    // those with n_terms > 0
  Index n_second = 0;   // behind them, those with n_terms < 0
  Index n_extreme = 0;  // behind these, those that are not summed in lanes

  std::int32_t* first() { return table.data(); }
  std::int32_t* second() { return first() + n_first; }
  std::int32_t* extreme() { return second() + n_second; }
};

// four classes to each doubling of the number of terms
constexpr std::uint64_t n_classes = 4 * 14 + 1;

std::uint64_t class_of(double n_terms) {
  return (std::bit_cast<std::uint64_t>(n_terms) - std::bit_cast<std::uint64_t>(1.0)) >> 50;
}

// where table i stands: 1 + class, from n_classes + 1 on for the second way, last the extreme ones; 0 is not summed
std::uint64_t place_of(const FisherBlock& block, Index i, bool two_sided) {
  const double n_terms = block.n_terms[i];
  if (n_terms == 0) return 0;
  const bool second = n_terms < 0;
  const bool lanes =
      std::abs(n_terms) < most_terms && !(two_sided && second && block.log_density[i] < smallest_density);
  return lanes ? 1 + class_of(std::abs(n_terms)) + (second ? n_classes : 0) : 2 * n_classes + 1;
}

Order order_of(const FisherBlock& block, Index size, bool two_sided) {
  constexpr std::size_t n_places = 2 * n_classes + 2;
  std::array<std::int32_t, n_places + 1> begin{};
  std::array<std::uint8_t, capacity> place;
  for (Index i = 0; i < size; ++i) {
    const auto at = static_cast<std::size_t>(i);
    place[at] = static_cast<std::uint8_t>(place_of(block, i, two_sided));
    ++begin[place[at] + std::size_t{1}];
  }
  Order order;
  order.n_extreme = begin[n_places];
  begin[1] = 0;
  for (std::size_t p = 1; p < n_places; ++p) begin[p + 1] += begin[p];
  order.n_first = begin[n_classes + 1];
  order.n_second = begin[2 * n_classes + 1] - order.n_first;
  for (Index i = 0; i < size; ++i) {
    const std::uint8_t p = place[static_cast<std::size_t>(i)];
    if (p > 0) order.table[static_cast<std::size_t>(begin[p]++)] = static_cast<std::int32_t>(i);
  }
  return order;
}

// check_counts(), and the columns exchanged for `less`
void load(std::span<const TwoByTwo> tables, bool exchanged, FisherBlock& block) {
  Index i = 0;
  for (const TwoByTwo& table : tables) {
    const auto all = [](Index count) { return static_cast<std::uint64_t>(count); };
    const std::uint64_t sum = all(table.n11) + all(table.n10) + all(table.n01) + all(table.n00);
    if ((all(table.n11) | all(table.n10) | all(table.n01) | all(table.n00) | sum) >> 40) check_counts(table);
    block.n11[i] = static_cast<double>(exchanged ? table.n10 : table.n11);
    block.n10[i] = static_cast<double>(exchanged ? table.n11 : table.n10);
    block.n01[i] = static_cast<double>(exchanged ? table.n00 : table.n01);
    block.n00[i] = static_cast<double>(exchanged ? table.n01 : table.n00);
    ++i;
  }
  for (; i % 8 != 0; ++i) block.n11[i] = block.n10[i] = block.n01[i] = block.n00[i] = 1;
}

void two_sided(FisherBlock& block, Index size, std::span<const TwoByTwo> tables, bool mid) {
  CHORALE_AT_LEVEL(fisher_prepare_two_sided, block, size);
  std::fill_n(block.log10_p, size, mid ? -std::numbers::ln2 * std::numbers::log10e : 0.0);
  Order order = order_of(block, size, true);
  CHORALE_AT_LEVEL(fisher_inside, block, order.first(), order.n_first, mid);
  CHORALE_AT_LEVEL(fisher_outside, block, order.second(), order.n_second, mid);
  std::int32_t* const rest = std::remove_if(order.first(), order.second(),
                                            [&](std::int32_t i) { return !std::isnan(block.log10_p[i]); });
  CHORALE_AT_LEVEL(fisher_outside, block, order.first(), rest - order.first(), mid);
  for (Index k = 0; k < order.n_extreme; ++k) {
    const std::int32_t i = order.extreme()[k];
    block.log10_p[i] = extreme_log10_two_sided(tables[static_cast<std::size_t>(i)], mid);
  }
}

void upper(FisherBlock& block, Index size, std::span<const TwoByTwo> tables, bool exchanged) {
  CHORALE_AT_LEVEL(fisher_prepare_upper, block, size);
  std::fill_n(block.log10_p, size, 0.0);
  Order order = order_of(block, size, false);
  CHORALE_AT_LEVEL(fisher_upper, block, order.first(), order.n_first, false);
  CHORALE_AT_LEVEL(fisher_upper, block, order.second(), order.n_second, true);
  for (Index k = 0; k < order.n_extreme; ++k) {
    const std::int32_t i = order.extreme()[k];
    const TwoByTwo& t = tables[static_cast<std::size_t>(i)];
    block.log10_p[i] = extreme_log10_upper(exchanged ? TwoByTwo{t.n10, t.n11, t.n00, t.n01} : t);
  }
}

double of_one(const TwoByTwo& table, FisherTest test) {
  double log10_p = 0;
  fisher_log10_p({&table, 1}, test, {&log10_p, 1});
  return log10_p;
}

}  // namespace

void fisher_log10_p(std::span<const TwoByTwo> tables, FisherTest test, std::span<double> log10_p) {
  if (tables.size() != log10_p.size()) {
    throw ShapeError({.what = "Fisher's test needs one result per table",
                      .found = fmt::format("{} results", log10_p.size()),
                      .expected = fmt::format("{}", tables.size())});
  }
  FisherBlock block;
  for (std::size_t begin = 0; begin < tables.size(); begin += capacity) {
    const auto some = tables.subspan(begin, std::min<std::size_t>(capacity, tables.size() - begin));
    const auto size = static_cast<Index>(some.size());
    const bool exchanged = test == FisherTest::less;
    load(some, exchanged, block);
    if (test == FisherTest::two_sided || test == FisherTest::mid) {
      two_sided(block, size, some, test == FisherTest::mid);
    } else {
      upper(block, size, some, exchanged);
    }
    std::copy_n(block.log10_p, size, log10_p.begin() + static_cast<Index>(begin));
  }
}

void fisher_log10_p(std::span<const TwoByTwo> tables, std::span<double> log10_p) {
  fisher_log10_p(tables, FisherTest::two_sided, log10_p);
}

double fisher_log10_p(const TwoByTwo& table) {
  return of_one(table, FisherTest::two_sided);
}

double fisher_log10_mid_p(const TwoByTwo& table) {
  return of_one(table, FisherTest::mid);
}

double fisher_log10_p_less(const TwoByTwo& table) {
  return of_one(table, FisherTest::less);
}

double fisher_log10_p_greater(const TwoByTwo& table) {
  return of_one(table, FisherTest::greater);
}

}  // namespace chorale::kernels
