// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/pair_cox_body.hpp"
#include "kernels/simd/vector.hpp"

namespace chorale::kernels::simd::CHORALE_LEVEL {

// this level's bodies in kernels/simd/cox.cpp
double cox_time_terms(const EventTable& all, const RiskTable& sums, const TimeTerms& terms);
void cox_time_sums(Index n_times, Index n_rows, const RiskTable& sums, const TimeTerms& terms,
                   double* gradient, double* products);

namespace {

constexpr Index block = pair_walk_block;

/// Everyone's sums at one vector of event times, for p columns.
template <int p>
struct Everyone {
  static constexpr int n = 1 + p + p * (p + 1) / 2;
  Vector m[n], d[n];

  Everyone(const RiskView& rows, Index t) {
    for (int r = 0; r < n; ++r) {
      m[r] = load<Vector>(rows.at_risk + r * rows.stride + t);
      d[r] = load<Vector>(rows.dying + r * rows.stride + t);
    }
  }

  Everyone(const MomentSeries& series, Index n_rows_dying, Index t) {
    const double* moment = series.moments + (t / lanes * series.n_moments * 2) * lanes + t % lanes;
    const double* coefficient = series.coefficients;
    for (int r = 0; r < n; ++r) {
      m[r] = coefficient[r] * load<Vector>(moment);
      d[r] = coefficient[r] * load<Vector>(moment + lanes);
    }
    moment += 2 * lanes;
    coefficient += n;
    Index row = 1;
    for (; row < n_rows_dying; ++row, moment += 2 * lanes, coefficient += n) {
      const Vector at_risk = load<Vector>(moment), dying = load<Vector>(moment + lanes);
      for (int r = 0; r < n; ++r) {
        m[r] += coefficient[r] * at_risk;
        d[r] += coefficient[r] * dying;
      }
    }
    for (; row < series.n_rows; ++row, moment += 2 * lanes, coefficient += n) {
      const Vector at_risk = load<Vector>(moment);
      for (int r = 0; r < n; ++r) m[r] += coefficient[r] * at_risk;
    }
  }
};

/// Rows 0, 1 … p, then a, b, both of the model's risk sets. Compilers leave it a call, which keeps the rows in memory.
template <int p>
[[gnu::always_inline]] inline void add_carriers(const Vector* everyone, const double* members, Index stride,
                                                const PairPoint& at, Vector* sums) {
  const Vector a = load<Vector>(members), b = load<Vector>(members + stride);
  const Vector both = load<Vector>(members + 2 * stride);
  sums[0] = everyone[0] + at.excess_a * a + at.excess_b * b + at.excess_both * both;
  for (int j = 0; j < p; ++j) sums[1 + j] = everyone[1 + j] + load<Vector>(members + (3 + j) * stride);
  sums[1 + p] = at.ratio_a * a + (at.ratio_both - at.ratio_a) * both;
  sums[2 + p] = at.ratio_b * b + (at.ratio_both - at.ratio_b) * both;
  sums[3 + p] = at.ratio_both * both;
}

template <int p>
struct Sums {
  static constexpr int q = p + 3, n_products = q * (q + 1) / 2, n_everyone = p * (p + 1) / 2;
  Vector gradient[q]{}, product[n_products]{}, everyone[n_everyone + 1]{}, log_risk{};

