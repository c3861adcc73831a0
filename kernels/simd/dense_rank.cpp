// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/dense_rank_body.hpp"
#include "kernels/simd/vector.hpp"

namespace chorale::kernels::simd::CHORALE_LEVEL {

void value_bounds(const double* values, Index n, double& least, double& greatest) {
  least = greatest = values[0];
  Index i = 0;
  if (n >= 2 * width) {
    Vector low[2] = {load<Vector>(values), load<Vector>(values + width)};
    Vector high[2] = {low[0], low[1]};
    for (; i + 2 * width <= n; i += 2 * width) {
      for (int k = 0; k < 2; ++k) {
        const Vector value = load<Vector>(values + i + k * width);
        low[k] = value < low[k] ? value : low[k];
        high[k] = value > high[k] ? value : high[k];
      }
    }
    const Vector lowest = low[0] < low[1] ? low[0] : low[1];
    greatest = largest(high[0] > high[1] ? high[0] : high[1]);
    least = -largest(-lowest);
  }
  for (; i < n; ++i) {
    least = values[i] < least ? values[i] : least;
    greatest = values[i] > greatest ? values[i] : greatest;
  }
}

void value_shares(const double* values, Index n, double least, double scale, std::uint64_t* share) {
  // scale holds 2^32 and the scaled value stays below 2^52, so it stands in the low bits of 2^52 + value
  constexpr double shift = 4503599627370496.0;
  Index i = 0;
  for (; i + width <= n; i += width) {
    const Vector shifted = (load<Vector>(values + i) - least) * scale + shift;
    const Bits bits = __builtin_bit_cast(Bits, shifted) & 0x000fffffffffffffU;
    __builtin_memcpy(share + i, &bits, sizeof(bits));
  }
  for (; i < n; ++i) {
    const double shifted = (values[i] - least) * scale + shift;
    share[i] = __builtin_bit_cast(std::uint64_t, shifted) & 0x000fffffffffffffU;
  }
}

}  // namespace chorale::kernels::simd::CHORALE_LEVEL
