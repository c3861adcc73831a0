// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include "kernels/simd/vector.hpp"

/// Rows of covariates times many vectors of coefficients that lie side by side, one lane each; in single or double
/// precision. Included by bodies in kernels/simd/ only, as vector.hpp.
namespace chorale::kernels::simd {

template <class Real>
struct LaneVector;
template <>
struct LaneVector<double> {
  using Type = Vector;
  using Bytes = std::uint8_t __attribute__((vector_size(vector_bytes / 8)));  ///< one for each lane
  using Whole = std::int32_t __attribute__((vector_size(vector_bytes / 2)));
};
template <>
struct LaneVector<float> {
  using Type = float __attribute__((vector_size(vector_bytes)));
  using Bytes = std::uint8_t __attribute__((vector_size(vector_bytes / 4)));
  using Whole = std::int32_t __attribute__((vector_size(vector_bytes)));
};

template <class Real>
inline constexpr Index lane_width = vector_bytes / static_cast<Index>(sizeof(Real));

#if defined(__AVX512F__)
inline constexpr Index accumulators = 16;
#else
inline constexpr Index accumulators = 8;
#endif

template <class Real>
static inline typename LaneVector<Real>::Type load_lanes(const Real* from) {
  typename LaneVector<Real>::Type value;
  __builtin_memcpy(&value, from, sizeof(value));
  return value;
}

template <class Real>
static inline void store_lanes(Real* to, typename LaneVector<Real>::Type value) {
  __builtin_memcpy(to, &value, sizeof(value));
}

/// to[r][lane] = Σ_j x[r · n_columns + j] beta[j][lane] for n_rows rows of `lanes` lanes; n_rows a multiple of 8.
template <Index lanes, class Real>
static inline void lane_products(const Real* x, Index n_rows, Index n_columns, const Real* beta, Real* to) {
  using V = typename LaneVector<Real>::Type;
  constexpr Index w = lane_width<Real>;
  constexpr Index strip = lanes / w < 4 ? lanes / w : 4, rows = accumulators / strip;
  static_assert(lanes % (strip * w) == 0 && 8 % rows == 0);
  for (Index row = 0; row < n_rows; row += rows) {
    for (Index lane = 0; lane < lanes; lane += strip * w) {
      V sums[rows][strip] = {};
      for (Index j = 0; j < n_columns; ++j) {
        V b[strip];
        for (Index s = 0; s < strip; ++s) b[s] = load_lanes(beta + j * lanes + lane + s * w);
        for (Index r = 0; r < rows; ++r) {
          const Real value = x[(row + r) * n_columns + j];
          for (Index s = 0; s < strip; ++s) sums[r][s] += value * b[s];
        }
      }
      for (Index r = 0; r < rows; ++r) {
        for (Index s = 0; s < strip; ++s) store_lanes(to + (row + r) * lanes + lane + s * w, sums[r][s]);
      }
    }
  }
}

}  // namespace chorale::kernels::simd
