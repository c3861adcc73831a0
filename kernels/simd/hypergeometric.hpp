// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include "kernels/simd/vector.hpp"

/// The hypergeometric distribution of kernels/hypergeometric.hpp for one 2x2 table per lane. As with
/// vector.hpp, included by the bodies in kernels/simd/ only, and every function has internal linkage.
namespace chorale::kernels::simd {
namespace {

struct Cells {
  Vector n11, n10, n01, n00;
};

inline Vector smaller(Vector x, Vector y) {
  return x < y ? x : y;
}

inline Vector larger(Vector x, Vector y) {
  return x < y ? y : x;
}

inline Cells selected(Truth first, const Cells& x, const Cells& y) {
  return {first ? x.n11 : y.n11, first ? x.n10 : y.n10, first ? x.n01 : y.n01, first ? x.n00 : y.n00};
}

/// Lanes that are marked become a table with which nothing goes wrong.
inline Cells replaced(Truth marked, const Cells& cells) {
  const Vector one = Vector{} + 1.0;
  return selected(marked, {one, one, one, one}, cells);
}

/// An empty margin: n11 has one possible value.
inline Truth one_outcome(const Cells& t) {
  return larger(smaller(t.n11, t.n00), smaller(t.n10, t.n01)) == Vector{};
}

/// f(n11 + 1) >= f(n11): n11 lies below the mode, of two equals the larger one.
inline Truth below_mode(const Cells& t) {
  return t.n10 * t.n01 >= (t.n11 + 1.0) * (t.n00 + 1.0);
}

/// Columns exchanged where n11 lies below the mode, so that it lies at or above it.
inline Cells turned_upwards(const Cells& t) {
  return selected(below_mode(t), {t.n10, t.n11, t.n00, t.n01}, t);
}

/// Four neighbours' probabilities, relative to the observed one.
struct Four {
  Vector term[4];
};

/// A walk along the outcomes, four at a time with one division. f(y + 1) / f(y) is the product of the two
/// cells that fall over that of the two that rise, after the step; at the end of the range a falling cell is
/// 0, and so is every term from there on.
struct Steps {
  Vector falling1, falling2, rising1, rising2, term;

  inline Four four() { return four(Vector{} + 1.0); }

  /// The same where each step is also multiplied by `odds`.
  inline Four four(Vector odds) {
    const Vector a1 = falling1 * falling2, a2 = (falling1 - 1.0) * (falling2 - 1.0);
    const Vector a3 = (falling1 - 2.0) * (falling2 - 2.0), a4 = (falling1 - 3.0) * (falling2 - 3.0);
    const Vector b1 = (rising1 + 1.0) * (rising2 + 1.0), b2 = (rising1 + 2.0) * (rising2 + 2.0);
    const Vector b3 = (rising1 + 3.0) * (rising2 + 3.0), b4 = (rising1 + 4.0) * (rising2 + 4.0);
    const Vector b34 = b3 * b4, b234 = b2 * b34;
    const Vector inverse = odds / (b1 * b234);
    const Vector a12 = a1 * (a2 * odds), a123 = a12 * (a3 * odds);
    const Four result{term * (inverse * (a1 * b234)), term * (inverse * (a12 * b34)),
                      term * (inverse * (a123 * b4)), term * (inverse * (a123 * (a4 * odds)))};
    advance(result.term[3]);
    return result;
  }

  /// a1/b1 (1 + a2/b2 (1 + a3/b3 (1 + a4/b4)))
  inline Vector sum_of_four() {
    const Vector a1 = falling1 * falling2, a2 = (falling1 - 1.0) * (falling2 - 1.0);
    const Vector a3 = (falling1 - 2.0) * (falling2 - 2.0), a4 = (falling1 - 3.0) * (falling2 - 3.0);
    const Vector b1 = (rising1 + 1.0) * (rising2 + 1.0), b2 = (rising1 + 2.0) * (rising2 + 2.0);
    const Vector b3 = (rising1 + 3.0) * (rising2 + 3.0), b4 = (rising1 + 4.0) * (rising2 + 4.0);
    const Vector b34 = b3 * b4;
    const Vector inverse = 1.0 / (b1 * b2 * b34);
    const Vector sum = term * (inverse * (a1 * (b2 * b34 + a2 * (b34 + a3 * (b4 + a4)))));
    advance(term * (inverse * (a1 * a2 * (a3 * a4))));
    return sum;
  }

