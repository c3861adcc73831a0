// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "kernels/error.hpp"
#include "kernels/fisher.hpp"
#include "kernels/fisher_odds_ratio_body.hpp"
#include "kernels/length_order.hpp"
#include "kernels/tail.hpp"

namespace chorale::kernels {
namespace {

constexpr Index capacity = OddsRatioBlock::capacity;
constexpr std::size_t n_keys = 160;

OddsRatioLimits limits_of(double level) {
  if (!(level > 0 && level < 1)) {
    throw ShapeError({.what = "confidence level out of range",
                      .found = fmt::format("{}", level),
                      .expected = "a number between 0 and 1"});
  }
  const double outside = 0.5 * (1 - level);
  return {outside, std::log(outside / (1 - outside)), -normal_quantile(outside)};
}

void load(std::span<const TwoByTwo> tables, OddsRatioBlock& block) {
  Index i = 0;
  for (const TwoByTwo& table : tables) {
    check_counts(table);
    block.n11[i] = static_cast<double>(table.n11);
    block.n10[i] = static_cast<double>(table.n10);
    block.n01[i] = static_cast<double>(table.n01);
    block.n00[i] = static_cast<double>(table.n00);
    ++i;
  }
  for (; i % 8 != 0; ++i) block.n11[i] = block.n10[i] = block.n01[i] = block.n00[i] = 1;
}

}  // namespace

void fisher_odds_ratio(std::span<const TwoByTwo> tables, double level, std::span<Ratio> ratios) {
  if (tables.size() != ratios.size()) {
    throw ShapeError({.what = "odds ratios need one result per table",
                      .found = fmt::format("{} results", ratios.size()),
                      .expected = fmt::format("{}", tables.size())});
  }
  const OddsRatioLimits limits = limits_of(level);
  OddsRatioBlock block;
  std::array<std::uint8_t, capacity> keys;
  std::array<std::int32_t, n_keys + 1> begin_of_key;
  std::array<std::int32_t, capacity> order;
  for (std::size_t begin = 0; begin < tables.size(); begin += capacity) {
    const auto some = tables.subspan(begin, std::min<std::size_t>(capacity, tables.size() - begin));
    const auto size = static_cast<Index>(some.size());
    load(some, block);
    CHORALE_AT_LEVEL(odds_ratio_terms, block, size);
    // tables with sums of one length side by side, so that the lanes of a vector finish together
    for (Index i = 0; i < size; ++i) keys[static_cast<std::size_t>(i)] = length_class(block.n_terms[i]);
    order_by_key<n_keys>({keys.data(), some.size()}, begin_of_key, order.data());
    CHORALE_AT_LEVEL(odds_ratios, block, limits, order.data(), size);
    for (Index i = 0; i < size; ++i)
      ratios[begin + static_cast<std::size_t>(i)] = {block.estimate[i], block.lower[i], block.upper[i]};
  }
}

Ratio fisher_odds_ratio(const TwoByTwo& table, double level) {
  Ratio ratio;
  fisher_odds_ratio({&table, 1}, level, {&ratio, 1});
  return ratio;
}

}  // namespace chorale::kernels
