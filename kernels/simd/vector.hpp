// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <cstdint>

#if defined(__SSE2__)
#include <immintrin.h>
#endif

#include "kernels/types.hpp"

/// The widest vector of doubles that the level has, as GCC and Clang offer them: operators work by lane.
/// Included by the bodies in kernels/simd/ only. Every function has internal linkage, so that no level's copy
/// can become another's; templates take a Vector or a double.
namespace chorale::kernels::simd {

#if defined(__AVX512F__)
inline constexpr int vector_bytes = 64;
#elif defined(__AVX__)
inline constexpr int vector_bytes = 32;
#else
inline constexpr int vector_bytes = 16;
#endif
inline constexpr Index width = vector_bytes / 8;

using Vector = double __attribute__((vector_size(vector_bytes)));
using Bits = std::uint64_t __attribute__((vector_size(vector_bytes)));
using Truth = decltype(Vector{} < Vector{});  ///< all bits of a lane set where a comparison holds

template <class V>
struct BitsOf {
  using Type = Bits;
};
template <>
struct BitsOf<double> {
  using Type = std::uint64_t;
};

template <class V>
static inline V load(const double* from) {
  V value;
  __builtin_memcpy(&value, from, sizeof(V));
  return value;
}

template <class V>
static inline void store(double* to, V value) {
  __builtin_memcpy(to, &value, sizeof(V));
}

/// Brings n numbers into the first cache: columns are read in turn, a block each, which no hardware foresees.
static inline void ask_for(const double* from, Index n) {
  constexpr Index line = 8;
  for (Index i = 0; i < n; i += line) __builtin_prefetch(from + i);
}

static inline double sum(double value) {
  return value;
}

/// Lanes added pair by pair.
static inline double sum(Vector value) {
  double lane[width];
  __builtin_memcpy(lane, &value, sizeof(value));
  for (Index step = width / 2; step > 0; step /= 2) {
    for (Index k = 0; k < step; ++k) lane[k] += lane[k + step];
  }
  return lane[0];
}

static inline double largest(Vector value) {
  double most = value[0];
  for (Index k = 1; k < width; ++k) most = value[k] > most ? value[k] : most;
  return most;
}

/// Whether any lane of a comparison holds.
static inline bool any(Truth lanes) {
#if defined(__AVX512DQ__)
  return _mm512_movepi64_mask(__builtin_bit_cast(__m512i, lanes)) != 0;
#elif defined(__AVX__)
  return _mm256_movemask_pd(__builtin_bit_cast(__m256d, lanes)) != 0;
#elif defined(__SSE2__)
  return _mm_movemask_pd(__builtin_bit_cast(__m128d, lanes)) != 0;
#else
  bool found = false;
  for (Index k = 0; k < width; ++k) found = found || lanes[k] != 0;
  return found;
#endif
}

static inline Vector root_of(Vector x) {
#if defined(__AVX512F__)
  return __builtin_bit_cast(Vector, _mm512_maskz_sqrt_pd(0xff, __builtin_bit_cast(__m512d, x)));
#elif defined(__AVX__)
  return __builtin_bit_cast(Vector, _mm256_sqrt_pd(__builtin_bit_cast(__m256d, x)));
#elif defined(__SSE2__)
  return __builtin_bit_cast(Vector, _mm_sqrt_pd(__builtin_bit_cast(__m128d, x)));
#else
  for (Index k = 0; k < width; ++k) x[k] = __builtin_sqrt(x[k]);
  return x;
#endif
}

/// x = m 2^e, √½ <= m < √2, for positive normal x.
template <class V>
struct Binary {
  V m, e;
};

template <class V>
static inline Binary<V> binary(V x) {
  using B = typename BitsOf<V>::Type;
  const B bits = __builtin_bit_cast(B, x);
  // bits above those of √½, biased to stay positive: their exponent is that of the nearest power of two
  const B biased_exponent = (bits - 0x3fe6a09e667f3bcdU + 0x3ff0000000000000U) >> 52;
  const V m = __builtin_bit_cast(V, bits - (biased_exponent << 52) + 0x3ff0000000000000U);
  // whole numbers below 2^52 stand in the low bits of 2^52 + number
  const V e = __builtin_bit_cast(V, biased_exponent | 0x4330000000000000U) - (4503599627370496.0 + 1023);
  return {m, e};
}

/// (artanh(s) − s) / s³ = 1/3 + s²/5 + s⁴/7 + …, for |s| <= 0.1716, of s².
template <class V>
static inline V artanh_rest(V s2) {
  const V s4 = s2 * s2;
  const V even = ((((1.0 / 19) * s4 + 1.0 / 15) * s4 + 1.0 / 11) * s4 + 1.0 / 7) * s4 + 1.0 / 3;
  const V odd = ((((1.0 / 21) * s4 + 1.0 / 17) * s4 + 1.0 / 13) * s4 + 1.0 / 9) * s4 + 1.0 / 5;
  return even + s2 * odd;
}

/// log x for positive normal x, to 2 units in the last place or 1e-16 near x = 1.
///
///   x = m 2^e, s = (m − 1)/(m + 1), log x = e log 2 + 2 artanh(s), |s| <= 0.1716
template <class V>
static inline V log_of(V x) {
  const Binary<V> parts = binary(x);
  const V s = (parts.m - 1.0) / (parts.m + 1.0);
  const V s2 = s * s;
  return parts.e * 0.693147180559945309417 + 2.0 * (s + s * s2 * artanh_rest(s2));
}

/// exp x to 2 units in the last place; e^−708 below −708, e^709 above 709.
///
///   x = k log 2 + r, |r| <= log(2)/2, exp x = 2^k Σ r^j / j!
template <class V>
static inline V exp_of(V x) {
  using B = typename BitsOf<V>::Type;
  const V floor = V{} - 708.0, ceiling = V{} + 709.0;
  const V above = x < floor ? floor : x;
  const V inside = above > ceiling ? ceiling : above;
  const V shifted = inside * 1.44269504088896340736 + 6755399441055744.0;  // rounds to whole numbers
  const V k = shifted - 6755399441055744.0;
  const V r = (inside - k * 0x1.62e42fefa0000p-1) - k * 0x1.cf79abc9e3b3ap-40;
  V series = r * (1.0 / 6227020800.0) + 1.0 / 479001600.0;
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
  const B scale = (__builtin_bit_cast(B, shifted) << 52) + 0x3ff0000000000000U;
  return series * __builtin_bit_cast(V, scale);
}

}  // namespace chorale::kernels::simd
