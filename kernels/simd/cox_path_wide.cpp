// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/cox_path_wide_body.hpp"
#include "kernels/simd/lane_sums.hpp"

namespace chorale::kernels::simd::CHORALE_LEVEL {
namespace {

template <class Real, Index lanes>
inline constexpr Index strip_of =
    lane_strip<lanes, Real> < 2 ? 1 : 2;  ///< vectors of lanes worked on together
template <class Real, Index lanes>
inline constexpr Index rows_of = accumulators / strip_of<Real, lanes>;

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
template <Index lanes, Index used, class Real>
void linear(const Columns<Real>& x, Index n_columns, const Real* beta, Real* eta) {
  using V = typename LaneVector<Real>::Type;
  constexpr Index w = lane_width<Real>, strip = strip_of<Real, used>, together = rows_of<Real, used>;
  for (Index lane = 0; lane < used; lane += strip * w) {
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
template <Index lanes, Index used, class Real>
void gradient(const Columns<Real>& x, Index n_columns, const Real* u, Real* slopes) {
  using V = typename LaneVector<Real>::Type;
  constexpr Index w = lane_width<Real>, strip = strip_of<Real, used>, together = rows_of<Real, used>;
  for (Index lane = 0; lane < used; lane += strip * w) {
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

template <Index lanes, Index used, class Real>
void add_linear(const WideRows& wide, const WideBlock<Real>& block, Index first, Index last, Index begin,
                Index end, Real* eta) {
  for (Index c = first; c < last; c += columns_together) {
    const Index n = last - c < columns_together ? last - c : columns_together;
    for (Index p = begin; p < end; ++p) {
      fetch(wide, p, block.columns + c, n);
      const Columns<Real> x(wide.panels + p * wide.n_dense * panel_rows, block.columns + c, n);
      linear<lanes, used>(x, n, block.beta + c * lanes, eta + (p - begin) * panel_rows * lanes);
    }
  }
}

/// Linear predictors of the dense columns, panel by panel of a tile.
template <Index lanes, class Real>
void linear_of_tile(const WideRows& wide, const WideBlock<Real>& block, Index begin, Index end, Real* eta) {
  for (Index k = 0; k < (end - begin) * panel_rows * lanes; ++k) eta[k] = 0;
  add_linear<lanes, lanes>(wide, block, 0, block.n_wide, begin, end, eta);
  add_linear<lanes, wide_lanes>(wide, block, block.n_wide, block.n_columns, begin, end, eta);
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

template <Index lanes, Index used, class Real>
void gradient_of_tile(const WideRows& wide, Index begin, Index end, const std::int32_t* columns,
                      Index n_columns, const Real* u, Real* sums) {
  for (Index c = 0; c < n_columns; c += columns_together) {
    const Index n = n_columns - c < columns_together ? n_columns - c : columns_together;
    for (Index p = begin; p < end; ++p) {
      fetch(wide, p, columns + c, n);
      const Columns<Real> x(wide.panels + p * wide.n_dense * panel_rows, columns + c, n);
      gradient<lanes, used>(x, n, u + (p - begin) * panel_rows * lanes, sums + c * lanes);
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
  gradient_of_tile<lanes, lanes>(wide, begin, end, block.asked, block.n_asked_wide, u, block.part);
  gradient_of_tile<lanes, wide_lanes>(wide, begin, end, block.asked + block.n_asked_wide,
                                      block.n_asked - block.n_asked_wide, u,
                                      block.part + block.n_asked_wide * lanes);
  if (block.n_checked == 0) return;
  alignas(64) float single[tile_panels * panel_rows * lanes];
  for (Index k = 0; k < (end - begin) * panel_rows * lanes; ++k) single[k] = static_cast<float>(u[k]);
  gradient_of_tile<lanes, lanes>(wide, begin, end, block.checked, block.n_checked, single,
                                 block.checked_part);
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
