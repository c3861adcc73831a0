// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <array>

#include "kernels/pair_cox_body.hpp"

namespace chorale::kernels {

/// ab may be −∞.
PairPoint pair_point(double a, double b, double ab);

struct PairClimb {
  std::array<double, 3> start{};
  std::array<double, 3> deaths{};  ///< weights of the dying carriers of a, b, both
  int n_free = 3;                  ///< coefficients that move: a, b, ab; the others stay where they start
  bool none_of_both = false;  ///< ab is −∞: the carriers of both leave every risk set, and n_free is 2
  double last_step = 1e-2;    ///< standard errors; a step below ends the climb
  bool with_log = false;      ///< loglik is asked for
  bool starts_near = false;   ///< the start is likely to be within last_step
};

struct PairPeak {
  enum Verdict { converged, separated, singular, not_converged };
  Verdict verdict = not_converged;
  std::array<double, 3> at{};  ///< a, b, ab after the last step
  double loglik =
      0;  ///< Σ deaths · θ − Σ_t (W/d) Σ_l log(S0 − (l/d) D0); after the last step up to its third power
  double variance_both = 0;  ///< of ab, before the last step
  int iterations = 0;
};

/// Newton's method on (a, b, ab) while everybody's risks are held. A step that overshoots, so that the slope along
/// it is steeper behind than before, is halved. Coefficients diverge (separated) when a step below last_step still
/// changes one by more than 0.5.
PairPeak climb(const EventTable& all, const PairTable& pair, const PairClimb& plan);

}  // namespace chorale::kernels
