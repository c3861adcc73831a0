// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "kernels/aligned.hpp"
#include "kernels/poisson_binomial_recursion.hpp"
#include "kernels/types.hpp"

namespace chorale::kernels {

/// How the two tails of a Poisson-binomial distribution were computed.
enum class TailMethod : std::int8_t {
  certain,      ///< exact: only one outcome is possible, or the observed one is not
  recursion,    ///< exact to 1e-10 of p: the density from power sums of the odds
  contour,      ///< exact to 1e-10 of p: the inversion integral by the trapezium rule
  saddlepoint,  ///< to 1e-6 of p: Lugannani and Rice, with lattice and second-order correction
};
std::string_view name_of(TailMethod method);

/// The method to use: automatic takes the cheapest of those that keep their promise for this distribution.
enum class TailChoice : std::int8_t { automatic, recursion, contour, saddlepoint };

/// Both tails at the observed number of successes.
struct PoissonBinomialTails {
  double mean;
  double variance;
  double log10_less;     ///< P(X ≤ observed); -inf when impossible
  double log10_greater;  ///< P(X ≥ observed)
  TailMethod method;
};

/// The number of successes of independent trials with unequal probabilities, those of equal probability in groups.
///
///   X = Σ_g Binomial(n_g, p_g),   K(z) = log E e^{zX} = Σ n log(1 + p (e^z - 1))
///
///   recursion    odds w = p / (1-p), T_j = Σ n w^j:  f(k) = (1/k) Σ_j (-1)^(j-1) T_j f(k-j),
///                log f(0) = -Σ_j (-1)^(j-1) T_j / j; trials of odds above 0.2 / max(1, k / mean) are convolved
///                one by one instead. The sum of the lower tail, and the upper one term by term where it is small.
///                Used up to k = 256 where the series ends below 1e-13 within 32 terms, the rounding errors,
///                which grow by exp(Σ n w² z²) at most (z = f(k-1)/f(k)), stay below 1e-10, and p is above 1e-280
///   contour      P(X ≥ k) = 1/2π ∫ exp(K(z) - zk) / (1 - e^{-z}) dθ, z = s + iθ, |θ| ≤ π, through a saddle point
///   saddlepoint  K'(s) = x = k - ½, w² = 2 (s x - K(s)), u = 2 sinh(s/2) √K''(s):
///                P(X ≥ k) = 1 - Φ(w) + φ(w) ((1 + c)/u - 1/w + 1/w³),
///                c = λ4/8 - 5 λ3²/24 - λ3 coth(s/2) / (4√K'') - (2 coth²(s/2) - 1) / (8 K'')
///                Used where |w| ≥ 0.05 and 0.05 / K''² ≤ 1e-6, a bound of the terms left out
///   The lower tail is the same seen from the other side; the larger of the tails is 1 less the smaller one.
///
/// log10 p keeps its order far below 1e-300. Trials that cannot or must succeed (p = 0, 1) are counted apart.
///
/// Shapes   groups added one by one: n_g trials ≥ 0, whole, and p_g in [0, 1], not checked (a hot loop)
/// Throws   ShapeError from tails() when a method is demanded that cannot serve this distribution
/// Cost     64 groups: recursion 0.2 µs + 10 ns a success, saddlepoint 0.7 µs, contour about 50 µs
/// Threads  one object per thread; allocates only while it grows
/// Source   recursion: Newton's identities; Lugannani and Rice 1980, Adv Appl Prob 12:475; lattice and second order:
///          Daniels 1987, Int Stat Rev 55:37
/// Oracle   kernels/reference/poisson_binomial.cpp; R, binomials convolved, tests/oracle/poisson_binomial.R
class PoissonBinomial {
 public:
  void clear();

  /// Adds n trials of probability p.
  void add(double n, double p);

  /// Adds n[g] trials for every g and returns where their probabilities are to be written, before the next call.
  std::span<double> add(std::span<const double> n);

  PoissonBinomialTails tails(Index observed, TailChoice choice = TailChoice::automatic);

 private:
  AlignedDoubles n_, p_;  // by group
  double n_certain_ = 0;  // trials that always succeed, taken out of the groups
  RecursionWorkspace workspace_;
};

/// Trials in groups: n[g] of probability p[g].
struct TrialGroups {
  std::span<const double> n;
  std::span<const double> p;
};

/// The same in one call.
/// Throws   ShapeError when the spans differ in length, n is negative or not whole, or p lies outside [0, 1]
PoissonBinomialTails poisson_binomial(const TrialGroups& groups, Index observed,
                                      TailChoice choice = TailChoice::automatic);

namespace reference {

/// Trial by trial, by convolution in long double: right down to p = 1e-4900, in time trials · possible outcomes.
PoissonBinomialTails poisson_binomial(const TrialGroups& groups, Index observed);

}  // namespace reference
}  // namespace chorale::kernels
