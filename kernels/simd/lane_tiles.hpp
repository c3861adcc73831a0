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

// the loops over `strip`, `rows` and `columns` disappear: what they run over lives in registers
#define CHORALE_UNROLL _Pragma("GCC unroll 16")

/// Vectors of lanes that are worked on together.
template <Index lanes, class Real>
inline constexpr Index lane_strip = lanes / lane_width<Real> < 4 ? lanes / lane_width<Real> : 4;

/// Loads once what is used several times: compilers repeat loads that fit into another instruction.
template <class V>
static inline void keep(V& value) {
#if defined(__AVX512F__)
  asm("" : "+v"(value));
#elif defined(__SSE2__)
  asm("" : "+x"(value));
#else
  static_cast<void>(value);
#endif
}

/// finish(r, lane, sums) for n_rows rows of `lanes` lanes, n_rows a multiple of 8, with
/// sums[s][·] = Σ_j x[r · n_columns + j] b[j][lane + s w + ·], s < lane_strip, w = lane_width.
template <Index lanes, class Real, class Finish>
static inline void lane_products(const Real* x, Index n_rows, Index n_columns, const Real* b, Finish finish) {
  using V = typename LaneVector<Real>::Type;
  constexpr Index w = lane_width<Real>, strip = lane_strip<lanes, Real>, rows = accumulators / strip;
  static_assert(lanes % (strip * w) == 0 && 8 % rows == 0);
  for (Index row = 0; row < n_rows; row += rows) {
    const Real* of_rows = x + row * n_columns;
    for (Index lane = 0; lane < lanes; lane += strip * w) {
      V sums[rows][strip];
      CHORALE_UNROLL for (Index r = 0; r < rows; ++r) {
        CHORALE_UNROLL for (Index s = 0; s < strip; ++s) sums[r][s] = V{};
      }
      for (Index j = 0; j < n_columns; ++j) {
        V of_column[strip];
        CHORALE_UNROLL for (Index s = 0; s < strip; ++s) {
          of_column[s] = load_lanes(b + j * lanes + lane + s * w);
          keep(of_column[s]);
        }
        CHORALE_UNROLL for (Index r = 0; r < rows; ++r) {
          V value = of_rows[r * n_columns + j] - V{};
          keep(value);
          CHORALE_UNROLL for (Index s = 0; s < strip; ++s) sums[r][s] += value * of_column[s];
        }
      }
      CHORALE_UNROLL for (Index r = 0; r < rows; ++r) finish(row + r, lane, sums[r]);
    }
  }
}

/// For every column j and vector of lanes: done(j, lane, Σ_{r < n_first} x[r][j] y[r][lane], the same over r < n_rows);
/// n_columns a multiple of 4.
template <Index lanes, class Real, class Done>
static inline void lane_column_sums(const Real* x, const Real* y, Index n_first, Index n_rows,
                                    Index n_columns, Done done) {
  using V = typename LaneVector<Real>::Type;
  constexpr Index w = lane_width<Real>, strip = lane_strip<lanes, Real>;
  constexpr Index columns = accumulators / strip < 4 ? accumulators / strip : 4;
  for (Index lane = 0; lane < lanes; lane += strip * w) {
    for (Index j = 0; j < n_columns; j += columns) {
      V sums[columns][strip], first[columns][strip];
      CHORALE_UNROLL for (Index c = 0; c < columns; ++c) {
        CHORALE_UNROLL for (Index s = 0; s < strip; ++s) sums[c][s] = V{};
      }
      const auto add = [&](Index begin, Index end) {
        for (Index i = begin; i < end; ++i) {
          V of_row[strip];
          CHORALE_UNROLL for (Index s = 0; s < strip; ++s) {
            of_row[s] = load_lanes(y + i * lanes + lane + s * w);
            keep(of_row[s]);
          }
          CHORALE_UNROLL for (Index c = 0; c < columns; ++c) {
            V value = x[i * n_columns + j + c] - V{};
            keep(value);
            CHORALE_UNROLL for (Index s = 0; s < strip; ++s) sums[c][s] += value * of_row[s];
          }
        }
      };
      add(0, n_first);
      CHORALE_UNROLL for (Index c = 0; c < columns; ++c) {
        CHORALE_UNROLL for (Index s = 0; s < strip; ++s) first[c][s] = sums[c][s];
      }
      add(n_first, n_rows);
      CHORALE_UNROLL for (Index c = 0; c < columns; ++c) {
        CHORALE_UNROLL for (Index s = 0; s < strip; ++s) done(j + c, lane + s * w, first[c][s], sums[c][s]);
      }
    }
  }
}

