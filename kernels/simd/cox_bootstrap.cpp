// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/cox_bootstrap_body.hpp"
#include "kernels/simd/lane_tiles.hpp"
#include "kernels/simd/single.hpp"

namespace chorale::kernels::simd::CHORALE_LEVEL {
namespace {

constexpr Index lanes = bootstrap_lanes;

/// Copies of as many lanes as a vector has; compilers alone convert bytes one by one.
template <class Real>
typename LaneVector<Real>::Type copies_of(const std::uint8_t* from) {
  using Of = LaneVector<Real>;
  typename Of::Bytes bytes;
  __builtin_memcpy(&bytes, from, sizeof(bytes));
#if defined(__SSE4_1__)
  __m128i low{};
  __builtin_memcpy(&low, &bytes, sizeof(bytes));
#if defined(__AVX512F__)
  if constexpr (sizeof(Real) == 4) {
    const __m512i whole = _mm512_maskz_cvtepu8_epi32(0xffff, low);
    return __builtin_bit_cast(typename Of::Type, _mm512_maskz_cvtepi32_ps(0xffff, whole));
  } else {
    return __builtin_bit_cast(typename Of::Type, _mm512_maskz_cvtepi32_pd(0xff, _mm256_cvtepu8_epi32(low)));
  }
#elif defined(__AVX2__)
  if constexpr (sizeof(Real) == 4) {
    return __builtin_bit_cast(typename Of::Type, _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(low)));
  } else {
    return __builtin_bit_cast(typename Of::Type, _mm256_cvtepi32_pd(_mm_cvtepu8_epi32(low)));
  }
#else
  typename Of::Whole whole;
  const __m128i words = _mm_cvtepu8_epi32(low);
  __builtin_memcpy(&whole, &words, sizeof(whole));
  return __builtin_convertvector(whole, typename Of::Type);
#endif
#else
  return __builtin_convertvector(__builtin_convertvector(bytes, typename Of::Whole), typename Of::Type);
#endif
}

bool any_lane(Truth lanes_that_hold) {
  return any(lanes_that_hold);
}

bool any_lane(decltype(Single{} < Single{}) lanes_that_hold) {
  return any(__builtin_bit_cast(Truth, lanes_that_hold) != 0);
}

/// e^x of vectors whose x is small as a rule; what a lane gets does not depend on the others.
template <class Real, Index n>
void exp_near(const typename LaneVector<Real>::Type* x, typename LaneVector<Real>::Type* result) {
  using V = typename LaneVector<Real>::Type;
  // up to reach the term after the last is below 2e-14, or 6e-9; a tenth of reach is usual
  constexpr Real reach = 0.125;
  constexpr int last = sizeof(Real) == 8 ? 8 : 5;
  constexpr Real inverse[] = {Real(1),        Real(1),        Real(1. / 2),    Real(1. / 6),    Real(1. / 24),
                              Real(1. / 120), Real(1. / 720), Real(1. / 5040), Real(1. / 40320)};
  CHORALE_UNROLL for (Index s = 0; s < n; ++s) result[s] = V{} + inverse[last];
  CHORALE_UNROLL for (int k = last - 1; k >= 0; --k) {
    CHORALE_UNROLL for (Index s = 0; s < n; ++s) result[s] = result[s] * x[s] + inverse[k];
  }
  V square = x[0] * x[0];
  CHORALE_UNROLL for (Index s = 1; s < n; ++s) {
    const V other = x[s] * x[s];
    square = other > square ? other : square;
  }
  if (!any_lane(square > V{} + reach * reach)) [[likely]]
    return;
  for (Index s = 0; s < n; ++s) result[s] = x[s] * x[s] > V{} + reach * reach ? exp_lanes(x[s]) : result[s];
}

/// to[lane] += value.
void add_lanes(double* to, Vector value) {
  store_lanes(to, load_lanes(to) + value);
}

/// A vector of lanes as vectors of doubles.
struct InDouble {
  Vector part[2];
  Index n_parts;

