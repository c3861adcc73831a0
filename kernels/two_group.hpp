// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <string_view>
#include <vector>

#include "kernels/kaplan_meier.hpp"
#include "kernels/timeline.hpp"
#include "kernels/types.hpp"

namespace chorale::kernels {

/// What became of a fit of one 0/1 feature. Only `converged` comes with a coefficient.
enum class Verdict : std::int8_t {
  converged,
  no_events,                 ///< nobody analysed, or nobody dies
  no_carriers,               ///< among the patients analysed
  everyone_carries,          ///< among the patients analysed
  never_compared,            ///< carriers and others are never at risk at the same event time
  no_events_among_carriers,  ///< whenever others are at risk too: the coefficient goes to -infinity
  no_events_among_others,    ///< whenever carriers are at risk too: the coefficient goes to +infinity
  covariates_failed,         ///< adjusted fits only: the covariates alone could not be fitted
  singular,                  ///< adjusted fits only: the covariates determine the feature
  not_converged              ///< the iterations ran out
};
std::string_view name_of(Verdict verdict);

inline constexpr double missing = std::numeric_limits<double>::quiet_NaN();

/// One feature against the outcome; NaN is "no such number".
struct TwoGroupFit {
  Index n_analysed = 0;  ///< tested, outcome known
  Index n_events = 0;
  Index n_carriers = 0;  ///< of the analysed
  Index n_carrier_events = 0;
  Verdict verdict = Verdict::no_events;
  double log_hazard = missing;  ///< carriers against others
  double se = missing;
  double z = missing;            ///< log_hazard / se
  double loglik_null = missing;  ///< log partial likelihood at 0
  double loglik = missing;       ///< at log_hazard; its limit where the coefficient goes to infinity
  double score_chi2 = missing;   ///< score test at 0, coxph(...)$score
  double observed = missing;     ///< deaths among carriers; unweighted, as all log-rank numbers
  double expected = missing;     ///< log-rank expectation among carriers
  double logrank_variance = missing;
  double logrank_chi2 = missing;  ///< (observed - expected)^2 / variance, 1 degree of freedom
  int iterations = 0;
};

/// Carrier lists of many features: ascending patient indices, one span per feature.
using CarrierLists = std::span<const std::span<const std::int32_t>>;

/// Log-rank test and crude Cox fit for many 0/1 features over the same tested patients.
///
///   l(b) = Σ_deaths w b x − Σ_t (W_t/d_t) Σ_{l<d_t} log(S0 − (l/d_t) D0),
///   S0 = n_t + n1_t (e^b − 1),  D0 = d_t + d1_t (e^b − 1)    n at risk, d deaths, n1, d1 the carriers among
///   them,
///                                                            all weighted but the d of l/d; Breslow: l = 0
///
/// The sum over l costs a few terms whatever d: with M = S0 − f D0, f = (d−1)/(2d), u = D0/M and
/// Q_k = Σ_l (l/d − f)^k (zero for odd k), Σ_l log(S0 − (l/d) D0) = d log M − Σ_{k=2,4,…} Q_k u^k / k;
/// where u is too large for full accuracy the sum is taken as it stands.
/// l is concave in b; Newton steps, kept within the bracket that the sign of l' gives, from a start at the
/// log-rank's (O1/E1)/(O0/E0). Each fit ends with a Newton step below 1e-8 standard errors, after which the error is about its square.
///
/// Shapes   carriers  ascending patient indices per feature; who is not in totals.included is passed over
///          fits      one per feature
/// Throws   ShapeError when fits and carriers differ in length, an index is out of range, or totals belong to
///          another timeline
/// Cost     per feature: carriers + 4 to 6 passes over the event times
/// Threads  over features; each is computed by one thread alone, so equal for any thread count
/// Source   Cox 1972; Efron 1977, J Am Stat Assoc 72:557; weights as in R's coxph
/// Oracle   kernels/reference/two_group.cpp; R survival 3.5.3, tests/oracle/survival.R
void two_group(const Timeline& timeline, const RiskTotals& totals, CarrierLists carriers, Ties ties,
               std::span<TwoGroupFit> fits);

/// Kaplan-Meier summary of one arm.
struct ArmCurve {
  Index n_analysed = 0;
  Index n_events = 0;
  KmMedian median{missing, missing, missing};  ///< days
  std::vector<KmPoint> landmarks;              ///< in the order asked for
};
struct TwoGroupCurves {
  ArmCurve carriers, others;
};

/// Kaplan-Meier medians and landmark survival of carriers and others, for many features; see kaplan_meier.
///
/// Shapes   as two_group; landmarks in days
/// Throws   ShapeError as two_group, and when the timeline has strata: curves pool them, so give a timeline
///          made without
/// Cost     per feature: carriers + one pass over the event times for each arm
/// Threads  over features, equal for any thread count
/// Oracle   kaplan_meier over each arm; R survival 3.5.3 survfit
void two_group_curves(const Timeline& timeline, const RiskTotals& totals, CarrierLists carriers,
                      std::span<const double> landmarks, ConfOptions conf, std::span<TwoGroupCurves> curves);

}  // namespace chorale::kernels
