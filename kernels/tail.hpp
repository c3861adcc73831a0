// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

namespace chorale::kernels {

/// Logarithm, base 10, of the upper tail of a chi-square distribution.
///
///   log10 P(X ≥ x),  X ~ χ²(df);   P = Q(df/2, x/2), the regularised upper incomplete gamma function
///
/// Stays ordered where P itself has long underflowed: log10 P is exact to 1e-12 of its value at 1e-100000
/// too.
///
/// x        a value below 0 counts as 0 (log10 P = 0); +inf gives -inf, NaN gives NaN
/// Throws   ShapeError when df is not a positive finite number
/// Cost     3 to 25 ns for 1 and 2 degrees of freedom, about 0.2 µs for others
/// Threads  pure
/// Source   erfc and its asymptotic series for df = 1, exp(-x/2) for df = 2; otherwise Boost.Math's gamma_p
/// and
///          gamma_q, and below 1e-250 Legendre's continued fraction (DLMF 8.9.2), evaluated as in
///          Lentz 1976, Appl Opt 15:668
/// Oracle   R stats::pchisq(log.p = TRUE), tests/oracle/tail.R
double chi_square_log10_upper(double x, double df);

/// Logarithm, base 10, of the two-sided tail of a standard normal distribution.
///
///   log10 P(|Z| ≥ |z|) = log10 erfc(|z| / √2)
///
/// z        ±inf gives -inf, NaN gives NaN
/// Cost     about 25 ns
/// Threads  pure
/// Source   erfc up to |z| = 30; beyond, the asymptotic series DLMF 7.12.1
/// Oracle   R stats::pnorm(log.p = TRUE), tests/oracle/tail.R
double normal_log10_two_sided(double z);

/// Quantile of the standard normal distribution: the z with P(Z ≤ z) = p, to about 1e-16 of its value.
///
/// p        0 gives -inf, 1 gives +inf, NaN gives NaN
/// Throws   ShapeError when p lies outside [0, 1]
/// Cost     about 5 ns for p in [0.075, 0.925], 20 ns outside
/// Threads  pure
/// Source   Wichura 1988, Appl Stat 37:477, algorithm AS 241 (PPND16)
/// Oracle   R stats::qnorm, tests/oracle/tail.R
double normal_quantile(double p);

}  // namespace chorale::kernels
