// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/cox_path_wide_body.hpp"
#include "kernels/simd/single.hpp"

namespace chorale::kernels::simd::CHORALE_LEVEL {
namespace {

/// Lanes added half by half.
float sum_of(Single value) {
#if defined(__AVX512F__)
  const auto eight = __builtin_shufflevector(value, value, 0, 1, 2, 3, 4, 5, 6, 7) +
                     __builtin_shufflevector(value, value, 8, 9, 10, 11, 12, 13, 14, 15);
  const auto four =
      __builtin_shufflevector(eight, eight, 0, 1, 2, 3) + __builtin_shufflevector(eight, eight, 4, 5, 6, 7);
#elif defined(__AVX__)
  const auto four =
      __builtin_shufflevector(value, value, 0, 1, 2, 3) + __builtin_shufflevector(value, value, 4, 5, 6, 7);
#else
  const auto four = value;
#endif
  return (four[0] + four[2]) + (four[1] + four[3]);
}

using Whole = std::int32_t __attribute__((vector_size(vector_bytes)));
using Short = std::int16_t __attribute__((vector_size(vector_bytes)));
using HalfShort = std::uint16_t __attribute__((vector_size(vector_bytes / 2)));
constexpr Index short_width = vector_bytes / 2, block_panels = 64, block_rows = block_panels * panel_rows,
                block_step = block_rows + 32;  // columns do not meet in the same sets of a cache
constexpr int side = 4;                        // columns of a square of products
static_assert(Index{gram_limit} * gram_limit * block_rows < Index{1} << 31);

Short load_short(const std::int16_t* from) {
  Short value;
  __builtin_memcpy(&value, from, sizeof(value));
  return value;
}

/// sum += pairs of neighbouring products. With `fused` by one instruction that level v4 alone does not promise.
template <bool fused>
void add_products(Whole& sum, Short a, Short b) {
#if defined(__AVX512BW__)
  if constexpr (fused) {
    asm("vpdpwssd %2, %1, %0" : "+v"(sum) : "v"(a), "v"(b));
  } else {
    sum += __builtin_bit_cast(Whole, _mm512_maskz_madd_epi16(0xffff, __builtin_bit_cast(__m512i, a),
                                                             __builtin_bit_cast(__m512i, b)));
  }
#elif defined(__AVX2__)
  sum += __builtin_bit_cast(
      Whole, _mm256_madd_epi16(__builtin_bit_cast(__m256i, a), __builtin_bit_cast(__m256i, b)));
#elif defined(__SSE2__)
  sum += __builtin_bit_cast(Whole,
                            _mm_madd_epi16(__builtin_bit_cast(__m128i, a), __builtin_bit_cast(__m128i, b)));
#else
  for (Index k = 0; k < vector_bytes / 4; ++k) sum[k] += a[2 * k] * b[2 * k] + a[2 * k + 1] * b[2 * k + 1];
#endif
}

bool has_fused() {
#if defined(__AVX512BW__)
  return __builtin_cpu_supports("avx512vnni");
#else
  return false;
#endif
}

#if defined(__AVX512BW__)
/// Sums of the lanes of sixteen vectors, by adding halves of two at a time.
[[gnu::always_inline]] inline Whole sums_of(const Whole (&of)[16]) {
  Whole eight[8], four[4], two[2];
  CHORALE_UNROLL for (int k = 0; k < 8; ++k) eight[k] =
      __builtin_shufflevector(of[k], of[k + 8], 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23) +
      __builtin_shufflevector(of[k], of[k + 8], 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31);
  CHORALE_UNROLL for (int k = 0; k < 4; ++k) four[k] =
      __builtin_shufflevector(eight[k], eight[k + 4], 0, 1, 2, 3, 16, 17, 18, 19, 8, 9, 10, 11, 24, 25, 26,
                              27) +
      __builtin_shufflevector(eight[k], eight[k + 4], 4, 5, 6, 7, 20, 21, 22, 23, 12, 13, 14, 15, 28, 29, 30,
                              31);
  CHORALE_UNROLL for (int k = 0; k < 2; ++k) two[k] =
      __builtin_shufflevector(four[k], four[k + 2], 0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28,
                              29) +
      __builtin_shufflevector(four[k], four[k + 2], 2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30,
                              31);
  return __builtin_shufflevector(two[0], two[1], 0, 16, 2, 18, 4, 20, 6, 22, 8, 24, 10, 26, 12, 28, 14, 30) +
         __builtin_shufflevector(two[0], two[1], 1, 17, 3, 19, 5, 21, 7, 23, 9, 25, 11, 27, 13, 29, 15, 31);
}
#else
std::int32_t sum_of(Whole value) {
  std::int32_t lane[vector_bytes / 4];
  __builtin_memcpy(lane, &value, sizeof(value));
  for (Index step = vector_bytes / 8; step > 0; step /= 2) {
    for (Index k = 0; k < step; ++k) lane[k] += lane[k + step];
  }
  return lane[0];
}
#endif

/// found[a, b] += x_a' y_b of `side` columns each and n values, whole numbers below 2^53.
template <bool fused>
void square(const std::int16_t* const* left, const std::int16_t* const* right, Index n, double* found) {
  Whole sums[side * side] = {};
  for (Index i = 0; i < n; i += short_width) {
    Short y[side];
    CHORALE_UNROLL for (int a = 0; a < side; ++a) y[a] = load_short(left[a] + i);
    CHORALE_UNROLL for (int b = 0; b < side; ++b) {
      const Short x = load_short(right[b] + i);
      CHORALE_UNROLL for (int a = 0; a < side; ++a) add_products<fused>(sums[a * side + b], y[a], x);
    }
  }
#if defined(__AVX512BW__)
  std::int32_t total[side * side];
  const Whole all = sums_of(sums);
  __builtin_memcpy(total, &all, sizeof(total));
  for (int k = 0; k < side * side; ++k) found[k] += total[k];
#else
  for (int k = 0; k < side * side; ++k) found[k] += sum_of(sums[k]);
#endif
}

/// found[square of columns] += products of n values; columns lie block_step apart.
template <bool fused>
void all_squares(const std::int16_t* x, Index n_columns, Index n, double* found) {
  const auto column = [&](Index c) { return x + (c < n_columns ? c : n_columns - 1) * block_step; };
  for (Index a = 0; a < n_columns; a += side) {
    for (Index b = a; b < n_columns; b += side) {
      const std::int16_t *left[side], *right[side];  // beyond the last column its copies, left out later
      for (int k = 0; k < side; ++k) {
        left[k] = column(a + k);
        right[k] = column(b + k);
      }
      square<fused>(left, right, n, found);
      found += side * side;
    }
  }
}

/// Rows of one panel that share a bin, with risks and parts, 0 for the others.
struct Piece {
  alignas(64) float risk[panel_rows];
  alignas(64) float part[panel_rows];
  Index panel;
  std::int32_t bin;
  bool ends;  ///< its sums are complete
};

Index cut(const WideGram& gram, Index begin, Index end, Piece* pieces) {
  Index n = 0;
  for (Index p = begin; p < end; ++p) {
    for (Index r = 0; r < panel_rows;) {
      const Index row = p * panel_rows;
      Piece& piece = pieces[n++];
      piece = Piece{};
      piece.panel = p;
      piece.bin = gram.bin[row + r];
      for (; r < panel_rows && gram.bin[row + r] == piece.bin; ++r) {
        piece.risk[r] = gram.risk[row + r];
        piece.part[r] = gram.part[row + r];
      }
      if (n > 1) pieces[n - 2].ends = pieces[n - 2].bin != piece.bin;
    }
  }
  pieces[n - 1].ends = true;
  return n;
}

/// Some panels of a block: sums by bin, and quantum √factor x in whole numbers over to `room`.
void sum_and_round(const float* panels, Index step, Index begin, Index end, Index block,
                   const WideGram& gram) {
  using Words = std::uint32_t __attribute__((vector_size(vector_bytes)));
  constexpr Index w = lane_width<float>;
  constexpr float middle = 12582912.0f;  // added to a small number leaves it rounded in the lowest bits
  Piece pieces[tile_panels * panel_rows];
  const Index n_pieces = cut(gram, begin, end, pieces);
  for (Index c = 0; c < gram.n_columns; ++c) {
    const float* column = panels + gram.columns[c] * panel_rows;
    std::int16_t* to = gram.room + c * block_step - block * panel_rows;
    for (Index p = begin; p < end; ++p) {
      for (Index i = 0; i < panel_rows; i += w) {
        const Single value = load_lanes(column + p * step + i) * gram.quantum[c];
        const Single rounded = value * load_lanes(gram.root + p * panel_rows + i) + middle;
        const HalfShort low = __builtin_convertvector(__builtin_bit_cast(Words, rounded), HalfShort);
        __builtin_memcpy(to + p * panel_rows + i, &low, sizeof(low));
      }
    }
    Single all{}, some{};
    for (Index k = 0; k < n_pieces; ++k) {
      const Piece& piece = pieces[k];
      for (Index i = 0; i < panel_rows; i += w) {
        const Single value = load_lanes(column + piece.panel * step + i);
        all += value * load_lanes(piece.risk + i);
        some += value * load_lanes(piece.part + i);
      }
      if (!piece.ends) continue;
      gram.sums[c * gram.n_bins + piece.bin] += static_cast<double>(sum_of(all));
      gram.parts[c * gram.n_bins + piece.bin] += static_cast<double>(sum_of(some));
      all = some = Single{};
    }
  }
}

/// Asks for all columns of some panels.
void fetch(const float* panels, Index step, Index begin, Index end) {
  for (const float* x = panels + begin * step; x < panels + end * step; x += panel_rows)
    __builtin_prefetch(x, 0, 2);
}

template <bool fused>
void products_of(const float* panels, Index step, Index n_panels, const WideGram& gram) {
  for (Index block = 0; block < n_panels; block += block_panels) {
    const Index past = n_panels - block < block_panels ? n_panels : block + block_panels;
    for (Index begin = block; begin < past; begin += tile_panels) {
      const Index end = past - begin < tile_panels ? past : begin + tile_panels;
      const Index next = n_panels - end < tile_panels ? n_panels : end + tile_panels;
      fetch(panels, step, end, next);
      sum_and_round(panels, step, begin, end, block, gram);
    }
    const Index n = (past - block) * panel_rows, n_whole = (n + short_width - 1) / short_width * short_width;
    for (Index c = 0; c < gram.n_columns && n < n_whole; ++c) {
      for (Index i = n; i < n_whole; ++i) gram.room[c * block_step + i] = 0;
    }
    all_squares<fused>(gram.room, gram.n_columns, n_whole, gram.squares);
  }
}

constexpr int n_left = accumulators == 16 ? 4 : 2, n_right = accumulators == 16 ? 6 : 4;

/// Products of n_left and n_right columns of n values.
void products(const float* const* left, const float* const* right, Index n, double* found) {
  Single sums[n_left][n_right] = {};
  for (Index i = 0; i < n; i += lane_width<float>) {
    Single y[n_left];
    CHORALE_UNROLL for (int a = 0; a < n_left; ++a) y[a] = load_lanes(left[a] + i);
    CHORALE_UNROLL for (int b = 0; b < n_right; ++b) {
      const Single x = load_lanes(right[b] + i);
      CHORALE_UNROLL for (int a = 0; a < n_left; ++a) sums[a][b] += y[a] * x;
    }
  }
  for (int a = 0; a < n_left; ++a) {
    for (int b = 0; b < n_right; ++b) *found++ = static_cast<double>(sum_of(sums[a][b]));
  }
}

}  // namespace

Index cox_path_wide_gram_room(Index n_columns) {
  return n_columns * block_step;
}

Index cox_path_wide_gram_squares(Index n_columns) {
  const Index n = (n_columns + side - 1) / side;
  return n * (n + 1) / 2 * side * side;
}

void cox_path_wide_gram(const float* panels, Index n_dense, Index n_panels, const WideGram& gram) {
  if (has_fused()) {
    products_of<true>(panels, n_dense * panel_rows, n_panels, gram);
  } else {
    products_of<false>(panels, n_dense * panel_rows, n_panels, gram);
  }
  const double* found = gram.squares;
  for (Index a = 0; a < gram.n_columns; a += side) {
    for (Index b = a; b < gram.n_columns; b += side, found += side * side) {
      for (Index i = 0; i < side && a + i < gram.n_columns; ++i) {
        for (Index k = 0; k < side && b + k < gram.n_columns; ++k) {
          if (b + k < a + i) continue;
          const double unit =
              static_cast<double>(gram.quantum[a + i]) * static_cast<double>(gram.quantum[b + k]);
          gram.gram[(a + i) * gram.stride + b + k] += found[i * side + k] / unit;
        }
      }
    }
  }
}

void cox_path_wide_means(const float* means, Index n_columns, Index n_values, Index stride, double* gram) {
  const auto column = [&](Index c) { return means + (c < n_columns ? c : n_columns - 1) * n_values; };
  for (Index a = 0; a < n_columns; a += n_left) {
    for (Index b = a; b < n_columns; b += n_right) {
      const float *left[n_left], *right[n_right];  // beyond the last column its copies, left out below
      for (int k = 0; k < n_left; ++k) left[k] = column(a + k);
      for (int k = 0; k < n_right; ++k) right[k] = column(b + k);
      double found[n_left * n_right];
      products(left, right, n_values, found);
      for (int i = 0; i < n_left && a + i < n_columns; ++i) {
        for (int k = 0; k < n_right && b + k < n_columns; ++k) {
          if (b + k >= a + i) gram[(a + i) * stride + b + k] -= found[i * n_right + k];
        }
      }
    }
  }
}

}  // namespace chorale::kernels::simd::CHORALE_LEVEL
