// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/cox_bootstrap_body.hpp"
#include "kernels/simd/lane_tiles.hpp"

namespace chorale::kernels::simd::CHORALE_LEVEL {
namespace {

constexpr Index lanes = bootstrap_lanes;
using Single = LaneVector<float>::Type;

/// Copies of as many lanes as a vector has; compilers alone convert bytes one by one.
template <class Real>
typename LaneVector<Real>::Type copies_of(const std::uint8_t* from) {
  using Of = LaneVector<Real>;
  typename Of::Bytes bytes;
  __builtin_memcpy(&bytes, from, sizeof(bytes));
#if defined(__SSE4_1__)
  typename Of::Whole whole;
  __m128i low{};
  __builtin_memcpy(&low, &bytes, sizeof(bytes));
#if defined(__AVX512F__)
  if constexpr (sizeof(whole) == 64)
    whole = __builtin_bit_cast(typename Of::Whole, _mm512_maskz_cvtepu8_epi32(0xffff, low));
#endif
#if defined(__AVX2__)
  if constexpr (sizeof(whole) == 32)
    whole = __builtin_bit_cast(typename Of::Whole, _mm256_cvtepu8_epi32(low));
#endif
  if constexpr (sizeof(whole) <= 16) {
    const __m128i words = _mm_cvtepu8_epi32(low);
    __builtin_memcpy(&whole, &words, sizeof(whole));
  }
  return __builtin_convertvector(whole, typename Of::Type);
#else
  return __builtin_convertvector(__builtin_convertvector(bytes, typename Of::Whole), typename Of::Type);
#endif
}

/// exp x to 2 units in the last place, e^-87 below -87, e^88 above 88; see exp_of.
Single exp_lanes(Single x) {
  using Words = std::uint32_t __attribute__((vector_size(vector_bytes)));
  const Single floor = Single{} - 87.0f, ceiling = Single{} + 88.0f;
  const Single above = x < floor ? floor : x;
  const Single inside = above > ceiling ? ceiling : above;
  const Single shifted = inside * 1.44269504f + 12582912.0f;
  const Single k = shifted - 12582912.0f;
  const Single r = (inside - k * 0x1.62e4p-1f) - k * 0x1.7f7d1cp-20f;
  Single series = Single{} + 1.0f / 720;
  series = series * r + 1.0f / 120;
  series = series * r + 1.0f / 24;
  series = series * r + 1.0f / 6;
  series = series * r + 0.5f;
  series = series * r + 1.0f;
  series = series * r + 1.0f;
  const Words scale = (__builtin_bit_cast(Words, shifted) + 127U) << 23;
  return series * __builtin_bit_cast(Single, scale);
}

Vector exp_lanes(Vector x) {
  return exp_of(x);
}

bool any_lane(Truth lanes_that_hold) {
  return any(lanes_that_hold);
}

bool any_lane(decltype(Single{} < Single{}) lanes_that_hold) {
  return any(__builtin_bit_cast(Truth, lanes_that_hold) != 0);
}

/// e^x where x is small as a rule; what a lane holds does not depend on the others.
template <class Real>
typename LaneVector<Real>::Type exp_near(typename LaneVector<Real>::Type x) {
  constexpr Real reach = 0.125;
  // up to reach, the next term is below 3e-16, or 6e-9
  constexpr Real inverse[] = {1,
                              1,
                              Real(1. / 2),
                              Real(1. / 6),
                              Real(1. / 24),
                              Real(1. / 120),
                              Real(1. / 720),
                              Real(1. / 5040),
                              Real(1. / 40320),
                              Real(1. / 362880)};
  constexpr int last = sizeof(Real) == 8 ? 9 : 5;
  using V = typename LaneVector<Real>::Type;
  V series = V{} + inverse[last];
  for (int k = last - 1; k >= 0; --k) series = series * x + inverse[k];
  const auto far = (x < V{} - reach) | (x > V{} + reach);
  if (any_lane(far)) [[unlikely]]
    series = far ? exp_lanes(x) : series;
  return series;
}

/// to[lane] += values, in double.
void add_lanes(double* to, Vector value) {
  store_lanes(to, load_lanes(to) + value);
}

void add_lanes(double* to, Single value) {
  using Half = float __attribute__((vector_size(vector_bytes / 2)));
  Half halves[2];
  __builtin_memcpy(halves, &value, sizeof(value));
  add_lanes(to, __builtin_convertvector(halves[0], Vector));
  add_lanes(to + width, __builtin_convertvector(halves[1], Vector));
}

/// risk = copies · factor · e^risk for the visits of a block.
template <class Real>
void risks(const std::uint8_t* copies, const double* factor, Index n_columns, Real* risk) {
  constexpr Index w = lane_width<Real>;
  for (Index i = 0; i < visit_block; ++i) {
    const Real of_visit = factor == nullptr ? Real{1} : static_cast<Real>(factor[i]);
    for (Index lane = 0; lane < lanes; lane += w) {
      Real* at = risk + i * lanes + lane;
      auto value = copies_of<Real>(copies + i * lanes + lane) * of_visit;
      if (n_columns > 0) value *= exp_near<Real>(load_lanes(at));
      store_lanes(at, value);
    }
  }
}

/// sums[0] += risk, sums[1 + j] += risk · x_j over n visits: chains that do not wait for each other.
template <class Real>
void add_visits(const Real* x, const Real* risk, Index n, Index n_columns, double* sum, double* sums) {
  using V = typename LaneVector<Real>::Type;
  constexpr Index w = lane_width<Real>;
  constexpr Index strip = lanes / w < 4 ? lanes / w : 4,
                  columns = accumulators / strip < 4 ? accumulators / strip : 4;
  static_assert(column_block % columns == 0);
  if (n == 0) return;
  for (Index lane = 0; lane < lanes; lane += strip * w) {
    V total[strip] = {};
    for (Index i = 0; i < n; ++i) {
      for (Index s = 0; s < strip; ++s) total[s] += load_lanes(risk + i * lanes + lane + s * w);
    }
    for (Index s = 0; s < strip; ++s) add_lanes(sum + lane + s * w, total[s]);
    for (Index j = 0; j < n_columns; j += columns) {
      V products[columns][strip] = {};
      for (Index i = 0; i < n; ++i) {
        V r[strip];
        for (Index s = 0; s < strip; ++s) r[s] = load_lanes(risk + i * lanes + lane + s * w);
        for (Index c = 0; c < columns; ++c) {
          const Real value = x[i * n_columns + j + c];
          for (Index s = 0; s < strip; ++s) products[c][s] += value * r[s];
        }
      }
      for (Index c = 0; c < columns; ++c) {
        for (Index s = 0; s < strip; ++s) add_lanes(sums + (j + c) * lanes + lane + s * w, products[c][s]);
      }
    }
  }
}

/// Calls of_others(begin, end), of_dying(begin, end) and end_of_time(k) in the order of the visits, for the pieces of
/// block after block; of_block(begin) comes before the pieces of a block.
template <class Block, class Others, class Dying, class Time>
void walk_blocks(const BootstrapWalk& walk, Block of_block, Others of_others, Dying of_dying,
                 Time end_of_time) {
  const std::int32_t* at = walk.visit_begin;
  const std::int32_t* last = at + 2 * walk.n_times;
  for (Index begin = 0; begin < walk.n_visits; begin += visit_block) {
    const Index end = begin + visit_block;
    of_block(begin);
    for (; at < last; ++at) {
      const bool dying = (at - walk.visit_begin) % 2 == 1;
      const Index from = at[0] > begin ? at[0] : begin, past = at[1] < end ? at[1] : end;
      if (from < past && dying) of_dying(from, past);
      if (from < past && !dying) of_others(from, past);
      if (at[1] > end) break;
      if (dying) end_of_time((at - walk.visit_begin) / 2);
    }
  }
}

/// (W/d) Σ_l of 1, l/d and the logarithm over S0 − (l/d) D0.
struct Shares {
  Vector first, first_tied, log_risk;
};

/// u = D0/M up to which three moments are exact to 1e-15.
constexpr double moments_reach = 0.03;

double log_of_one(double x) {
  return log_of(x);
}

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
      if (with_log) log_risk += log_of_one(left);
    }
    const double mean_weight = weight[k] * inverse[k];
    found.first[k] = mean_weight * first;
    found.first_tied[k] = mean_weight * first_tied;
    found.log_risk[k] = mean_weight * log_risk;
  }
  return found;
}

