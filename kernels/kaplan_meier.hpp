// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "kernels/timeline.hpp"
#include "kernels/types.hpp"

namespace chorale::kernels {

/// The scale on which a confidence interval of survival is symmetric. R's survfit defaults to log.
enum class ConfType { plain, log, log_log };

struct ConfOptions {
  ConfType type = ConfType::log_log;
  double level = 0.95;
};

/// One row per distinct time (event or censoring) of the patients, ascending.
struct KmCurve {
  Index n_analysed = 0;
  Index n_events = 0;
  std::vector<double> time;      ///< days
  std::vector<double> at_risk;   ///< entry < time <= exit, weighted
  std::vector<double> events;    ///< weighted
  std::vector<double> censored;  ///< weighted
  std::vector<double> survival;
  std::vector<double> se;     ///< of the survival, Greenwood; NaN once survival is 0, as R prints it
  std::vector<double> lower;  ///< NaN where the scale has no interval (survival 0; log-log also survival 1)
  std::vector<double> upper;
};

/// A survival quantile; NaN where the curve, or its limit, never gets there.
struct KmMedian {
  double time, lower, upper;
};

/// Survival at a landmark, as summary(survfit(...), times = t) says it.
struct KmPoint {
  double time;      ///< the landmark, days
  double at_risk;   ///< weighted patients with entry < landmark <= exit
  double survival;  ///< NaN beyond the last follow-up, together with se, lower, upper
  double se, lower, upper;
};

/// Kaplan-Meier estimate over the included patients, strata pooled.
///
///   S(t) = ∏_{t_k <= t} (1 - d_k / n_k),   se(t) = S(t) · sqrt( Σ_{t_k <= t} d_k / (n_k (n_k - d_k)) )
///   limits at S ± z·se (plain), log S ± z·se/S (log), log(-log S) ± z·se/(S log S) (log-log), within [0, 1]
///
/// n and d are sums of weights, so a weight counts copies of a patient: equal to R for whole weights. For
/// fractional weights R reports the infinitesimal jackknife instead of Greenwood's error.
///
/// Shapes   included (n_patients) or empty for all analysed patients
/// Throws   ShapeError on a wrong length or a level outside (0, 1)
/// Cost     one sort of the included patients
/// Source   Kaplan and Meier 1958, J Am Stat Assoc 53:457; Greenwood 1926
/// Oracle   R survival 3.5.3 survfit, tests/oracle/survival.R
KmCurve kaplan_meier(const Timeline& timeline, std::span<const std::uint8_t> included, ConfOptions conf = {});

/// Median with limits where the curve and its limits cross one half; a curve that rests on one half exactly
/// (within 1.49e-8) gives the middle of that rest. As summary(survfit(...))$table.
KmMedian km_median(const KmCurve& curve);

/// Survival at the landmarks (days, any order). at_risk is NaN-free: 0 beyond the last follow-up.
std::vector<KmPoint> km_landmarks(const Timeline& timeline, std::span<const std::uint8_t> included,
                                  const KmCurve& curve, std::span<const double> landmarks);

}  // namespace chorale::kernels
