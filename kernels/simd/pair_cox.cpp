// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include <utility>

#include "kernels/pair_cox_body.hpp"
#include "kernels/simd/vector.hpp"

namespace chorale::kernels::simd::CHORALE_LEVEL {

// this level's body in kernels/simd/cox.cpp
void cox_risks(const ColumnTable& columns, const double* offset, const double* weight, const double* beta,
               Index begin, Index end, double* risk);

namespace {

static_assert(lanes % width == 0, "a layer holds whole vectors");

/// exp x for |x| <= 0.1: what the series leaves out is below 3e-17.
template <class V>
V exp_near_zero(V x) {
  V series = x * (1.0 / 362880) + 1.0 / 40320;
  series = series * x + 1.0 / 5040;
  series = series * x + 1.0 / 720;
  series = series * x + 1.0 / 120;
  series = series * x + 1.0 / 24;
  series = series * x + 1.0 / 6;
  series = series * x + 0.5;
  series = series * x + 1.0;
  return series * x + 1.0;
}

template <bool near>
Vector exp_of_shift(Vector x) {
  if constexpr (near) return exp_near_zero(x);
  return exp_of(x);
}

/// All sums of one vector's width of pieces in registers, for few columns.
template <int p, bool near>
void sums_of_few(const SlotTable& slots, const double* shift, double* sums) {
  constexpr int n_products = p * (p + 1) / 2;
  for (Index b = 0; b < slots.n_blocks; ++b) {
    for (Index lane = 0; lane < lanes; lane += width) {
      Vector of_risk{}, of_column[p + 1]{}, of_product[n_products + 1]{};
      for (Index layer = slots.layer_begin[b]; layer < slots.layer_begin[b + 1]; ++layer) {
        const Index at = layer * lanes + lane;
        Vector z[p + 1], eta{};
        for (int j = 0; j < p; ++j) {
          z[j] = load<Vector>(slots.columns.values + j * slots.columns.stride + at);
          eta += shift[j] * z[j];
        }
        const Vector risk = load<Vector>(slots.base + at) * exp_of_shift<near>(eta);
        of_risk += risk;
        for (int j = 0, jk = 0; j < p; ++j) {
          const Vector scaled = risk * z[j];
          of_column[j] += scaled;
          for (int k = j; k < p; ++k) of_product[jk++] += scaled * z[k];
        }
      }
      double* out = sums + b * n_slot_sums(p) * lanes + lane;
      store(out, of_risk);
      for (int j = 0; j < p; ++j) store(out += lanes, of_column[j]);
      for (int jk = 0; jk < n_products; ++jk) store(out += lanes, of_product[jk]);
    }
  }
}

/// Adds layer by layer: out[lane] = Σ a · b, or Σ a where b is null.
void sum_layers(const double* a, const double* b, Index n_layers, double* out) {
  for (Index lane = 0; lane < lanes; lane += width) {
    Vector total{};
    for (Index at = lane; at < n_layers * lanes; at += lanes) {
      total += b == nullptr ? load<Vector>(a + at) : load<Vector>(a + at) * load<Vector>(b + at);
    }
    store(out + lane, total);
  }
}

/// Any number of columns, one block of pieces at a time in the first cache.
void sums_of_many(const SlotTable& slots, const double* shift, double* sums) {
  const Index p = slots.columns.n_columns, stride = slots.columns.stride;
  for (Index b = 0; b < slots.n_blocks; ++b) {
    const Index begin = slots.layer_begin[b] * lanes, end = slots.layer_begin[b + 1] * lanes;
    const Index n_layers = (end - begin) / lanes;
    double risk[longest_piece * lanes], scaled[longest_piece * lanes];
    cox_risks({slots.columns.values + begin, stride, p}, nullptr, slots.base + begin, shift, 0, end - begin,
              risk);
    double* out = sums + b * n_slot_sums(p) * lanes;
    double* products = out + (1 + p) * lanes;
    sum_layers(risk, nullptr, n_layers, out);
    for (Index j = 0; j < p; ++j) {
      const double* z = slots.columns.values + j * stride + begin;
      for (Index i = 0; i < end - begin; ++i) scaled[i] = risk[i] * z[i];
      sum_layers(scaled, nullptr, n_layers, out += lanes);
      for (Index k = j; k < p; ++k, products += lanes)
        sum_layers(scaled, slots.columns.values + k * stride + begin, n_layers, products);
    }
  }
}

template <bool near>
void sums_of_any(const SlotTable& slots, const double* shift, double* sums) {
  switch (slots.columns.n_columns) {
    case 0:
      return sums_of_few<0, near>(slots, shift, sums);
    case 1:
      return sums_of_few<1, near>(slots, shift, sums);
    case 2:
      return sums_of_few<2, near>(slots, shift, sums);
    case 3:
      return sums_of_few<3, near>(slots, shift, sums);
    default:
      return sums_of_many(slots, shift, sums);
  }
}

/// Lane k + step in lane k; zeros enter at the end.
template <Index step, Index... k>
Vector from_later(Vector value, std::integer_sequence<Index, k...>) {
  return __builtin_shufflevector(value, Vector{}, (k + step)...);
}

/// Each lane plus all later ones.
Vector sum_of_later(Vector value) {
  constexpr std::make_integer_sequence<Index, width> all;
  value += from_later<1>(value, all);
  if constexpr (width > 2) value += from_later<2>(value, all);
  if constexpr (width > 4) value += from_later<4>(value, all);
  return value;
}

/// One stratum's event times, `count` rows side by side.
template <int count>
void accumulate(Index begin, Index end, const double* centre, const RiskTable& table) {
  double total[count] = {};
  Index t = end;
  for (; t - width >= begin; t -= width) {
    const Vector f = load<Vector>(centre + t - width);
    for (int r = 0; r < count; ++r) {
      double* at_risk = table.at_risk + r * table.stride + t - width;
      double* dying = table.dying + r * table.stride + t - width;
      const Vector dead = load<Vector>(dying);
      const Vector later = sum_of_later(load<Vector>(at_risk) + dead) + total[r];
      total[r] = later[0];
      store(at_risk, later - f * dead);
      store(dying, f > 0.0 ? dead : Vector{});
    }
  }
  while (t-- > begin) {
    for (int r = 0; r < count; ++r) {
      double& at_risk = table.at_risk[r * table.stride + t];
      double& dying = table.dying[r * table.stride + t];
      total[r] += at_risk + dying;
      at_risk = total[r] - centre[t] * dying;
      if (centre[t] == 0) dying = 0;
    }
  }
}

}  // namespace

void pair_cox_accumulate(const Index* stratum_begin, Index n_strata, const double* centre, Index n_rows,
                         const RiskTable& table) {
  for (Index s = 0; s < n_strata; ++s) {
    const Index begin = stratum_begin[s], end = stratum_begin[s + 1];
    Index r = 0;
    const auto next = [&](auto body, Index count) {
      body(begin, end, centre,
           RiskTable{table.at_risk + r * table.stride, table.dying + r * table.stride, table.stride});
      r += count;
    };
    while (n_rows - r >= 5) next(accumulate<5>, 5);
    while (n_rows - r >= 2) next(accumulate<2>, 2);
    while (n_rows - r >= 1) next(accumulate<1>, 1);
  }
}

void pair_cox_slot_sums(const SlotTable& slots, const double* shift, bool near, double* sums) {
  if (near) {
    sums_of_any<true>(slots, shift, sums);
  } else {
    sums_of_any<false>(slots, shift, sums);
  }
}

void pair_cox_slot_moments(const SlotTable& slots, const MonomialList& monomials, double* sums) {
  for (Index b = 0; b < slots.n_blocks; ++b) {
    for (Index lane = 0; lane < lanes; lane += width) {
      double* out = sums + b * monomials.n * lanes + lane;
      for (Index layer = slots.layer_begin[b]; layer < slots.layer_begin[b + 1]; ++layer) {
        const Index at = layer * lanes + lane;
        Vector monomial[most_monomials];
        monomial[0] = load<Vector>(slots.base + at);
        store(out, load<Vector>(out) + monomial[0]);
        for (Index m = 1; m < monomials.n; ++m) {
          monomial[m] = monomial[monomials.parent[m]] *
                        load<Vector>(slots.columns.values + monomials.column[m] * slots.columns.stride + at);
          store(out + m * lanes, load<Vector>(out + m * lanes) + monomial[m]);
        }
      }
    }
  }
}

}  // namespace chorale::kernels::simd::CHORALE_LEVEL