/// Sums over the risk set (S) and over those who die at the time under way (D).
struct Sums {
  double s0[lanes], d0[lanes];
  double *s1, *d1;  ///< n_columns x lanes
};

template <bool with_log>
void end_time(const BootstrapWalk& walk, const BootstrapBatch& batch, Index k, Sums& sums, double* slope,
              double* log_risk) {
  constexpr Index n_vectors = lanes / width;
  Vector first[n_vectors], tied[n_vectors];
  for (Index v = 0; v < n_vectors; ++v) {
    const Vector dying = load_lanes(sums.d0 + v * width);
    add_lanes(sums.s0 + v * width, dying);
    const Shares shares = shares_of_time<with_log>(
        load_lanes(sums.s0 + v * width), dying, load_lanes<double>(batch.deaths + k * lanes + v * width),
        load_lanes<double>(batch.weight + k * lanes + v * width), walk.efron);
    first[v] = shares.first;
    tied[v] = shares.first_tied;
    if (with_log) add_lanes(log_risk + v * width, shares.log_risk);
    store_lanes(sums.d0 + v * width, Vector{});
  }
  for (Index j = 0; j < walk.n_columns; ++j) {
    for (Index v = 0; v < n_vectors; ++v) {
      const Index at = j * lanes + v * width;
      const Vector dying = load_lanes(sums.d1 + at);
      const Vector at_risk = load_lanes(sums.s1 + at) + dying;
      store_lanes(sums.s1 + at, at_risk);
      store_lanes(sums.d1 + at, Vector{});
      add_lanes(slope + at, first[v] * at_risk - tied[v] * dying);
    }
  }
}