/// Groups of rows one after the other, each with a first part: rows begin[2 g] … begin[2 g + 1] - 1, and up to
/// begin[2 g + 2] - 1 the rest. With their sums first_g and all_g of x[r][j] y[r][lane], for every column j and vector
/// of lanes: done(j, lane, Σ_g all_g, Σ_g of_all[g][lane] all_g − of_first[g][lane] first_g); n_columns a multiple of 4.
template <Index lanes, class Real, class Done>
static inline void lane_column_sums_by_group(const Real* x, const Real* y, const std::int32_t* begin,
                                             Index n_groups, const Real* of_all, const Real* of_first,
                                             Index n_columns, Done done) {
  using V = typename LaneVector<Real>::Type;
  constexpr Index w = lane_width<Real>, strip = lane_strip<lanes, Real>;
  constexpr Index columns = accumulators / strip < 4 ? accumulators / strip : 4;
  for (Index lane = 0; lane < lanes; lane += strip * w) {
    for (Index j = 0; j < n_columns; j += columns) {
      V whole[columns][strip], weighted[columns][strip];
      CHORALE_UNROLL for (Index c = 0; c < columns; ++c) {
        CHORALE_UNROLL for (Index s = 0; s < strip; ++s) whole[c][s] = weighted[c][s] = V{};
      }
      for (Index g = 0; g < n_groups; ++g) {
        V sums[columns][strip];
        CHORALE_UNROLL for (Index c = 0; c < columns; ++c) {
          CHORALE_UNROLL for (Index s = 0; s < strip; ++s) sums[c][s] = V{};
        }
        const auto add = [&](Index from, Index past) {
          for (Index i = from - begin[0]; i < past - begin[0]; ++i) {
            V of_row[strip];
            CHORALE_UNROLL for (Index s = 0; s < strip; ++s) {
              of_row[s] = load_lanes(y + i * lanes + lane + s * w);
              keep(of_row[s]);
            }
            CHORALE_UNROLL for (Index c = 0; c < columns; ++c) {
              V value = x[i * n_columns + j + c] - V{};
              keep(value);
              CHORALE_UNROLL for (Index s = 0; s < strip; ++s) sums[c][s] += value * of_row[s];
            }
          }
        };
        const auto weigh = [&](const Real* factor, Real sign) {
          CHORALE_UNROLL for (Index s = 0; s < strip; ++s) {
            const V of_group = sign * load_lanes(factor + g * lanes + lane + s * w);
            CHORALE_UNROLL for (Index c = 0; c < columns; ++c) weighted[c][s] += of_group * sums[c][s];
          }
        };
        add(begin[2 * g], begin[2 * g + 1]);
        weigh(of_first, -1);
        add(begin[2 * g + 1], begin[2 * g + 2]);
        weigh(of_all, 1);
        CHORALE_UNROLL for (Index c = 0; c < columns; ++c) {
          CHORALE_UNROLL for (Index s = 0; s < strip; ++s) whole[c][s] += sums[c][s];
        }
      }
      CHORALE_UNROLL for (Index c = 0; c < columns; ++c) {
        CHORALE_UNROLL for (Index s = 0; s < strip; ++s)
            done(j + c, lane + s * w, whole[c][s], weighted[c][s]);
      }
    }
  }
}

/// For every column j and vector of lanes: done(j, lane, Σ_r x[r][j] y[r][lane], Σ_r x[r][j] z[r][lane]) over n_rows
/// rows; n_columns a multiple of 4.
template <Index lanes, class Real, class Done>
static inline void lane_column_sums_of_two(const Real* x, const Real* y, const Real* z, Index n_rows,
                                           Index n_columns, Done done) {
  using V = typename LaneVector<Real>::Type;
  constexpr Index w = lane_width<Real>, strip = lane_strip<lanes, Real> < 2 ? lane_strip<lanes, Real> : 2;
  constexpr Index columns = accumulators / (2 * strip) < 4 ? accumulators / (2 * strip) : 4;
  for (Index lane = 0; lane < lanes; lane += strip * w) {
    for (Index j = 0; j < n_columns; j += columns) {
      V of_y[columns][strip], of_z[columns][strip];
      CHORALE_UNROLL for (Index c = 0; c < columns; ++c) {
        CHORALE_UNROLL for (Index s = 0; s < strip; ++s) of_y[c][s] = of_z[c][s] = V{};
      }
      for (Index i = 0; i < n_rows; ++i) {
        V row_y[strip], row_z[strip];
        CHORALE_UNROLL for (Index s = 0; s < strip; ++s) {
          row_y[s] = load_lanes(y + i * lanes + lane + s * w);
          row_z[s] = load_lanes(z + i * lanes + lane + s * w);
          keep(row_y[s]);
          keep(row_z[s]);
        }
        CHORALE_UNROLL for (Index c = 0; c < columns; ++c) {
          V value = x[i * n_columns + j + c] - V{};
          keep(value);
          CHORALE_UNROLL for (Index s = 0; s < strip; ++s) {
            of_y[c][s] += value * row_y[s];
            of_z[c][s] += value * row_z[s];
          }
        }
      }
      CHORALE_UNROLL for (Index c = 0; c < columns; ++c) {
        CHORALE_UNROLL for (Index s = 0; s < strip; ++s) done(j + c, lane + s * w, of_y[c][s], of_z[c][s]);
      }
    }
  }
}

}  // namespace chorale::kernels::simd
