// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/poisson_binomial_body.hpp"
#include "kernels/simd/vector.hpp"

namespace chorale::kernels::simd::CHORALE_LEVEL {
namespace {

static_assert(n_per_pass % width == 0, "groups are padded to whole vectors");

// log(1 + x) to full relative accuracy: what rounding 1 + x lost is added to first order
Vector log1p_of(Vector x) {
  const Vector y = 1.0 + x;
  return log_of(y) + (x - (y - 1.0)) / y;
}

template <bool with_log>
Cumulants cumulants(const TrialArrays& trials, double tilt, double tilt_less_1) {
  Vector log_moment{}, k1{}, k2{}, k3{}, k4{};
  for (Index g = 0; g < trials.size; g += width) {
    const Vector n = load<Vector>(trials.n + g), p = load<Vector>(trials.p + g);
    const Vector growth = p * tilt_less_1;
    const Vector inverse = 1.0 / (1.0 + growth);
    const Vector tilted = p * tilt * inverse;
    const Vector variance = tilted * ((1.0 - p) * inverse);
    const Vector spread = n * variance;
    k1 += n * tilted;
    k2 += spread;
    if constexpr (with_log) {
      log_moment += n * log1p_of(growth);
      k3 += spread * (1.0 - 2.0 * tilted);
      k4 += spread * (1.0 - 6.0 * variance);
    }
  }
  return {sum(log_moment), sum(k1), sum(k2), sum(k3), sum(k4)};
}

}  // namespace

TrialSums take_out_certain(double* n, double* p, Index size) {
  Vector open{}, certain{}, mean{}, variance{};
  const Vector none{};
  for (Index g = 0; g < size; g += width) {
    const Vector each = load<Vector>(n + g), chance = load<Vector>(p + g);
    const Vector kept = chance < 1.0 ? each : none, left = chance < 1.0 ? chance : none;
    const Vector expected = kept * left;
    certain += each - kept;
    open += left > 0.0 ? kept : none;
    mean += expected;
    variance += expected * (1.0 - left);
    store(n + g, kept);
    store(p + g, left);
  }
  return {sum(open), sum(certain), sum(mean), sum(variance)};
}

double split_odds(const TrialArrays& trials, double limit, double* odds, double* power) {
  Vector above{};
  const Vector none{};
  for (Index g = 0; g < trials.size; g += width) {
    const Vector n = load<Vector>(trials.n + g), p = load<Vector>(trials.p + g);
    const Vector w = p / (1.0 - p);
    const Vector kept = w <= limit ? n : none;
    above += n - kept;
    store(odds + g, w <= limit ? w : none);
    store(power + g, kept);
  }
  return sum(above);
}

void power_sums(const double* odds, double* power, Index size, double* sums) {
  Vector total[n_per_pass] = {};
  for (Index g = 0; g < size; g += width) {
    const Vector w = load<Vector>(odds + g);
    Vector each = load<Vector>(power + g);
    for (Index j = 0; j < n_per_pass; ++j) {
      each *= w;
      total[j] += each;
    }
    store(power + g, each);
  }
  for (Index j = 0; j < n_per_pass; ++j) sums[j] = sum(total[j]);
}

void convolve_trials(double n, double p, double* density, Index size) {
  const double q = 1 - p;
  // four trials at a time are one filter of five terms; from the top down, so that what is read is still old
  const double c0 = q * q * q * q, c1 = 4 * q * q * q * p, c2 = 6 * q * q * p * p, c3 = 4 * q * p * p * p,
               c4 = p * p * p * p;
  for (; n >= 4; n -= 4) {
    for (Index y = size - width; y >= 0; y -= width) {
      store(density + y, c0 * load<Vector>(density + y) + c1 * load<Vector>(density + y - 1) +
                             c2 * load<Vector>(density + y - 2) + c3 * load<Vector>(density + y - 3) +
                             c4 * load<Vector>(density + y - 4));
    }
  }
  for (; n >= 1; n -= 1) {
    for (Index y = size - width; y >= 0; y -= width) {
      store(density + y, q * load<Vector>(density + y) + p * load<Vector>(density + y - 1));
    }
  }
}

Cumulants tilted_moments(const TrialArrays& trials, double tilt) {
  return cumulants<false>(trials, tilt, tilt - 1);
}

Cumulants tilted_cumulants(const TrialArrays& trials, double tilt, double tilt_less_1) {
  return cumulants<true>(trials, tilt, tilt_less_1);
}

}  // namespace chorale::kernels::simd::CHORALE_LEVEL