 private:
  inline void advance(Vector last) {
    falling1 -= 4.0;
    falling2 -= 4.0;
    rising1 += 4.0;
    rising2 += 4.0;
    term = last;
  }
};

inline Steps steps_up(const Cells& t) {
  return {t.n10, t.n01, t.n11, t.n00, Vector{} + 1.0};
}

inline Steps steps_down(const Cells& t) {
  return {t.n11, t.n00, t.n10, t.n01, Vector{} + 1.0};
}

/// √x to 6 %, for guesses only.
inline Vector rough_root(Vector x) {
  return __builtin_bit_cast(Vector, (__builtin_bit_cast(Bits, x) >> 1) + 0x1ff7a00000000000U);
}

/// How far n11 lies above its mean, also in standard deviations, and how many terms its upper tail has,
/// about.
struct Spread {
  Vector above, z_squared, tail;
};

inline Spread spread_of(const Cells& t) {
  const Vector row1 = t.n11 + t.n10, row2 = t.n01 + t.n00, col1 = t.n11 + t.n01, col2 = t.n10 + t.n00;
  const Vector total = row1 + row2;
  const Vector per_total = 1.0 / total;
  // exact as long as n11 n00 < 2^53
  const Vector above = (t.n11 * t.n00 - t.n10 * t.n01) * per_total;
  const Vector variance = (row1 * per_total) * (row2 * per_total) * (col1 * per_total) * col2;
  const Vector z_squared = above * above / variance;
  // from z to where the density has fallen by e^-42
  const Vector sd = rough_root(variance);
  const Vector tail = 84.0 * sd / (rough_root(z_squared) + rough_root(z_squared + 84.0));
  return {above, z_squared, tail};
}

/// δ(n) of kernels/stirling.hpp for n = 0 … 15, with δ(0) = 0.
constexpr double small_stirling_errors[16] = {
    0,
    0.08106146679532726,
    0.0413406959554093,
    0.02767792568499834,
    0.020790672103765093,
    0.016644691189821193,
    0.013876128823070748,
    0.01189670994589177,
    0.010411265261972096,
    0.009255462182712733,
    0.00833056343336287,
    0.007573675487951841,
    0.00694284010720953,
    0.006408994188004207,
    0.0059513701127588475,
    0.005554733551962801,
};

/// δ(n), of n and 1/n.
inline Vector stirling_error(Vector n, Vector u) {
  const Vector u2 = u * u;
  Vector error =
      u * (1.0 / 12 -
           u2 * (1.0 / 360 -
                 u2 * (1.0 / 1260 -
                       u2 * (1.0 / 1680 - u2 * (1.0 / 1188 - u2 * (691.0 / 360360 - u2 * (1.0 / 156)))))));
  if (any(n < 16.0)) {
    const Vector index = smaller(n, Vector{} + 15.0);
    Vector tabled{};
    for (Index k = 0; k < width; ++k) tabled[k] = small_stirling_errors[static_cast<Index>(index[k])];
    error = n < 16.0 ? tabled : error;
  }
  return error;
}

/// x log(x/m) + m - x, of x, x - m, m, and x/m to a few units in the last place.
///
///   x/m = 2^e r, s = (r - 1)/(r + 1); e = 0: s = (x - m)/(x + m) and (x - m) s + 2x (artanh(s) - s)
inline Vector deviance(Vector x, Vector difference, Vector m, Vector quotient) {
  const Binary<Vector> parts = binary(quotient);
  const Truth near = parts.e == Vector{};
  const Vector above = near ? difference : parts.m - 1.0, below = near ? x + m : parts.m + 1.0;
  const Vector s = above / below;
  const Vector s2 = s * s;
  const Vector rest = 2.0 * s * s2 * artanh_rest(s2);
  const Vector far = x * (parts.e * 0.693147180559945309417 + 2.0 * s + rest) - difference;
  return near ? difference * s + x * rest : far;
}

/// log f(n11), of the cells and of n11 less its mean; as Hypergeometric::log_density. No margin may be empty.
inline Vector log_density(const Cells& t, Vector above) {
  const Vector row1 = t.n11 + t.n10, row2 = t.n01 + t.n00, col1 = t.n11 + t.n01, col2 = t.n10 + t.n00;
  const Vector total = row1 + row2;
  const Vector rows = row1 * row2, cols = col1 * col2;
  const Vector per_total = 1.0 / total, per_margins = 1.0 / (rows * cols);
  const Vector per_row1 = per_margins * cols * row2, per_row2 = per_margins * cols * row1;
  const Vector per_col1 = per_margins * rows * col2, per_col2 = per_margins * rows * col1;
  // Stirling's root for n! is √(2πn), and 1 for 0!
  const auto under_root = [](Vector n) { return n > 0.0 ? n : Vector{} + 0.159154943091895335769; };
  const Vector u11 = under_root(t.n11), u10 = under_root(t.n10), u01 = under_root(t.n01),
               u00 = under_root(t.n00);
  const Vector u1 = u11 * u10, u0 = u01 * u00;
  const Vector per_cells = 1.0 / (u1 * u0);
  const Vector per_u1 = per_cells * u0, per_u0 = per_cells * u1;

  const Vector errors = stirling_error(row1, per_row1) + stirling_error(row2, per_row2) +
                        stirling_error(col1, per_col1) + stirling_error(col2, per_col2) -
                        stirling_error(total, per_total) -
                        (stirling_error(t.n11, per_u1 * u10) + stirling_error(t.n10, per_u1 * u11) +
                         stirling_error(t.n01, per_u0 * u00) + stirling_error(t.n00, per_u0 * u01));
  const Vector below = Vector{} - above;
  const auto deviance_of = [&](Vector n, Vector difference, Vector row, Vector col, Vector per_row,
                               Vector per_col) {
    return deviance(n, difference, row * col * per_total, n * total * per_row * per_col);
  };
  const Vector deviances = deviance_of(t.n11, above, row1, col1, per_row1, per_col1) +
                           deviance_of(t.n10, below, row1, col2, per_row1, per_col2) +
                           deviance_of(t.n01, below, row2, col1, per_row2, per_col1) +
                           deviance_of(t.n00, above, row2, col2, per_row2, per_col2);
  const Vector root = 0.159154943091895335769 * per_total * per_cells * rows * cols;
  return 0.5 * log_of(root) + errors - deviances;
}

}  // namespace
}  // namespace chorale::kernels::simd
