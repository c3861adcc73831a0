// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/cox_body.hpp"
#include "kernels/simd/vector.hpp"

namespace chorale::kernels::simd::CHORALE_LEVEL {
namespace {

constexpr Index block = 256;  ///< rows whose intermediate values stay in the first cache

double sum_of_products(const double* a, const double* b, Index n) {
  Vector first{}, second{};
  Index i = 0;
  for (; i + 2 * width <= n; i += 2 * width) {
    first += load<Vector>(a + i) * load<Vector>(b + i);
    second += load<Vector>(a + i + width) * load<Vector>(b + i + width);
  }
  for (; i + width <= n; i += width) first += load<Vector>(a + i) * load<Vector>(b + i);
  double total = n >= width ? sum(first + second) : 0;
  for (; i < n; ++i) total += a[i] * b[i];
  return total;
}

/// Sums of risk · x over few rows, for `count` columns side by side: chains of additions that do not wait for
/// each other. The first column is risk alone.
template <int count>
struct FewSums {
  double of_risk = 0, of_columns[count > 0 ? count : 1] = {};

  void add(const double* risk, const double* x, Index stride, Index begin, Index end) {
    for (Index i = begin; i < end; ++i) {
      of_risk += risk[i];
      for (int j = 0; j < count; ++j) of_columns[j] += risk[i] * x[j * stride + i];
    }
  }
};

/// Columns first … first + count - 1 of the risk table, and row 0 where `with_risk`.
template <int count>
void place_sums(const ColumnTable& columns, Index first, bool with_risk, const std::int32_t* place_begin,
                const double* centre, const double* risk, Index begin, Index end, const RiskTable& sums) {
  const double* x = columns.values + first * columns.stride;
  for (Index t = begin; t < end; ++t) {
    const Index from = place_begin[2 * t], dying = place_begin[2 * t + 1], past = place_begin[2 * t + 2];
    FewSums<count> dead, alive;
    dead.add(risk, x, columns.stride, dying, past);
    alive.add(risk, x, columns.stride, from, dying);
    const bool tied = centre[t] > 0;
    if (with_risk) {
      sums.at_risk[t] = alive.of_risk + dead.of_risk;
      sums.dying[t] = tied ? dead.of_risk : 0;
    }
    for (int j = 0; j < count; ++j) {
      sums.at_risk[(1 + first + j) * sums.stride + t] = alive.of_columns[j] + dead.of_columns[j];
      sums.dying[(1 + first + j) * sums.stride + t] = tied ? dead.of_columns[j] : 0;
    }
  }
}

/// With u small, Σ_l g^j/(1 − g u)^i as power series in u; odd moments are zero. Returns the time's share of the
/// sum of logarithms.
template <int n_moments, class V>
V set_time(const EventTable& all, const RiskTable& sums, const TimeTerms& terms, Index t) {
  const V weight = load<V>(all.weight + t), risk = load<V>(sums.at_risk + t);
  const V inverse = 1.0 / risk;
  const V u = load<V>(sums.dying + t) * inverse, u2 = u * u;
  // over even k, Horner in u²: Σ Q_k u^(k−2) times 1, k, k − 1, k + 1, 1/k
  V plain{}, by_k{}, by_less{}, by_more{}, over_k{};
  for (int m = n_moments - 1; m >= 0; --m) {
    const V moment = load<V>(all.moment[m] + t);
    plain = plain * u2 + moment;
    by_k = by_k * u2 + (2.0 * m + 2) * moment;
    by_less = by_less * u2 + (2.0 * m + 1) * moment;
    by_more = by_more * u2 + (2.0 * m + 3) * moment;
    over_k = over_k * u2 + moment * (1.0 / (2 * m + 2));
  }
  const V square = inverse * inverse;
  store(terms.first + t, (weight + plain * u2) * inverse);
  store(terms.first_tied + t, plain * u * inverse);
  store(terms.second + t, (weight + by_more * u2) * square);
  store(terms.second_tied + t, by_k * u * square);
  store(terms.second_both_tied + t, by_less * square);
  return weight * log_of(risk) - over_k * u2;
}

double set_exactly(const EventTable& all, const RiskTable& sums, const TimeTerms& terms, Index t) {
  const double deaths = all.deaths[t], centre = all.centre[t];
  const double inverse = 1 / sums.at_risk[t];
  const double u = sums.dying[t] * inverse;
  double first = 0, first_tied = 0, second = 0, second_tied = 0, second_both_tied = 0, log_left = 0;
  for (double l = 0; l < deaths; ++l) {
    const double g = l / deaths - centre;
    const double left = 1 - g * u, ratio = 1 / left;
    first += ratio;
    first_tied += g * ratio;
    second += ratio * ratio;
    second_tied += g * ratio * ratio;
    second_both_tied += g * g * ratio * ratio;
    log_left += log_of(left);
  }
  const double weight = all.weight[t] / deaths;
  terms.first[t] = weight * first * inverse;
  terms.first_tied[t] = weight * first_tied * inverse;
  terms.second[t] = weight * second * inverse * inverse;
  terms.second_tied[t] = weight * second_tied * inverse * inverse;
  terms.second_both_tied[t] = weight * second_both_tied * inverse * inverse;
  return weight * log_left + all.weight[t] * log_of(sums.at_risk[t]);
}

}  // namespace

void cox_risks(const ColumnTable& columns, const double* offset, const double* weight, const double* beta,
               Index begin, Index end, double* risk) {
  const auto rows = [&]<class V>(Index i, V eta) {
    if (offset != nullptr) eta = load<V>(offset + i);
    for (Index j = 0; j < columns.n_columns; ++j)
      eta += beta[j] * load<V>(columns.values + j * columns.stride + i);
    V value = exp_of(eta);
    if (weight != nullptr) value *= load<V>(weight + i);
    store(risk + i, value);
  };
  Index i = begin;
  for (; i + width <= end; i += width) rows(i, Vector{});
  for (; i < end; ++i) rows(i, double{});
}

void cox_place_sums(const ColumnTable& columns, const std::int32_t* place_begin, const double* centre,
                    const double* risk, Index begin, Index end, const RiskTable& sums) {
  constexpr Index together = 4;
  Index first = 0;
  do {
    const auto add = [&](auto body) {
      body(columns, first, first == 0, place_begin, centre, risk, begin, end, sums);
    };
    switch (columns.n_columns - first) {
      case 0:
        add(place_sums<0>);
        break;
      case 1:
        add(place_sums<1>);
        break;
      case 2:
        add(place_sums<2>);
        break;
      case 3:
        add(place_sums<3>);
        break;
      default:
        add(place_sums<together>);
    }
    first += together;
  } while (first < columns.n_columns);
}

double cox_time_terms(const EventTable& all, const RiskTable& sums, const TimeTerms& terms) {
  Vector log_risk{};
  double log_apart = 0;
  for (Index t = 0; t < all.n_times; t += width) {
    const Vector risk = load<Vector>(sums.at_risk + t), dying = load<Vector>(sums.dying + t);
    const double most = largest(dying / risk);
    if (most <= few_moments_reach) {
      log_risk += set_time<3, Vector>(all, sums, terms, t);
    } else if (most <= all_moments_reach) {
      log_risk += set_time<n_tie_moments, Vector>(all, sums, terms, t);
    } else {
      for (Index k = t; k < t + width; ++k) {
        const bool close = sums.dying[k] <= all_moments_reach * sums.at_risk[k];
        log_apart +=
            close ? set_time<n_tie_moments, double>(all, sums, terms, k) : set_exactly(all, sums, terms, k);
      }
    }
  }
  return sum(log_risk) + log_apart;
}

void cox_time_sums(Index n_times, Index n_rows, const RiskTable& sums, const TimeTerms& terms,
                   double* gradient, double* products) {
  for (Index j = 0; j < n_rows; ++j) gradient[j] = 0;
  for (Index c = 0; c < n_rows * (n_rows + 1) / 2; ++c) products[c] = 0;
  for (Index begin = 0; begin < n_times; begin += block) {
    const Index n = begin + block < n_times ? block : n_times - begin;
    double of_m[block], of_d[block];  // what M_k and D_k are multiplied with
    double* product = products;
    for (Index j = 0; j < n_rows; ++j) {
      const double* m_j = sums.at_risk + (1 + j) * sums.stride + begin;
      const double* d_j = sums.dying + (1 + j) * sums.stride + begin;
      Vector slope{};
      for (Index i = 0; i < n; i += width) {
        const Index t = begin + i;
        const Vector m = load<Vector>(m_j + i), d = load<Vector>(d_j + i);
        const Vector tied = load<Vector>(terms.second_tied + t);
        slope += load<Vector>(terms.first + t) * m - load<Vector>(terms.first_tied + t) * d;
        store(of_m + i, load<Vector>(terms.second + t) * m - tied * d);
        store(of_d + i, load<Vector>(terms.second_both_tied + t) * d - tied * m);
      }
      gradient[j] += sum(slope);
      for (Index k = j; k < n_rows; ++k) {
        const double* m_k = sums.at_risk + (1 + k) * sums.stride + begin;
        const double* d_k = sums.dying + (1 + k) * sums.stride + begin;
        *product++ += sum_of_products(of_m, m_k, n) + sum_of_products(of_d, d_k, n);
      }
    }
  }
}

void cox_factors(const std::int32_t* place_begin, const std::int32_t* enters, Index n_times,
                 const double* risk, const double* hazard, const double* spared, Index begin, Index end,
                 double* factor) {
  for (Index t = begin; t < end; ++t) {
    const Index from = place_begin[2 * t], dying = place_begin[2 * t + 1], past = place_begin[2 * t + 2];
    const double alive = hazard[t], dead = hazard[t] - spared[t];
#pragma omp simd
    for (Index i = from; i < dying; ++i) factor[i] = risk[i] * alive;
#pragma omp simd
    for (Index i = dying; i < past; ++i) factor[i] = risk[i] * dead;
    if (enters == nullptr) continue;
    for (Index i = from; i < past; ++i) {
      if (enters[i] < n_times) factor[i] -= risk[i] * hazard[enters[i]];
    }
  }
}

void cox_products(const ColumnTable& columns, const double* factor, Index begin, Index end,
                  double* products) {
  const Index p = columns.n_columns;
  for (Index c = 0; c < p * (p + 1) / 2; ++c) products[c] = 0;
  for (Index from = begin; from < end; from += block) {
    const Index n = from + block < end ? block : end - from;
    double scaled[block];
    double* out = products;
    for (Index j = 0; j < p; ++j) {
      const double* x = columns.values + j * columns.stride + from;
      for (Index i = 0; i < n; ++i) scaled[i] = factor[from + i] * x[i];
      for (Index k = j; k < p; ++k)
        *out++ += sum_of_products(scaled, columns.values + k * columns.stride + from, n);
    }
  }
}

}  // namespace chorale::kernels::simd::CHORALE_LEVEL
