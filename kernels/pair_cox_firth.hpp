// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <span>

#include "kernels/pair_cox.hpp"

namespace chorale::kernels {

/// Firth's penalised Cox fits of covariates, two features and their interaction, for pairs that are separated: the
/// estimates are finite although a group has no death.
///
///   l*(β) = l(β) + ½ log |I(β)|,   score*_m = score_m + ½ tr(I⁻¹ ∂I/∂β_m)
///
/// With V = I⁻¹, v = x'Vx and moments over the risk set of each death, μ = E x, C = Cov x, the trace is
///
///   Σ_deaths w (Cov(v, x) − 2 C V μ)_m
///
/// Steps (I + B)⁻¹ score*, B from the secants of the penalty's slope, halved while l* falls, until the next would be
/// below 1e-9 standard errors. They start with half a death more in each group than there are, over those that the
/// covariates' own fit expects. Standard errors are those of I at the estimate. loglik and loglik_without are l*, the
/// latter with ab = 0 but |I| of all coefficients, so lrt_chi2 is the penalised likelihood ratio; there is no score
/// test. Verdict `penalised` where it converges; no_events, empty_group, covariates_failed and singular as
/// pair_cox_full.
///
/// Shapes   as pair_cox_full
/// Throws   as pair_cox_full
/// Cost     per pair 6 to 10 walks over event times, each with q²/2 sums and up to 45 moments for two covariates, and
///          over carriers, each p²: 0.6 ms on a Zen 5 core for 100,000 patients, 3,455 event times and two covariates
///          (the plain body, which walks the patients: 360 ms); beyond three covariates, and far from their own fit,
///          over the patients too, each n p²: 4.5 ms for four. Room: 5 q² numbers per event time and thread
/// Threads  over pairs, equal for any thread count
/// Source   Firth 1993, Biometrika 80:27; Heinze and Schemper 2001, Biometrics 57:114
/// Oracle   kernels/reference/pair_cox_firth.cpp; maximum of l* by R optim over survival's coxph,
///          tests/oracle/pair_cox_firth.R
void pair_cox_firth(const PairCoxFrame& frame, CarrierLists carriers, std::span<const FeaturePair> pairs,
                    std::span<PairCoxFit> fits);

/// The same for one call; covariates = cox_fit(design) with the same ties.
void pair_cox_firth(const CoxDesign& design, const CoxFit& covariates, CarrierLists carriers,
                    std::span<const FeaturePair> pairs, Ties ties, std::span<PairCoxFit> fits);

}  // namespace chorale::kernels
