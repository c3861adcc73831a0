// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/fisher_odds_ratio_body.hpp"

#include "kernels/simd/hypergeometric.hpp"
#include "kernels/simd/vector.hpp"

namespace chorale::kernels::simd::CHORALE_LEVEL {
namespace {

constexpr double negligible = 1e-17;  // of a sum
constexpr int most_steps = 100;
const Vector none{};
const Vector infinite = none + __builtin_inf();

// f(n11 ± k) / f(n11) · ψ0^±k, k = 1, 2, … on one side of n11, kept for the next ψ as far as there is room
class Side {
 public:
  Side(const Steps& from, Vector psi0) : frontier_(from), psi0_(psi0) {}

  // blocks 0, 1, … in order
  const Four& block(Index j) {
    if (j < n_kept_) return kept_[j];
    if (j < n_room) {
      kept_[j] = frontier_.four(psi0_);
      return kept_[n_kept_++];
    }
    if (j == n_room) beyond_ = frontier_;
    passing_ = beyond_.four(psi0_);
    return passing_;
  }

 private:
  static constexpr Index n_room = 128;
  Steps frontier_, beyond_;
  Vector psi0_;
  Four kept_[n_room], passing_;
  Index n_kept_ = 0;
};

// Σ w_k, Σ k w_k, Σ k² w_k over one side, w_k = odds^k times what the side holds
struct Moments {
  Vector weight, first, second;
};

Moments moments(Side& side, Vector odds, Truth active) {
  const Vector c1 = odds, c2 = c1 * odds, c3 = c2 * odds, c4 = c3 * odds;
  Vector scale = active ? none + 1.0 : none, k{};  // odds^k up to this block
  Moments sums{};
  for (Index j = 0; any(scale > none); ++j) {
    const Four& four = side.block(j);
    const Vector w1 = four.term[0] * c1, w2 = four.term[1] * c2, w3 = four.term[2] * c3,
                 w4 = four.term[3] * c4;
    const Vector weight = (w1 + w2) + (w3 + w4);
    const Vector first = (w1 + 2.0 * w2) + (3.0 * w3 + 4.0 * w4);
    const Vector second = (w1 + 4.0 * w2) + (9.0 * w3 + 16.0 * w4);
    const Vector moved = k * weight + first;  // Σ (k + j) w_j
    sums.weight += scale * weight;
    sums.first += scale * moved;
    sums.second += scale * (k * (moved + first) + second);
    scale = scale * w4 <= negligible * sums.weight ? none : scale * c4;
    k += 4.0;
  }
  return sums;
}

// a rising function of log ψ: how far it lies above its target, its slope there, and how that changes
struct Excess {
  Vector value, slope, curvature;
};

// Root of a rising function by Halley's method, kept inside what is known to bracket it. It stops after a step that
// leaves less than 1e-13 of log ψ: what remains is of the third order, or of the second without a curvature.
template <bool third_order, typename Function>
Vector root_of_rising(const Function& excess_at, Vector psi, Truth active) {
  Vector below{}, above = infinite;
  for (int step = 0; step < most_steps; ++step) {
    const Excess excess = excess_at(psi, active);
    below = excess.value < none ? psi : below;
    above = excess.value > none ? psi : above;
    const Vector newton = none - excess.value / excess.slope;
    Vector move = newton;
    if constexpr (third_order) {
      const Vector bend = 0.5 * newton * excess.curvature / excess.slope;
      move = newton / (1.0 + larger(none - 0.5, smaller(bend, none + 1.0)));
    }
    move = larger(none - 4.0, smaller(move, none + 4.0));
    Vector next = psi * exp_of(move);
    next = (next >= below) & (next <= above) ? next : root_of(below * above);
    const Vector size = move < none ? none - move : move;
    const Truth far = third_order ? size * excess.slope > 1e-4 : size > 2e-7;
    psi = active ? next : psi;
    active &= far;
    if (!any(active)) break;
  }
  return psi;
}

// A table's two sides with the ψ0 at which they are held; turned, as the table with its columns exchanged
struct Sides {
  Side& up;
  Side& down;
  Vector per_psi0;

