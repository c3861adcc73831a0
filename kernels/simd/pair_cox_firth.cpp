// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/pair_cox_firth_body.hpp"
#include "kernels/simd/vector.hpp"

namespace chorale::kernels::simd::CHORALE_LEVEL {
namespace {

static_assert(lanes % width == 0, "a block of event times holds whole vectors");

void add_to(double* at, Vector value) {
  store(at, load<Vector>(at) + value);
}

/// Sums gathered side by side, a vector each; adds each vector up.
void add_up(Index n, const double* room, double* out) {
  for (Index r = 0; r < n; ++r) out[r] = sum(load<Vector>(room + r * width));
}

template <int p>
void everyone_of(Index n_times, const MomentSeries& series, const RiskTable& table) {
  constexpr int n = 1 + p + p * (p + 1) / 2;
  for (Index t = 0; t < n_times; t += width) {
    const double* moment = series.moments + (t / lanes * series.n_moments * 2) * lanes + t % lanes;
    const double* coefficient = series.coefficients;
    Vector m[n]{}, d[n]{};
    for (Index row = 0; row < series.n_rows; ++row, moment += 2 * lanes, coefficient += n) {
      const Vector at_risk = load<Vector>(moment), dying = load<Vector>(moment + lanes);
      for (int r = 0; r < n; ++r) {
        m[r] += coefficient[r] * at_risk;
        d[r] += coefficient[r] * dying;
      }
    }
    for (int r = 0; r < n; ++r) {
      store(table.at_risk + r * table.stride + t, m[r]);
      store(table.dying + r * table.stride + t, d[r]);
    }
  }
}

/// (W/d) Σ_l h_l^k for k = 1, 2, 3, and (W/d) Σ_l log(1 − g_l u).
struct Ties {
  Vector of_h[3], log;
};

/// Σ_l h_l^k = Σ_j (k + j − 1 choose j) u^j Σ_l g_l^(k + j), of which odd powers of g vanish
template <int n_moments>
Ties few_ties(const EventTable& all, Index t, Vector u) {
  const Vector u2 = u * u;
  Vector first{}, second{}, third{}, logs{};
  for (int k = n_moments - 1; k >= 0; --k) {
    const Vector moment = load<Vector>(all.moment[k] + t);
    first = first * u2 + moment;
    second = second * u2 + (2.0 * k + 1) * moment;
    if (k > 0) third = third * u2 + ((2.0 * k + 1) * k) * moment;
    logs = logs * u2 + moment * (1.0 / (2 * k + 2));
  }
  return {{first * u, second, third * u}, -(logs * u2)};
}

Ties many_ties(const EventTable& all, Index t, Vector u) {
  const Vector deaths = load<Vector>(all.deaths + t), centre = load<Vector>(all.centre + t);
  const Vector share = load<Vector>(all.weight + t) / (deaths > 0.0 ? deaths : Vector{} + 1.0);
  Ties ties{};
  const double most = largest(deaths);
  for (double l = 0; l < most; ++l) {
    const Vector part = deaths > l ? share : Vector{};
    const Vector g = deaths > l && centre > 0.0 ? l / deaths - centre : Vector{};
    const Vector left = 1.0 - g * u, h = g / left;
    ties.of_h[0] += part * h;
    ties.of_h[1] += part * h * h;
    ties.of_h[2] += part * h * h * h;
    ties.log += part * log_of(left);
  }
  return ties;
}

Ties ties_of(const EventTable& all, Index t, Vector u) {
  const double most = largest(u);
  if (most <= few_moments_reach) return few_ties<3>(all, t, u);
  if (most <= all_moments_reach) return few_ties<n_tie_moments>(all, t, u);
  return many_ties(all, t, u);
}

/// Rows of the model at a vector of event times, those of M or those of D; fixed: the number of columns, or −1.
template <int fixed>
struct RowsAt {
  Index n_columns;
  double* rows;

  Index p() const { return fixed >= 0 ? fixed : n_columns; }
  Index q() const { return p() + 3; }
  void put(Index row, Vector value) const { store(rows + 2 * row * lanes, value); }
  Vector get(Index row) const { return load<Vector>(rows + 2 * row * lanes); }

