// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/fisher_odds_ratio_body.hpp"

#include "kernels/simd/hypergeometric.hpp"
#include "kernels/simd/vector.hpp"

namespace chorale::kernels::simd::CHORALE_LEVEL {
namespace {

constexpr double negligible = 1e-16;        // of a sum
constexpr double negligible_first = 1e-11;  // of the sums at a start that is not the end
constexpr int most_steps = 100;
const Vector none{};

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

// for n values of odds at once: one chain of dependent operations leaves most of a core idle
template <Index n>
void moments(Side& side, const Vector (&odds)[n], const Truth (&active)[n], double smallest,
             Moments (&sums)[n]) {
  Vector c2[n], c3[n], c4[n], scale[n], k{};  // scale: odds^k up to this block
  Vector left{};
  for (Index r = 0; r < n; ++r) {
    c2[r] = odds[r] * odds[r];
    c3[r] = c2[r] * odds[r];
    c4[r] = c2[r] * c2[r];
    scale[r] = active[r] ? none + 1.0 : none;
    sums[r] = Moments{};
    left += scale[r];
  }
  for (Index j = 0; any(left > none); ++j) {
    const Four& four = side.block(j);
    left = none;
    for (Index r = 0; r < n; ++r) {
      const Vector w1 = four.term[0] * odds[r], w2 = four.term[1] * c2[r];
      const Vector w3 = four.term[2] * c3[r], w4 = four.term[3] * c4[r];
      const Vector weight = (w1 + w2) + (w3 + w4);
      const Vector first = (w1 + 2.0 * w2) + (3.0 * w3 + 4.0 * w4);
      const Vector second = (w1 + 4.0 * w2) + (9.0 * w3 + 16.0 * w4);
      const Vector moved = k * weight + first;  // Σ (k + j) w_j
      const Vector limit = smallest * sums[r].weight;
      sums[r].weight += scale[r] * weight;
      sums[r].first += scale[r] * moved;
      sums[r].second += scale[r] * (k * (moved + first) + second);
      scale[r] = scale[r] * w4 <= limit ? none : scale[r] * c4[r];
      left += scale[r];
    }
    k += 4.0;
  }
}

// a rising function of log ψ: how far it lies above its target, its slope there, and how that changes
struct Excess {
  Vector value, slope, curvature;
};

// Roots of n rising functions by Halley's method, kept inside what is known to bracket them. Each stops after
// a step that leaves less than 1e-13 of log ψ: what remains is of the third order, or of the second without a
// curvature.
template <bool third_order, Index n, typename Function>
void roots_of_rising(const Function& excess_at, Vector (&psi)[n], Truth (&active)[n]) {
  Vector below[n], above[n];
  for (Index r = 0; r < n; ++r) {
    psi[r] = active[r] ? psi[r] : none + 1.0;
    below[r] = none;
    above[r] = none + __builtin_inf();
  }
  for (int step = 0; step < most_steps; ++step) {
    Excess excess[n];
    excess_at(psi, active, third_order && step == 0 ? negligible_first : negligible, excess);
    Truth open{};
    for (Index r = 0; r < n; ++r) {
      const Vector value = excess[r].value, slope = excess[r].slope;
      below[r] = value < none ? psi[r] : below[r];
      above[r] = value > none ? psi[r] : above[r];
      Vector move = none - value / slope;
      if constexpr (third_order) {
        const Vector bend = 0.5 * move * excess[r].curvature / slope;
        move = move / (1.0 + larger(none - 0.5, smaller(bend, none + 1.0)));
      }
      move = larger(none - 4.0, smaller(move, none + 4.0));
      Vector next = psi[r] * exp_of(move);
      const Truth bracketed = (next >= below[r]) & (next <= above[r]);
      next = bracketed ? next : root_of(below[r] * above[r]);
      const Vector size = move < none ? none - move : move;
      const Truth far = third_order ? size * slope > 1e-4 : size > 2e-7;
      psi[r] = active[r] ? next : psi[r];
      if (!third_order || step > 0) active[r] &= far;
      open |= active[r];
    }
    if (!any(open)) return;
  }
}

// a table's two sides, and the ψ0 at which they are held
struct Sides {
  Side& up;
  Side& down;
  Vector psi0;
};

// E(X; ψ) = n11
Vector estimate_of(const Cells& t, const Sides& sides, Truth inside) {
  // E(n11 n00; ψ) = ψ E(n10 n01; ψ) holds exactly, so ψ is a matter of the variance
  const Vector u11 = 1.0 / t.n11, u10 = 1.0 / t.n10, u01 = 1.0 / t.n01, u00 = 1.0 / t.n00;
  const Vector variance = 1.0 / (u11 + u10 + u01 + u00);
  Vector psi[1] = {(t.n11 * t.n00 + variance) / (t.n10 * t.n01 + variance)};
  Truth active[1] = {inside};
  const auto excess_at = [&](const Vector(&at)[1], const Truth(&open)[1], double smallest,
                             Excess(&excess)[1]) {
    const Vector up_odds[1] = {at[0] / sides.psi0}, down_odds[1] = {sides.psi0 / at[0]};
    Moments up[1], down[1];
    moments(sides.up, up_odds, open, smallest, up);
    moments(sides.down, down_odds, open, smallest, down);
    const Vector scale = 1.0 / (1.0 + up[0].weight + down[0].weight);
    const Vector mean = (up[0].first - down[0].first) * scale;
    excess[0] = {mean, (up[0].second + down[0].second) * scale - mean * mean, none};
  };
  roots_of_rising<false>(excess_at, psi, active);
  return psi[0];
}

// Near ψ with P(X ≥ n11; ψ) = outside, for two tables side by side. The mean of X lies `shift` below n11,
//   shift = ½ + z √v + (z² - 1)/6 dv/dm        (Cornish and Fisher), v = 1 / (1/m11 + 1/m10 + 1/m01 + 1/m00)
//   E(X - low) ≥ outside (n11 - low)            (Markov)
void bound_starts(const Cells (&tables)[2], const OddsRatioLimits& limits, Vector (&psi)[2]) {
  const double z = limits.n_standard_deviations;
  Vector most[2], shift[2];
  for (Index r = 0; r < 2; ++r) {
    most[r] = (1 - limits.outside) * smaller(tables[r].n11, tables[r].n00);
    shift[r] = 0.5 * smaller(none + 1.0, most[r]);
  }
  for (int step = 0; step < 4; ++step) {
    for (Index r = 0; r < 2; ++r) {
      const Vector m11 = tables[r].n11 - shift[r], m10 = tables[r].n10 + shift[r];
      const Vector m01 = tables[r].n01 + shift[r], m00 = tables[r].n00 - shift[r];
      const Vector a = m11 * m00, b = m10 * m01;
      const Vector inverse = 1.0 / (a * b);
      const Vector u11 = inverse * b * m00, u00 = inverse * b * m11, u10 = inverse * a * m01,
                   u01 = inverse * a * m10;
      const Vector variance = 1.0 / (u11 + u10 + u01 + u00);
      psi[r] = (a + variance) / (b + variance);
      const Vector slope = variance * variance * (u11 * u11 - u10 * u10 - u01 * u01 + u00 * u00);
      const Vector sd = root_of(variance);
      const Vector excess = 0.5 + z * sd + (z * z - 1) / 6 * slope - shift[r];
      const Vector change = excess / larger(1.0 + 0.5 * z * slope / sd, none + 0.5);
      shift[r] = larger(smaller(shift[r] + change, most[r]), smaller(none + 0.1, most[r]));
    }
  }
}

// P(X ≥ n11; ψ) = outside, as the logarithm of its odds. With the weights at and above n11, and below it: its
// slope in log ψ is the distance between the two means, its curvature the difference of the two variances.
Excess excess_of(const Moments& up, const Moments& down, const OddsRatioLimits& limits) {
  const Vector at_least = 1.0 + up.weight;
  const Vector per_up = 1.0 / at_least, per_down = 1.0 / down.weight;
  const Vector above = up.first * per_up, below = down.first * per_down;
  return {log_of(at_least * per_down) - limits.log_odds, above + below,
          (up.second * per_up - above * above) - (down.second * per_down - below * below)};
}

// The lower bound, and the upper one as the lower one of the table with its columns exchanged, which is 1/ψ
void bounds_of(const Cells& t, const Sides& sides, const OddsRatioLimits& limits, Truth (&active)[2],
               Vector (&psi)[2]) {
  bound_starts({t, {t.n10, t.n11, t.n00, t.n01}}, limits, psi);
  const auto excess_at = [&](const Vector(&at)[2], const Truth(&open)[2], double smallest,
                             Excess(&excess)[2]) {
    const Vector up_odds[2] = {at[0] / sides.psi0, 1.0 / (at[1] * sides.psi0)};
    const Vector down_odds[2] = {sides.psi0 / at[0], at[1] * sides.psi0};
    Moments up[2], down[2];
    moments(sides.up, up_odds, open, smallest, up);
    moments(sides.down, down_odds, open, smallest, down);
    excess[0] = excess_of(up[0], down[0], limits);
    excess[1] = excess_of(down[1], up[1], limits);
  };
  roots_of_rising<true>(excess_at, psi, active);
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
    const Truth above_low = smaller(cells.n11, cells.n00) > none,
                below_high = smaller(cells.n10, cells.n01) > none;
    const Vector psi0 = (cells.n11 + 0.5) * (cells.n00 + 0.5) / ((cells.n10 + 0.5) * (cells.n01 + 0.5));
    Side up(steps_up(cells), psi0), down(steps_down(cells), 1.0 / psi0);
    const Sides sides{up, down, psi0};
    const Vector estimate = estimate_of(cells, sides, above_low & below_high);
    Truth open[2] = {above_low, below_high};
    Vector bounds[2];
    bounds_of(cells, sides, limits, open, bounds);
    const Vector lower = bounds[0], upper = 1.0 / bounds[1];
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
