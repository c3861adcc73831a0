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

/// Past the last time of a block that begins at time k: whole times, as many as fit the first cache, one at least.
Index end_of_block(const BootstrapWalk& walk, Index k) {
  const std::int32_t begin = walk.visit_begin[2 * k];
  do {
    ++k;
  } while (k < walk.n_times && walk.visit_begin[2 * k + 2] - begin <= visit_block);
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

template <class Real, bool with_log>
void pass(const BootstrapWalk& walk, const BootstrapBatch& batch, const Real* x, const Real* b, Real* risk,
          double* s1, double* slope, double* log_risk) {
  const Index p = walk.n_columns;
  alignas(64) double s0[lanes];
  Taken taken;
  clear(slope, p * lanes);
  if (with_log) clear(log_risk, lanes);
  for (Index from = 0, past = 0; from < walk.n_times; from = past) {
    past = end_of_block(walk, from);
    const Index begin = walk.visit_begin[2 * from], n = walk.visit_begin[2 * past] - begin;
    const auto set_risks = [&](Index row, Index lane, const auto* eta) {
      constexpr Index strip = lane_strip<lanes, Real>;
      const Real of_visit = walk.factor == nullptr ? Real{1} : static_cast<Real>(walk.factor[begin + row]);
      typename LaneVector<Real>::Type relative[strip];
      if (b != nullptr) {
        exp_near<Real, strip>(eta, relative);
      } else {
        for (Index s = 0; s < strip; ++s) relative[s] = eta[s] + Real{1};
      }
      CHORALE_UNROLL for (Index s = 0; s < strip; ++s) {
        const Index at = lane + s * lane_width<Real>;
        const auto copies = copies_of<Real>(batch.copies + (begin + row) * lanes + at);
        store_lanes(risk + row * lanes + at, relative[s] * (copies * of_visit));
      }
    };
    lane_products<lanes>(x + begin * p, whole_tiles(n), b == nullptr ? 0 : p, b, set_risks);
    for (Index k = from; k < past; ++k) {
      if (walk.fresh[k]) {
        clear(s0, lanes);
        clear(s1, p * lanes);
      }
      const Index first = walk.visit_begin[2 * k], n_visits = walk.visit_begin[2 * k + 2] - first;
      const Real* of_time = risk + (first - begin) * lanes;
      sum_time<with_log>(walk, batch, k, of_time, s0, taken, log_risk);
      const auto add = [&](Index j, Index lane, auto of_dying, auto of_all) {
        const InDouble dying(of_dying), all(of_all);
        for (Index v = 0; v < all.n_parts; ++v) {
          const Index at = lane + v * width;
          const Vector at_risk = load_lanes(s1 + j * lanes + at) + all.part[v];
          store_lanes(s1 + j * lanes + at, at_risk);
          add_lanes(slope + j * lanes + at, load_lanes(taken.first + at) * at_risk -
                                                load_lanes(taken.first_tied + at) * dying.part[v]);
        }
      };
      lane_column_sums<lanes>(x + first * p, of_time, walk.visit_begin[2 * k + 1] - first, n_visits, p, add);
    }
  }
}

}  // namespace

void bootstrap_deaths(const BootstrapWalk& walk, const BootstrapBatch& batch, bool as_copies, double* room,
                      double* of_columns) {
  const Index p = walk.n_columns;
  const bool weight_counts = as_copies && walk.case_weight == nullptr;
  clear(of_columns, p * lanes);
  clear(batch.deaths, walk.n_times * lanes);
  clear(batch.weight, walk.n_times * lanes);
  const auto add_column = [&](Index j, Index lane, Vector, Vector sum) {
    add_lanes(of_columns + j * lanes + lane, sum);
  };
  for (Index k = 0; k < walk.n_times; ++k) {
    const Index begin = walk.visit_begin[2 * k], n = walk.visit_begin[2 * k + 1] - begin;
    double *deaths = batch.deaths + k * lanes, *weight = batch.weight + k * lanes;
    for (Index i = 0; i < n; ++i) {
      const double of_case = walk.case_weight == nullptr ? 1 : walk.case_weight[begin + i];
      for (Index lane = 0; lane < lanes; lane += width) {
        const Vector copies = copies_of<double>(batch.copies + (begin + i) * lanes + lane);
        store_lanes(room + i * lanes + lane, copies * of_case);
        if (weight_counts) continue;
        const Vector once = copies > Vector{} ? Vector{} + 1.0 : Vector{};
        add_lanes(deaths + lane, as_copies ? copies : once);
      }
    }
    add_rows(room, n, weight);
    for (Index lane = 0; lane < lanes && weight_counts; ++lane) deaths[lane] = weight[lane];
    lane_column_sums<lanes>(walk.columns + begin * p, room, 0, n, p, add_column);
  }
}

void bootstrap_pass(const BootstrapWalk& walk, const BootstrapBatch& batch, const double* b, double* room,
                    double* slope, double* log_risk) {
  double* s1 = room + walk.n_room * lanes;
  pass<double, true>(walk, batch, walk.columns, b, room, s1, slope, log_risk);
}

void bootstrap_pass_single(const BootstrapWalk& walk, const BootstrapBatch& batch, const float* b,
                           float* room_single, double* room, double* slope) {
  pass<float, false>(walk, batch, walk.columns_single, b, room_single, room, slope, nullptr);
}

}  // namespace chorale::kernels::simd::CHORALE_LEVEL