  /// The row of Σ risk x_j x_k, j <= k.
  Index product(Index j, Index k) const { return 1 + q() + j * q() - j * (j - 1) / 2 + k - j; }

  void fill(const double* everyone, Index stride, const double* groups, Index group_stride,
            const double* ratio) const {
    const Index n = n_slot_sums(p());
    const auto group = [&](Index g, Index row) {
      return load<Vector>(groups + (g * n + row) * group_stride);
    };
    const auto all = [&](Index row) {
      return load<Vector>(everyone + row * stride) + (ratio[0] - 1) * group(0, row) +
             (ratio[1] - 1) * group(1, row) + (ratio[2] - 1) * group(2, row);
    };
    const auto put_features = [&](Index row, const Index(&to)[3]) {
      const Vector in_both = ratio[2] * group(2, row);
      put(to[0], ratio[0] * group(0, row) + in_both);
      put(to[1], ratio[1] * group(1, row) + in_both);
      put(to[2], in_both);
    };
    // the product of two features is the indicator of both, or of one
    const Index a = p(), b = a + 1, both = a + 2;
    put(0, all(0));
    put_features(0, {1 + a, 1 + b, 1 + both});
    put_features(0, {product(a, a), product(b, b), product(both, both)});
    put(product(a, b), get(1 + both));
    put(product(a, both), get(1 + both));
    put(product(b, both), get(1 + both));
    for (Index j = 0; j < p(); ++j) {
      put(1 + j, all(1 + j));
      put_features(1 + j, {product(j, a), product(j, b), product(j, both)});
    }
    for (Index j = 0, r = 1 + p(); j < p(); ++j) {
      for (Index k = j; k < p(); ++k, ++r) put(product(j, k), all(r));
    }
  }
};

/// M's rows and D's.
template <int fixed>
struct ModelAt {
  ModelAt(const FirthTerms& terms, Index n_columns, Index t) : m{n_columns, terms.rows}, d(m) {
    m.rows += (t / lanes * n_rows() * 2) * lanes + t % lanes;
    d.rows = m.rows + lanes;
  }
  Index n_rows() const { return n_firth_rows(m.p()); }