  explicit InDouble(Vector value) : part{value, {}}, n_parts(1) {}
  explicit InDouble(Single value) : n_parts(2) {
    using Half = float __attribute__((vector_size(vector_bytes / 2)));
    Half halves[2];
    __builtin_memcpy(halves, &value, sizeof(value));
    part[0] = __builtin_convertvector(halves[0], Vector);
    part[1] = __builtin_convertvector(halves[1], Vector);
  }
};

/// sum[lane] += Σ_r y[r][lane] over n rows.
template <class Real>
void add_rows(const Real* y, Index n, double* sum) {
  using V = typename LaneVector<Real>::Type;
  constexpr Index w = lane_width<Real>, strip = lane_strip<lanes, Real>;
  for (Index lane = 0; lane < lanes; lane += strip * w) {
    V total[strip];
    CHORALE_UNROLL for (Index s = 0; s < strip; ++s) total[s] = V{};
    for (Index i = 0; i < n; ++i) {
      CHORALE_UNROLL for (Index s = 0; s < strip; ++s) total[s] += load_lanes(y + i * lanes + lane + s * w);
    }
    CHORALE_UNROLL for (Index s = 0; s < strip; ++s) {
      const InDouble in_double(total[s]);
      for (Index v = 0; v < in_double.n_parts; ++v)
        add_lanes(sum + lane + s * w + v * width, in_double.part[v]);
    }
  }
}

/// Past the last time of a block that begins at time k: whole times of one stratum, as many as have n_visits
/// together, one at least and n_times at most.
Index end_of_block(const BootstrapWalk& walk, Index k, Index n_visits, Index n_times) {
  const std::int32_t begin = walk.visit_begin[2 * k];
  const Index last = k + n_times < walk.n_times ? k + n_times : walk.n_times;
  do {
    ++k;
  } while (k < last && !walk.fresh[k] && walk.visit_begin[2 * k + 2] - begin <= n_visits);
  return k;
}

Index whole_tiles(Index n) {
  return (n + 7) / 8 * 8;
}

/// (W/d) Σ_l of 1, l/d and the logarithm over S0 − (l/d) D0.
struct Shares {
  Vector first, first_tied, log_risk;
};

/// u = D0/M up to which three moments are exact to 1e-15.
constexpr double moments_reach = 0.03;

/// With f = (d − 1)/(2d), M = S0 − f D0, g_l = l/d − f: the l-th death sees M (1 − g_l u). The even moments of g,
/// whose odd ones are zero, are polynomials in 1/d².
template <bool with_log>
Shares shares_of_time(Vector s, Vector dying, Vector deaths, Vector weight, bool efron) {
  const Vector one = Vector{} + 1.0, none{};
  const Vector d = efron ? (deaths > one ? deaths : one) : one;
  const Vector inverse = 1.0 / d, q = inverse * inverse, f = 0.5 - 0.5 * inverse;
  const Vector m = weight > none ? s - f * dying : one;
  const Vector r = 1.0 / m, u = dying * r, u2 = u * u;
  const Vector m2 = (1.0 - q) * (1.0 / 12);
  const Vector m4 = (1.0 - q) * (3.0 - 7.0 * q) * (1.0 / 240);
  const Vector m6 = (1.0 - q) * ((31.0 * q - 18.0) * q + 3.0) * (1.0 / 1344);
  const Vector even = (m6 * u2 + m4) * u2 + m2;
  Shares found;
  found.first = weight * r * (1.0 + u2 * even);
  found.first_tied = weight * r * u * even + f * found.first;
  found.log_risk = none;
  if (with_log) {
    const Vector rest = u2 * ((m6 * (1.0 / 6) * u2 + m4 * 0.25) * u2 + m2 * 0.5);
    found.log_risk = weight * (log_of(m) - rest);
  }
  if (!efron || !any(u > Vector{} + moments_reach)) return found;
  for (Index k = 0; k < width; ++k) {
    if (!(u[k] > moments_reach) || d[k] == 1) continue;
    double first = 0, first_tied = 0, log_risk = 0;
    for (double l = 0; l < d[k]; ++l) {
      const double gone = l * inverse[k], left = s[k] - gone * dying[k];
      first += 1 / left;
      first_tied += gone / left;
      if (with_log) log_risk += log_of(left);
    }
    const double mean_weight = weight[k] * inverse[k];
    found.first[k] = mean_weight * first;
    found.first_tied[k] = mean_weight * first_tied;
    found.log_risk[k] = mean_weight * log_risk;
  }
  return found;
}

void clear(double* values, Index n) {
  for (Index i = 0; i < n; ++i) values[i] = 0;
}

/// What a time's deaths take from every lane.
struct Taken {
  alignas(64) double first[lanes], first_tied[lanes];
};

/// Adds the time's visits to s0; those who die come first.
template <bool with_log, class Real>
void sum_time(const BootstrapWalk& walk, const BootstrapBatch& batch, Index k, const Real* risk, double* s0,
              Taken& taken, double* log_risk) {
  const Index n_dying = walk.visit_begin[2 * k + 1] - walk.visit_begin[2 * k];
  const Index n_others = walk.visit_begin[2 * k + 2] - walk.visit_begin[2 * k + 1];
  alignas(64) double dying[lanes] = {};
  add_rows(risk, n_dying, dying);
  add_rows(risk + n_dying * lanes, n_others, s0);
  for (Index lane = 0; lane < lanes; lane += width) {
    const Vector of_dying = load_lanes(dying + lane);
    add_lanes(s0 + lane, of_dying);
    const Shares shares = shares_of_time<with_log>(
        load_lanes(s0 + lane), of_dying, load_lanes<double>(batch.deaths + k * lanes + lane),
        load_lanes<double>(batch.weight + k * lanes + lane), walk.efron);
    store_lanes(taken.first + lane, shares.first);
    store_lanes(taken.first_tied + lane, shares.first_tied);
    if (with_log) add_lanes(log_risk + lane, shares.log_risk);
  }
}

/// One pass over the patients: risks of a block of times, then what its deaths take.
template <class Real, bool with_log>
class Pass {
 public:
  Pass(const BootstrapWalk& walk, const BootstrapBatch& batch, const Real* x, Real* risk, double* s1,
       double* slope, double* log_risk)
      : walk_(walk), batch_(batch), x_(x), risk_(risk), s1_(s1), slope_(slope), log_risk_(log_risk) {}