  double add_to(const PairTimeSums& sums) const {
    for (int j = 0; j < q; ++j) sums.gradient[j] += sum(gradient[j]);
    for (int jk = 0; jk < n_products; ++jk) sums.products[jk] += sum(product[jk]);
    for (int jk = 0; jk < n_everyone; ++jk) sums.everyone_products[jk] += sum(everyone[jk]);
    return sum(log_risk);
  }
};

/// What a vector of event times adds, in the letters of add_time in kernels/simd/pair_slope.cpp. Returns u.
template <int p, int n_moments>
Vector add_time(const PairTimes& times, const Everyone<p>& everyone, Index t, Sums<p>& sums,
                const PairTimeSums& out) {
  constexpr int q = p + 3;
  const RiskView& members = times.members;
  Vector m[1 + q], d[1 + q], e[q], f[q]{};
  add_carriers<p>(everyone.m, members.at_risk + t, members.stride, times.at, m);
  const Vector weight = load<Vector>(times.all.weight + t), inverse = 1.0 / m[0];
  Vector u{}, first{}, second{}, third{};
  if constexpr (n_moments > 0) {
    add_carriers<p>(everyone.d, members.dying + t, members.stride, times.at, d);
    u = d[0] * inverse;
    const Vector u2 = u * u;
    for (int k = n_moments - 1; k >= 0; --k) {
      const Vector moment = load<Vector>(times.all.moment[k] + t);
      first = first * u2 + moment;
      second = second * u2 + (2.0 * k + 1) * moment;
      third = third * u2 + moment * (1.0 / (2 * k + 2));
    }
    sums.log_risk -= third * u2;
  }
  sums.log_risk += weight * log_of(m[0]);
  const Vector s1 = first * u, tied = s1 * inverse, alone = (weight + s1 * u) * inverse;
  store(out.first + t, alone);
  store(out.first_tied + t, tied);
  store(out.everyone_at_risk + t, everyone.m[0]);
  store(out.everyone_dying + t, everyone.d[0]);
  for (int jk = 0; jk < p * (p + 1) / 2; ++jk)
    sums.everyone[jk] += alone * everyone.m[1 + p + jk] - tied * everyone.d[1 + p + jk];
  for (int j = 0; j < q; ++j) {
    m[1 + j] *= inverse;
    e[j] = weight * m[1 + j];
    if constexpr (n_moments > 0) {
      d[1 + j] = d[1 + j] * inverse - u * m[1 + j];
      e[j] -= s1 * d[1 + j];
      f[j] = second * d[1 + j] - s1 * m[1 + j];
    }
    sums.gradient[j] += e[j];
  }
  for (int j = 0, jk = 0; j < q; ++j) {
    for (int k = j; k < q; ++k, ++jk) {
      sums.product[jk] += m[1 + j] * e[k];
      if constexpr (n_moments > 0) sums.product[jk] += d[1 + j] * f[k];
    }
  }
  return u;
}

/// False, and nothing added to the sums, when ties ask for more than n_moments.
template <int p, int n_moments>
bool add_times(const PairTimes& times, Index begin, Index end, double reach, const PairTimeSums& out,
               double& log_risk) {
  Sums<p> sums;
  Vector most{};
  const MomentSeries* series = times.series;
  const Index n_rows_dying = series == nullptr            ? 0
                             : reach <= few_moments_reach ? series->n_rows_dying
                                                          : series->n_rows;
  for (Index t = begin; t < end; t += width) {
    const Everyone<p> everyone =
        series != nullptr ? Everyone<p>(*series, n_rows_dying, t) : Everyone<p>(times.everyone, t);
    const Vector u = add_time<p, n_moments>(times, everyone, t, sums, out);
    most = u > most ? u : most;
  }
  if (largest(most) > reach) return false;
  log_risk += sums.add_to(out);
  return true;
}

EventTable from(EventTable table, Index begin, Index n) {
  table.n_times = n;
  table.deaths += begin;
  table.weight += begin;
  table.centre += begin;
  for (const double*& moment : table.moment) moment += begin;
  return table;
}

/// Any number of columns: M or D of a block of event times, rows as in add_carriers.
void add_carriers_of_many(Index n, Index n_columns, const double* everyone, Index everyone_stride,
                          const double* members, Index stride, const PairPoint& at, double* sums) {
  for (Index t = 0; t < n; t += width) {
    const Vector a = load<Vector>(members + t), b = load<Vector>(members + stride + t);
    const Vector both = load<Vector>(members + 2 * stride + t);
    store(sums + t, load<Vector>(everyone + t) + at.excess_a * a + at.excess_b * b + at.excess_both * both);
    double* features = sums + (1 + n_columns) * block + t;
    store(features, at.ratio_a * a + (at.ratio_both - at.ratio_a) * both);
    store(features + block, at.ratio_b * b + (at.ratio_both - at.ratio_b) * both);
    store(features + 2 * block, at.ratio_both * both);
  }
  for (Index j = 0; j < n_columns; ++j) {
    const double* of_everyone = everyone + (1 + j) * everyone_stride;
    const double* of_members = members + (3 + j) * stride;
    double* out = sums + (1 + j) * block;
    for (Index t = 0; t < n; t += width)
      store(out + t, load<Vector>(of_everyone + t) + load<Vector>(of_members + t));
  }
}

/// out[r] += Σ_t first M_r − first_tied D_r
void add_time_sums(Index n, Index n_rows, const double* at_risk, const double* dying, Index stride,
                   const double* first, const double* first_tied, double* out) {
  for (Index r = 0; r < n_rows; ++r) {
    Vector total{};
    for (Index t = 0; t < n; t += width) {
      total += load<Vector>(first + t) * load<Vector>(at_risk + r * stride + t) -
               load<Vector>(first_tied + t) * load<Vector>(dying + r * stride + t);
    }
    out[r] += sum(total);
  }
}

/// Any number of columns and any ties, everyone's rows as they stand.
double add_block(const PairTimes& times, const RiskView& everyone, Index begin, Index n,
                 const PairTimeSums& out) {
  const Index p = times.n_columns, q = p + 3;
  double* m = times.room;
  double* d = m + (1 + q) * block;
  double* second = d + (1 + q) * block;
  double* of_block = second + 3 * block;
  const RiskView& members = times.members;
  for (Index t = 0; t < n; ++t) {
    out.everyone_at_risk[begin + t] = everyone.at_risk[t];
    out.everyone_dying[begin + t] = everyone.dying[t];
  }
  add_carriers_of_many(n, p, everyone.at_risk, everyone.stride, members.at_risk + begin, members.stride,
                       times.at, m);
  add_carriers_of_many(n, p, everyone.dying, everyone.stride, members.dying + begin, members.stride, times.at,
                       d);
  const RiskTable model{m, d, block};
  const TimeTerms terms{out.first + begin, out.first_tied + begin, second, second + block,
                        second + 2 * block};
  const double log_risk = cox_time_terms(from(times.all, begin, n), model, terms);
  cox_time_sums(n, q, model, terms, of_block, of_block + q);
  for (Index j = 0; j < q; ++j) out.gradient[j] += of_block[j];
  for (Index jk = 0; jk < q * (q + 1) / 2; ++jk) out.products[jk] += of_block[q + jk];
  const Index products = (1 + p) * everyone.stride;
  add_time_sums(n, p * (p + 1) / 2, everyone.at_risk + products, everyone.dying + products, everyone.stride,
                terms.first, terms.first_tied, out.everyone_products);
  return log_risk;
}

/// A block with everyone's rows from the series, where ties are too many for add_times.
template <int p>
double add_tied_block(const PairTimes& times, Index begin, Index end, const PairTimeSums& out) {
  constexpr int n_rows = Everyone<p>::n;
  if (times.series == nullptr) {
    const RiskView& all = times.everyone;
    return add_block(times, {all.at_risk + begin, all.dying + begin, all.stride}, begin, end - begin, out);
  }
  double m[n_rows * block], d[n_rows * block];
  for (Index t = begin; t < end; t += width) {
    const Everyone<p> everyone(*times.series, times.series->n_rows, t);
    for (int r = 0; r < n_rows; ++r) {
      store(m + r * block + t - begin, everyone.m[r]);
      store(d + r * block + t - begin, everyone.d[r]);
    }
  }
  return add_block(times, {m, d, block}, begin, end - begin, out);
}

template <int p>
double walk_few(const PairTimes& times, const PairTimeSums& out) {
  double log_risk = 0;
  for (Index begin = 0; begin < times.all.n_times; begin += block) {
    const Index end = begin + block < times.all.n_times ? begin + block : times.all.n_times;
    const bool added =
        times.all.efron ? add_times<p, 3>(times, begin, end, few_moments_reach, out, log_risk) ||
                              add_times<p, n_tie_moments>(times, begin, end, all_moments_reach, out, log_risk)
                        : add_times<p, 0>(times, begin, end, 1, out, log_risk);
    if (!added) log_risk += add_tied_block<p>(times, begin, end, out);
  }
  return log_risk;
}

double walk_many(const PairTimes& times, const PairTimeSums& out) {
  double log_risk = 0;
  const RiskView& all = times.everyone;
  for (Index begin = 0; begin < times.all.n_times; begin += block) {
    const Index n = begin + block < times.all.n_times ? block : times.all.n_times - begin;
    log_risk += add_block(times, {all.at_risk + begin, all.dying + begin, all.stride}, begin, n, out);
  }
  return log_risk;
}

}  // namespace

double pair_cox_walk(const PairTimes& times, const PairTimeSums& sums) {
  const Index p = times.n_columns, q = p + 3;
  for (Index j = 0; j < q; ++j) sums.gradient[j] = 0;
  for (Index jk = 0; jk < q * (q + 1) / 2; ++jk) sums.products[jk] = 0;
  for (Index jk = 0; jk < p * (p + 1) / 2; ++jk) sums.everyone_products[jk] = 0;
  switch (p) {
    case 0:
      return walk_few<0>(times, sums);
    case 1:
      return walk_few<1>(times, sums);
    case 2:
      return walk_few<2>(times, sums);
    case 3:
      return walk_few<3>(times, sums);
    default:
      return walk_many(times, sums);
  }
}

}  // namespace chorale::kernels::simd::CHORALE_LEVEL
