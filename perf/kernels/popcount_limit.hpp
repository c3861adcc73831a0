// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include "kernels/types.hpp"

#ifdef __x86_64__
#include <immintrin.h>
#endif

/// How fast this machine can AND two vectors, count the bits and add them up when nothing is loaded or
/// stored: the limit that the dense tile of pair counts is held against.
namespace chorale::kernels {

#ifdef __x86_64__

inline bool can_popcount_in_registers() {
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vpopcntdq");
}

/// Does n_words words; twelve sums hide the latency of each. The assembly keeps the compiler from doing less.
__attribute__((target("avx512f,avx512vpopcntdq"))) inline Index and_popcount_in_registers(Index n_words) {
  constexpr Index n_sums = 12;
  __m512i sum[n_sums];
#pragma GCC unroll 12
  for (Index k = 0; k < n_sums; ++k) sum[k] = _mm512_setzero_si512();
  const __m512i a = _mm512_set1_epi64(0x0f1e2d3c4b5a6978), b = _mm512_set1_epi64(0x00ff00ff00ff00ff);
  for (Index w = 0; w < n_words; w += 8 * n_sums) {
#pragma GCC unroll 12
    for (Index k = 0; k < n_sums; ++k) {
      __m512i x;
      asm volatile(
          "vpandq %2, %3, %0\n\t"
          "vpopcntq %0, %0\n\t"
          "vpaddq %0, %1, %1"
          : "=&v"(x), "+v"(sum[k])
          : "v"(a), "v"(b));
    }
  }
  Index total = 0;
#pragma GCC unroll 12
  for (Index k = 0; k < n_sums; ++k) {
    long long lane[8];
    _mm512_storeu_si512(lane, sum[k]);
    for (const long long n : lane) total += n;
  }
  return total;
}

#else

inline bool can_popcount_in_registers() {
  return false;
}
inline Index and_popcount_in_registers(Index) {
  return 0;
}

#endif

}  // namespace chorale::kernels
