// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include "kernels/types.hpp"

namespace chorale::kernels {

/// A share of patients and its confidence interval, all within [0, 1], or NaN.
struct Proportion {
  double estimate;
  double lower;
  double upper;
};

/// Carriers among those tested, with Wilson's score interval.
///
///   p = carriers / tested,   z = normal quantile of (1 + level) / 2
///   bounds = (p + z²/2n ± z √(p (1-p)/n + z²/4n²)) / (1 + z²/n)
///
/// No carrier gives a lower bound of exactly 0, all carriers an upper bound of exactly 1. Nobody tested gives
/// an estimate of NaN and the interval [0, 1]: nothing is known, which is not a frequency of 0.
///
/// carriers, tested   patients, 0 ≤ carriers ≤ tested
/// level              of the interval, in (0, 1)
/// Throws   ShapeError when one is out of its range
/// Cost     about 20 ns
/// Threads  pure
/// Source   Wilson 1927, J Am Stat Assoc 22:209
/// Oracle   R stats::prop.test(correct = FALSE), tests/oracle/proportion.R
Proportion wilson_interval(Index carriers, Index tested, double level = 0.95);

}  // namespace chorale::kernels
