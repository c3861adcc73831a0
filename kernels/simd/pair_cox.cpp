// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/pair_cox_body.hpp"
#include "kernels/simd/vector.hpp"

namespace chorale::kernels::simd::CHORALE_LEVEL {

// this level's body in kernels/simd/cox.cpp
void cox_risks(const ColumnTable& columns, const double* offset, const double* weight, const double* beta,
               Index begin, Index end, double* risk);
double cox_time_terms(const EventTable& all, const RiskTable& sums, const TimeTerms& terms);
void cox_time_sums(Index n_times, Index n_rows, const RiskTable& sums, const TimeTerms& terms,
                   double* gradient, double* products);

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

/// out[k] = Σ_m coefficients[m · count + k] rows[m], one block of event times.
template <int count>
void combine_moments(const double* rows, Index stride, const MomentSeries& series, Index n, double* out) {
  for (Index t = 0; t < n; t += width) {
    Vector total[count]{};
    const double* coefficient = series.coefficients;
    for (Index m = 0; m < series.n_rows; ++m, coefficient += count) {
      const Vector moment = load<Vector>(rows + m * stride + t);
      for (int k = 0; k < count; ++k) total[k] += coefficient[k] * moment;
    }
    for (int k = 0; k < count; ++k) store(out + k * pair_walk_block + t, total[k]);
  }
}

void combine_moments(Index n_columns, const double* rows, const MomentSeries& series, Index n, double* out) {
  const Index stride = series.moments.stride;
  switch (n_columns) {
    case 1:
      return combine_moments<3>(rows, stride, series, n, out);
    case 2:
      return combine_moments<6>(rows, stride, series, n, out);
    default:
      return combine_moments<10>(rows, stride, series, n, out);
  }
}

/// Rows 0, 1 … p, then a, b, both of the model's risk sets; `sums` rows are a block apart.
void add_members(Index n, Index n_columns, const double* everyone, Index everyone_stride,
                 const double* members, Index stride, const PairPoint& at, double* sums) {
  for (Index t = 0; t < n; t += width) {
    const Vector a = load<Vector>(members + t), b = load<Vector>(members + stride + t);
    const Vector both = load<Vector>(members + 2 * stride + t);
    store(sums + t, load<Vector>(everyone + t) + at.excess_a * a + at.excess_b * b + at.excess_both * both);
    double* features = sums + (1 + n_columns) * pair_walk_block + t;
    store(features, at.ratio_a * a + (at.ratio_both - at.ratio_a) * both);
    store(features + pair_walk_block, at.ratio_b * b + (at.ratio_both - at.ratio_b) * both);
    store(features + 2 * pair_walk_block, at.ratio_both * both);
  }
  for (Index j = 0; j < n_columns; ++j) {
    const double* of_everyone = everyone + (1 + j) * everyone_stride;
    const double* of_members = members + (3 + j) * stride;
    double* out = sums + (1 + j) * pair_walk_block;
    for (Index t = 0; t < n; t += width)
      store(out + t, load<Vector>(of_everyone + t) + load<Vector>(of_members + t));
  }
}

/// out[r] += Σ_t first M_r − first_tied D_r
void add_time_sums(Index n, Index n_rows, const RiskView& table, const double* first,
                   const double* first_tied, double* out) {
  for (Index r = 0; r < n_rows; ++r) {
    Vector total{};
    for (Index t = 0; t < n; t += width) {
      total += load<Vector>(first + t) * load<Vector>(table.at_risk + r * table.stride + t) -
               load<Vector>(first_tied + t) * load<Vector>(table.dying + r * table.stride + t);
    }
    out[r] += sum(total);
  }
}

EventTable from(EventTable table, Index begin, Index n) {
  table.n_times = n;
  table.deaths += begin;
  table.weight += begin;
  table.centre += begin;
  for (const double*& moment : table.moment) moment += begin;
  return table;
}

/// lane k becomes lane k + step; zeros enter at the end.
template <Index step>
Vector from_later(Vector value) {
  Bits lane;
  for (Index k = 0; k < width; ++k) lane[k] = static_cast<std::uint64_t>(k + step);
  return __builtin_shuffle(value, Vector{}, lane);
}

/// Each lane plus all later ones.
Vector sum_of_later(Vector value) {
  value += from_later<1>(value);
  if constexpr (width > 2) value += from_later<2>(value);
  if constexpr (width > 4) value += from_later<4>(value);
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
    while (n_rows - r >= 3) next(accumulate<3>, 3);
    while (n_rows - r >= 1) next(accumulate<1>, 1);
  }
}

