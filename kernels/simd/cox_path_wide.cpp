// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/cox_path_wide_body.hpp"
#include "kernels/simd/lane_tiles.hpp"
#include "kernels/simd/single.hpp"

namespace chorale::kernels::simd::CHORALE_LEVEL {
namespace {

using Half = float __attribute__((vector_size(vector_bytes / 2)));

/// To double precision; compilers convert half a vector at a time.
Vector in_double(const float* from) {
#if defined(__AVX512F__)
  __m256 x;
  __builtin_memcpy(&x, from, sizeof(x));
  return __builtin_bit_cast(Vector, _mm512_maskz_cvtps_pd(0xff, x));
#else
  Half x;
  __builtin_memcpy(&x, from, sizeof(x));
  return __builtin_convertvector(x, Vector);
#endif
}

template <class Real>
inline constexpr Index strip_of =
    lane_strip<wide_lanes, Real> < 2 ? 1 : 2;  ///< vectors of lanes worked on together
template <class Real>
inline constexpr Index rows_of = accumulators / strip_of<Real>;

/// to[lane] += value.
void add_double(double* to, Vector value) {
  store_lanes(to, load_lanes(to) + value);
}
void add_double(double* to, Single value) {
  float lanes[lane_width<float>];
  store_lanes(lanes, value);
  add_double(to, in_double(lanes));
  add_double(to + width, in_double(lanes + width));
}

template <class Real>
typename LaneVector<Real>::Type from_double(const double* from) {
  if constexpr (sizeof(Real) == 8) {
    return load_lanes(from);
  } else {
    const Half halves[2] = {__builtin_convertvector(load_lanes(from), Half),
                            __builtin_convertvector(load_lanes(from + width), Half)};
    Single value;
    __builtin_memcpy(&value, halves, sizeof(value));
    return value;
  }
}

constexpr Index columns_together = 64;  // with their coefficients or sums in the first cache

/// Asks for columns of a panel that is read one tile later.
void fetch(const WideRows& wide, Index p, const std::int32_t* columns, Index n) {
  if (p + tile_panels >= wide.n_panels) return;
  const float* panel = wide.panels + (p + tile_panels) * wide.n_dense * panel_rows;
  for (Index c = 0; c < n; ++c) __builtin_prefetch(panel + columns[c] * panel_rows, 0, 2);
}

/// Columns of a panel in the precision of the walk; single ones stay where they are.
template <class Real>
class Columns {
 public:
  Columns(const float* panel, const std::int32_t* columns, Index n) : panel_(panel), columns_(columns) {
    if constexpr (sizeof(Real) == 8) {
      for (Index c = 0; c < n; ++c) {
        for (Index r = 0; r < panel_rows; r += width) {
          store_lanes(room_ + c * panel_rows + r, in_double(panel + columns[c] * panel_rows + r));
        }
      }
    }
  }
  const Real* operator[](Index c) const {
    if constexpr (sizeof(Real) == 8) {
      return room_ + c * panel_rows;
    } else {
      return panel_ + columns_[c] * panel_rows;
    }
  }

