// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/fisher.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "kernels/error.hpp"
#include "kernels/fisher_body.hpp"
#include "kernels/fisher_extreme.hpp"
#include "kernels/length_order.hpp"

namespace chorale::kernels {
namespace {

constexpr Index capacity = FisherBlock::capacity;
constexpr double most_terms = 1 << 14;     // of a sum in lanes
constexpr double smallest_density = -600;  // log f(n11) such that f(mode) / f(n11) is a double

// Tables of a block by the way they are summed and their number of terms, so that the lanes of a vector
// finish together
struct Order {
  std::array<std::int32_t, capacity> table;
  std::span<std::int32_t> first;    // n_terms > 0
  std::span<std::int32_t> second;   // n_terms < 0
  std::span<std::int32_t> extreme;  // not summed in lanes
};

constexpr std::size_t n_classes = 4 * 14;          // of up to most_terms
constexpr std::size_t second_key = 1 + n_classes;  // key 0: not summed at all
constexpr std::size_t extreme_key = second_key + n_classes;

std::uint8_t key_of(double n_terms, double log_density, bool two_sided) {
  if (n_terms == 0) return 0;
  const bool second = n_terms < 0;
  if (!(std::abs(n_terms) < most_terms) || (two_sided && second && log_density < smallest_density))
    return extreme_key;
  return static_cast<std::uint8_t>((second ? second_key : 1) + length_class(std::abs(n_terms)));
}

void put_in_order(const FisherBlock& block, Index size, bool two_sided, Order& order) {
  std::array<std::uint8_t, capacity> keys;
  for (Index i = 0; i < size; ++i)
    keys[static_cast<std::size_t>(i)] = key_of(block.n_terms[i], block.log_density[i], two_sided);
  std::array<std::int32_t, extreme_key + 2> begin;
  order_by_key<extreme_key + 1>({keys.data(), static_cast<std::size_t>(size)}, begin, order.table.data());
  const auto with_keys = [&](std::size_t from, std::size_t to) {
    return std::span(order.table.begin() + begin[from], order.table.begin() + begin[to]);
  };
  order.first = with_keys(1, second_key);
  order.second = with_keys(second_key, extreme_key);
  order.extreme = with_keys(extreme_key, extreme_key + 1);
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
  Order order;
  put_in_order(block, size, true, order);
  CHORALE_AT_LEVEL(fisher_inside, block, order.first.data(), std::ssize(order.first), mid);
  CHORALE_AT_LEVEL(fisher_outside, block, order.second.data(), std::ssize(order.second), mid);
  const auto rest = std::remove_if(order.first.begin(), order.first.end(),
                                   [&](std::int32_t i) { return !std::isnan(block.log10_p[i]); });
  CHORALE_AT_LEVEL(fisher_outside, block, order.first.data(), rest - order.first.begin(), mid);
  for (const std::int32_t i : order.extreme)
    block.log10_p[i] = extreme_log10_two_sided(tables[static_cast<std::size_t>(i)], mid);
}

void upper(FisherBlock& block, Index size, std::span<const TwoByTwo> tables, bool exchanged) {
  CHORALE_AT_LEVEL(fisher_prepare_upper, block, size);
  std::fill_n(block.log10_p, size, 0.0);
  Order order;
  put_in_order(block, size, false, order);
  CHORALE_AT_LEVEL(fisher_upper, block, order.first.data(), std::ssize(order.first), false);
  CHORALE_AT_LEVEL(fisher_upper, block, order.second.data(), std::ssize(order.second), true);
  for (const std::int32_t i : order.extreme) {
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
