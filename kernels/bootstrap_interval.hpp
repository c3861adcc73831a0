// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <span>

#include "kernels/two_group.hpp"
#include "kernels/types.hpp"

namespace chorale::kernels {

/// Limits of an interval; NaN where there is none.
struct Interval {
  double lower = missing;
  double upper = missing;
};

/// Quantiles of bootstrap estimates at (1 − level)/2 and 1 − (1 − level)/2, by R's type 7.
///
/// NaN estimates, replicates that gave none, are left out. Infinite ones, of monotone likelihoods, are ordered like any
/// other number; a limit between a finite and an infinite one is infinite.
///
/// Throws   ShapeError when level lies outside (0, 1)
/// Cost     one sort
/// Source   Efron 1979; definition 7 of Hyndman and Fan 1996
/// Oracle   R stats::quantile, tests/oracle/bootstrap_interval.R
Interval percentile_interval(std::span<const double> estimates, double level);

/// The same percentiles moved until the mean of the estimates that are no NaN is `centre`: their spread about another value.
///
/// Throws   ShapeError as percentile_interval
Interval interval_about(double centre, std::span<const double> estimates, double level);

/// Bias-corrected and accelerated interval: percentiles at
///
///   Φ(z0 + (z0 + z) / (1 − a (z0 + z))),   z = ± Φ⁻¹((1 + level)/2),
///   z0 = Φ⁻¹((#{estimates < estimate} + ½ #{estimates = estimate}) / #estimates)
///
/// NaN where all estimates lie on one side of `estimate`, or `estimate` or the acceleration is NaN.
///
/// Throws   ShapeError as percentile_interval
/// Source   Efron 1987, J Am Stat Assoc 82:171
/// Oracle   the formula in R, tests/oracle/bootstrap_interval.R
Interval bca_interval(std::span<const double> estimates, double estimate, double acceleration, double level);

/// Acceleration from each patient's, or cluster's, influence on the estimate, such as dfbeta.
///
///   a = Σ u³ / (6 (Σ u²)^1.5)
///
/// 0 where nothing has influence; NaN where an influence is NaN.
double acceleration(std::span<const double> influence);

}  // namespace chorale::kernels