 private:
  const float* panel_;
  const std::int32_t* columns_;
  alignas(64) Real room_[sizeof(Real) == 8 ? columns_together * panel_rows : 1];
};

/// eta[row, lane] += Σ_c x[row, c] beta[c, lane] of a panel.
template <class Real>
void linear(const Columns<Real>& x, Index n_columns, const Real* beta, Real* eta) {
  using V = typename LaneVector<Real>::Type;
  constexpr Index w = lane_width<Real>, strip = strip_of<Real>, together = rows_of<Real>;
  for (Index lane = 0; lane < wide_lanes; lane += strip * w) {
    for (Index first = 0; first < panel_rows; first += together) {
      V sums[together][strip];
      CHORALE_UNROLL for (Index r = 0; r < together; ++r) {
        CHORALE_UNROLL for (Index s = 0; s < strip; ++s) sums[r][s] =
            load_lanes(eta + (first + r) * wide_lanes + lane + s * w);
      }
      for (Index c = 0; c < n_columns; ++c) {
        const Real* from = x[c] + first;
        V b[strip];
        CHORALE_UNROLL for (Index s = 0; s < strip; ++s) b[s] =
            load_lanes(beta + c * wide_lanes + lane + s * w);
        CHORALE_UNROLL for (Index r = 0; r < together; ++r) {
          CHORALE_UNROLL for (Index s = 0; s < strip; ++s) sums[r][s] += from[r] * b[s];
        }
      }
      CHORALE_UNROLL for (Index r = 0; r < together; ++r) {
        CHORALE_UNROLL for (Index s = 0; s < strip; ++s)
            store_lanes(eta + (first + r) * wide_lanes + lane + s * w, sums[r][s]);
      }
    }
  }
}

/// slopes[c, lane] += Σ_r x[r, c] u[r, lane] of a panel.
template <class Real>
void gradient(const Columns<Real>& x, Index n_columns, const Real* u, Real* slopes) {
  using V = typename LaneVector<Real>::Type;
  constexpr Index w = lane_width<Real>, strip = strip_of<Real>, together = rows_of<Real>;
  for (Index lane = 0; lane < wide_lanes; lane += strip * w) {
    for (Index first = 0; first < panel_rows; first += together) {
      V residual[together][strip];
      CHORALE_UNROLL for (Index r = 0; r < together; ++r) {
        CHORALE_UNROLL for (Index s = 0; s < strip; ++s) residual[r][s] =
            load_lanes(u + (first + r) * wide_lanes + lane + s * w);
      }
      for (Index c = 0; c < n_columns; ++c) {
        const Real* from = x[c] + first;
        Real* to = slopes + c * wide_lanes + lane;
        V even[strip], odd[strip];
        CHORALE_UNROLL for (Index s = 0; s < strip; ++s) even[s] = load_lanes(to + s * w);
        CHORALE_UNROLL for (Index s = 0; s < strip; ++s) odd[s] = V{};
        CHORALE_UNROLL for (Index r = 0; r < together; r += 2) {
          CHORALE_UNROLL for (Index s = 0; s < strip; ++s) {
            even[s] += from[r] * residual[r][s];
            odd[s] += from[r + 1] * residual[r + 1][s];
          }
        }
        CHORALE_UNROLL for (Index s = 0; s < strip; ++s) store_lanes(to + s * w, even[s] + odd[s]);
      }
    }
  }
}

/// Linear predictors of the dense columns, panel by panel of a tile.
template <class Real>
void linear_of_tile(const WideRows& wide, const WideBlock<Real>& block, Index begin, Index end, Real* eta) {
  for (Index k = 0; k < (end - begin) * panel_rows * wide_lanes; ++k) eta[k] = 0;
  for (Index c = 0; c < block.n_columns; c += columns_together) {
    const Index n = block.n_columns - c < columns_together ? block.n_columns - c : columns_together;
    for (Index p = begin; p < end; ++p) {
      fetch(wide, p, block.columns + c, n);
      const Columns<Real> x(wide.panels + p * wide.n_dense * panel_rows, block.columns + c, n);
      linear(x, n, block.beta + c * wide_lanes, eta + (p - begin) * panel_rows * wide_lanes);
    }
  }
}

template <class Real>
void risks(const WideRows& wide, const WideBlock<Real>& block, Index begin, Index end) {
  using V = typename LaneVector<Real>::Type;
  constexpr Index w = lane_width<Real>;
  const PathRows& rows = wide.rows;
  const bool deaths_apart = rows.efron || rows.enter != nullptr;
  alignas(64) Real eta[tile_panels * panel_rows * wide_lanes];
  linear_of_tile(wide, block, begin, end, eta);
  for (Index i = begin * panel_rows; i < end * panel_rows; ++i) {
    const Index at = rows.exit[i] * wide_lanes;
    const Real offset = wide.offset == nullptr ? Real(0) : static_cast<Real>(wide.offset[i]);
    const Real weight = static_cast<Real>(rows.weight[i]), dead = static_cast<Real>(rows.dead[i]);
    Index from = 0, to = 0;
    if (i < wide.n_carrying) {
      from = wide.carried_begin[wide.source[i]];
      to = wide.carried_begin[wide.source[i] + 1];
    }
    CHORALE_UNROLL for (Index lane = 0; lane < wide_lanes; lane += w) {
      V here = load_lanes(eta + (i - begin * panel_rows) * wide_lanes + lane) + offset;
      for (Index k = from; k < to; ++k)
        here += load_lanes(block.sparse_beta + wide.carried[k] * wide_lanes + lane);
      const V risk = weight * exp_lanes(here);
      store_lanes(block.risk + i * wide_lanes + lane, risk);
      add_double(block.at_risk + at + lane, risk);
      if (dead > 0) {
        add_double(block.loglik + lane, dead * here);
        if (deaths_apart) add_double(block.dying + at + lane, risk);
      }
    }
  }
}

/// Hazard and what the dying are spared at one time, and its share of the sum of logarithms.
void time_terms(const PathRows& rows, Index t, Vector at_risk, Vector dying, Vector& hazard, Vector& spared,
                Vector& logs) {
  const double weight = rows.dead_weight[t], deaths = rows.n_deaths[t];
  // late entries are subtracted: far away nothing but rounding may be left, and that is no likelihood
  at_risk = at_risk > 0.999999 * dying ? at_risk : Vector{} + __builtin_nan("");
  if (!rows.efron || deaths == 1) {
    hazard = weight / at_risk;
    logs = weight * log_of(at_risk) + (at_risk - at_risk);
    return;
  }
  const double each = weight / deaths;
  for (double l = 0; l < deaths; ++l) {
    const Vector left = at_risk - (l / deaths) * dying;
    const Vector rate = each / left;
    hazard += rate;
    spared += (l / deaths) * rate;
    logs += each * log_of(left) + (left - left);
  }
}

template <class Real>
void times(const WideRows& wide, const WideBlock<Real>& block) {
  const PathRows& rows = wide.rows;
  for (Index i = 0; rows.enter != nullptr && i < rows.n_rows; ++i) {
    if (rows.enter[i] < 0) continue;
    for (Index lane = 0; lane < wide_lanes; lane += lane_width<Real>)
      add_double(block.at_risk + rows.enter[i] * wide_lanes + lane,
                 -load_lanes(block.risk + i * wide_lanes + lane));
  }
  for (Index lane = 0; lane < wide_lanes; lane += width) {
    Vector logs{};
    for (Index s = 0; s < rows.n_strata; ++s) {
      Vector at_risk{}, hazard{};
      for (Index t = rows.stratum_begin[s + 1] - 1; t >= rows.stratum_begin[s]; --t) {
        at_risk += load_lanes(block.at_risk + t * wide_lanes + lane);
        store_lanes(block.at_risk + t * wide_lanes + lane, at_risk);
      }
      for (Index t = rows.stratum_begin[s]; t < rows.stratum_begin[s + 1]; ++t) {
        const Index at = t * wide_lanes + lane;
        if (rows.dead_weight[t] > 0) {
          Vector more{}, spared{}, log{};
          time_terms(rows, t, load_lanes(block.at_risk + at), load_lanes(block.dying + at), more, spared,
                     log);
          hazard += more;
          logs += log;
          if (rows.efron) store_lanes(block.spared + at, spared);
        }
        store_lanes(block.hazard + at, hazard);
      }
    }
    add_double(block.loglik + lane, -logs);
  }
}

template <class Real>
void gradient_of_tile(const WideRows& wide, Index begin, Index end, const std::int32_t* columns,
                      Index n_columns, const Real* u, Real* sums) {
  for (Index c = 0; c < n_columns; c += columns_together) {
    const Index n = n_columns - c < columns_together ? n_columns - c : columns_together;
    for (Index p = begin; p < end; ++p) {
      fetch(wide, p, columns + c, n);
      const Columns<Real> x(wide.panels + p * wide.n_dense * panel_rows, columns + c, n);
      gradient(x, n, u + (p - begin) * panel_rows * wide_lanes, sums + c * wide_lanes);
    }
  }
}

/// Martingale residuals of a tile; adds them to the sums of sparse columns.
template <class Real>
void residuals(const WideRows& wide, const WideBlock<Real>& block, Index begin, Index end, Real* u) {
  using V = typename LaneVector<Real>::Type;
  constexpr Index w = lane_width<Real>;
  const PathRows& rows = wide.rows;
  for (Index i = begin * panel_rows; i < end * panel_rows; ++i) {
    const Index at = rows.exit[i] * wide_lanes;
    const Real dead = static_cast<Real>(rows.dead[i]);
    const bool late = rows.enter != nullptr && rows.enter[i] >= 0;
    Index from = 0, to = 0;
    if (i < wide.n_carrying) {
      from = wide.carried_begin[wide.source[i]];
      to = wide.carried_begin[wide.source[i] + 1];
    }
    CHORALE_UNROLL for (Index lane = 0; lane < wide_lanes; lane += w) {
      V hazard = from_double<Real>(block.hazard + at + lane);
      if (rows.efron && dead > 0) hazard -= from_double<Real>(block.spared + at + lane);
      if (late) hazard -= from_double<Real>(block.hazard + rows.enter[i] * wide_lanes + lane);
      const V residual = dead - load_lanes(block.risk + i * wide_lanes + lane) * hazard;
      store_lanes(u + (i - begin * panel_rows) * wide_lanes + lane, residual);
      for (Index k = from; k < to; ++k) {
        Real* sum = block.sparse_part + wide.carried[k] * wide_lanes + lane;
        store_lanes(sum, load_lanes(sum) + residual);
      }
    }
  }
}

template <class Real>
void slopes(const WideRows& wide, const WideBlock<Real>& block, Index begin, Index end) {
  alignas(64) Real u[tile_panels * panel_rows * wide_lanes] = {};
  residuals(wide, block, begin, end, u);
  gradient_of_tile(wide, begin, end, block.asked, block.n_asked, u, block.part);
  if (block.n_checked == 0) return;
  alignas(64) float single[tile_panels * panel_rows * wide_lanes];
  for (Index k = 0; k < (end - begin) * panel_rows * wide_lanes; ++k) single[k] = static_cast<float>(u[k]);
  gradient_of_tile(wide, begin, end, block.checked, block.n_checked, single, block.checked_part);
}

template <class Real>
void flush(Index n, Real* part, double* sums) {
  for (Index k = 0; k < n * wide_lanes; ++k) {
    sums[k] += static_cast<double>(part[k]);
    part[k] = 0;
  }
}

template <class Real>
void flush_all(const WideRows& wide, const WideBlock<Real>& block) {
  flush(block.n_asked, block.part, block.slopes);
  flush(block.n_checked, block.checked_part, block.checked_slopes);
  flush(wide.n_sparse, block.sparse_part, block.sparse_slopes);
}

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

constexpr int n_left = accumulators == 16 ? 4 : 2, n_right = accumulators == 16 ? 6 : 4;
constexpr Index gram_panels =
    64;  // 1024 rows of 200 columns stay in the second cache, ten columns in the first

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

/// gram[a, b] += sign x_a' x_b for b >= a; columns of n values lie `step` apart.
void all_products(const float* x, Index n_columns, Index n, Index step, double sign, Index stride,
                  double* gram) {
  const auto column = [&](Index c) { return x + (c < n_columns ? c : n_columns - 1) * step; };
  for (Index a = 0; a < n_columns; a += n_left) {
    for (Index b = a; b < n_columns; b += n_right) {
      const float *left[n_left], *right[n_right];  // beyond the last column its copies, left out below
      for (int k = 0; k < n_left; ++k) left[k] = column(a + k);
      for (int k = 0; k < n_right; ++k) right[k] = column(b + k);
      double found[n_left * n_right];
      products(left, right, n, found);
      for (int i = 0; i < n_left && a + i < n_columns; ++i) {
        for (int k = 0; k < n_right && b + k < n_columns; ++k) {
          if (b + k >= a + i) gram[(a + i) * stride + b + k] += sign * found[i * n_right + k];
        }
      }
    }
  }
}

/// One panel: sums by bin, and x √factor over to `to`, columns n apart. `sums`: two vectors of a column, of the panels
/// of one bin so far.
void sum_and_scale(const float* panel, Index row, const WideGram& gram, bool ends, Index n, float* to,
                   float* sums) {
  constexpr Index w = lane_width<float>;
  const std::int32_t* bin = gram.bin + row;
  const bool alike = bin[0] == bin[panel_rows - 1];
  for (Index c = 0; c < gram.n_columns; ++c) {
    const float* x = panel + gram.columns[c] * panel_rows;
    Single all = load_lanes(sums + 2 * c * w), some = load_lanes(sums + (2 * c + 1) * w);
    for (Index i = 0; i < panel_rows; i += w) {
      const Single value = load_lanes(x + i);
      store_lanes(to + c * n + i, value * load_lanes(gram.root + row + i));
      if (!alike) continue;
      all += value * load_lanes(gram.risk + row + i);
      some += value * load_lanes(gram.part + row + i);
    }
    double *of_bin = gram.sums + c * gram.n_bins, *part_of_bin = gram.parts + c * gram.n_bins;
    for (Index i = 0; !alike && i < panel_rows; ++i) {
      of_bin[bin[i]] += static_cast<double>(x[i] * gram.risk[row + i]);
      part_of_bin[bin[i]] += static_cast<double>(x[i] * gram.part[row + i]);
    }
    if (ends) {
      of_bin[bin[0]] += static_cast<double>(sum_of(all));
      part_of_bin[bin[0]] += static_cast<double>(sum_of(some));
      all = some = Single{};
    }
    store_lanes(sums + 2 * c * w, all);
    store_lanes(sums + (2 * c + 1) * w, some);
  }
}

/// One panel of rows from wherever they stand (ascending); what is left of it are copies of a row.
void pack_panel(const float* panels, Index n_columns, const std::int32_t* source, Index n_rows, float* to) {
  const Index step = n_columns * panel_rows;
#if defined(__AVX512F__)
  // what each panel of the design gives: which rows, and where to
  using Places = std::int32_t __attribute__((vector_size(vector_bytes)));
  const float* from[panel_rows];
  Places row[panel_rows], taken[panel_rows];
  Index n_from = 0;
  for (Index r = 0; r < panel_rows; ++r) {
    const Index at = source[r < n_rows ? r : 0];
    const float* panel = panels + at / panel_rows * step;
    Index k = n_from;
    while (k > 0 && from[k - 1] != panel) --k;
    if (k == 0) {
      from[n_from] = panel;
      row[n_from] = taken[n_from] = Places{};
      k = ++n_from;
    }
    row[k - 1][r] = static_cast<std::int32_t>(at % panel_rows);
    taken[k - 1][r] = -1;
  }
  for (Index j = 0; j < n_columns; ++j) {
    Single found = __builtin_shuffle(load_lanes(from[0] + j * panel_rows), row[0]);
    for (Index k = 1; k < n_from; ++k)
      found = taken[k] != 0 ? __builtin_shuffle(load_lanes(from[k] + j * panel_rows), row[k]) : found;
    store_lanes(to + j * panel_rows, found);
  }
#else
  const float* from[panel_rows];
  for (Index r = 0; r < panel_rows; ++r) {
    const Index at = source[r < n_rows ? r : 0];
    from[r] = panels + at / panel_rows * step + at % panel_rows;
  }
  for (Index j = 0; j < n_columns; ++j) {
    for (Index r = 0; r < panel_rows; ++r) to[j * panel_rows + r] = from[r][j * panel_rows];
  }
#endif
}

double soft(double value, double threshold) {
  return value > threshold ? value - threshold : value < -threshold ? value + threshold : 0;
}

/// One coordinate; returns |change| in log hazards.
double descend_one(const WideModel& model, Index j, double* beta, const double* slope, float* moved) {
  const float* row = model.curve + j * model.stride;
  const double curve = static_cast<double>(row[j]);
  if (!(curve > 1e-12)) return 0;  // alike in every risk set
  const double here = slope[j] - static_cast<double>(moved[j]);
  const double next = soft(here + curve * beta[j], model.l1[j]) / (curve + model.l2[j]);
  const double change = next - beta[j];
  if (change == 0) return 0;
  beta[j] = next;
  const float by = static_cast<float>(change);
  for (Index k = 0; k < model.stride; k += lane_width<float>)
    store_lanes(moved + k, load_lanes(moved + k) + by * load_lanes(row + k));
  return model.reach[j] * __builtin_fabs(change);
}

}  // namespace

void cox_path_wide_risks(const WideRows& rows, const WideBlock<float>& block, Index begin, Index end) {
  risks(rows, block, begin, end);
}
void cox_path_wide_risks(const WideRows& rows, const WideBlock<double>& block, Index begin, Index end) {
  risks(rows, block, begin, end);
}
void cox_path_wide_times(const WideRows& rows, const WideBlock<float>& block) {
  times(rows, block);
}
void cox_path_wide_times(const WideRows& rows, const WideBlock<double>& block) {
  times(rows, block);
}
void cox_path_wide_slopes(const WideRows& rows, const WideBlock<float>& block, Index begin, Index end) {
  slopes(rows, block, begin, end);
}
void cox_path_wide_slopes(const WideRows& rows, const WideBlock<double>& block, Index begin, Index end) {
  slopes(rows, block, begin, end);
}
void cox_path_wide_flush(const WideRows& rows, const WideBlock<float>& block) {
  flush_all(rows, block);
}
void cox_path_wide_flush(const WideRows& rows, const WideBlock<double>& block) {
  flush_all(rows, block);
}

void cox_path_wide_gram(const float* panels, Index n_dense, Index n_panels, const WideGram& gram) {
  const Index step = n_dense * panel_rows;
  for (Index begin = 0; begin < n_panels; begin += gram_panels) {
    const Index n_here = n_panels - begin < gram_panels ? n_panels - begin : gram_panels,
                n = n_here * panel_rows;
    for (Index p = 0; p < n_here; ++p) {
      const Index row = (begin + p) * panel_rows;
      const bool ends = p + 1 == n_here || gram.bin[row] != gram.bin[row + 2 * panel_rows - 1];
      sum_and_scale(panels + (begin + p) * step, row, gram, ends, n, gram.room + p * panel_rows,
                    gram.bin_room);
    }
    all_products(gram.room, gram.n_columns, n, n, 1.0, gram.stride, gram.gram);
  }
}

Index cox_path_wide_gram_rows() {
  return gram_panels * panel_rows;
}

void cox_path_wide_means(const float* means, Index n_columns, Index n_values, Index stride, double* gram) {
  all_products(means, n_columns, n_values, n_values, -1.0, stride, gram);
}

void cox_path_wide_pack(const float* panels, Index n_columns, const std::int32_t* source, Index n_rows,
                        const double* weight, float* to, float* room, double* sums, double* squares) {
  constexpr Index panels_summed = 32;
  const Index n_panels = (n_rows + panel_rows - 1) / panel_rows, step = n_columns * panel_rows;
  for (Index k = 0; k < 2 * step; ++k) room[k] = 0;
  for (Index p = 0; p < n_panels; ++p) {
    const Index n_here = n_rows - p * panel_rows < panel_rows ? n_rows - p * panel_rows : panel_rows;
    float w[panel_rows] = {};
    for (Index r = 0; r < n_here; ++r) w[r] = static_cast<float>(weight[p * panel_rows + r]);
    float* out = to + p * step;
    pack_panel(panels, n_columns, source + p * panel_rows, n_here, out);
    for (Index k = 0; k < step; k += lane_width<float>) {
      const Single here = load_lanes(out + k), weighted = here * load_lanes(w + k % panel_rows);
      store_lanes(room + k, load_lanes(room + k) + weighted);
      store_lanes(room + step + k, load_lanes(room + step + k) + weighted * here);
    }
    if ((p + 1) % panels_summed != 0 && p + 1 < n_panels) continue;
    for (Index k = 0; k < step; ++k) {
      sums[k / panel_rows] += static_cast<double>(room[k]);
      squares[k / panel_rows] += static_cast<double>(room[step + k]);
      room[k] = room[step + k] = 0;
    }
  }
}

Index cox_path_wide_descend(const WideModel& model, double tolerance, Index max_sweeps, double* beta,
                            double* slope, float* moved) {
  constexpr Index sweeps_summed = 8;  // in single precision, before slopes take them
  Index sweeps = 0;
  bool all = true;  // then the nonzero ones among themselves, which is where most of the work is
  for (Index k = 0; k < model.stride; ++k) moved[k] = 0;
  while (sweeps < max_sweeps) {
    double most = 0;
    ++sweeps;
    for (Index c = 0; c < model.n_columns; ++c) {
      const Index j = model.columns[c];
      if (!all && beta[j] == 0) continue;
      const double step = descend_one(model, j, beta, slope, moved);
      most = step > most ? step : most;
    }
    const bool ends = !(most > tolerance);
    if (all || ends || sweeps % sweeps_summed == 0) {
      for (Index k = 0; k < model.stride; ++k) {
        slope[k] -= static_cast<double>(moved[k]);
        moved[k] = 0;
      }
    }
    if (all && ends) break;
    all = ends;
  }
  for (Index k = 0; k < model.stride; ++k) slope[k] -= static_cast<double>(moved[k]);
  return sweeps;
}

}  // namespace chorale::kernels::simd::CHORALE_LEVEL
