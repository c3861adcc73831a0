// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "kernels/cox.hpp"

namespace chorale::kernels {

/// The g(t) with which a coefficient may change under the alternative, β(t) = β + θ g(t).
enum class ZphTransform {
  km,        ///< 1 − S(t−) of the Kaplan-Meier curve of all patients, unweighted, strata pooled
  identity,  ///< t
  log,       ///< log t
  rank       ///< rank of t among all follow-up times, ties sharing their mean rank
};

enum class ZphVerdict : std::int8_t {
  computed,
  no_events,
  no_maximum,  ///< the fit has verdict monotone or not_converged
  bad_time,    ///< log of a death at time 0
  constant     ///< g does not vary among the deaths with what a column varies
};
std::string_view name_of(ZphVerdict verdict);

struct ZphTest {
  ZphVerdict verdict = ZphVerdict::no_events;
  double chi2 = missing;
  Index df = 0;
  double log10_p = missing;
};

struct CoxZph {
  std::vector<ZphTest> terms;
  ZphTest global;
};

/// Test of proportional hazards: the score test of θ = 0 in a model with columns x and x g(t).
///
///   u = Σ_deaths w g (x − x̄(t)),   I_k = Σ_t g^k I_t,  I_t the share of event time t in the information at the fit
///   χ² = u' (I_2 − I_1 I_0⁻¹ I_1)⁻¹ u,   u, I_1 and I_2 for the columns of the term; g centred at the mean over deaths
///
/// Shapes   timeline, design, fit = cox_fit(design) belong together; term (n_columns) codes 0 … n_terms - 1 of the
///          terms that columns belong to, or empty: each is its own. Aliased columns are left out.
/// Throws   ShapeError when they do not fit together or a code is negative
/// Cost     about three times cox_terms; km sorts the patients, rank the times
/// Threads  over fixed blocks of patients, summed in block order: equal for any thread count
/// Source   Grambsch and Therneau 1994, Biometrika 81:515; in this form survival >= 3.0
/// Oracle   R survival 3.5.3 cox.zph, tests/oracle/cox_residuals.R
CoxZph cox_zph(const Timeline& timeline, const CoxDesign& design, const CoxFit& fit, Ties ties,
               ZphTransform transform = ZphTransform::km, std::span<const Index> term = {});

}  // namespace chorale::kernels
