// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/risk_sums_body.hpp"
#include "kernels/simd/vector.hpp"

namespace chorale::kernels::simd::CHORALE_LEVEL {
namespace {

/// Each lane with all behind it.
template <class V>
V suffixes(V v) {
  const V none{};
  if constexpr (width == 8) {
    v += __builtin_shufflevector(v, none, 1, 2, 3, 4, 5, 6, 7, 8);
    v += __builtin_shufflevector(v, none, 2, 3, 4, 5, 6, 7, 8, 8);
    v += __builtin_shufflevector(v, none, 4, 5, 6, 7, 8, 8, 8, 8);
  } else if constexpr (width == 4) {
    v += __builtin_shufflevector(v, none, 1, 2, 3, 4);
    v += __builtin_shufflevector(v, none, 2, 3, 4, 4);
  } else {
    v += __builtin_shufflevector(v, none, 1, 2);
  }
  return v;
}

/// Sums of w e^(βx) x^k, k < n_sums, from the last row back.
template <int n_sums>
void sum_back(const RiskSums& sums, bool at_one, double beta, Index begin, Index end) {
  double carried[n_sums] = {};
  const auto risk_of = [&]<class V>(Index row, V& x) {
    if constexpr (n_sums > 1) x = load<V>(sums.x + row);
    const V risk = at_one ? load<V>(sums.risk + row) : exp_of(beta * x);
    return risk * load<V>(sums.weight + row);
  };
  Index row = end;
  for (; row - width >= begin; row -= width) {
    const Index at = row - width;
    Vector x{}, part = risk_of(at, x);
    for (int k = 0; k < n_sums; ++k, part *= x) {
      const Vector from = suffixes(part) + carried[k];
      store(sums.from[k] + at, from);
      carried[k] = from[0];
    }
  }
  while (row-- > begin) {
    double x = 0, part = risk_of(row, x);
    for (int k = 0; k < n_sums; ++k, part *= x) sums.from[k][row] = carried[k] += part;
  }
}

template <int n_sums>
void pick(const RiskSums& sums, Index end) {
  for (int k = 0; k < n_sums; ++k) {
    sums.at_risk[k][sums.first_slot] = sums.at_risk[k][sums.past_slot] = 0;
    for (Index t = sums.first_slot + 1; t < sums.past_slot; ++t) {
      const Index row = sums.row_begin[2 * t];
      sums.at_risk[k][t] = row < end ? sums.from[k][row] : 0;
    }
  }
}

/// Share of those who die at a slot in one of the sums.
double dying(const RiskSums& sums, int k, Index slot) {
  return sums.from[k][sums.row_begin[2 * slot + 1]] - sums.at_risk[k][slot + 1];
}

}  // namespace

void weight_sums(const double* weight, Index begin, Index end, double* from, double* count) {
  double total = 0, n = 0;
  Index row = end;
  for (; row - width >= begin; row -= width) {
    const Vector part = load<Vector>(weight + row - width);
    const Vector sums = suffixes(part) + total;
    const Vector counts = suffixes(part > 0 ? Vector{} + 1.0 : Vector{}) + n;
    store(from + row - width, sums);
    store(count + row - width, counts);
    total = sums[0];
    n = counts[0];
  }
  while (row-- > begin) {
    from[row] = total += weight[row];
    count[row] = n += weight[row] > 0;
  }
}

bool whole_numbers(const double* weight, Index n, std::uint32_t* whole) {
  using Words = std::uint32_t __attribute__((vector_size(vector_bytes / 2)));
  constexpr double shift = 4503599627370496.0;  // 2^52: beside it a whole number stands in the lowest bits
  Truth all = Vector{} == Vector{};
  Index i = 0;
  for (; i + width <= n; i += width) {
    const Vector value = load<Vector>(weight + i), shifted = value + shift;
    all &= shifted - shift == value;
    const Words words = __builtin_convertvector(__builtin_bit_cast(Bits, shifted), Words);
    __builtin_memcpy(whole + i, &words, sizeof(words));
  }
  bool rest = true;
  for (; i < n; ++i) {
    whole[i] = static_cast<std::uint32_t>(weight[i]);
    rest &= static_cast<double>(whole[i]) == weight[i];
  }
  return rest && !any(~all);
}

void share_ties(const std::int32_t* slot, const double* place, Index n_later, const double* first,
                const double* n, double* share, double* weight) {
#pragma omp simd
  for (Index k = 0; k < n_later; ++k) {
    const double dying = n[slot[k]], part = place[k] / (dying > 0 ? dying : 1), own = first[slot[k]];
    share[k] = place[k] < dying ? part : 0;
    weight[k] = place[k] < dying ? own : 0;
  }
}

void risk_sums(const RiskSums& sums, double beta) {
  const Index begin = sums.row_begin[2 * sums.first_slot], end = sums.row_begin[2 * sums.past_slot];
  if (sums.x == nullptr) {
    sum_back<1>(sums, true, 1, begin, end);
    return pick<1>(sums, end);
  }
  sum_back<3>(sums, beta == 1, beta, begin, end);
  pick<3>(sums, end);
}

void slope_terms(const RiskSums& sums, const double* first, Index n_slots, const LaterDeaths& later,
                 double& mean, double& information) {
  const auto add = [&]<class V>(Index t, V& all_means, V& all_information) {
    const V weight = load<V>(first + t), s0 = load<V>(sums.at_risk[0] + t);
    const V inverse = weight > 0 ? 1.0 / s0 : V{};
    const V of_time = load<V>(sums.at_risk[1] + t) * inverse;
    all_means += weight * of_time;
    all_information += weight * (load<V>(sums.at_risk[2] + t) * inverse - of_time * of_time);
  };
  Vector means{}, squares{};
  Index t = 0;
  for (; t + width <= n_slots; t += width) add(t, means, squares);
  mean = sum(means);
  information = sum(squares);
  for (; t < n_slots; ++t) add(t, mean, information);
  double later_mean = 0, later_information = 0;
  for (Index k = 0; k < later.n; ++k) {
    const Index slot = later.slot[k];
    double s[3];
    for (int j = 0; j < 3; ++j) s[j] = sums.at_risk[j][slot] - later.share[k] * dying(sums, j, slot);
    const double inverse = 1 / (s[0] > 0 ? s[0] : 1), of_time = s[1] * inverse;
    later_mean += later.weight[k] * of_time;
    later_information += later.weight[k] * (s[2] * inverse - of_time * of_time);
  }
  mean += later_mean;
  information += later_information;
}

void hazard_steps(const RiskSums& sums, const double* first, Index n_slots, const LaterDeaths& later,
                  double* hazard) {
  const auto set = [&]<class V>(Index t, V) {
    const V weight = load<V>(first + t);
    store(hazard + t, weight > 0 ? weight / load<V>(sums.at_risk[0] + t) : V{});
  };
  Index t = 0;
  for (; t + width <= n_slots; t += width) set(t, Vector{});
  for (; t < n_slots; ++t) set(t, double{});
  for (Index k = 0; k < later.n; ++k) {
    const Index slot = later.slot[k];
    const double left = sums.at_risk[0][slot] - later.share[k] * dying(sums, 0, slot);
    hazard[slot] += later.weight[k] / (left > 0 ? left : 1);
  }
}

void survival_of_rows(const double* risk, double cumulative, Index begin, Index end, double* survival) {
  Index row = begin;
  for (; row + width <= end; row += width)
    store(survival + row, exp_of(-cumulative * load<Vector>(risk + row)));
  for (; row < end; ++row) survival[row] = exp_of(-cumulative * risk[row]);
}

double weighted_squares(const double* weight, const double* value, bool rest, Index begin, Index end) {
  const double from = rest ? 1 : 0;
  Vector parts[2] = {};
  Index row = begin;
  for (; row + 2 * width <= end; row += 2 * width) {
    for (int k = 0; k < 2; ++k) {
      const Vector x = load<Vector>(value + row + k * width) - from;
      parts[k] += load<Vector>(weight + row + k * width) * x * x;
    }
  }
  double total = sum(parts[0] + parts[1]);
  for (; row < end; ++row) total += weight[row] * (value[row] - from) * (value[row] - from);
  return total;
}

}  // namespace chorale::kernels::simd::CHORALE_LEVEL