  void run(const Real* b) {
    clear(slope_, walk_.n_columns * lanes);
    if (with_log) clear(log_risk_, lanes);
    for (Index from = 0, past = 0; from < walk_.n_times; from = past) {
      past = end_of_block(walk_, from, visit_block, visit_block);
      // of so few visits a time the sums of each time cost more than those of a block with two factors
      constexpr Index few = 10;
      const Index n_visits = walk_.visit_begin[2 * past] - walk_.visit_begin[2 * from];
      const bool sparse = past - from > 1 && n_visits < few * (past - from);
      if (single && !sparse) past = end_of_block(walk_, from, long_block, long_times);
      set_risks(b, from, past);
      if (walk_.fresh[from]) {
        clear(s0_, lanes);
        clear(s1_, walk_.n_columns * lanes);
      }
      if (sparse) {
        take_together(from, past);
      } else if (single) {
        take_times(from, past);
      } else {
        for (Index k = from; k < past; ++k) take(from, k);
      }
    }
  }

 private:
  using V = typename LaneVector<Real>::Type;
  static constexpr bool single = sizeof(Real) == 4;
  static constexpr Index long_times = 16;

  void set_risks(const Real* b, Index from, Index past) {
    const Index p = walk_.n_columns, begin = walk_.visit_begin[2 * from];
    const auto set_row = [&](Index row, Index lane, const auto* eta) {
      constexpr Index strip = lane_strip<lanes, Real>;
      const Real of_visit = walk_.factor == nullptr ? Real{1} : static_cast<Real>(walk_.factor[begin + row]);
      V relative[strip];
      if (b != nullptr) {
        exp_near<Real, strip>(eta, relative);
      } else {
        for (Index s = 0; s < strip; ++s) relative[s] = eta[s] + Real{1};
      }
      CHORALE_UNROLL for (Index s = 0; s < strip; ++s) {
        const Index at = lane + s * lane_width<Real>;
        const auto copies = copies_of<Real>(batch_.copies + (begin + row) * lanes + at);
        store_lanes(risk_ + row * lanes + at, relative[s] * (copies * of_visit));
      }
    };
    lane_products<lanes>(x_ + begin * p, whole_tiles(walk_.visit_begin[2 * past] - begin),
                         b == nullptr ? 0 : p, b, set_row);
  }