double pair_cox_walk(const PairTimes& times, const PairTimeSums& sums) {
  constexpr Index block = pair_walk_block;
  const Index p = times.n_columns, q = p + 3, n_everyone = n_slot_sums(p);
  const Index n_products = q * (q + 1) / 2, n_times = times.all.n_times;
  double* m = times.room;
  double* d = m + (1 + q) * block;
  double* everyone_m = d + (1 + q) * block;
  double* everyone_d = everyone_m + n_everyone * block;
  double* second = everyone_d + n_everyone * block;
  double* of_block = second + 3 * block;
  for (Index j = 0; j < q; ++j) sums.gradient[j] = 0;
  for (Index jk = 0; jk < n_products; ++jk) sums.products[jk] = 0;
  for (Index jk = 0; jk < p * (p + 1) / 2; ++jk) sums.everyone_products[jk] = 0;
  double log_risk = 0;
  for (Index begin = 0; begin < n_times; begin += block) {
    const Index n = begin + block < n_times ? block : n_times - begin;
    RiskView everyone{times.everyone.at_risk + begin, times.everyone.dying + begin, times.everyone.stride};
    if (times.series != nullptr) {
      const RiskView& moments = times.series->moments;
      combine_moments(p, moments.at_risk + begin, *times.series, n, everyone_m);
      combine_moments(p, moments.dying + begin, *times.series, n, everyone_d);
      everyone = {everyone_m, everyone_d, block};
    }
    for (Index t = 0; t < n; ++t) {
      sums.everyone_at_risk[begin + t] = everyone.at_risk[t];
      sums.everyone_dying[begin + t] = everyone.dying[t];
    }
    const RiskView& members = times.members;
    add_members(n, p, everyone.at_risk, everyone.stride, members.at_risk + begin, members.stride, times.at,
                m);
    add_members(n, p, everyone.dying, everyone.stride, members.dying + begin, members.stride, times.at, d);
    const RiskTable model{m, d, block};
    const TimeTerms terms{sums.first + begin, sums.first_tied + begin, second, second + block,
                          second + 2 * block};
    log_risk += cox_time_terms(from(times.all, begin, n), model, terms);
    cox_time_sums(n, q, model, terms, of_block, of_block + q);
    for (Index j = 0; j < q; ++j) sums.gradient[j] += of_block[j];
    for (Index jk = 0; jk < n_products; ++jk) sums.products[jk] += of_block[q + jk];
    add_time_sums(n, p * (p + 1) / 2,
                  {everyone.at_risk + (1 + p) * everyone.stride, everyone.dying + (1 + p) * everyone.stride,
                   everyone.stride},
                  terms.first, terms.first_tied, sums.everyone_products);
  }
  return log_risk;
}

void pair_cox_slot_sums(const SlotTable& slots, const double* shift, bool near, double* sums) {
  if (near) {
    sums_of_any<true>(slots, shift, sums);
  } else {
    sums_of_any<false>(slots, shift, sums);
  }
}

void pair_cox_slot_moments(const SlotTable& slots, const MonomialGroup& group, Index n_rows, double* sums) {
  constexpr Index most = 128;
  for (Index b = 0; b < slots.n_blocks; ++b) {
    for (Index lane = 0; lane < lanes; lane += width) {
      double* out = sums + b * n_rows * lanes + lane;
      for (Index layer = slots.layer_begin[b]; layer < slots.layer_begin[b + 1]; ++layer) {
        const Index at = layer * lanes + lane;
        Vector monomial[most];
        monomial[0] = load<Vector>(slots.base + at);
        for (Index m = 1; m < group.end; ++m) {
          monomial[m] = monomial[group.parent[m]] *
                        load<Vector>(slots.columns.values + group.column[m] * slots.columns.stride + at);
        }
        for (Index m = group.begin; m < group.end; ++m) {
          double* to = out + (m - group.begin) * lanes;
          store(to, load<Vector>(to) + monomial[m]);
        }
      }
    }
  }
}

}  // namespace chorale::kernels::simd::CHORALE_LEVEL
