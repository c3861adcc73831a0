// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <bit>
#include <cstdint>

/// Logarithm and exponential that the compiler can put in vectors. Included by the bodies in kernels/simd/
/// only: every function has internal linkage, so that no level's copy can become another's.
namespace chorale::kernels::simd {

/// log x for positive normal x, to 2 units in the last place or 1e-16 near x = 1.
///
///   x = m 2^e, √½ <= m < √2, s = (m − 1)/(m + 1), log x = e log 2 + 2 (s + s³/3 + s⁵/5 + …), |s| <= 0.1716
static inline double fast_log(double x) {
  const auto bits = std::bit_cast<std::int64_t>(x);
  // half an octave down, so that the exponent rounds to the nearest power of two
  const std::int64_t shifted = bits - 0x3fe6a09e667f3bcd;
  const std::int64_t exponent_bits = shifted & static_cast<std::int64_t>(0xfff0000000000000);
  const double m = std::bit_cast<double>(bits - exponent_bits);
  // 2^52 + 2^51 + exponent, read as a double and less its constant, is the exponent as a double
  const std::int64_t exponent = exponent_bits >> 20;  // 2^32 times the exponent
  const double e =
      (std::bit_cast<double>(0x4338000000000000 + exponent) - 6755399441055744.0) * (1.0 / 4294967296.0);
  const double s = (m - 1) / (m + 1);
  const double s2 = s * s;
  double series = 1.0 / 21;
  series = series * s2 + 1.0 / 19;
  series = series * s2 + 1.0 / 17;
  series = series * s2 + 1.0 / 15;
  series = series * s2 + 1.0 / 13;
  series = series * s2 + 1.0 / 11;
  series = series * s2 + 1.0 / 9;
  series = series * s2 + 1.0 / 7;
  series = series * s2 + 1.0 / 5;
  series = series * s2 + 1.0 / 3;
  return e * 0.693147180559945309417 + 2 * (s + s * s2 * series);
}

/// exp x to 2 units in the last place; 0 below −708 and infinite above 709.
///
///   x = k log 2 + r, |r| <= log(2)/2, exp x = 2^k Σ r^j / j!
static inline double fast_exp(double x) {
  const double inside = x < -708 ? -708 : (x > 709 ? 709 : x);
  const double shifted = inside * 1.44269504088896340736 + 6755399441055744.0;  // rounds to whole numbers
  const double k = shifted - 6755399441055744.0;
  const double r = (inside - k * 0x1.62e42fefa0000p-1) - k * 0x1.cf79abc9e3b3ap-40;
  double series = 1.0 / 6227020800.0;
  series = series * r + 1.0 / 479001600.0;
  series = series * r + 1.0 / 39916800.0;
  series = series * r + 1.0 / 3628800.0;
  series = series * r + 1.0 / 362880.0;
  series = series * r + 1.0 / 40320.0;
  series = series * r + 1.0 / 5040.0;
  series = series * r + 1.0 / 720.0;
  series = series * r + 1.0 / 120.0;
  series = series * r + 1.0 / 24.0;
  series = series * r + 1.0 / 6.0;
  series = series * r + 0.5;
  series = series * r + 1.0;
  series = series * r + 1.0;
  // the low bits of shifted hold k; move them to the exponent
  const std::int64_t scale = (std::bit_cast<std::int64_t>(shifted) << 52) + 0x3ff0000000000000;
  const double value = series * std::bit_cast<double>(scale);
  const double low = x < -708 ? 0.0 : value;
  return x > 709 ? __builtin_inf() : low;
}

}  // namespace chorale::kernels::simd