  /// Time k of the block that begins at `from`.
  void take(Index from, Index k) {
    const Index p = walk_.n_columns, first = walk_.visit_begin[2 * k];
    const Real* of_time = risk_ + (first - walk_.visit_begin[2 * from]) * lanes;
    Taken taken;
    sum_time<with_log>(walk_, batch_, k, of_time, s0_, taken, log_risk_);
    const auto add = [&](Index j, Index lane, V of_dying, V of_all) {
      const InDouble dying(of_dying), all(of_all);
      for (Index v = 0; v < all.n_parts; ++v) {
        const Index at = lane + v * width;
        const Vector at_risk = load_lanes(s1_ + j * lanes + at) + all.part[v];
        store_lanes(s1_ + j * lanes + at, at_risk);
        add_lanes(slope_ + j * lanes + at,
                  load_lanes(taken.first + at) * at_risk - load_lanes(taken.first_tied + at) * dying.part[v]);
      }
    };
    lane_column_sums<lanes>(x_ + first * p, of_time, walk_.visit_begin[2 * k + 1] - first,
                            walk_.visit_begin[2 * k + 2] - first, p, add);
  }

  /// The block's times so that S1 is touched once: with F_k the sum of `first` over its times from k on, S1 before the
  /// block and A_k, D_k what time k adds,   Σ_k first_k S1_k = S1 F + Σ_k F_k A_k.
  void take_times(Index from, Index past) {
    const Index p = walk_.n_columns, begin = walk_.visit_begin[2 * from];
    Taken taken[long_times];
    alignas(64) Real later[long_times * lanes], tied[long_times * lanes];
    sum_times(from, past, taken);
    alignas(64) double sum[lanes] = {};
    for (Index k = past - from - 1; k >= 0; --k) {
      for (Index lane = 0; lane < lanes; ++lane) {
        sum[lane] += taken[k].first[lane];
        later[k * lanes + lane] = static_cast<Real>(sum[lane]);
        tied[k * lanes + lane] = static_cast<Real>(taken[k].first_tied[lane]);
      }
    }
    lane_column_sums_by_group<lanes>(x_ + begin * p, risk_, walk_.visit_begin + 2 * from, past - from, later,
                                     tied, p, AddBlock{s1_, slope_, sum});
  }

  /// The same visit by visit: with e a visit's risk, Σ_k F_k A_k = Σ_visits F e z.
  void take_together(Index from, Index past) {
    const Index p = walk_.n_columns, begin = walk_.visit_begin[2 * from];
    alignas(64) Real spent[visit_block * lanes];
    Taken taken[visit_block];
    sum_times(from, past, taken);
    alignas(64) double later[lanes] = {};
    for (Index k = past - 1; k >= from; --k) {
      for (Index lane = 0; lane < lanes; ++lane) later[lane] += taken[k - from].first[lane];
      const Index n_dying = walk_.visit_begin[2 * k + 1] - begin;
      for (Index row = walk_.visit_begin[2 * k] - begin; row < walk_.visit_begin[2 * k + 2] - begin; ++row) {
        const double tied = row < n_dying ? 1 : 0;
        for (Index lane = 0; lane < lanes; ++lane) {
          const double factor = later[lane] - tied * taken[k - from].first_tied[lane];
          spent[row * lanes + lane] = risk_[row * lanes + lane] * static_cast<Real>(factor);
        }
      }
    }
    lane_column_sums_of_two<lanes>(x_ + begin * p, risk_, spent, walk_.visit_begin[2 * past] - begin, p,
                                   AddBlock{s1_, slope_, later});
  }

  void sum_times(Index from, Index past, Taken* taken) {
    for (Index k = from; k < past; ++k) {
      const Index row = walk_.visit_begin[2 * k] - walk_.visit_begin[2 * from];
      sum_time<with_log>(walk_, batch_, k, risk_ + row * lanes, s0_, taken[k - from], log_risk_);
    }
  }

  /// slope += S1 F + here, then S1 += added.
  struct AddBlock {
    double *s1, *slope;
    const double* first;

    void operator()(Index j, Index lane, V of_added, V of_here) const {
      const InDouble added(of_added), here(of_here);
      for (Index v = 0; v < added.n_parts; ++v) {
        const Index at = lane + v * width;
        const Vector before = load_lanes(s1 + j * lanes + at);
        add_lanes(slope + j * lanes + at, load_lanes(first + at) * before + here.part[v]);
        store_lanes(s1 + j * lanes + at, before + added.part[v]);
      }
    }
  };

