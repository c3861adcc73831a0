// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/cox_body.hpp"
#include "kernels/simd/fast_math.hpp"

namespace chorale::kernels::simd::CHORALE_LEVEL {
namespace {

constexpr Index block = 256;  ///< rows whose intermediate values stay in the first cache

double sum_of_products(const double* a, const double* b, Index n) {
  double sum = 0;
#pragma omp simd reduction(+ : sum)
  for (Index i = 0; i < n; ++i) sum += a[i] * b[i];
  return sum;
}

double sum_of(const double* a, Index n) {
  double sum = 0;
#pragma omp simd reduction(+ : sum)
  for (Index i = 0; i < n; ++i) sum += a[i];
  return sum;
}

/// With u small, Σ_l g^j/(1 − g u)^i as power series in u; odd moments are zero.
template <int n_moments>
double add_times(const EventTable& all, const RiskTable& sums, const TimeTerms& terms, Index begin,
                 Index end) {
  double log_risk = 0;
#pragma omp simd reduction(+ : log_risk)
  for (Index t = begin; t < end; ++t) {
    const double weight = all.weight[t];
    const double inverse = 1 / sums.at_risk[t];
    const double u = sums.dying[t] * inverse, u2 = u * u;
    // over even k, Horner in u²: Σ Q_k u^(k−2) times 1, k, k − 1, k + 1, 1/k
    double plain = 0, by_k = 0, by_less = 0, by_more = 0, over_k = 0;
    for (int m = n_moments - 1; m >= 0; --m) {
      const double moment = all.moment[m][t];
      plain = plain * u2 + moment;
      by_k = by_k * u2 + (2 * m + 2) * moment;
      by_less = by_less * u2 + (2 * m + 1) * moment;
      by_more = by_more * u2 + (2 * m + 3) * moment;
      over_k = over_k * u2 + moment * (1.0 / (2 * m + 2));
    }
    terms.first[t] = (weight + plain * u2) * inverse;
    terms.first_tied[t] = plain * u * inverse;
    terms.second[t] = (weight + by_more * u2) * inverse * inverse;
    terms.second_tied[t] = by_k * u * inverse * inverse;
    terms.second_both_tied[t] = by_less * inverse * inverse;
    log_risk += weight * fast_log(sums.at_risk[t]) - over_k * u2;
  }
  return log_risk;
}

double add_exactly(const EventTable& all, const RiskTable& sums, const TimeTerms& terms, Index t) {
  const double deaths = all.deaths[t], centre = all.centre[t];
  const double inverse = 1 / sums.at_risk[t];
  const double u = sums.dying[t] * inverse;
  const Index n_deaths = static_cast<Index>(deaths);
  double first = 0, first_tied = 0, second = 0, second_tied = 0, second_both_tied = 0, log_risk = 0;
#pragma omp simd reduction(+ : first, first_tied, second, second_tied, second_both_tied, log_risk)
  for (Index l = 0; l < n_deaths; ++l) {
    const double g = static_cast<double>(static_cast<int>(l)) / deaths - centre;
    const double left = 1 - g * u, ratio = 1 / left;
    first += ratio;
    first_tied += g * ratio;
    second += ratio * ratio;
    second_tied += g * ratio * ratio;
    second_both_tied += g * g * ratio * ratio;
    log_risk += fast_log(left);
  }
  const double weight = all.weight[t] / deaths;
  terms.first[t] = weight * first * inverse;
  terms.first_tied[t] = weight * first_tied * inverse;
  terms.second[t] = weight * second * inverse * inverse;
  terms.second_tied[t] = weight * second_tied * inverse * inverse;
  terms.second_both_tied[t] = weight * second_both_tied * inverse * inverse;
  return weight * log_risk + all.weight[t] * fast_log(sums.at_risk[t]);
}

}  // namespace

void cox_risks(const ColumnTable& columns, const double* offset, const double* weight, const double* beta,
               Index begin, Index end, double* risk) {
  for (Index from = begin; from < end; from += block) {
    const Index n = from + block < end ? block : end - from;
    double eta[block];
    for (Index i = 0; i < n; ++i) eta[i] = offset == nullptr ? 0 : offset[from + i];
    for (Index j = 0; j < columns.n_columns; ++j) {
      const double* x = columns.values + j * columns.stride + from;
      const double slope = beta[j];
#pragma omp simd
      for (Index i = 0; i < n; ++i) eta[i] += slope * x[i];
    }
    double* out = risk + from;
#pragma omp simd
    for (Index i = 0; i < n; ++i) out[i] = fast_exp(eta[i]);
    if (weight == nullptr) continue;
#pragma omp simd
    for (Index i = 0; i < n; ++i) out[i] *= weight[from + i];
  }
}

void cox_place_sums(const ColumnTable& columns, const std::int32_t* place_begin, const double* centre,
                    const double* risk, Index begin, Index end, const RiskTable& sums) {
  for (Index t = begin; t < end; ++t) {
    const Index from = place_begin[2 * t], dying = place_begin[2 * t + 1], past = place_begin[2 * t + 2];
    const double deaths = sum_of(risk + dying, past - dying);
    sums.at_risk[t] = deaths + sum_of(risk + from, dying - from);
    sums.dying[t] = centre[t] > 0 ? deaths : 0;
  }
  for (Index j = 0; j < columns.n_columns; ++j) {
    const double* x = columns.values + j * columns.stride;
    double* at_risk = sums.at_risk + (1 + j) * sums.stride;
    double* tied = sums.dying + (1 + j) * sums.stride;
    for (Index t = begin; t < end; ++t) {
      const Index from = place_begin[2 * t], dying = place_begin[2 * t + 1], past = place_begin[2 * t + 2];
      const double deaths = sum_of_products(risk + dying, x + dying, past - dying);
      at_risk[t] = deaths + sum_of_products(risk + from, x + from, dying - from);
      tied[t] = centre[t] > 0 ? deaths : 0;
    }
  }
}

double cox_time_terms(const EventTable& all, const RiskTable& sums, const TimeTerms& terms) {
  double log_risk = 0;
  for (Index begin = 0; begin < all.n_times; begin += lanes) {
    const Index end = begin + lanes;
    double most = 0;
    for (Index t = begin; t < end; ++t) {
      const double u = sums.dying[t] / sums.at_risk[t];
      most = u > most ? u : most;
    }
    if (most <= few_moments_reach) {
      log_risk += add_times<3>(all, sums, terms, begin, end);
    } else if (most <= all_moments_reach) {
      log_risk += add_times<n_tie_moments>(all, sums, terms, begin, end);
    } else {
      for (Index t = begin; t < end; ++t) {
        const bool close = sums.dying[t] <= all_moments_reach * sums.at_risk[t];
        log_risk +=
            close ? add_times<n_tie_moments>(all, sums, terms, t, t + 1) : add_exactly(all, sums, terms, t);
      }
    }
  }
  return log_risk;
}

void cox_time_sums(Index n_times, Index n_rows, const RiskTable& sums, const TimeTerms& terms,
                   double* gradient, double* products) {
  for (Index j = 0; j < n_rows; ++j) {
    const double* m_j = sums.at_risk + (1 + j) * sums.stride;
    const double* d_j = sums.dying + (1 + j) * sums.stride;
    double slope = 0;
#pragma omp simd reduction(+ : slope)
    for (Index t = 0; t < n_times; ++t) slope += terms.first[t] * m_j[t] - terms.first_tied[t] * d_j[t];
    gradient[j] = slope;
    for (Index k = j; k < n_rows; ++k) {
      const double* m_k = sums.at_risk + (1 + k) * sums.stride;
      const double* d_k = sums.dying + (1 + k) * sums.stride;
      double sum = 0;
#pragma omp simd reduction(+ : sum)
      for (Index t = 0; t < n_times; ++t) {
        sum += m_k[t] * (terms.second[t] * m_j[t] - terms.second_tied[t] * d_j[t]) -
               d_k[t] * (terms.second_tied[t] * m_j[t] - terms.second_both_tied[t] * d_j[t]);
      }
      *products++ = sum;
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
#pragma omp simd
      for (Index i = 0; i < n; ++i) scaled[i] = factor[from + i] * x[i];
      for (Index k = j; k < p; ++k)
        *out++ += sum_of_products(scaled, columns.values + k * columns.stride + from, n);
    }
  }
}

}  // namespace chorale::kernels::simd::CHORALE_LEVEL
