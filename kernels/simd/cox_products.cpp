// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/cox_body.hpp"
#include "kernels/simd/transpose.hpp"

namespace chorale::kernels::simd::CHORALE_LEVEL {
namespace {

constexpr Index block = 256;        ///< rows whose intermediate values stay in the first cache
constexpr Index apart = block + 8;  ///< where the next column's stand: not in the same places of the cache

// 16 or 8 sums, and what they need, fill the registers
constexpr Index n_left = vector_bytes == 64 ? 4 : 2, n_right = 4;

/// found[a · n_right + b] = Σ left[a · apart + i] right[b][i] over n values.
void products_of_tile(const double* left, const double* const* right, Index n, double* found) {
  Vector sums[n_left * n_right] = {};
  Index i = 0;
  for (; i + width <= n; i += width) {
    Vector y[n_left];
#pragma GCC unroll 4
    for (Index a = 0; a < n_left; ++a) y[a] = load<Vector>(left + a * apart + i);
#pragma GCC unroll 4
    for (Index b = 0; b < n_right; ++b) {
      const Vector x = load<Vector>(right[b] + i);
#pragma GCC unroll 4
      for (Index a = 0; a < n_left; ++a) sums[a * n_right + b] += y[a] * x;
    }
  }
#pragma GCC unroll 8
  for (Index c = 0; c < n_left * n_right; c += width) store(found + c, sums_of_rows(sums + c));
  for (; i < n; ++i) {
    for (Index a = 0; a < n_left; ++a) {
      for (Index b = 0; b < n_right; ++b) found[a * n_right + b] += left[a * apart + i] * right[b][i];
    }
  }
}

/// Adds to the products of columns j … j + n_left - 1 with those from j on, n values each; column(k) of the p columns
/// begins where, and left holds the first ones times what they are weighted with, a block each.
template <class Column>
void add_products(const double* left, Index j, Index p, Index n, const Column& column, double* products) {
  for (Index k = j; k < p; k += n_right) {
    const double* right[n_right];
    for (Index b = 0; b < n_right; ++b) right[b] = column(k + b);
    double found[n_left * n_right];
    products_of_tile(left, right, n, found);
    for (Index a = 0; a < n_left && j + a < p; ++a) {
      double* row = products + (j + a) * p - (j + a) * (j + a + 1) / 2;
      for (Index b = 0; b < n_right && k + b < p; ++b) {
        if (k + b >= j + a) row[k + b] += found[a * n_right + b];
      }
    }
  }
}

/// u of rows from … from + n - 1, a block a column.
template <Index n_terms>
void set_scores(const ColumnTable& columns, const double* factor, const ScoreTerm* terms, Index from, Index n,
                double* u) {
  const Index p = columns.n_columns;
  ScoreTerm of[n_terms > 0 ? n_terms : 1];  // what stores through u cannot change
  for (Index m = 0; m < n_terms; ++m) of[m] = terms[m];
  const auto of_place = [&](Index row, Index j) {
    Vector total{};
    for (Index m = 0; m < n_terms; ++m)
      total += of[m].factor[row] * load<Vector>(of[m].table + of[m].row[row] * of[m].stride + j);
    return total;
  };
  for (Index i = 0; i < n; i += width) {
    for (Index j = 0; j < p; j += width) {
      Vector square[width] = {};
      if (i + width <= n) {
#pragma GCC unroll 8
        for (Index r = 0; r < width; ++r) square[r] = of_place(from + i + r, j);
      } else {
        for (Index r = 0; i + r < n; ++r) square[r] = of_place(from + i + r, j);
      }
      transpose(square);
      for (Index c = 0; c < width && j + c < p; ++c) store(u + (j + c) * apart + i, square[c]);
    }
  }
  for (Index j = 0; j < p && factor != nullptr; ++j) {
    const double* x = columns.values + j * columns.stride + from;
    ask_for(x + block, n);
    for (Index i = 0; i < n; ++i) u[j * apart + i] += factor[from + i] * x[i];
  }
}

}  // namespace

void cox_products(const ColumnTable& columns, const double* factor, Index begin, Index end,
                  double* products) {
  const Index p = columns.n_columns;
  for (Index c = 0; c < p * (p + 1) / 2; ++c) products[c] = 0;
  for (Index from = begin; from < end; from += block) {
    const Index n = from + block < end ? block : end - from;
    // beyond the last column its copies, whose products are left out
    const auto column = [&](Index j) { return columns.values + (j < p ? j : p - 1) * columns.stride + from; };
    for (Index j = 0; j < p; j += n_left) {
      double scaled[n_left * apart];
      for (Index a = 0; a < n_left; ++a) {
        const double* x = column(j + a);
        ask_for(x + block, n);
        for (Index i = 0; i < n; ++i) scaled[a * apart + i] = factor[from + i] * x[i];
      }
      add_products(scaled, j, p, n, column, products);
    }
  }
}

void cox_score_products(const ColumnTable& columns, const double* factor, const ScoreTerm* terms,
                        Index n_terms, Index begin, Index end, double* room, double* products) {
  static_assert(score_room >= apart);
  const Index p = columns.n_columns;
  for (Index c = 0; c < p * (p + 1) / 2; ++c) products[c] = 0;
  for (Index from = begin; from < end; from += block) {
    const Index n = from + block < end ? block : end - from;
    const auto set = n_terms == 0   ? set_scores<0>
                     : n_terms == 1 ? set_scores<1>
                     : n_terms == 2 ? set_scores<2>
                     : n_terms == 3 ? set_scores<3>
                                    : set_scores<4>;
    set(columns, factor, terms, from, n, room);
    const auto column = [&](Index j) { return room + (j < p ? j : p - 1) * apart; };
    for (Index j = 0; j < p; j += n_left) add_products(room + j * apart, j, p, n, column, products);
  }
}

}  // namespace chorale::kernels::simd::CHORALE_LEVEL
