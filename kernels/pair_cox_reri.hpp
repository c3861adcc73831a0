// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include "kernels/pair_cox.hpp"

namespace chorale::kernels {

/// Relative excess risk due to interaction; 0 where hazards of a and b add up.
struct Reri {
  double estimate = missing;
  double se = missing;
  double lower = missing, upper = missing;
};

/// Interaction of a pair on the additive scale.
///
///   RERI = e^(a + b + ab) − e^a − e^b + 1,   se² = g' Cov(a, b, ab) g,
///   g = (e^(a+b+ab) − e^a, e^(a+b+ab) − e^b, e^(a+b+ab)),   interval = RERI ± z se
///
/// NaN where the fit has no coefficients.
/// confidence  0.95 unless told
/// Throws   ShapeError when confidence is not between 0 and 1
/// Threads  pure
/// Source   Rothman 1986, Modern Epidemiology; delta method, Hosmer and Lemeshow 1992, Epidemiology 3:452
/// Oracle   R, tests/oracle/pair_cox_firth.R
Reri pair_cox_reri(const PairCoxFit& fit, double confidence = 0.95);

}  // namespace chorale::kernels
