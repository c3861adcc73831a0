// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/bootstrap_weights_body.hpp"

namespace chorale::kernels::simd::CHORALE_LEVEL {

void poisson_counts(const std::uint64_t* draws, Index n_draws, const std::uint32_t* threshold,
                    std::uint8_t* counts) {
  std::uint32_t least[most_copies];
  for (Index k = 0; k < most_copies; ++k) least[k] = threshold[k];
  constexpr Index block = 64;
  for (Index begin = 0; begin < n_draws; begin += block) {
    const Index n = begin + block < n_draws ? block : n_draws - begin;
    std::uint32_t count[2 * block];
    for (Index i = 0; i < n; ++i) {
      const auto low = static_cast<std::uint32_t>(draws[begin + i]);
      const auto high = static_cast<std::uint32_t>(draws[begin + i] >> 32);
      std::uint32_t of_low = 0, of_high = 0;
#pragma GCC unroll 12
      for (Index k = 0; k < most_copies; ++k) {
        of_low += low >= least[k];
        of_high += high >= least[k];
      }
      count[2 * i] = of_low;
      count[2 * i + 1] = of_high;
    }
    for (Index i = 0; i < 2 * n; ++i) counts[2 * begin + i] = static_cast<std::uint8_t>(count[i]);
  }
}

void interleave_counts(const std::uint8_t* from, Index stride, Index n, std::uint8_t* to) {
  for (Index i = 0; i < n; ++i) {
    for (Index k = 0; k < replicates_together; ++k) to[replicates_together * i + k] = from[k * stride + i];
  }
}

}  // namespace chorale::kernels::simd::CHORALE_LEVEL