void clear(double* values, Index n) {
  for (Index i = 0; i < n; ++i) values[i] = 0;
}

template <class Real, bool with_log>
void pass(const BootstrapWalk& walk, const BootstrapBatch& batch, const Real* x, const Real* beta,
          double* room, double* slope, double* log_risk) {
  const Index p = walk.n_columns;
  Sums sums{{}, {}, room, room + p * lanes};
  clear(room, 2 * p * lanes);
  clear(slope, p * lanes);
  if (with_log) clear(log_risk, lanes);
  alignas(64) Real risk[visit_block * lanes];
  Index block = 0;
  const auto of_block = [&](Index begin) {
    block = begin;
    if (p > 0) lane_products<lanes>(x + begin * p, visit_block, p, beta, risk);
    risks(batch.copies + begin * lanes, walk.factor == nullptr ? nullptr : walk.factor + begin, p, risk);
  };
  const auto of_others = [&](Index from, Index past) {
    add_visits(x + from * p, risk + (from - block) * lanes, past - from, p, sums.s0, sums.s1);
  };
  const auto of_dying = [&](Index from, Index past) {
    add_visits(x + from * p, risk + (from - block) * lanes, past - from, p, sums.d0, sums.d1);
  };
  const auto end_of_time = [&](Index k) {
    end_time<with_log>(walk, batch, k, sums, slope, log_risk);
    if (k + 1 == walk.n_times || !walk.fresh[k + 1]) return;
    clear(sums.s0, lanes);
    clear(sums.s1, p * lanes);
  };
  walk_blocks(walk, of_block, of_others, of_dying, end_of_time);
}

}  // namespace

void bootstrap_deaths(const BootstrapWalk& walk, const BootstrapBatch& batch, bool as_copies,
                      double* of_columns) {
  const Index p = walk.n_columns;
  clear(of_columns, p * lanes);
  clear(batch.deaths, walk.n_times * lanes);
  clear(batch.weight, walk.n_times * lanes);
  alignas(64) double weight[visit_block * lanes];
  Index time = 0;
  const auto of_dying = [&](Index from, Index past) {
    for (Index i = from; i < past; ++i) {
      const double of_case = walk.case_weight == nullptr ? 1 : walk.case_weight[i];
      for (Index lane = 0; lane < lanes; lane += width) {
        const Vector copies = copies_of<double>(batch.copies + i * lanes + lane);
        const Vector once = copies > Vector{} ? Vector{} + 1.0 : Vector{};
        store_lanes(weight + (i - from) * lanes + lane, copies * of_case);
        add_lanes(batch.deaths + time * lanes + lane, as_copies ? copies : once);
      }
    }
    add_visits(walk.columns + from * p, weight, past - from, p, batch.weight + time * lanes, of_columns);
  };
  walk_blocks(
      walk, [](Index) {}, [](Index, Index) {}, of_dying, [&](Index k) { time = k + 1; });
}

void bootstrap_pass(const BootstrapWalk& walk, const BootstrapBatch& batch, const double* beta, double* room,
                    double* slope, double* log_risk) {
  pass<double, true>(walk, batch, walk.columns, beta, room, slope, log_risk);
}

void bootstrap_pass_single(const BootstrapWalk& walk, const BootstrapBatch& batch, const float* beta,
                           double* room, double* slope) {
  pass<float, false>(walk, batch, walk.columns_single, beta, room, slope, nullptr);
}

}  // namespace chorale::kernels::simd::CHORALE_LEVEL
