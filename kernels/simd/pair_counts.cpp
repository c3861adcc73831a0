// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/pair_counts_body.hpp"
#include "kernels/simd/vector.hpp"

#if defined(__AVX512F__)
#include <immintrin.h>
#endif

namespace chorale::kernels::simd::CHORALE_LEVEL {
namespace {

// Four rows of a chunk stay in L1 while the columns of a strip stream from L2: 4 · 4 KiB and 64 · 4 KiB.
constexpr Index chunk_words = 512;
constexpr Index strip_columns = 64;
static_assert(chunk_words * 64 < (1 << 16));

struct Chunk {
  const std::uint64_t* row;
  const std::uint64_t* column;
  Index row_stride, column_stride, n_words, pitch;
};

#if defined(__AVX__)

/// Adds bit lanes: sum, a and b of weight 1 become sum of weight 1 and what is returned, of weight 2.
inline Bits carry_of(Bits& sum, Bits a, Bits b) {
#if defined(__AVX512F__)
  const auto s = __builtin_bit_cast(__m512i, sum), x = __builtin_bit_cast(__m512i, a);
  const auto y = __builtin_bit_cast(__m512i, b);
  sum = __builtin_bit_cast(Bits, _mm512_ternarylogic_epi64(s, x, y, 0x96));   // s ^ x ^ y
  return __builtin_bit_cast(Bits, _mm512_ternarylogic_epi64(s, x, y, 0xe8));  // majority
#else
  const Bits half = sum ^ a, both = sum & a;
  sum = half ^ b;
  return both | (half & b);
#endif
}

/// Bits set in each 64-bit lane.
inline Bits count_bits(Bits x) {
  x -= (x >> 1) & 0x5555555555555555U;
  x = (x & 0x3333333333333333U) + ((x >> 2) & 0x3333333333333333U);
  x = (x + (x >> 4)) & 0x0f0f0f0f0f0f0f0fU;
  x += x >> 8;
  x += x >> 16;
  x += x >> 32;
  return x & 0x7fU;
}

inline std::uint64_t sum_lanes(Bits x) {
  std::uint64_t sum = 0;
  for (Index k = 0; k < width; ++k) sum += x[k];
  return sum;
}

inline Bits both(const std::uint64_t* a, const std::uint64_t* b) {
  Bits x, y;
  __builtin_memcpy(&x, a, sizeof(x));
  __builtin_memcpy(&y, b, sizeof(y));
  return x & y;
}

/// Harley and Seal: sixteen vectors are added as bit lanes by fifteen adders before one is counted.
inline std::int32_t count_both(const std::uint64_t* a, const std::uint64_t* b, Index n_words) {
  constexpr Index step = 16 * width;
  Bits ones{}, twos{}, fours{}, eights{}, sixteens{}, total{};
  Index w = 0;
  for (; w + step <= n_words; w += step) {
    const auto pair = [&](Index k) { return both(a + w + k * width, b + w + k * width); };
    const auto two = [&](Index k) { return carry_of(ones, pair(k), pair(k + 1)); };
    const auto four = [&](Index k) {
      const Bits low = two(k);
      return carry_of(twos, low, two(k + 2));
    };
    const auto eight = [&](Index k) {
      const Bits low = four(k);
      return carry_of(fours, low, four(k + 4));
    };
    const Bits low = eight(0);
    sixteens = carry_of(eights, low, eight(8));
    total += count_bits(sixteens);
  }
  total =
      16 * total + 8 * count_bits(eights) + 4 * count_bits(fours) + 2 * count_bits(twos) + count_bits(ones);
  for (; w < n_words; w += width) total += count_bits(both(a + w, b + w));
  return static_cast<std::int32_t>(sum_lanes(total));
}

#else

inline std::int32_t count_both(const std::uint64_t* a, const std::uint64_t* b, Index n_words) {
  std::int32_t sum[4] = {0, 0, 0, 0};  // n_words is a multiple of word_step
  for (Index w = 0; w < n_words; w += 4) {
    for (Index k = 0; k < 4; ++k) sum[k] += __builtin_popcountll(a[w + k] & b[w + k]);
  }
  return sum[0] + sum[1] + sum[2] + sum[3];
}

#endif

struct OneByOne {
  template <int n_rows, int n_columns>
  static void add(const Chunk& at, std::int32_t* count) {
    for (Index r = 0; r < n_rows; ++r) {
      for (Index c = 0; c < n_columns; ++c) {
        count[r * at.pitch + c] +=
            count_both(at.row + r * at.row_stride, at.column + c * at.column_stride, at.n_words);
      }
    }
  }
};

#if defined(__AVX512F__)

/// Sixteen pairs at a time: every loaded vector serves four.
struct WholeVectors {
  template <int n_rows, int n_columns>
  __attribute__((target("avx512vpopcntdq"))) static void add(const Chunk& at, std::int32_t* count) {
    __m512i sum[n_rows][n_columns];
    for (int r = 0; r < n_rows; ++r) {
      for (int c = 0; c < n_columns; ++c) sum[r][c] = _mm512_setzero_si512();
    }
    for (Index w = 0; w < at.n_words; w += 8) {
      __m512i column[n_columns];
      for (int c = 0; c < n_columns; ++c) column[c] = _mm512_load_si512(at.column + c * at.column_stride + w);
      for (int r = 0; r < n_rows; ++r) {
        const __m512i row = _mm512_load_si512(at.row + r * at.row_stride + w);
        for (int c = 0; c < n_columns; ++c)
          sum[r][c] = _mm512_add_epi64(sum[r][c], _mm512_popcnt_epi64(_mm512_and_si512(row, column[c])));
      }
    }
    // a chunk holds at most 2^15 bits, so the sums of four columns fit side by side in one lane
    for (int r = 0; r < n_rows; ++r) {
      Bits packed{};
      for (int c = 0; c < n_columns; ++c) packed |= __builtin_bit_cast(Bits, sum[r][c]) << (16 * c);
      const std::uint64_t four = sum_lanes(packed);
      for (int c = 0; c < n_columns; ++c)
        count[r * at.pitch + c] += static_cast<std::int32_t>((four >> (16 * c)) & 0xffffU);
    }
  }
};

#endif

template <class Body>
void add_four_rows(const Chunk& at, Index n_rows, Index n_columns, std::int32_t* count) {
  if (n_rows == 4 && n_columns == 4) return Body::template add<4, 4>(at, count);
  for (Index r = 0; r < n_rows; ++r) {
    for (Index c = 0; c < n_columns; ++c) {
      Chunk one = at;
      one.row += r * at.row_stride;
      one.column += c * at.column_stride;
      Body::template add<1, 1>(one, count + r * at.pitch + c);
    }
  }
}

template <class Body>
void add_tile(const BitRows& rows, const BitRows& columns, const CountBlock& out) {
  const auto up_to = [](Index n, Index most) { return n < most ? n : most; };
  for (Index w = 0; w < rows.stride; w += chunk_words) {
    const Index n_words = up_to(rows.stride - w, chunk_words);
    for (Index strip = 0; strip < columns.n_rows; strip += strip_columns) {
      const Index strip_end = up_to(strip + strip_columns, columns.n_rows);
      for (Index r = 0; r < rows.n_rows; r += 4) {
        const Index n_rows = up_to(rows.n_rows - r, 4);
        for (Index c = strip; c < strip_end && c < out.lead + r + n_rows - 1; c += 4) {
          const Chunk at{rows.word + r * rows.stride + w,
                         columns.word + c * columns.stride + w,
                         rows.stride,
                         columns.stride,
                         n_words,
                         out.pitch};
          add_four_rows<Body>(at, n_rows, up_to(strip_end - c, 4), out.count + r * out.pitch + c);
        }
      }
    }
  }
}

}  // namespace

void add_and_counts(const BitRows& rows, const BitRows& columns, [[maybe_unused]] bool vpopcntdq,
                    const CountBlock& out) {
#if defined(__AVX512F__)
  if (vpopcntdq) return add_tile<WholeVectors>(rows, columns, out);
#endif
  add_tile<OneByOne>(rows, columns, out);
}

}  // namespace chorale::kernels::simd::CHORALE_LEVEL