  Sides turned() const { return {down, up, 1.0 / per_psi0}; }
  Moments above(Vector psi, Truth active) const { return moments(up, psi * per_psi0, active); }
  Moments below(Vector psi, Truth active) const { return moments(down, 1.0 / (psi * per_psi0), active); }
};

// E(X; ψ) = n11
Vector estimate_of(const Cells& t, const Sides& sides, Truth active) {
  // E(n11 n00; ψ) = ψ E(n10 n01; ψ) holds exactly, so ψ is a matter of the variance
  const Vector u11 = 1.0 / t.n11, u10 = 1.0 / t.n10, u01 = 1.0 / t.n01, u00 = 1.0 / t.n00;
  const Vector variance = 1.0 / (u11 + u10 + u01 + u00);
  const Vector start = (t.n11 * t.n00 + variance) / (t.n10 * t.n01 + variance);
  const auto excess_at = [&](Vector psi, Truth open) {
    const Moments up = sides.above(psi, open), down = sides.below(psi, open);
    const Vector scale = 1.0 / (1.0 + up.weight + down.weight);
    const Vector mean = (up.first - down.first) * scale;
    return Excess{mean, (up.second + down.second) * scale - mean * mean, none};
  };
  return root_of_rising<false>(excess_at, active ? start : none + 1.0, active);
}

// Near ψ with P(X ≥ n11; ψ) = outside: the mean of X lies `shift` below n11,
//   shift = ½ + z √v + (z² - 1)/6 dv/dm        (Cornish and Fisher), v = 1 / (1/m11 + 1/m10 + 1/m01 + 1/m00)
//   E(X - low) ≥ outside (n11 - low)            (Markov)
Vector bound_start(const Cells& t, const OddsRatioLimits& limits) {
  const double z = limits.n_standard_deviations;
  const Vector most = (1 - limits.outside) * smaller(t.n11, t.n00);
  Vector shift = 0.5 * smaller(none + 1.0, most);
  Vector variance{}, m11{}, m10{}, m01{}, m00{};
  const auto place = [&] {
    m11 = t.n11 - shift;
    m10 = t.n10 + shift;
    m01 = t.n01 + shift;
    m00 = t.n00 - shift;
  };
  for (int step = 0; step < 4; ++step) {
    place();
    const Vector a = m11 * m00, b = m10 * m01;
    const Vector inverse = 1.0 / (a * b);
    const Vector u11 = inverse * b * m00, u00 = inverse * b * m11, u10 = inverse * a * m01,
                 u01 = inverse * a * m10;
    variance = 1.0 / (u11 + u10 + u01 + u00);
    const Vector slope = variance * variance * (u11 * u11 - u10 * u10 - u01 * u01 + u00 * u00);
    const Vector sd = root_of(variance);
    const Vector excess = 0.5 + z * sd + (z * z - 1) / 6 * slope - shift;
    const Vector change = excess / larger(1.0 + 0.5 * z * slope / sd, none + 0.5);
    shift = larger(smaller(shift + change, most), smaller(none + 0.1, most));
  }
  place();
  return (m11 * m00 + variance) / (m10 * m01 + variance);
}

// P(X ≥ n11; ψ) = outside, as the logarithm of its odds. With w the weights at and above n11, and below it:
// its slope in log ψ is the distance between the two means, its curvature the difference of the two variances.
Vector bound_of(const Cells& t, const Sides& sides, const OddsRatioLimits& limits, Truth active) {
  const auto excess_at = [&](Vector psi, Truth open) {
    const Moments up = sides.above(psi, open), down = sides.below(psi, open);
    const Vector at_least = 1.0 + up.weight;
    const Vector per_up = 1.0 / at_least, per_down = 1.0 / down.weight;
    const Vector above = up.first * per_up, below = down.first * per_down;
    return Excess{log_of(at_least * per_down) - limits.log_odds, above + below,
                  (up.second * per_up - above * above) - (down.second * per_down - below * below)};
  };
  return root_of_rising<true>(excess_at, active ? bound_start(t, limits) : none + 1.0, active);
}

Vector lane_of(const double* from, const std::int32_t* order) {
  Vector value{};
  for (Index k = 0; k < width; ++k) value[k] = from[order[k]];
  return value;
}

}  // namespace

void odds_ratio_terms(OddsRatioBlock& block, Index size) {
  for (Index i = 0; i < size; i += width) {
    const Vector half = none + 0.5;
    const Vector inverse =
        1.0 / (load<Vector>(block.n11 + i) + half) + 1.0 / (load<Vector>(block.n10 + i) + half) +
        1.0 / (load<Vector>(block.n01 + i) + half) + 1.0 / (load<Vector>(block.n00 + i) + half);
    store(block.n_terms + i, 1.0 + 18.0 * root_of(1.0 / inverse));
  }
}

void odds_ratios(OddsRatioBlock& block, const OddsRatioLimits& limits, const std::int32_t* order,
                 Index size) {
  for (Index i = 0; i < size; i += width) {
    std::int32_t table[width];
    for (Index k = 0; k < width; ++k) table[k] = order[i + k < size ? i + k : size - 1];
    const Cells cells{lane_of(block.n11, table), lane_of(block.n10, table), lane_of(block.n01, table),
                      lane_of(block.n00, table)};
    const Cells turned{cells.n10, cells.n11, cells.n00, cells.n01};
    const Truth above_low = smaller(cells.n11, cells.n00) > none,
                below_high = smaller(cells.n10, cells.n01) > none;
    const Vector psi0 = (cells.n11 + 0.5) * (cells.n00 + 0.5) / ((cells.n10 + 0.5) * (cells.n01 + 0.5));
    Side up(steps_up(cells), psi0), down(steps_down(cells), 1.0 / psi0);
    const Sides sides{up, down, 1.0 / psi0};
    const Vector estimate = estimate_of(cells, sides, above_low & below_high);
    const Vector lower = bound_of(cells, sides, limits, above_low);
    // the upper bound is the lower one of the table with its columns exchanged
    const Vector upper = 1.0 / bound_of(turned, sides.turned(), limits, below_high);
    const Vector estimate_at_low = below_high ? none : none + __builtin_nan("");
    for (Index k = 0; k < width; ++k) {
      block.lower[table[k]] = above_low[k] ? lower[k] : 0.0;
      block.upper[table[k]] = below_high[k] ? upper[k] : __builtin_inf();
      block.estimate[table[k]] =
          above_low[k] ? (below_high[k] ? estimate[k] : __builtin_inf()) : estimate_at_low[k];
    }
  }
}

}  // namespace chorale::kernels::simd::CHORALE_LEVEL
