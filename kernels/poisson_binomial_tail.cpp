// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/poisson_binomial_tail.hpp"

#include <algorithm>
#include <cmath>
#include <complex>
#include <limits>
#include <numbers>
#include <vector>

namespace chorale::kernels {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double largest_shift = 690;  // of s, so that e^s times a probability is a number
const double half_log_two_pi = 0.5 * std::log(2 * std::numbers::pi);

Cumulants cumulants(const TrialArrays& trials, double s) {
  return CHORALE_AT_LEVEL(tilted_cumulants, trials, std::exp(s), std::expm1(s));
}

// (1 - Φ(w)) / φ(w)
double mills_ratio(double w) {
  if (w < 25) return 0.5 * std::erfc(w / std::numbers::sqrt2) * std::exp(0.5 * w * w + half_log_two_pi);
  const double u = 1 / (w * w);
  return (1 - u * (1 - 3 * u * (1 - 5 * u * (1 - 7 * u * (1 - 9 * u * (1 - 11 * u)))))) / w;
}

// one group as the contour sees it: trials tilted to the saddle point, seen from their rarer outcome
struct TiltedGroup {
  double n;
  double rare;  // min(p', 1 - p')
  int turn;     // +1 when success is the rarer outcome
};

}  // namespace

// s with K'(s) = x, by Newton's method on log K' (or log of the failures that are left, where those are fewer),
// kept inside what is known to bracket it
double SmallTail::saddle(double x) const {
  const double left = n_trials_ - x;
  const bool by_successes = x <= left;
  double s = by_successes ? std::log(x / mean_) : std::log(x / left) - std::log(mean_ / (n_trials_ - mean_));
  double below = -largest_shift, above = largest_shift;
  s = std::clamp(s, below, above);
  for (int step = 0; step < 100; ++step) {
    const Cumulants at = CHORALE_AT_LEVEL(tilted_moments, trials_, std::exp(s));
    if (at.k1 == x) break;
    (at.k1 < x ? below : above) = s;
    const double move = by_successes ? std::log(x / at.k1) * at.k1 / at.k2
                                     : std::log((n_trials_ - at.k1) / left) * (n_trials_ - at.k1) / at.k2;
    if (std::abs(move) * std::sqrt(at.k2) < 1e-6) return s + move;  // what remains is its square
    s = s + move > below && s + move < above ? s + move : 0.5 * (below + above);
  }
  return s;
}

SaddleTail SmallTail::saddlepoint(double k) const {
  if (empty(k)) return {-infinity, 0};
  const double x = k - 0.5 * side_;
  const double s = saddle(x);
  const Cumulants at = cumulants(trials_, s);
  const double sigma = std::sqrt(at.k2);
  // as seen from its own side, every tail is an upper one
  const double w = std::copysign(std::sqrt(std::max(0.0, 2 * (s * x - at.log_moment))), s * side_);
  const double u = 2 * std::sinh(0.5 * s) * side_ * sigma;
  if (!(std::abs(w) >= 0.05)) return {std::nan(""), infinity};
  const double skewness = at.k3 / (at.k2 * sigma), kurtosis = at.k4 / (at.k2 * at.k2);
  const double coth = 1 / std::tanh(0.5 * s);
  const double second = kurtosis / 8 - 5 * skewness * skewness / 24 - skewness * coth / (4 * sigma) -
                        (2 * coth * coth - 1) / (8 * at.k2);
  const double bracket = mills_ratio(w) - 1 / w + 1 / (w * w * w) + (1 + second) / u;
  // the terms left out, as measured against the contour over 20,000 distributions: 0.04 / K2^2 at most
  const double error = 0.05 / (at.k2 * at.k2);
  return {-0.5 * w * w - half_log_two_pi + std::log(bracket), error};
}

double SmallTail::contour(double k) const {
  if (empty(k)) return -infinity;
  const double side = side_;
  // away from the pole at 0 by a standard deviation at least, on the tail's own side
  double s = saddle(k - 0.5 * side);
  double sigma = std::sqrt(cumulants(trials_, s).k2);
  if (s * side * sigma < 1) {
    s = side / std::max(1.0, sigma);
    sigma = std::sqrt(cumulants(trials_, s).k2);
  }
  const double log_peak = cumulants(trials_, s).log_moment - s * k;

  // successes at k ± n_points stand in for those at k: too many to happen above, e^{-s n_points} of p below
  const double n_points = std::ceil(std::max(9 * sigma + 40, (32 + std::max(0.0, -log_peak)) / std::abs(s)));
  std::vector<TiltedGroup> groups;
  double n_turned = 0;
  for (Index g = 0; g < trials_.size; ++g) {
    if (trials_.n[g] == 0) continue;
    const double p = trials_.p[g];
    const double scale = 1 / (1 + p * std::expm1(s));
    const double success = p * std::exp(s) * scale, failure = (1 - p) * scale;
    groups.push_back({trials_.n[g], std::min(success, failure), success <= failure ? 1 : -1});
    if (success > failure) n_turned += trials_.n[g];
  }
  double sum = 0;
  for (double l = 0; 2 * l <= n_points; l += 1) {
    const double theta = 2 * std::numbers::pi * l / n_points;
    const double sine = std::sin(theta), half_sine = std::sin(0.5 * theta);
    // log(1 - r + r e^{iθ}) = ½ log(1 - 4 r (1-r) sin²(θ/2)) + i atan(r sin θ / (1 - 2 r sin²(θ/2)))
    double log_size = 0, angle = theta * (n_turned - k);
    for (const TiltedGroup& each : groups) {
      const double r = each.rare, shrink = 2 * r * half_sine * half_sine;
      log_size += 0.5 * each.n * std::log1p(-2 * (1 - r) * shrink);
      angle += each.turn * each.n * std::atan2(r * sine, 1 - shrink);
    }
    const std::complex<double> pole = 1.0 - std::exp(-side * std::complex<double>(s, theta));
    const double term = std::real(std::polar(std::exp(log_size), angle) / pole);
    // θ and -θ are conjugate; 0 and π stand alone
    sum += l == 0 || 2 * l == n_points ? term : 2 * term;
    if (log_size < -40) break;
  }
  return log_peak + std::log(sum / n_points);
}

}  // namespace chorale::kernels
