// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include "kernels/simd/lane_tiles.hpp"

/// Vectors of single precision. Included by bodies in kernels/simd/ only, as vector.hpp.
namespace chorale::kernels::simd {

using Single = LaneVector<float>::Type;

/// exp x to 2 units in the last place, e^-87 below -87, e^88 above 88; see exp_of.
static inline Single exp_lanes(Single x) {
  using Words = std::uint32_t __attribute__((vector_size(vector_bytes)));
  const Single floor = Single{} - 87.0f, ceiling = Single{} + 88.0f;
  const Single above = x < floor ? floor : x;
  const Single inside = above > ceiling ? ceiling : above;
  const Single shifted = inside * 1.44269504f + 12582912.0f;
  const Single k = shifted - 12582912.0f;
  const Single r = (inside - k * 0x1.62e4p-1f) - k * 0x1.7f7d1cp-20f;
  Single series = Single{} + 1.0f / 720;
  series = series * r + 1.0f / 120;
  series = series * r + 1.0f / 24;
  series = series * r + 1.0f / 6;
  series = series * r + 0.5f;
  series = series * r + 1.0f;
  series = series * r + 1.0f;
  const Words scale = (__builtin_bit_cast(Words, shifted) + 127U) << 23;
  return series * __builtin_bit_cast(Single, scale);
}

static inline Vector exp_lanes(Vector x) {
  return exp_of(x);
}

}  // namespace chorale::kernels::simd