  const BootstrapWalk& walk_;
  const BootstrapBatch& batch_;
  const Real* x_;
  Real* risk_;
  double *s1_, *slope_, *log_risk_;
  alignas(64) double s0_[lanes] = {};
};

/// Adds rows begin … begin + n_vectors V; the columns of so many rows stay in the first cache.
template <class V, Index n_vectors>
void add_residuals(const double* const* columns, Index n_columns, Index begin, const double* share,
                   double* moments) {
  constexpr Index w = sizeof(V) / 8;
  for (Index j = 0; j < n_columns; ++j) {
    V r[n_vectors];
    CHORALE_UNROLL for (Index s = 0; s < n_vectors; ++s) r[s] = V{};
    for (Index k = 0; k < n_columns; ++k) {
      const double of_column = share[j * n_columns + k];
      CHORALE_UNROLL for (Index s = 0; s < n_vectors; ++s) r[s] +=
          of_column * load<V>(columns[k] + begin + s * w);
    }
    V squares{}, fourths{};
    CHORALE_UNROLL for (Index s = 0; s < n_vectors; ++s) {
      const V square = r[s] * r[s];
      squares += square;
      fourths += square * square;
    }
    moments[2 * j] += sum(squares);
    moments[2 * j + 1] += sum(fourths);
  }
}

}  // namespace

void bootstrap_residuals(const double* const* columns, Index n_columns, Index n_rows, const double* share,
                         double* moments) {
  constexpr Index n_vectors = 8, step = n_vectors * width;
  clear(moments, 2 * n_columns);
  Index row = 0;
  for (; row + step <= n_rows; row += step)
    add_residuals<Vector, n_vectors>(columns, n_columns, row, share, moments);
  for (; row < n_rows; ++row) add_residuals<double, 1>(columns, n_columns, row, share, moments);
}

void bootstrap_deaths(const BootstrapWalk& walk, const BootstrapBatch& batch, bool as_copies, double* room,
                      double* of_columns) {
  const Index p = walk.n_columns;
  clear(of_columns, p * lanes);
  clear(batch.deaths, walk.n_times * lanes);
  clear(batch.weight, walk.n_times * lanes);
  // deaths of several times together: their weights, and behind the room for visits their columns
  constexpr Index n_together = lanes;
  double* columns = room + walk.n_room * lanes;
  Index n = 0;
  const auto add_columns = [&] {
    lane_column_sums<lanes>(columns, room, 0, n, p, [&](Index j, Index lane, Vector, Vector sum) {
      add_lanes(of_columns + j * lanes + lane, sum);
    });
    n = 0;
  };
  for (Index k = 0; k < walk.n_times; ++k) {
    double *deaths = batch.deaths + k * lanes, *weight = batch.weight + k * lanes;
    const Index end = walk.visit_begin[2 * k + 1];
    for (Index visit = walk.visit_begin[2 * k]; visit < end;) {
      const Index n_visits = end - visit < n_together - n ? end - visit : n_together - n;
      for (Index lane = 0; lane < lanes; lane += width) {
        Vector weights = load_lanes(weight + lane), counts = load_lanes(deaths + lane);
        for (Index i = 0; i < n_visits; ++i) {
          const Vector found = copies_of<double>(batch.copies + (visit + i) * lanes + lane);
          const Vector of_visit = found * (walk.case_weight == nullptr ? 1 : walk.case_weight[visit + i]);
          store_lanes(room + (n + i) * lanes + lane, of_visit);
          weights += of_visit;
          counts += as_copies ? found : found > Vector{} ? Vector{} + 1.0 : Vector{};
        }
        store_lanes(weight + lane, weights);
        store_lanes(deaths + lane, counts);
      }
      if (p > 0)
        __builtin_memcpy(columns + n * p, walk.columns + visit * p,
                         static_cast<std::size_t>(n_visits * p) * 8);
      visit += n_visits;
      n += n_visits;
      if (n == n_together) add_columns();
    }
  }
  add_columns();
}

void bootstrap_pass(const BootstrapWalk& walk, const BootstrapBatch& batch, const double* b, double* room,
                    double* slope, double* log_risk) {
  double* s1 = room + walk.n_room * lanes;
  Pass<double, true>(walk, batch, walk.columns, room, s1, slope, log_risk).run(b);
}

void bootstrap_pass_single(const BootstrapWalk& walk, const BootstrapBatch& batch, const float* b,
                           float* room_single, double* room, double* slope) {
  Pass<float, false>(walk, batch, walk.columns_single, room_single, room, slope, nullptr).run(b);
}

}  // namespace chorale::kernels::simd::CHORALE_LEVEL
