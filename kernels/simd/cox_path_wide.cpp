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

template <class Real, Index lanes>
inline constexpr Index strip_of =
    lane_strip<lanes, Real> < 2 ? 1 : 2;  ///< vectors of lanes worked on together
template <class Real, Index lanes>
inline constexpr Index rows_of = accumulators / strip_of<Real, lanes>;

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
template <Index lanes, class Real>
void linear(const Columns<Real>& x, Index n_columns, const Real* beta, Real* eta) {
  using V = typename LaneVector<Real>::Type;
  constexpr Index w = lane_width<Real>, strip = strip_of<Real, lanes>, together = rows_of<Real, lanes>;
  for (Index lane = 0; lane < lanes; lane += strip * w) {
    for (Index first = 0; first < panel_rows; first += together) {
      V sums[together][strip];
      CHORALE_UNROLL for (Index r = 0; r < together; ++r) {
        CHORALE_UNROLL for (Index s = 0; s < strip; ++s) sums[r][s] =
            load_lanes(eta + (first + r) * lanes + lane + s * w);
      }
      for (Index c = 0; c < n_columns; ++c) {
        const Real* from = x[c] + first;
        V b[strip];
        CHORALE_UNROLL for (Index s = 0; s < strip; ++s) b[s] = load_lanes(beta + c * lanes + lane + s * w);
        CHORALE_UNROLL for (Index r = 0; r < together; ++r) {
          CHORALE_UNROLL for (Index s = 0; s < strip; ++s) sums[r][s] += from[r] * b[s];
        }
      }
      CHORALE_UNROLL for (Index r = 0; r < together; ++r) {
        CHORALE_UNROLL for (Index s = 0; s < strip; ++s)
            store_lanes(eta + (first + r) * lanes + lane + s * w, sums[r][s]);
      }
    }
  }
}

