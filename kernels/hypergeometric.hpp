// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include "kernels/two_by_two.hpp"

namespace chorale::kernels {

/// The possible values of n11 once the margins of a 2x2 table are fixed, and their probabilities.
///
///   f(y) = C(row1, y) · C(row2, col1 - y) / C(total, col1),  low ≤ y ≤ high
///
/// f is log-concave, so it rises to mode and falls from it. Counts are whole numbers below 2^53 held as
/// double: every use divides or multiplies them. Building block of the exact tests; its users check the
/// counts.
///
/// Cost     log_density about 80 ns, the others a few
/// Threads  pure
/// Oracle   R stats::dhyper(log = TRUE), tests/oracle/fisher.R
class Hypergeometric {
 public:
  explicit Hypergeometric(const TwoByTwo& table);

  /// The same experiment seen from n10 = row1 - n11: what was the lower tail becomes the upper tail.
  Hypergeometric reflected() const;

  double low() const { return low_; }
  double high() const { return high_; }
  double row1() const { return row1_; }

  /// The y of largest probability; the larger one of two equals.
  double mode() const;

  /// f(y + 1) / f(y), for low ≤ y ≤ high; 0 at high.
  double ratio(double y) const { return (row1_ - y) * (col1_ - y) / ((y + 1) * (row2_ - col1_ + y + 1)); }

  /// log f(y) by deviances: -Σ d(cell, expected) + ½ log(row1 row2 col1 col2 / (2π total Π cells)) + Σ ± δ,
  /// d(x, m) = x log(x/m) + m - x, δ the Stirling errors. Nothing large cancels, so it is right to 1e-15 plus
  /// 1e-15 of its value where a table of log-factorials would lose 1e-9 at a million patients.
  double log_density(double y) const;

  /// Σ_{z ≥ y} f(z) / f(y), for y at or above mode; stops where terms fall below 1e-18 of the sum.
  double upper_tail(double y) const;

 private:
  Hypergeometric(double row1, double row2, double col1);

  double row1_, row2_, col1_, low_, high_;
};

}  // namespace chorale::kernels
