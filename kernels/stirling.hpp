// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include "kernels/types.hpp"

namespace chorale::kernels {

/// What Stirling's formula misses: δ(n) = log n! - [(n + ½) log n - n + ½ log 2π], for n ≥ 1.
///
/// With it, differences of log-factorials can be arranged so that their large parts cancel on paper instead
/// of in the registers: log 1000000! is 1.3e7, and a double keeps only 2e-9 of it.
///
/// n        at least 1, not checked
/// Cost     1 to 5 ns; a table up to 15, the series 1/12n - 1/360n³ + … beyond
/// Threads  pure
/// Source   Loader 2000, Fast and accurate computation of binomial probabilities
/// Oracle   std::lgamma in long double
double stirling_error(Index n);

/// log n!, n ≥ 0, to 1e-15 of its value. Unlike std::lgamma it writes no global and may run in threads.
double log_factorial(Index n);

/// d(x, m) = x log(x/m) + m - x, what a Poisson count x observed costs where m > 0 is expected; x ≥ 0.
///
/// Where x is near m, the series in v = (x-m)/(x+m) that does not cancel: (x-m) v + 2 x (v³/3 + v⁵/5 + …).
double deviance(double x, double m);

}  // namespace chorale::kernels