/// slopes[c, lane] += Σ_r x[r, c] u[r, lane] of a panel.
template <Index lanes, class Real>
void gradient(const Columns<Real>& x, Index n_columns, const Real* u, Real* slopes) {
  using V = typename LaneVector<Real>::Type;
  constexpr Index w = lane_width<Real>, strip = strip_of<Real, lanes>, together = rows_of<Real, lanes>;
  for (Index lane = 0; lane < lanes; lane += strip * w) {
    for (Index first = 0; first < panel_rows; first += together) {
      V residual[together][strip];
      CHORALE_UNROLL for (Index r = 0; r < together; ++r) {
        CHORALE_UNROLL for (Index s = 0; s < strip; ++s) residual[r][s] =
            load_lanes(u + (first + r) * lanes + lane + s * w);
      }
      for (Index c = 0; c < n_columns; ++c) {
        const Real* from = x[c] + first;
        Real* to = slopes + c * lanes + lane;
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
template <Index lanes, class Real>
void linear_of_tile(const WideRows& wide, const WideBlock<Real>& block, Index begin, Index end, Real* eta) {
  for (Index k = 0; k < (end - begin) * panel_rows * lanes; ++k) eta[k] = 0;
  for (Index c = 0; c < block.n_columns; c += columns_together) {
    const Index n = block.n_columns - c < columns_together ? block.n_columns - c : columns_together;
    for (Index p = begin; p < end; ++p) {
      fetch(wide, p, block.columns + c, n);
      const Columns<Real> x(wide.panels + p * wide.n_dense * panel_rows, block.columns + c, n);
      linear<lanes>(x, n, block.beta + c * lanes, eta + (p - begin) * panel_rows * lanes);
    }
  }
}

/// The sparse columns that a row carries.
struct Carried {
  Carried(const WideRows& wide, Index row) {
    if (row >= wide.n_carrying) return;
    begin = wide.carried + wide.carried_begin[wide.source[row]];
    end = wide.carried + wide.carried_begin[wide.source[row] + 1];
  }
  const std::int32_t *begin = nullptr, *end = nullptr;
};

/// Weighs the risks of rows and adds them up by time; risk_of(row, lane, risk) yields a strip of e^η.
template <Index lanes, class Real, class RiskOf>
void add_risks(const WideRows& wide, const WideBlock<Real>& block, Index begin, Index end, RiskOf risk_of) {
  using V = typename LaneVector<Real>::Type;
  constexpr Index w = lane_width<Real>, strip = strip_of<Real, lanes>;
  const PathRows& rows = wide.rows;
  const bool deaths_apart = rows.efron || rows.enter != nullptr;
  for (Index lane = 0; lane < lanes; lane += strip * w) {
    // rows of one time follow each other: their sums stay in registers
    V sum[strip] = {}, dying[strip] = {};
    Index time = rows.exit[begin * panel_rows];
    const auto close = [&] {
      CHORALE_UNROLL for (Index s = 0; s < strip; ++s) {
        add_double(block.at_risk + time * lanes + lane + s * w, sum[s]);
        if (deaths_apart) add_double(block.dying + time * lanes + lane + s * w, dying[s]);
        sum[s] = dying[s] = V{};
      }
    };
    for (Index i = begin * panel_rows; i < end * panel_rows; ++i) {
      if (rows.exit[i] != time) {
        close();
        time = rows.exit[i];
      }
      const Real weight = static_cast<Real>(rows.weight[i]);
      const Real dead = deaths_apart && rows.dead[i] > 0 ? Real(1) : Real(0);
      V risk[strip];
      risk_of(i, lane, risk);
      CHORALE_UNROLL for (Index s = 0; s < strip; ++s) {
        risk[s] *= weight;
        store_lanes(block.risk + i * lanes + lane + s * w, risk[s]);
        sum[s] += risk[s];
        if (deaths_apart) dying[s] += dead * risk[s];
      }
    }
    close();
  }
}

template <Index lanes, class Real>
void risks(const WideRows& wide, const WideBlock<Real>& block, Index begin, Index end) {
  using V = typename LaneVector<Real>::Type;
  constexpr Index w = lane_width<Real>, strip = strip_of<Real, lanes>;
  alignas(64) Real eta[tile_panels * panel_rows * lanes];
  linear_of_tile<lanes>(wide, block, begin, end, eta);
  add_risks<lanes>(wide, block, begin, end, [&](Index i, Index lane, V(&risk)[strip]) {
    const Real offset = wide.offset == nullptr ? Real(0) : static_cast<Real>(wide.offset[i]);
    CHORALE_UNROLL for (Index s = 0; s < strip; ++s) risk[s] =
        load_lanes(eta + (i - begin * panel_rows) * lanes + lane + s * w) + offset;
    const Carried carried(wide, i);
    for (const std::int32_t* k = carried.begin; k != carried.end; ++k) {
      CHORALE_UNROLL for (Index s = 0; s < strip; ++s) risk[s] +=
          load_lanes(block.sparse_beta + *k * lanes + lane + s * w);
    }
    CHORALE_UNROLL for (Index s = 0; s < strip; ++s) risk[s] = exp_lanes(risk[s]);
  });
}

template <Index lanes>
void start(const WideRows& wide, const WideBlock<float>& block, const float* known, Index begin, Index end) {
  constexpr Index w = lane_width<float>, strip = strip_of<float, lanes>;
  add_risks<lanes>(wide, block, begin, end, [&](Index i, Index lane, Single(&risk)[strip]) {
    const float* from = known + (i < wide.n_drawn ? wide.source[i] : 0) * lanes + lane;
    CHORALE_UNROLL for (Index s = 0; s < strip; ++s) risk[s] = load_lanes(from + s * w);
  });
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

template <Index lanes, class Real>
void times(const WideRows& wide, const WideBlock<Real>& block) {
  const PathRows& rows = wide.rows;
  for (Index i = 0; rows.enter != nullptr && i < rows.n_rows; ++i) {
    if (rows.enter[i] < 0) continue;
    for (Index lane = 0; lane < lanes; lane += lane_width<Real>)
      add_double(block.at_risk + rows.enter[i] * lanes + lane, -load_lanes(block.risk + i * lanes + lane));
  }
  const bool deaths_apart = rows.efron || rows.enter != nullptr;
  for (Index lane = 0; lane < lanes; lane += width) {
    Vector logs{};
    for (Index s = 0; s < rows.n_strata; ++s) {
      Vector at_risk{}, hazard{};
      for (Index t = rows.stratum_begin[s + 1] - 1; t >= rows.stratum_begin[s]; --t) {
        at_risk += load_lanes(block.at_risk + t * lanes + lane);
        store_lanes(block.at_risk + t * lanes + lane, at_risk);
      }
      for (Index t = rows.stratum_begin[s]; t < rows.stratum_begin[s + 1]; ++t) {
        const Index at = t * lanes + lane;
        if (rows.dead_weight[t] > 0) {
          Vector more{}, spared{}, log{};
          const Vector dying = deaths_apart ? load_lanes(block.dying + at) : Vector{};
          time_terms(rows, t, load_lanes(block.at_risk + at), dying, more, spared, log);
          hazard += more;
          logs += log;
          if (rows.efron) store_lanes(block.spared + at, spared);
        }
        store_lanes(block.hazard + at, hazard);
      }
    }
    add_double(block.logs + lane, logs);
  }
}

template <Index lanes, class Real>
void gradient_of_tile(const WideRows& wide, Index begin, Index end, const std::int32_t* columns,
                      Index n_columns, const Real* u, Real* sums) {
  for (Index c = 0; c < n_columns; c += columns_together) {
    const Index n = n_columns - c < columns_together ? n_columns - c : columns_together;
    for (Index p = begin; p < end; ++p) {
      fetch(wide, p, columns + c, n);
      const Columns<Real> x(wide.panels + p * wide.n_dense * panel_rows, columns + c, n);
      gradient<lanes>(x, n, u + (p - begin) * panel_rows * lanes, sums + c * lanes);
    }
  }
}

/// Martingale residuals of a tile; adds them to the sums of sparse columns.
template <Index lanes, class Real>
void residuals(const WideRows& wide, const WideBlock<Real>& block, Index begin, Index end, Real* u) {
  using V = typename LaneVector<Real>::Type;
  constexpr Index w = lane_width<Real>, strip = strip_of<Real, lanes>;
  const PathRows& rows = wide.rows;
  for (Index lane = 0; lane < lanes; lane += strip * w) {
    V hazard[strip] = {}, spared[strip] = {};
    Index time = -1;
    for (Index i = begin * panel_rows; i < end * panel_rows; ++i) {
      if (rows.exit[i] != time) {
        time = rows.exit[i];
        CHORALE_UNROLL for (Index s = 0; s < strip; ++s) {
          hazard[s] = from_double<Real>(block.hazard + time * lanes + lane + s * w);
          if (rows.efron) spared[s] = from_double<Real>(block.spared + time * lanes + lane + s * w);
        }
      }
      const Real dead = static_cast<Real>(rows.dead[i]);
      const bool late = rows.enter != nullptr && rows.enter[i] >= 0;
      const Carried carried(wide, i);
      CHORALE_UNROLL for (Index s = 0; s < strip; ++s) {
        V here = hazard[s];
        if (rows.efron && dead > 0) here -= spared[s];
        if (late) here -= from_double<Real>(block.hazard + rows.enter[i] * lanes + lane + s * w);
        const V residual = dead - load_lanes(block.risk + i * lanes + lane + s * w) * here;
        store_lanes(u + (i - begin * panel_rows) * lanes + lane + s * w, residual);
        for (const std::int32_t* k = carried.begin; k != carried.end; ++k) {
          Real* sum = block.sparse_part + *k * lanes + lane + s * w;
          store_lanes(sum, load_lanes(sum) + residual);
        }
      }
    }
  }
}

template <Index lanes, class Real>
void slopes(const WideRows& wide, const WideBlock<Real>& block, Index begin, Index end) {
  alignas(64) Real u[tile_panels * panel_rows * lanes] = {};
  residuals<lanes>(wide, block, begin, end, u);
  gradient_of_tile<lanes>(wide, begin, end, block.asked, block.n_asked, u, block.part);
  if (block.n_checked == 0) return;
  alignas(64) float single[tile_panels * panel_rows * lanes];
  for (Index k = 0; k < (end - begin) * panel_rows * lanes; ++k) single[k] = static_cast<float>(u[k]);
  gradient_of_tile<lanes>(wide, begin, end, block.checked, block.n_checked, single, block.checked_part);
}

template <class Real>
void flush(Index n, Real* part, double* sums) {
  for (Index k = 0; k < n; ++k) {
    sums[k] += static_cast<double>(part[k]);
    part[k] = 0;
  }
}

template <class Real>
void flush_all(const WideRows& wide, const WideBlock<Real>& block) {
  flush(block.n_asked * block.n_lanes, block.part, block.slopes);
  flush(block.n_checked * block.n_lanes, block.checked_part, block.checked_slopes);
  flush(wide.n_sparse * block.n_lanes, block.sparse_part, block.sparse_slopes);
}

}  // namespace

void cox_path_wide_risks(const WideRows& rows, const WideBlock<float>& block, Index begin, Index end) {
  block.n_lanes == 32 ? risks<32>(rows, block, begin, end) : risks<16>(rows, block, begin, end);
}
void cox_path_wide_risks(const WideRows& rows, const WideBlock<double>& block, Index begin, Index end) {
  risks<16>(rows, block, begin, end);
}
void cox_path_wide_start(const WideRows& rows, const WideBlock<float>& block, const float* known, Index begin,
                         Index end) {
  block.n_lanes == 32 ? start<32>(rows, block, known, begin, end) : start<16>(rows, block, known, begin, end);
}
void cox_path_wide_times(const WideRows& rows, const WideBlock<float>& block) {
  block.n_lanes == 32 ? times<32>(rows, block) : times<16>(rows, block);
}
void cox_path_wide_times(const WideRows& rows, const WideBlock<double>& block) {
  times<16>(rows, block);
}
void cox_path_wide_slopes(const WideRows& rows, const WideBlock<float>& block, Index begin, Index end) {
  block.n_lanes == 32 ? slopes<32>(rows, block, begin, end) : slopes<16>(rows, block, begin, end);
}
void cox_path_wide_slopes(const WideRows& rows, const WideBlock<double>& block, Index begin, Index end) {
  slopes<16>(rows, block, begin, end);
}
void cox_path_wide_flush(const WideRows& rows, const WideBlock<float>& block) {
  flush_all(rows, block);
}
void cox_path_wide_flush(const WideRows& rows, const WideBlock<double>& block) {
  flush_all(rows, block);
}

}  // namespace chorale::kernels::simd::CHORALE_LEVEL
