// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <span>

#include "kernels/two_by_two.hpp"

namespace chorale::kernels {

/// Which outcomes count against independence.
enum class FisherTest { two_sided, mid, less, greater };

/// Fisher's exact test of 2x2 tables: log10 p, ordered far below 1e-300.
///
///   X ~ hypergeometric(row 1, row 2, col 1): f(x) = C(row1, x) · C(row2, col1 - x) / C(total, col1)
///   two-sided  p = Σ f(y) over all y with f(y) ≤ f(n11) · (1 + 1e-7)
///   mid        p = Σ f(y) over all y with f(y) < f(n11), plus half of Σ f(y) over those equal to f(n11)
///   within 1e-7 less       p = Σ f(y), y ≤ n11
///   greater    p = Σ f(y), y ≥ n11
///
/// A table with an empty margin has one possible outcome: log10 p = 0 (mid: log10 ½). p is right to 1e-12 of
/// log10 p, or of 1 where that is larger.
///
/// A two-sided p above 0.01 is 1 less what is more probable than n11: fewer terms than both tails. The span
/// version sums one table in each lane of a vector, tables of about equal length together. A table's number
/// is the same alone and in any span, at one level.
///
/// Shapes   tables (n) with counts in patients, log10_p (n)
/// Throws   ShapeError when a count is negative, the total exceeds 2^40, or the two spans differ in length
/// Cost     per table of a span, pairs of features in 1,000, 100,000 and a million patients: 21, 30, 61 ns
///          (AVX-512), at 100,000 also 44 ns (AVX2) and 90 ns (SSE); mid 37 ns, less and greater 28 to 30 ns.
///          A table alone 250 to 300 ns. Sums stop at terms below 1e-18 of them; allocates nothing
/// Threads  pure; the span version is a plain loop, split it by ranges
/// Source   Fisher 1922, J R Stat Soc 85:87; density by Loader 2000 (deviances, no log-factorials to cancel)
/// Oracle   kernels/reference/fisher.cpp; R stats::fisher.test and stats::phyper, tests/oracle/fisher.R
double fisher_log10_p(const TwoByTwo& table);
double fisher_log10_mid_p(const TwoByTwo& table);
double fisher_log10_p_less(const TwoByTwo& table);
double fisher_log10_p_greater(const TwoByTwo& table);
void fisher_log10_p(std::span<const TwoByTwo> tables, std::span<double> log10_p);
void fisher_log10_p(std::span<const TwoByTwo> tables, FisherTest test, std::span<double> log10_p);

/// The conditional maximum-likelihood odds ratio and its exact confidence interval, as fisher.test reports
/// them.
///
///   X ~ noncentral hypergeometric with odds ratio ψ: f(x; ψ) ∝ f(x) · ψ^x
///   estimate  E(X; ψ) = n11
///   lower     P(X ≥ n11; ψ) = (1 - level) / 2
///   upper     P(X ≤ n11; ψ) = (1 - level) / 2
///
/// n11 at its smallest possible value gives estimate 0 and lower 0, at its largest both +inf; where only one
/// value is possible the estimate is NaN and the interval [0, +inf] (fisher.test calls that estimate 0).
/// Solved to 1e-12 of log ψ; fisher.test itself stops at 1e-4.
///
/// Starts: for the estimate E(n11 n00; ψ) = ψ E(n10 n01; ψ), exact but for the variance of X in it; for the
/// bounds Cornish and Fisher's quantile. From there one step of Newton's method and two of Halley's are the
/// rule.
///
/// level    of the interval, in (0, 1)
/// Throws   ShapeError for bad counts as above, spans that differ in length, or a level outside (0, 1)
/// Cost     per table of a span, pairs of features in 1,000 and 100,000 patients: 74 and 150 ns
///          (AVX-512), at 100,000 also 270 ns (AVX2) and 570 ns (SSE); 1 and 2 µs alone
/// Threads  pure; allocates nothing; the same number alone and in any span, at one level
/// Source   Cornfield 1956, Proc Third Berkeley Symp 4:135
/// Oracle   kernels/reference/fisher.cpp; R stats::fisher.test with a tight uniroot, tests/oracle/fisher.R
Ratio fisher_odds_ratio(const TwoByTwo& table, double level = 0.95);
void fisher_odds_ratio(std::span<const TwoByTwo> tables, double level, std::span<Ratio> ratios);

namespace reference {

/// The same numbers by plain enumeration of every possible n11 in long double, normalised by their sum; right
/// down to p = 1e-4900, in time and memory proportional to the smallest margin.
double fisher_log10_p(const TwoByTwo& table);
double fisher_log10_mid_p(const TwoByTwo& table);
double fisher_log10_p_less(const TwoByTwo& table);
double fisher_log10_p_greater(const TwoByTwo& table);

/// By bisection of log ψ to its last digit.
Ratio fisher_odds_ratio(const TwoByTwo& table, double level = 0.95);

}  // namespace reference
}  // namespace chorale::kernels
