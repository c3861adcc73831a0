// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include "kernels/types.hpp"

namespace chorale::kernels {

/// Patients cross-classified by two yes-or-no questions: the first subscript answers the first question.
///
///            b      not b
///   a       n11      n10      row 1
///   not a   n01      n00      row 2
///           col 1    col 2    total
///
/// Only patients tested for both questions belong in it.
struct TwoByTwo {
  Index n11 = 0;
  Index n10 = 0;
  Index n01 = 0;
  Index n00 = 0;

  Index row1() const { return n11 + n10; }
  Index row2() const { return n01 + n00; }
  Index col1() const { return n11 + n01; }
  Index col2() const { return n10 + n00; }
  Index total() const { return row1() + row2(); }

  bool operator==(const TwoByTwo&) const = default;
};

/// Throws ShapeError when a count is negative or the total exceeds 2^40, the range of all kernels on 2x2
/// tables.
void check_counts(const TwoByTwo& table);

/// An effect with its confidence interval, both on the ratio scale: 0 and +inf are legal, NaN is "no
/// information".
struct Ratio {
  double estimate;
  double lower;
  double upper;
};

/// n11 · n00 / (n10 · n01): +inf when only the denominator is zero, NaN when both are. Throws as
/// check_counts().
double sample_odds_ratio(const TwoByTwo& table);

}  // namespace chorale::kernels
