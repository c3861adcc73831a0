// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/draw_many_body.hpp"
#include "kernels/simd/vector.hpp"

#if defined(__SSE4_2__)
#include <immintrin.h>
#endif

namespace chorale::kernels::simd::CHORALE_LEVEL {
namespace {

/// Products of the low halves of each lane.
Bits multiply_halves(Bits a, Bits b) {
#if defined(__AVX512F__)
  return (Bits)_mm512_maskz_mul_epu32(0xff, (__m512i)a, (__m512i)b);  // GCC 12 warns of the plain one
#elif defined(__AVX2__)
  return (Bits)_mm256_mul_epu32((__m256i)a, (__m256i)b);
#elif defined(__SSE4_2__)
  return (Bits)_mm_mul_epu32((__m128i)a, (__m128i)b);
#else
  return (a & 0xffffffffU) * (b & 0xffffffffU);
#endif
}

}  // namespace

void philox_blocks(std::uint64_t seed, std::uint32_t stream, std::uint64_t item, std::uint32_t first,
                   Index n_blocks, std::uint64_t* bits) {
  const Bits none{};
  const Bits multiplier0 = none + 0xD2511F53U, multiplier1 = none + 0xCD9E8D57U;
  Bits lane{};
  for (Index k = 0; k < width; ++k) lane[k] = static_cast<std::uint64_t>(k);
  for (Index b = 0; b < n_blocks; b += width) {
    // one word in the low half of each lane; what stands in the high half does not matter
    Bits word0 = lane + (first + static_cast<std::uint64_t>(b));
    Bits word1 = none + stream, word2 = none + item, word3 = none + (item >> 32);
    std::uint32_t key0 = static_cast<std::uint32_t>(seed), key1 = static_cast<std::uint32_t>(seed >> 32);
    for (int round = 0; round < 10; ++round) {
      const Bits product0 = multiply_halves(multiplier0, word0);
      const Bits product1 = multiply_halves(multiplier1, word2);
      word0 = (product1 >> 32) ^ word1 ^ (none + key0);
      word2 = (product0 >> 32) ^ word3 ^ (none + key1);
      word1 = product1;
      word3 = product0;
      key0 += 0x9E3779B9U;
      key1 += 0xBB67AE85U;
    }
    const Bits even = (word0 & 0xffffffffU) | (word1 << 32), odd = (word2 & 0xffffffffU) | (word3 << 32);
    for (Index k = 0; k < width; ++k) {
      bits[2 * (b + k)] = even[k];
      bits[2 * (b + k) + 1] = odd[k];
    }
  }
}

}  // namespace chorale::kernels::simd::CHORALE_LEVEL
