// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/proportion.hpp"

#include <fmt/format.h>

#include <cmath>

#include "kernels/error.hpp"
#include "kernels/tail.hpp"

namespace chorale::kernels {

Proportion wilson_interval(Index carriers, Index tested, double level) {
  if (carriers < 0 || carriers > tested || !(level > 0 && level < 1)) {
    throw ShapeError({.what = "proportion out of range",
                      .found = fmt::format("{} carriers of {} tested at level {}", carriers, tested, level),
                      .expected = "0 ≤ carriers ≤ tested and a level between 0 and 1"});
  }
  if (tested == 0) return {std::nan(""), 0, 1};
  const auto x = static_cast<double>(carriers), n = static_cast<double>(tested);
  const double z = normal_quantile(0.5 * (1 + level));
  // both bounds times (n + z²); the lower one as a quotient, since the difference cancels when carriers are
  // few: lower · upper = (x/n)² · n / (n + z²), both being roots of the same quadratic
  const double centre = x + 0.5 * z * z;
  const double reach = z * std::sqrt(x * (n - x) / n + 0.25 * z * z);
  const double upper = carriers == tested ? 1 : (centre + reach) / (n + z * z);
  const double lower = x * x / n / (centre + reach);
  return {x / n, lower, upper};
}

}  // namespace chorale::kernels
