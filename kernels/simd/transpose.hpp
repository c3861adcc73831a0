// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <utility>

#include "kernels/simd/vector.hpp"

/// `width` vectors as a square of numbers. Included by bodies in kernels/simd/ only, as vector.hpp.
namespace chorale::kernels::simd {

/// Of a, the lanes whose bit `step` is not set, and between them the same of b; `step` lanes on where `later`.
template <Index step, bool later, Index... k>
static inline Vector interleave(Vector a, Vector b, std::integer_sequence<Index, k...>) {
  return __builtin_shufflevector(a, b, ((k / step % 2 == 0 ? k : k - step + width) + (later ? step : 0))...);
}

template <Index step>
static inline void exchange(Vector* rows) {
  constexpr std::make_integer_sequence<Index, width> all;
#pragma GCC unroll 8
  for (Index r = 0; r < width; ++r) {
    if (r / step % 2 != 0) continue;
    const Vector a = rows[r], b = rows[r + step];
    rows[r] = interleave<step, false>(a, b, all);
    rows[r + step] = interleave<step, true>(a, b, all);
  }
}

/// Lane k of row r becomes lane r of row k.
static inline void transpose(Vector* rows) {
  exchange<1>(rows);
  if constexpr (width > 2) exchange<2>(rows);
  if constexpr (width > 4) exchange<4>(rows);
}

template <Index step>
static inline void add_pairs(Vector* rows) {
  constexpr std::make_integer_sequence<Index, width> all;
#pragma GCC unroll 8
  for (Index r = 0; r < width / (2 * step); ++r) {
    const Vector a = rows[2 * r], b = rows[2 * r + 1];
    rows[r] = interleave<step, false>(a, b, all) + interleave<step, true>(a, b, all);
  }
}

/// Lane r holds the sum of row r's lanes, added pair by pair.
static inline Vector sums_of_rows(Vector* rows) {
  add_pairs<1>(rows);
  if constexpr (width > 2) add_pairs<2>(rows);
  if constexpr (width > 4) add_pairs<4>(rows);
  return rows[0];
}

}  // namespace chorale::kernels::simd
