// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/pair_cox_body.hpp"
#include "kernels/simd/vector.hpp"

namespace chorale::kernels::simd::CHORALE_LEVEL {
namespace {

constexpr Index block = 128;  ///< event times that share a choice of how to sum over ties

template <class V>
struct Sums {
  V score[3]{}, product[6]{}, log_risk{};

  void add_to(PairSlope& slope) const {
    for (int j = 0; j < 3; ++j) slope.score[j] += sum(score[j]);
    for (int jk = 0; jk < 6; ++jk) slope.information[jk] -= sum(product[jk]);
    slope.log_risk += sum(log_risk);
  }
};

/// The place where a slope is asked for.
struct Point {
  const EventTable& all;
  const PairTable& pair;
  const PairPoint& at;

  template <class V>
  V risk(Index t) const {
    return total<V>(all.risk, pair.risk, t);
  }
  template <class V>
  V tied(Index t) const {
    return total<V>(all.tied_risk, pair.tied_risk, t);
  }

 private:
  template <class V>
  V total(const double* everyone, const double* const* carriers, Index t) const {
    return load<V>(everyone + t) + at.excess_a * load<V>(carriers[0] + t) +
           at.excess_b * load<V>(carriers[1] + t) + at.excess_both * load<V>(carriers[2] + t);
  }
};

/// Shares of the carriers of a, of b, of both in a risk set: their risks divided by everyone's.
template <class V>
void shares(const PairPoint& at, const double* const* carriers, Index t, V inverse, V* share) {
  const V of_both = load<V>(carriers[2] + t) * inverse;
  share[0] = at.ratio_a * inverse * load<V>(carriers[0] + t) + (at.ratio_both - at.ratio_a) * of_both;
  share[1] = at.ratio_b * inverse * load<V>(carriers[1] + t) + (at.ratio_both - at.ratio_b) * of_both;
  share[2] = at.ratio_both * of_both;
}

/// What event time t (or a vector of them) adds. With u = D0/M, shares q_j of M, D_j/M = u_j + u q_j and
/// s1 = Σ_k Q_k u^(k−1), s2 = Σ_k (k−1) Q_k u^(k−2):
///   log:         W log M − Σ_k Q_k u^k / k
///   score:       e_j = W q_j − s1 u_j
///   information: e_jk − q_j (W q_k − s1 u_k) − u_j (s2 u_k − s1 q_k), where e_jk is the score of who has both j and k
/// Returns u.
template <int n_moments, bool with_log, class V>
V add_time(const Point& at, Index t, Sums<V>& sums) {
  const V weight = load<V>(at.all.weight + t), risk = at.risk<V>(t);
  const V inverse = 1.0 / risk;
  V q[3], e[3], f[3]{}, v[3]{}, u{};
  shares(at.at, at.pair.risk, t, inverse, q);
  for (int j = 0; j < 3; ++j) e[j] = weight * q[j];
  if constexpr (with_log) sums.log_risk += weight * log_of(risk);
  if constexpr (n_moments > 0) {
    u = at.tied<V>(t) * inverse;
    const V u2 = u * u;
    V first{}, second{}, third{};  // Horner in u²: Σ Q_k u^(k−2) times 1, k − 1, 1/k
    for (int m = n_moments - 1; m >= 0; --m) {
      const V moment = load<V>(at.all.moment[m] + t);
      first = first * u2 + moment;
      second = second * u2 + (2.0 * m + 1) * moment;
      if constexpr (with_log) third = third * u2 + moment * (1.0 / (2 * m + 2));
    }
    if constexpr (with_log) sums.log_risk -= third * u2;
    const V s1 = first * u;
    shares(at.at, at.pair.tied_risk, t, inverse, v);
    for (int j = 0; j < 3; ++j) {
      v[j] -= u * q[j];
      e[j] -= s1 * v[j];
      f[j] = second * v[j] - s1 * q[j];
    }
  }
  for (int j = 0, jk = 0; j < 3; ++j) {
    sums.score[j] += e[j];
    for (int k = j; k < 3; ++k, ++jk) {
      sums.product[jk] += q[j] * e[k];
      if constexpr (n_moments > 0) sums.product[jk] += v[j] * f[k];
    }
  }
  return u;
}

/// The sum over l as it stands, each with its own shares.
template <bool with_log>
void add_exactly(const Point& at, Index t, PairSlope& slope) {
  const double deaths = at.all.deaths[t], centre = at.all.centre[t];
  const double weight = at.all.weight[t] / deaths;
  const double risk = at.risk<double>(t), tied = at.tied<double>(t);
  double of_risk[3], of_tied[3];
  shares(at.at, at.pair.risk, t, 1.0, of_risk);
  shares(at.at, at.pair.tied_risk, t, 1.0, of_tied);
  for (double l = 0; l < deaths; ++l) {
    const double fraction = l / deaths - centre;
    const double left = risk - fraction * tied;
    double q[3];
    for (int j = 0; j < 3; ++j) {
      q[j] = (of_risk[j] - fraction * of_tied[j]) / left;
      slope.score[j] += weight * q[j];
    }
    for (int j = 0, jk = 0; j < 3; ++j) {
      for (int k = j; k < 3; ++k, ++jk) slope.information[jk] -= weight * q[j] * q[k];
    }
    if constexpr (with_log) slope.log_risk += weight * log_of(left);
  }
}

/// False, and nothing added, when ties in the block ask for more than `n_moments`, good up to u = reach.
template <int n_moments, bool with_log>
bool add_times(const Point& at, Index begin, Index end, double reach, PairSlope& slope) {
  Sums<Vector> sums;
  Vector most{};
  for (Index t = begin; t < end; t += width) {
    const Vector u = add_time<n_moments, with_log>(at, t, sums);
    most = u > most ? u : most;
  }
  if (largest(most) > reach) return false;
  sums.add_to(slope);
  return true;
}

template <bool with_log>
void add_one_by_one(const Point& at, Index begin, Index end, PairSlope& slope) {
  Sums<double> sums;
  for (Index t = begin; t < end; ++t) {
    if (at.tied<double>(t) <= all_moments_reach * at.risk<double>(t)) {
      add_time<n_tie_moments, with_log>(at, t, sums);
    } else {
      add_exactly<with_log>(at, t, slope);
    }
  }
  sums.add_to(slope);
}

template <bool with_log>
PairSlope sum_times(const Point& at) {
  constexpr double one_moment_reach = 0.005;  // u⁴/320, the next term beside W, is then 2e-12
  PairSlope slope{};
  Index expected = at.all.efron ? 1 : 0;  // moments: what one block needed the next will need
  for (Index begin = 0; begin < at.all.n_times; begin += block) {
    const Index end = begin + block < at.all.n_times ? begin + block : at.all.n_times;
    const auto enough = [&](auto add, Index moments, double reach) {
      if (moments < expected || !add(at, begin, end, reach, slope)) return false;
      expected = moments;
      return true;
    };
    if (!enough(add_times<0, with_log>, 0, 1) && !enough(add_times<1, with_log>, 1, one_moment_reach) &&
        !enough(add_times<3, with_log>, 3, few_moments_reach) &&
        !enough(add_times<n_tie_moments, with_log>, n_tie_moments, all_moments_reach)) {
      add_one_by_one<with_log>(at, begin, end, slope);
    }
  }
  // x_j x_k is the indicator of both but on the diagonal
  constexpr int who_has_both[6] = {0, 2, 2, 1, 2, 2};
  for (int jk = 0; jk < 6; ++jk) slope.information[jk] += slope.score[who_has_both[jk]];
  return slope;
}

/// Deaths expected of each group, and whether all of the event time's risk sets are within reach: none of them has
/// a share above (q_g + ½ D_g/M)/(1 − ½ u).
struct Reach {
  const double* per_reach;

