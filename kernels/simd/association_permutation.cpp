// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/association_permutation_body.hpp"

#include "kernels/simd/vector.hpp"

#if defined(__SSE4_2__)
#include <immintrin.h>
#endif

namespace chorale::kernels::simd::CHORALE_LEVEL {
namespace {

/// 64 counters of 8 bits, one for each bit of a word; full after 255 words.
struct BitCounters {
#if defined(__AVX512BW__)
  __m512i counter = _mm512_setzero_si512();

  void add(std::uint64_t word) {
    counter = _mm512_mask_add_epi8(counter, word, counter, _mm512_set1_epi8(1));
  }
#elif defined(__AVX2__)
  __m256i counter[2] = {};

  void add(std::uint64_t word) {
    // byte j of each half holds bit j: bring the byte of the word that has it, then ask for that bit
    const __m256i low = _mm256_setr_epi64x(0, 0x0101010101010101, 0x0202020202020202, 0x0303030303030303);
    const __m256i high = _mm256_add_epi8(low, _mm256_set1_epi8(4));
    const __m256i one_bit = _mm256_set1_epi64x(static_cast<long long>(0x8040201008040201));
    const __m256i all = _mm256_set1_epi64x(static_cast<long long>(word));
    const __m256i first = _mm256_and_si256(_mm256_shuffle_epi8(all, low), one_bit);
    const __m256i second = _mm256_and_si256(_mm256_shuffle_epi8(all, high), one_bit);
    counter[0] = _mm256_sub_epi8(counter[0], _mm256_cmpeq_epi8(first, one_bit));
    counter[1] = _mm256_sub_epi8(counter[1], _mm256_cmpeq_epi8(second, one_bit));
  }
#elif defined(__SSE4_2__)
  __m128i counter[4] = {};

  void add(std::uint64_t word) {
    // as above, a quarter at a time
    const __m128i one_bit = _mm_set1_epi64x(static_cast<long long>(0x8040201008040201));
    const __m128i all = _mm_cvtsi64_si128(static_cast<long long>(word));
    __m128i bytes = _mm_set_epi64x(0x0101010101010101, 0);
    for (__m128i& sixteen : counter) {
      const __m128i kept = _mm_and_si128(_mm_shuffle_epi8(all, bytes), one_bit);
      sixteen = _mm_sub_epi8(sixteen, _mm_cmpeq_epi8(kept, one_bit));
      bytes = _mm_add_epi8(bytes, _mm_set1_epi8(2));
    }
  }
#else
  std::uint64_t counter[8] = {};

  void add(std::uint64_t word) {
    // a byte into eight: its copies, each with one bit kept, which then carries into bit 7
    for (std::uint64_t& eight : counter) {
      const std::uint64_t kept = ((word & 0xff) * 0x0101010101010101U) & 0x8040201008040201U;
      eight += ((kept + 0x007f7f7f7f7f7f7fU) >> 7) & 0x0101010101010101U;
      word >>= 8;
    }
  }
#endif

  void add_to(std::int32_t* n) const {
    std::uint8_t counts[64];
    __builtin_memcpy(counts, &counter, sizeof(counts));
    for (int b = 0; b < 64; ++b) n[b] += counts[b];
  }
};

}  // namespace

void association_counts(const std::uint64_t* bits, Index stride, Index n_words, const std::uint32_t* patients,
                        Index n, std::int32_t* n_both) {
  constexpr Index most = 255;
  for (Index w = 0; w < n_words; ++w) {
    const std::uint64_t* words = bits + w * stride;
    std::int32_t* counts = n_both + 64 * w;
    for (int b = 0; b < 64; ++b) counts[b] = 0;
    for (Index begin = 0; begin < n; begin += most) {
      const Index end = begin + most < n ? begin + most : n;
      BitCounters counters;
      for (Index k = begin; k < end; ++k) counters.add(words[patients[k]]);
      counters.add_to(counts);
    }
  }
}

void association_extremes(const std::int32_t* n11, const double* expected, const double* per_deviation,
                          Index n, double* least, double* greatest) {
  using Counts = std::int32_t __attribute__((vector_size(vector_bytes / 2)));
  const Vector none{};
  Vector low = none + *least, high = none + *greatest;
  for (Index k = 0; k < n; k += width) {
    Counts counts;
    __builtin_memcpy(&counts, n11 + k, sizeof(counts));
    const Vector z = (__builtin_convertvector(counts, Vector) - load<Vector>(expected + k)) *
                     load<Vector>(per_deviation + k);
    low = z < low ? z : low;
    high = z > high ? z : high;
  }
  *least = -largest(-low);
  *greatest = largest(high);
}

}  // namespace chorale::kernels::simd::CHORALE_LEVEL
