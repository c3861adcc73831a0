// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include <type_traits>

#include "kernels/cox_body.hpp"
#include "kernels/simd/transpose.hpp"

namespace chorale::kernels::simd::CHORALE_LEVEL {
namespace {

constexpr Index block = 256;  ///< rows whose intermediate values stay in the first cache

#if defined(__AVX512F__)
constexpr Vector lane_number{0, 1, 2, 3, 4, 5, 6, 7};
#elif defined(__AVX__)
constexpr Vector lane_number{0, 1, 2, 3};
#else
constexpr Vector lane_number{0, 1};
#endif

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

/// Columns first … first + n_vectors · width - 1 of the risk table: 0 is risk alone, 1 + j risk times column j; those past
/// the last are copies of it.
template <Index n_vectors>
struct RiskColumns {
  RiskColumns(const ColumnTable& columns, Index first, const double* of_rows)
      : risk(of_rows), with_risk(first == 0) {
    for (Index c = 0; c < n_vectors * width; ++c) {
      const Index last = columns.n_columns - 1, j = first + c - 1 < last ? first + c - 1 : last;
      column[c] = j < 0 ? risk : columns.values + j * columns.stride;
    }
  }

  /// value[c] += risk times column v · width + c, of rows i … i + width - 1.
  void add(Index v, Index i, Vector of_rows, Vector* value) const {
    const double* const* x = column + v * width;
    value[0] += v == 0 && with_risk ? of_rows : of_rows * load<Vector>(x[0] + i);
#pragma GCC unroll 8
    for (Index c = 1; c < width; ++c) value[c] += of_rows * load<Vector>(x[c] + i);
  }

  /// total += the sums over row i.
  void add_row(Index i, Vector* total) const {
    for (Index v = 0; v < n_vectors; ++v) {
      for (Index c = 0; c < width; ++c)
        total[v][c] += risk[i] * (v + c == 0 && with_risk ? 1 : column[v * width + c][i]);
    }
  }

  const double* risk;
  bool with_risk;
  const double* column[n_vectors * width];
};

/// Sums over rows of many each: vectors along rows, added up at the end.
template <Index n_vectors>
class LongSums {
 public:
  LongSums(const RiskColumns<n_vectors>& columns, Index, Index end) : columns_(columns), end_(end) {}

  void operator()(Index begin, Index end, Vector* total) const {
    const Index past = (end - begin + width - 1) / width * width + begin;
    const bool within = past <= end_;  // what is read past the sum's rows counts nothing
    const Index whole = within ? past : end - (end - begin) % width;
    for (Index v = 0; v < n_vectors; ++v) {
      Vector value[width] = {};
      for (Index i = begin; i < whole; i += width) {
        Vector risk = load<Vector>(columns_.risk + i);
        if (end - i < width) risk = lane_number < static_cast<double>(end - i) ? risk : Vector{};
        columns_.add(v, i, risk, value);
      }
      total[v] = sums_of_rows(value);
    }
    for (Index i = whole; i < end; ++i) columns_.add_row(i, total);
  }

 private:
  const RiskColumns<n_vectors>& columns_;
  Index end_;
};

/// Sums over few rows each, asked for in their order: squares of `width` rows and columns are transposed.
template <Index n_vectors>
class ShortSums {
 public:
  ShortSums(const RiskColumns<n_vectors>& columns, Index begin, Index end)
      : columns_(columns), from_(begin), past_(begin), end_(end) {}

  void operator()(Index begin, Index end, Vector* total) {
    for (Index v = 0; v < n_vectors; ++v) total[v] = Vector{};
    while (begin < end) {
      if (begin == past_) gather();
      const Index last = end < past_ ? end : past_;
      for (; begin < last; ++begin) {
        for (Index v = 0; v < n_vectors; ++v) total[v] += row(begin)[v];
      }
    }
  }

 private:
  static constexpr Index n_kept = 64;

  Vector* row(Index i) { return rows_ + (i - from_) * n_vectors; }

