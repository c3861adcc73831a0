// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include "kernels/dispatch.hpp"
#include "kernels/types.hpp"

/// What kernels/poisson_binomial*.cpp ask of their bodies in kernels/simd/. Arrays by group are padded to whole
/// multiples of n_per_pass with n = 0, p = 0.
namespace chorale::kernels {

inline constexpr Index n_per_pass = 8;  ///< power sums computed at once

/// Trials as the bodies see them.
struct TrialArrays {
  const double* n;
  const double* p;
  Index size;
};

/// What is known of trials at first sight.
struct TrialSums {
  double n_open = 0;     ///< trials that may succeed or fail
  double n_certain = 0;  ///< trials that always succeed
  double mean = 0;       ///< of the open ones
  double variance = 0;
};

/// Derivatives of K at s, and K itself where asked for.
struct Cumulants {
  double log_moment;  ///< K(s)
  double k1, k2, k3, k4;
};

// clang-format off
/// The sums over all trials; the certain ones leave the arrays with n = p = 0.
CHORALE_DECLARE_LEVELS(TrialSums take_out_certain(double* n, double* p, Index size))
/// odds = p/(1-p) and power = n; where odds > limit both are 0, and the number of such trials is returned.
CHORALE_DECLARE_LEVELS(double split_odds(const TrialArrays& trials, double limit, double* odds, double* power))
/// Eight power sums Σ n odds^j from n odds^(j-1) in power, which moves on.
CHORALE_DECLARE_LEVELS(void power_sums(const double* odds, double* power, Index size, double* sums))
/// density[0 … size) becomes that of n more trials of probability p; size is a multiple of n_per_pass, and
/// n_per_pass zeros stand before density[0].
CHORALE_DECLARE_LEVELS(void convolve_trials(double n, double p, double* density, Index size))
/// K'(s) and K''(s), from tilt = e^s; the other members are 0.
CHORALE_DECLARE_LEVELS(Cumulants tilted_moments(const TrialArrays& trials, double tilt))
/// All five, from e^s and e^s - 1.
CHORALE_DECLARE_LEVELS(Cumulants tilted_cumulants(const TrialArrays& trials, double tilt, double tilt_less_1))
// clang-format on

}  // namespace chorale::kernels