  template <class V>
  void add(const V* of_group, const V* share, const V* tied, V u, V* curved, V* flat) const {
    V used{};
    for (int g = 0; g < 3; ++g) used += per_reach[g] * (share[g] + 0.5 * tied[g]);
    for (int g = 0; g < 3; ++g) {
      const V inside = used <= 1.0 - 0.5 * u ? of_group[g] : V{};
      curved[g] += inside;
      flat[g] += of_group[g] - inside;
    }
  }
};

/// From carriers of a, of b and of both to who has only a, only b, both.
template <class V>
void by_group(V* share) {
  share[0] -= share[2];
  share[1] -= share[2];
}

/// Returns u.
template <int n_moments, class V>
V expect_time(const Point& at, const Reach& reach, Index t, V* curved, V* flat) {
  const V weight = load<V>(at.all.weight + t), inverse = 1.0 / at.risk<V>(t);
  V q[3], e[3], tied[3]{}, u{};
  shares(at.at, at.pair.risk, t, inverse, q);
  by_group(q);
  for (int g = 0; g < 3; ++g) e[g] = weight * q[g];
  if constexpr (n_moments > 0) {
    u = at.tied<V>(t) * inverse;
    const V u2 = u * u;
    V first{};
    for (int m = n_moments - 1; m >= 0; --m) first = first * u2 + load<V>(at.all.moment[m] + t);
    shares(at.at, at.pair.tied_risk, t, inverse, tied);
    by_group(tied);
    for (int g = 0; g < 3; ++g) e[g] -= first * u * (tied[g] - u * q[g]);
  }
  reach.add(e, q, tied, u, curved, flat);
  return u;
}

void expect_exactly(const Point& at, const Reach& reach, Index t, PairExpected& sums) {
  const double deaths = at.all.deaths[t], centre = at.all.centre[t];
  const double risk = at.risk<double>(t), all_tied = at.tied<double>(t);
  double of_risk[3], of_tied[3];
  shares(at.at, at.pair.risk, t, 1.0, of_risk);
  shares(at.at, at.pair.tied_risk, t, 1.0, of_tied);
  by_group(of_risk);
  by_group(of_tied);
  const double none[3] = {};
  for (double l = 0; l < deaths; ++l) {
    const double fraction = l / deaths - centre;
    double q[3], e[3];
    for (int g = 0; g < 3; ++g) {
      q[g] = (of_risk[g] - fraction * of_tied[g]) / (risk - fraction * all_tied);
      e[g] = at.all.weight[t] / deaths * q[g];
    }
    reach.add(e, q, none, 0.0, sums.curved, sums.flat);
  }
}

template <int n_moments>
bool expect_times(const Point& at, const Reach& reach, Index begin, Index end, double u_reach,
                  PairExpected& sums) {
  Vector curved[3]{}, flat[3]{}, most{};
  for (Index t = begin; t < end; t += width) {
    const Vector u = expect_time<n_moments>(at, reach, t, curved, flat);
    most = u > most ? u : most;
  }
  if (largest(most) > u_reach) return false;
  for (int g = 0; g < 3; ++g) {
    sums.curved[g] += sum(curved[g]);
    sums.flat[g] += sum(flat[g]);
  }
  return true;
}

void expect_one_by_one(const Point& at, const Reach& reach, Index begin, Index end, PairExpected& sums) {
  for (Index t = begin; t < end; ++t) {
    if (at.tied<double>(t) <= all_moments_reach * at.risk<double>(t)) {
      expect_time<n_tie_moments>(at, reach, t, sums.curved, sums.flat);
    } else {
      expect_exactly(at, reach, t, sums);
    }
  }
}

}  // namespace

PairSlope pair_slope(const EventTable& all, const PairTable& pair, const PairPoint& at) {
  return sum_times<false>({all, pair, at});
}

PairSlope pair_slope_and_log(const EventTable& all, const PairTable& pair, const PairPoint& at) {
  return sum_times<true>({all, pair, at});
}

PairExpected pair_expected(const EventTable& all, const PairTable& pair, const PairPoint& at,
                           const double* per_reach) {
  PairExpected sums{};
  const Point point{all, pair, at};
  const Reach reach{per_reach};
  for (Index begin = 0; begin < all.n_times; begin += block) {
    const Index end = begin + block < all.n_times ? begin + block : all.n_times;
    if ((all.efron || !expect_times<0>(point, reach, begin, end, 1, sums)) &&
        !expect_times<3>(point, reach, begin, end, few_moments_reach, sums))
      expect_one_by_one(point, reach, begin, end, sums);
  }
  return sums;
}

}  // namespace chorale::kernels::simd::CHORALE_LEVEL
