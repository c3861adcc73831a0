// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <algorithm>
#include <cmath>

namespace chorale::jobs::interaction {

/// Units that are dealt one after another get shorter from 1.8 to 0.2 times their mean, so that ranks end soon after each
/// other: the units up to the share x of their number hold this share of the work.
constexpr double work_up_to(double x) {
  return x * (1.8 - 0.8 * x);
}

/// Its inverse: how far a walk through the units has come when it has done the share y of the work.
inline double units_up_to(double y) {
  return (1.8 - std::sqrt(std::max(0.0, 1.8 * 1.8 - 3.2 * y))) / 1.6;
}

/// Length of a unit at the share x of their number, over the mean.
constexpr double relative_length(double x) {
  return 1.8 - 1.6 * x;
}

}  // namespace chorale::jobs::interaction
