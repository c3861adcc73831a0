// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include "kernels/pair_cox.hpp"

namespace chorale::kernels::reference {

/// Covariates, a, b and a·b as dense columns of reference::cox_terms, Newton's method with step halving on the
/// models with and without a·b. Verdicts: converged, or not_converged for anything else. Nothing may be missing.
PairCoxFit pair_cox_full(const Timeline& timeline, const CoxColumns& covariates,
                         std::span<const std::uint8_t> tested, std::span<const std::int32_t> a,
                         std::span<const std::int32_t> b, Ties ties);

/// Firth's fits by walks over the patients, Newton's method on the penalised score with the information in place of
/// the second derivative. Arguments as chorale::kernels::pair_cox_firth.
void pair_cox_firth(const CoxDesign& design, const CoxFit& covariates, CarrierLists carriers,
                    std::span<const FeaturePair> pairs, Ties ties, std::span<PairCoxFit> fits);

}  // namespace chorale::kernels::reference
