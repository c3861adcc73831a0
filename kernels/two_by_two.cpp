// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/two_by_two.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "kernels/error.hpp"

namespace chorale::kernels {

void check_counts(const TwoByTwo& table) {
  constexpr Index limit = Index{1} << 40;
  const auto [fewest, most] = std::minmax({table.n11, table.n10, table.n01, table.n00});
  if (fewest >= 0 && most <= limit && table.total() <= limit) return;
  throw ShapeError({.what = "2x2 table holds impossible counts",
                    .found = fmt::format("n11 = {}, n10 = {}, n01 = {}, n00 = {}", table.n11, table.n10,
                                         table.n01, table.n00),
                    .expected = "counts that are not negative and sum to at most 2^40"});
}

double sample_odds_ratio(const TwoByTwo& table) {
  check_counts(table);
  // 0/0 is NaN and x/0 is +inf, as promised
  return static_cast<double>(table.n11) * static_cast<double>(table.n00) /
         (static_cast<double>(table.n10) * static_cast<double>(table.n01));
}

}  // namespace chorale::kernels