  RowsAt<fixed> m, d;
};

template <int fixed>
double walk_of(const FirthTimes& times, const FirthTerms& terms, double* room) {
  const RiskView &everyone = times.everyone, &groups = times.groups;
  Vector log_risk{};
  for (Index t = 0; t < times.all.n_times; t += width) {
    const ModelAt<fixed> model(terms, times.n_columns, t);
    const RowsAt<fixed>&m = model.m, &d = model.d;
    const Index q = m.q();
    m.fill(everyone.at_risk + t, everyone.stride, groups.at_risk + t, groups.stride, times.ratio);
    d.fill(everyone.dying + t, everyone.stride, groups.dying + t, groups.stride, times.ratio);
    const Vector weight = load<Vector>(times.all.weight + t), inverse = 1.0 / m.get(0);
    const Vector u = d.get(0) * inverse;
    const Ties ties = ties_of(times.all, t, u);
    log_risk += weight * log_of(m.get(0)) + ties.log;
    for (int k = 0; k < 3; ++k) store(terms.tie[k] + t, ties.of_h[k]);
    store(terms.first + t, (weight + ties.of_h[0] * u) * inverse);
    store(terms.first_tied + t, ties.of_h[0] * inverse);
    for (Index r = 1; r < model.n_rows(); ++r) {
      const Vector mean = m.get(r) * inverse;
      m.put(r, mean);
      d.put(r, d.get(r) * inverse - u * mean);
      add_to(room + (r - 1) * width, weight * m.get(r) - ties.of_h[0] * d.get(r));
    }
    // Σ_l (W/d) μ μ' leaves the second moments
    double* products = room + q * width;
    for (Index j = 0; j < q; ++j) {
      const Vector with_m = weight * m.get(1 + j) - ties.of_h[0] * d.get(1 + j);
      const Vector with_d = ties.of_h[1] * d.get(1 + j) - ties.of_h[0] * m.get(1 + j);
      for (Index k = j; k < q; ++k, products += width)
        add_to(products, -(with_m * m.get(1 + k) + with_d * d.get(1 + k)));
    }
  }
  return sum(log_risk);
}

/// out += A x + B y, the second moments of a and of b as symmetric matrices.
template <int fixed>
void add_products(const RowsAt<fixed>& a, const RowsAt<fixed>& b, const double* x, const double* y,
                  double* out) {
  const Index q = a.q();
  for (Index j = 0, row = 1 + q; j < q; ++j) {
    const Vector xj = load<Vector>(x + j * width), yj = load<Vector>(y + j * width);
    Vector of_j = a.get(row) * xj + b.get(row) * yj;
    ++row;
    for (Index k = j + 1; k < q; ++k, ++row) {
      const Vector in_a = a.get(row), in_b = b.get(row);
      of_j += in_a * load<Vector>(x + k * width) + in_b * load<Vector>(y + k * width);
      add_to(out + k * width, in_a * xj + in_b * yj);
    }
    add_to(out + j * width, of_j);
  }
}

/// y = V m, yd = V d
template <int fixed>
void multiply(const RowsAt<fixed>& m, const RowsAt<fixed>& d, const double* inverse, double* y, double* yd) {
  const Index q = m.q();
  for (Index j = 0; j < q; ++j) {
    Vector of_m{}, of_d{};
    for (Index k = 0; k < q; ++k) {
      of_m += inverse[j * q + k] * m.get(1 + k);
      of_d += inverse[j * q + k] * d.get(1 + k);
    }
    store(y + j * width, of_m);
    store(yd + j * width, of_d);
  }
}

/// Polynomials in h_l, with s = m'Vm, r = m'Vd, k = d'Vd, τ = tr(V m2), τd = tr(V d2), m2 and d2 the second rows:
///
///   N = m2 − h d2, μ = m − h d, tr(V N) = τ − h τd, μ'Vμ = s − 2 h r + h² k
template <int fixed>
void bend_of(const EventTable& all, Index n_columns, const FirthTerms& terms, const double* inverse,
             double* room) {
  const Index q = ModelAt<fixed>(terms, n_columns, 0).m.q();
  double *y = room + q * width, *yd = y + q * width, *x = yd + q * width, *xd = x + q * width;
  for (Index t = 0; t < all.n_times; t += width) {
    const ModelAt<fixed> model(terms, n_columns, t);
    const RowsAt<fixed>&m = model.m, &d = model.d;
    const Vector h0 = load<Vector>(all.weight + t), h1 = load<Vector>(terms.tie[0] + t);
    const Vector h2 = load<Vector>(terms.tie[1] + t), h3 = load<Vector>(terms.tie[2] + t);
    multiply(m, d, inverse, y, yd);
    Vector s{}, r{}, k{}, trace{}, trace_d{};
    for (Index j = 0, row = 1 + q; j < q; ++j) {
      const Vector of_m = load<Vector>(y + j * width), of_d = load<Vector>(yd + j * width);
      s += m.get(1 + j) * of_m;
      r += d.get(1 + j) * of_m;
      k += d.get(1 + j) * of_d;
      store(x + j * width, 2.0 * (h1 * of_d - h0 * of_m));
      store(xd + j * width, 2.0 * (h1 * of_m - h2 * of_d));
      for (Index i = j; i < q; ++i, ++row) {
        const double v = (i == j ? 1 : 2) * inverse[j * q + i];
        trace += v * m.get(row);
        trace_d += v * d.get(row);
      }
    }
    const Vector by_m = h1 * (trace_d - 4.0 * r) + h0 * (2.0 * s - trace) + 2.0 * h2 * k;
    const Vector by_d = h1 * (trace - 2.0 * s) + h2 * (4.0 * r - trace_d) - 2.0 * h3 * k;
    for (Index j = 0; j < q; ++j) add_to(room + j * width, by_m * m.get(1 + j) + by_d * d.get(1 + j));
    add_products(m, d, x, xd, room);
  }
}

/// factor[i] x_i'V x_i at row i, or at as many rows as V has lanes.
template <class V>
V weighted_square(const ColumnTable& columns, const double* factor, const double* inverse, Index i) {
  const Index n = columns.n_columns;
  V square{};
  for (Index j = 0; j < n; ++j) {
    V beside{};
    for (Index k = j + 1; k < n; ++k)
      beside += inverse[j * n + k] * load<V>(columns.values + k * columns.stride + i);
    const V x = load<V>(columns.values + j * columns.stride + i);
    square += x * (inverse[j * n + j] * x + 2.0 * beside);
  }
  return load<V>(factor + i) * square;
}

void clear(double* values, Index n) {
  for (Index k = 0; k < n; ++k) values[k] = 0;
}

/// body of so many columns as a constant, or of any number.
template <class Body>
double for_columns(Index n_columns, Body body) {
  switch (n_columns) {
    case 0:
      return body.template operator()<0>();
    case 1:
      return body.template operator()<1>();
    case 2:
      return body.template operator()<2>();
    case 3:
      return body.template operator()<3>();
    default:
      return body.template operator()<-1>();
  }
}

}  // namespace

void firth_everyone(Index n_times, Index n_columns, const MomentSeries& series, const RiskTable& table) {
  if (n_columns == 1) everyone_of<1>(n_times, series, table);
  if (n_columns == 2) everyone_of<2>(n_times, series, table);
  if (n_columns == 3) everyone_of<3>(n_times, series, table);
}

double firth_walk(const FirthTimes& times, const FirthTerms& terms, double* room, double* gradient,
                  double* information) {
  const Index q = times.n_columns + 3, n = q * (q + 1) / 2;
  clear(room, (q + n) * width);
  const double log_risk =
      for_columns(times.n_columns, [&]<int fixed>() { return walk_of<fixed>(times, terms, room); });
  add_up(q, room, gradient);
  add_up(n, room + q * width, information);
  return log_risk;
}

void firth_bend(const EventTable& all, Index n_columns, const FirthTerms& terms, const double* inverse,
                double* room, double* out) {
  const Index q = n_columns + 3;
  clear(room, q * width);
  for_columns(n_columns,
              [&]<int fixed>() { return bend_of<fixed>(all, n_columns, terms, inverse, room), 0.0; });
  add_up(q, room, out);
}

void firth_moment_sums(Index n_times, const MomentSeries& series, const double* first,
                       const double* first_tied, double* out) {
  for (Index m = 0; m < series.n_rows; ++m) {
    Vector total{};
    for (Index t = 0; t < n_times; t += width) {
      const double* moment = series.moments + (t / lanes * series.n_moments + m) * 2 * lanes + t % lanes;
      total += load<Vector>(first + t) * load<Vector>(moment) -
               load<Vector>(first_tied + t) * load<Vector>(moment + lanes);
    }
    out[m] = sum(total);
  }
}

void firth_cubes(const ColumnTable& columns, const double* factor, const double* inverse, Index begin,
                 Index end, double* out) {
  constexpr Index block = 64;
  clear(out, columns.n_columns);
  for (Index from = begin; from < end; from += block) {
    const Index n = end - from < block ? end - from : block, n_whole = n - n % width;
    double scaled[block];
    for (Index i = 0; i < n_whole; i += width)
      store(scaled + i, weighted_square<Vector>(columns, factor, inverse, from + i));
    for (Index i = n_whole; i < n; ++i)
      scaled[i] = weighted_square<double>(columns, factor, inverse, from + i);
    for (Index m = 0; m < columns.n_columns; ++m) {
      const double* x = columns.values + m * columns.stride + from;
      Vector total{};
      for (Index i = 0; i < n_whole; i += width) total += load<Vector>(scaled + i) * load<Vector>(x + i);
      out[m] += sum(total);
      for (Index i = n_whole; i < n; ++i) out[m] += scaled[i] * x[i];
    }
  }
}

}  // namespace chorale::kernels::simd::CHORALE_LEVEL
