// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <span>

#include "kernels/pair_cox.hpp"

namespace chorale::kernels {

/// A pair's interaction beside the covariates' own coefficients; NaN is "no such number".
struct PairScreen {
  PairCounts counts;
  PairVerdict verdict = PairVerdict::no_events;
  double a = missing, b = missing, ab = missing;  ///< as in PairCoxFit
  double se_ab = missing;
  double lrt_chi2 = missing;  ///< of ab, 1 degree of freedom; that of the limit where separated
};

/// Screens pairs for interaction: fits (a, b, ab) and (a, b) beside covariates that are held where their own fit put
/// them, which costs event times instead of patients.
///
///   l(a, b, ab) = Σ_deaths w (a A + b B + ab AB) − Σ_t (W_t/d_t) Σ_{l<d_t} log(S0 − (l/d_t) D0),
///   S0 = Σ_{at risk} w e^η + (e^a − 1) S_A + (e^b − 1) S_B + (e^(a+b+ab) − e^a − e^b + 1) S_AB,   η = z'β̂ + offset
///
/// S_A, S_B, S_AB sum over the carriers at risk, D alike over those who die; ties as in two_group. Without
/// covariates the fit is that of pair_cox_full. With them it differs where carriers differ in their covariates:
/// screen with it, report the full fit.
/// Newton; the last step is below 0.03 standard errors, which leaves less than 1e-3 of them in the coefficients and
/// 3e-5 in lrt_chi2. Double carriers of whom none dies (ab → −∞) are left out of every risk set, the limit.
///
/// Shapes   as pair_cox_full
/// Throws   as pair_cox_full
/// Cost     per pair 3 to 5 passes over event times; per feature 16 bytes an event time and a bit a patient
/// Threads  over pairs, equal for any thread count
/// Source   Cox 1972; Efron 1977
/// Oracle   pair_cox_full of a design with z'β̂ as offset and no columns
void pair_cox_screen(const CoxDesign& design, const CoxFit& covariates, CarrierLists carriers,
                     std::span<const FeaturePair> pairs, Ties ties, std::span<PairScreen> screens);

}  // namespace chorale::kernels
