// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include "kernels/simd/single.hpp"

/// Between single precision and sums in double precision. Included by bodies in kernels/simd/ only, as vector.hpp.
namespace chorale::kernels::simd {

using Half = float __attribute__((vector_size(vector_bytes / 2)));

/// To double precision; compilers convert half a vector at a time.
static inline Vector in_double(const float* from) {
#if defined(__AVX512F__)
  __m256 x;
  __builtin_memcpy(&x, from, sizeof(x));
  return __builtin_bit_cast(Vector, _mm512_maskz_cvtps_pd(0xff, x));
#else
  Half x;
  __builtin_memcpy(&x, from, sizeof(x));
  return __builtin_convertvector(x, Vector);
#endif
}

/// to[lane] += value.
static inline void add_double(double* to, Vector value) {
  store_lanes(to, load_lanes(to) + value);
}
static inline void add_double(double* to, Single value) {
  float lanes[lane_width<float>];
  store_lanes(lanes, value);
  add_double(to, in_double(lanes));
  add_double(to + width, in_double(lanes + width));
}

template <class Real>
static inline typename LaneVector<Real>::Type from_double(const double* from) {
  if constexpr (sizeof(Real) == 8) {
    return load_lanes(from);
  } else {
    const Half halves[2] = {__builtin_convertvector(load_lanes(from), Half),
                            __builtin_convertvector(load_lanes(from + width), Half)};
    Single value;
    __builtin_memcpy(&value, halves, sizeof(value));
    return value;
  }
}

}  // namespace chorale::kernels::simd