  void gather() {
    from_ = past_;
    for (; past_ + width <= end_ && past_ < from_ + n_kept; past_ += width) {
      for (Index v = 0; v < n_vectors; ++v) {
        Vector square[width] = {};
        columns_.add(v, past_, load<Vector>(columns_.risk + past_), square);
        transpose(square);
#pragma GCC unroll 8
        for (Index r = 0; r < width; ++r) row(past_ + r)[v] = square[r];
      }
    }
    for (; past_ < end_ && past_ < from_ + n_kept; ++past_) {
      for (Index v = 0; v < n_vectors; ++v) row(past_)[v] = Vector{};
      columns_.add_row(past_, row(past_));
    }
  }

  const RiskColumns<n_vectors>& columns_;
  Index from_, past_, end_;
  Vector rows_[n_kept * n_vectors];
};

template <Index n_vectors, template <Index> class Sums>
void place_sums(const ColumnTable& columns, Index first, const std::int32_t* place_begin,
                const double* centre, const double* risk, Index begin, Index end, const RiskTable& sums) {
  const RiskColumns<n_vectors> of_rows(columns, first, risk);
  Sums<n_vectors> sum(of_rows, place_begin[2 * begin], place_begin[2 * end]);
  const Index left = 1 + columns.n_columns - first;
  const Index n = left < n_vectors * width ? left : n_vectors * width;
  double *at_risk = sums.at_risk + first * sums.stride, *dying = sums.dying + first * sums.stride;
  for (Index t = begin; t < end; ++t) {
    Vector alive[n_vectors], dead[n_vectors];
    sum(place_begin[2 * t], place_begin[2 * t + 1], alive);
    sum(place_begin[2 * t + 1], place_begin[2 * t + 2], dead);
    double both[n_vectors * width], of_dead[n_vectors * width];
    for (Index v = 0; v < n_vectors; ++v) {
      store(both + v * width, alive[v] + dead[v]);
      store(of_dead + v * width, dead[v]);
    }
    const bool tied = centre[t] > 0;
    for (Index c = 0; c < n; ++c) {
      at_risk[c * sums.stride + t] = both[c];
      dying[c * sums.stride + t] = tied ? of_dead[c] : 0;
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
  constexpr Index ahead = 128;
  const auto rows = [&]<class V, Index n>(Index i, std::integral_constant<Index, n>, V) {
    V eta[n];
    for (Index s = 0; s < n; ++s) eta[s] = offset == nullptr ? V{} : load<V>(offset + i + s * width);
    for (Index j = 0; j < columns.n_columns; ++j) {
      const double* x = columns.values + j * columns.stride + i;
      ask_for(x + ahead, n * width);
      for (Index s = 0; s < n; ++s) eta[s] += beta[j] * load<V>(x + s * width);
    }
    for (Index s = 0; s < n; ++s) {
      V value = exp_of(eta[s]);
      if (weight != nullptr) value *= load<V>(weight + i + s * width);
      store(risk + i + s * width, value);
    }
  };
  constexpr Index together = 4;  // chains of additions and of the series that do not wait for each other
  Index i = begin;
  for (; i + together * width <= end; i += together * width)
    rows(i, std::integral_constant<Index, together>{}, Vector{});
  for (; i + width <= end; i += width) rows(i, std::integral_constant<Index, 1>{}, Vector{});
  for (; i < end; ++i) rows(i, std::integral_constant<Index, 1>{}, double{});
}

void cox_place_sums(const ColumnTable& columns, const std::int32_t* place_begin, const double* centre,
                    const double* risk, Index begin, Index end, const RiskTable& sums) {
  constexpr Index many = 6;
  const Index n = 1 + columns.n_columns;
  const bool at_many = place_begin[2 * end] - place_begin[2 * begin] >= many * 2 * (end - begin);
  for (Index first = 0; first < n;) {
    const auto add = [&]<Index n_vectors>(std::integral_constant<Index, n_vectors>) {
      const auto body = at_many ? place_sums<n_vectors, LongSums> : place_sums<n_vectors, ShortSums>;
      body(columns, first, place_begin, centre, risk, begin, end, sums);
      first += n_vectors * width;
    };
    if (n - first > 2 * width) {
      add(std::integral_constant<Index, 3>{});
    } else if (n - first > width) {
      add(std::integral_constant<Index, 2>{});
    } else {
      add(std::integral_constant<Index, 1>{});
    }
  }
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

}  // namespace chorale::kernels::simd::CHORALE_LEVEL
