// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/simd/vector.hpp"
#include "kernels/two_group_body.hpp"

namespace chorale::kernels::simd::CHORALE_LEVEL {
namespace {

static_assert(lanes % width == 0, "arrays over event times hold whole vectors");
constexpr Index block = 128;  ///< event times that share a choice of how to sum over ties

template <class V>
struct Sums {
  V score{}, information{}, log_risk{};

  void add_to(Slope& slope) const {
    slope.score += sum(score);
    slope.information += sum(information);
    slope.log_risk += sum(log_risk);
  }
};

/// The place where a slope is asked for.
struct Point {
  const EventTable& all;
  const CarrierTable& carriers;
  double hazard_ratio;  ///< θ = e^b
  double excess;        ///< θ − 1, which keeps its digits near b = 0
};

/// What event time t (or a vector of them) adds, from M = S0 − f D0, its share of carriers q and the tie ratio
/// u = D0/M:
///   log:         W log M − Σ_k Q_k u^k / k
///   score:       W q − u' Σ_k Q_k u^(k−1),                u' = dD0/M − u q
///   information: W q (1 − q) − u'² Σ_k (k−1) Q_k u^(k−2) − u' (1 − 2q) Σ_k Q_k u^(k−1)
template <int n_moments, bool with_log, class V>
void add_time(const Point& at, Index t, Sums<V>& sums) {
  const V weight = load<V>(at.all.weight + t), carrier_risk = load<V>(at.carriers.risk + t);
  const V risk = load<V>(at.all.risk + t) + at.excess * carrier_risk;
  const V inverse = 1.0 / risk;
  const V scaled = at.hazard_ratio * inverse;
  const V q = carrier_risk * scaled;
  const V spread = 1.0 - q;
  V expected = weight * q;
  V variance = expected * spread;
  if constexpr (with_log) sums.log_risk += weight * log_of(risk);
  if constexpr (n_moments > 0) {
    const V carrier_tied = load<V>(at.carriers.tied_risk + t);
    const V u = (load<V>(at.all.tied_risk + t) + at.excess * carrier_tied) * inverse;
    const V du = carrier_tied * scaled - u * q;
    const V u2 = u * u;
    // Horner in u²: first = Σ Q_k u^(k−2), second = Σ (k−1) Q_k u^(k−2), third = Σ Q_k u^(k−2) / k
    V first{}, second{}, third{};
    for (int m = n_moments - 1; m >= 0; --m) {
      const V moment = load<V>(at.all.moment[m] + t);
      first = first * u2 + moment;
      second = second * u2 + (2.0 * m + 1) * moment;
      if constexpr (with_log) third = third * u2 + moment * (1.0 / (2 * m + 2));
    }
    const V pull = du * u * first;
    expected -= pull;
    variance -= du * du * second + (spread - q) * pull;
    if constexpr (with_log) sums.log_risk -= third * u2;
  }
  sums.score += expected;
  sums.information += variance;
}

/// The sum over l as it stands: p_l = θ (n1 − (l/d) d1) / (S0 − (l/d) D0).
template <bool with_log>
void add_exactly(const Point& at, Index t, Slope& slope) {
  const double deaths = at.all.deaths[t], centre = at.all.centre[t];
  const double risk = at.all.risk[t] + at.excess * at.carriers.risk[t];
  const double tied = at.all.tied_risk[t] + at.excess * at.carriers.tied_risk[t];
  const double carrier_risk = at.hazard_ratio * at.carriers.risk[t];
  const double carrier_tied = at.hazard_ratio * at.carriers.tied_risk[t];
  Sums<double> sums;
  for (double l = 0; l < deaths; ++l) {
    const double fraction = l / deaths - centre;
    const double left = risk - fraction * tied;
    const double q = (carrier_risk - fraction * carrier_tied) / left;
    sums.score += q;
    sums.information += q * (1 - q);
    if constexpr (with_log) sums.log_risk += log_of(left);
  }
  const double weight = at.all.weight[t] / deaths;
  slope.score += weight * sums.score;
  slope.information += weight * sums.information;
  slope.log_risk += weight * sums.log_risk;
}

template <int n_moments, bool with_log>
void add_times(const Point& at, Index begin, Index end, Slope& slope) {
  Sums<Vector> sums;
  for (Index t = begin; t < end; t += width) add_time<n_moments, with_log>(at, t, sums);
  sums.add_to(slope);
}

template <bool with_log>
void add_one_by_one(const Point& at, Index begin, Index end, Slope& slope) {
  Sums<double> sums;
  for (Index t = begin; t < end; ++t) {
    const double risk = at.all.risk[t] + at.excess * at.carriers.risk[t];
    const double tied = at.all.tied_risk[t] + at.excess * at.carriers.tied_risk[t];
    if (tied <= all_moments_reach * risk) {
      add_time<n_tie_moments, with_log>(at, t, sums);
    } else {
      add_exactly<with_log>(at, t, slope);
    }
  }
  sums.add_to(slope);
}

template <bool with_log>
Slope sum_times(const Point& at) {
  Slope slope{0, 0, 0};
  if (!at.all.efron) {
    add_times<0, with_log>(at, 0, at.all.n_times, slope);
    return slope;
  }
  for (Index begin = 0; begin < at.all.n_times; begin += block) {
    const Index end = begin + block < at.all.n_times ? begin + block : at.all.n_times;
    Vector beyond_few{}, beyond_all{};  // at least 0
    for (Index t = begin; t < end; t += width) {
      const Vector risk = load<Vector>(at.all.risk + t) + at.excess * load<Vector>(at.carriers.risk + t);
      const Vector tied =
          load<Vector>(at.all.tied_risk + t) + at.excess * load<Vector>(at.carriers.tied_risk + t);
      const Vector few = tied - few_moments_reach * risk, every = tied - all_moments_reach * risk;
      beyond_few = few > beyond_few ? few : beyond_few;
      beyond_all = every > beyond_all ? every : beyond_all;
    }
    if (largest(beyond_few) <= 0) {
      add_times<3, with_log>(at, begin, end, slope);
    } else if (largest(beyond_all) <= 0) {
      add_times<n_tie_moments, with_log>(at, begin, end, slope);
    } else {
      add_one_by_one<with_log>(at, begin, end, slope);
    }
  }
  return slope;
}

}  // namespace

CarrierSums carrier_sums(const EventTable& all, const CarrierTable& carriers) {
  Vector observed{}, expected{}, variance{}, of_carriers{}, of_others{};
  const Vector none{};
  for (Index t = 0; t < all.n_times; t += width) {
    const Vector n = load<Vector>(all.at_risk + t), d = load<Vector>(all.deaths + t);
    const Vector n1 = load<Vector>(carriers.at_risk + t), d1 = load<Vector>(carriers.deaths + t);
    observed += d1;
    expected += load<Vector>(all.expected_rate + t) * n1;
    variance += load<Vector>(all.variance_rate + t) * n1 * (n - n1);
    of_carriers += n1 < n ? d1 : none;
    of_others += n1 > none ? d - d1 : none;
    const Vector sum_deaths = load<Vector>(carriers.sum_deaths + t);
    store(carriers.risk + t,
          load<Vector>(carriers.sum_at_risk + t) - load<Vector>(all.centre + t) * sum_deaths);
    store(carriers.tied_risk + t, load<Vector>(all.tied_risk + t) > none ? sum_deaths : none);
  }
  return {sum(observed), sum(expected), sum(variance), sum(of_carriers), sum(of_others)};
}

Slope slope(const EventTable& all, const CarrierTable& carriers, double hazard_ratio, double excess) {
  return sum_times<false>({all, carriers, hazard_ratio, excess});
}

Slope slope_and_log(const EventTable& all, const CarrierTable& carriers, double hazard_ratio, double excess) {
  return sum_times<true>({all, carriers, hazard_ratio, excess});
}

}  // namespace chorale::kernels::simd::CHORALE_LEVEL
