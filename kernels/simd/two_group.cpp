// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include <cmath>

#include "kernels/simd/fast_math.hpp"
#include "kernels/two_group_body.hpp"

namespace chorale::kernels::simd::CHORALE_LEVEL {
namespace {

constexpr Index block = 64;

/// What one event time adds, from M = S0 − f D0, its share of carriers q and the tie ratio u = D0/M.
///   log:    W log M − Σ_k Q_k u^k / k
///   score:  W q − u' Σ_k Q_k u^(k−1),                u' = dD0/M − u q
///   information: W q (1 − q) − u'² Σ_k (k−1) Q_k u^(k−2) − u' (1 − 2q) Σ_k Q_k u^(k−1)
template <int n_moments, bool with_log>
void add_times(const EventTable& all, const CarrierTable& carriers, double hazard_ratio, double excess,
               Index begin, Index end, Slope& sum) {
  double score = 0, information = 0, log_risk = 0;
#pragma omp simd reduction(+ : score, information, log_risk)
  for (Index t = begin; t < end; ++t) {
    const double risk = all.risk[t] + excess * carriers.risk[t];
    const double inverse = 1 / risk;
    const double q = hazard_ratio * carriers.risk[t] * inverse;
    const double spread = 1 - q;
    double expected = all.weight[t] * q;
    double variance = expected * spread;
    if constexpr (with_log) log_risk += all.weight[t] * fast_log(risk);
    if constexpr (n_moments > 0) {
      const double u = (all.tied_risk[t] + excess * carriers.tied_risk[t]) * inverse;
      const double du = hazard_ratio * carriers.tied_risk[t] * inverse - u * q;
      const double u2 = u * u;
      // Horner in u²: first = Σ Q_k u^(k−2), second = Σ (k−1) Q_k u^(k−2), third = Σ Q_k u^(k−2) / k
      double first = 0, second = 0, third = 0;
      for (int m = n_moments - 1; m >= 0; --m) {
        const double moment = all.moment[m][t];
        first = first * u2 + moment;
        second = second * u2 + (2 * m + 1) * moment;
        if constexpr (with_log) third = third * u2 + moment * (1.0 / (2 * m + 2));
      }
      expected -= du * u * first;
      variance -= du * du * second + du * (spread - q) * u * first;
      if constexpr (with_log) log_risk -= third * u2;
    }
    score += expected;
    information += variance;
  }
  sum.score += score;
  sum.information += information;
  sum.log_risk += log_risk;
}

/// The sum over l as it stands: p_l = θ (n1 − (l/d) d1) / (S0 − (l/d) D0).
template <bool with_log>
void add_exactly(const EventTable& all, const CarrierTable& carriers, double hazard_ratio, double excess,
                 Index t, Slope& sum) {
  const double deaths = all.deaths[t], centre = all.centre[t];
  const double risk = all.risk[t] + excess * carriers.risk[t];
  const double tied = all.tied_risk[t] + excess * carriers.tied_risk[t];
  const double carrier_risk = hazard_ratio * carriers.risk[t];
  const double carrier_tied = hazard_ratio * carriers.tied_risk[t];
  const Index n_deaths = static_cast<Index>(deaths);
  double score = 0, information = 0, log_risk = 0;
#pragma omp simd reduction(+ : score, information, log_risk)
  for (Index l = 0; l < n_deaths; ++l) {
    const double fraction = static_cast<double>(static_cast<int>(l)) / deaths - centre;
    const double left = risk - fraction * tied;
    const double q = (carrier_risk - fraction * carrier_tied) / left;
    score += q;
    information += q * (1 - q);
    if constexpr (with_log) log_risk += fast_log(left);
  }
  const double weight = all.weight[t] / deaths;
  sum.score += weight * score;
  sum.information += weight * information;
  sum.log_risk += weight * log_risk;
}

template <bool with_log>
void add_slowly(const EventTable& all, const CarrierTable& carriers, double hazard_ratio, double excess,
                Index begin, Index end, Slope& sum) {
  for (Index t = begin; t < end; ++t) {
    const double risk = all.risk[t] + excess * carriers.risk[t];
    const double tied = all.tied_risk[t] + excess * carriers.tied_risk[t];
    if (tied <= all_moments_reach * risk) {
      add_times<n_tie_moments, with_log>(all, carriers, hazard_ratio, excess, t, t + 1, sum);
    } else {
      add_exactly<with_log>(all, carriers, hazard_ratio, excess, t, sum);
    }
  }
}

template <bool with_log>
Slope sum_times(const EventTable& all, const CarrierTable& carriers, double hazard_ratio, double excess) {
  Slope sum{0, 0, 0};
  if (!all.efron) {
    add_times<0, with_log>(all, carriers, hazard_ratio, excess, 0, all.n_times, sum);
    return sum;
  }
  for (Index begin = 0; begin < all.n_times; begin += block) {
    const Index end = begin + block < all.n_times ? begin + block : all.n_times;
    double beyond_few = -1, beyond_all = -1;
#pragma omp simd reduction(max : beyond_few, beyond_all)
    for (Index t = begin; t < end; ++t) {
      const double risk = all.risk[t] + excess * carriers.risk[t];
      const double tied = all.tied_risk[t] + excess * carriers.tied_risk[t];
      const double few = tied - few_moments_reach * risk, every = tied - all_moments_reach * risk;
      beyond_few = few > beyond_few ? few : beyond_few;
      beyond_all = every > beyond_all ? every : beyond_all;
    }
    if (beyond_few <= 0) {
      add_times<3, with_log>(all, carriers, hazard_ratio, excess, begin, end, sum);
    } else if (beyond_all <= 0) {
      add_times<n_tie_moments, with_log>(all, carriers, hazard_ratio, excess, begin, end, sum);
    } else {
      add_slowly<with_log>(all, carriers, hazard_ratio, excess, begin, end, sum);
    }
  }
  return sum;
}

}  // namespace

CarrierSums carrier_sums(const EventTable& all, const CarrierTable& carriers) {
  double observed = 0, expected = 0, variance = 0, of_carriers = 0, of_others = 0;
#pragma omp simd reduction(+ : observed, expected, variance, of_carriers, of_others)
  for (Index t = 0; t < all.n_times; ++t) {
    const double n1 = carriers.at_risk[t], d1 = carriers.deaths[t];
    observed += d1;
    expected += all.expected_rate[t] * n1;
    variance += all.variance_rate[t] * n1 * (all.at_risk[t] - n1);
    of_carriers += n1 < all.at_risk[t] ? d1 : 0;
    of_others += n1 > 0 ? all.deaths[t] - d1 : 0;
    carriers.risk[t] = carriers.sum_at_risk[t] - all.centre[t] * carriers.sum_deaths[t];
    carriers.tied_risk[t] = all.tied_risk[t] > 0 ? carriers.sum_deaths[t] : 0;
  }
  return {observed, expected, variance, of_carriers, of_others};
}

Slope slope(const EventTable& all, const CarrierTable& carriers, double hazard_ratio, double excess) {
  return sum_times<false>(all, carriers, hazard_ratio, excess);
}

Slope slope_and_log(const EventTable& all, const CarrierTable& carriers, double hazard_ratio, double excess) {
  return sum_times<true>(all, carriers, hazard_ratio, excess);
}

}  // namespace chorale::kernels::simd::CHORALE_LEVEL
