// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <cstdint>
#include <limits>
#include <string_view>

#include "kernels/kaplan_meier.hpp"

namespace chorale::kernels {

enum class RmstVerdict : std::int8_t {
  estimated,
  nobody,           ///< the curve has no patients
  beyond_follow_up  ///< the horizon lies behind the last follow-up and the curve has not reached 0
};
std::string_view name_of(RmstVerdict verdict);

/// Days lived on average up to a horizon; NaN where the verdict is not `estimated`.
struct RestrictedMean {
  RmstVerdict verdict = RmstVerdict::nobody;
  double horizon = 0;  ///< days
  double mean = std::numeric_limits<double>::quiet_NaN();
  double se = std::numeric_limits<double>::quiet_NaN();
  double lower = std::numeric_limits<double>::quiet_NaN();  ///< within [0, horizon]
  double upper = std::numeric_limits<double>::quiet_NaN();
};

/// Restricted mean survival time: the area under a survival curve from 0 to the horizon τ.
///
///   μ = ∫_0^τ S(u) du,   se² = Σ_{t_k <= τ} A_k² d_k / (n_k (n_k − d_k)),   A_k = ∫_{t_k}^τ S(u) du
///
/// where a time after which nobody is left adds nothing to the error, as in R. R draws the curve on beyond
/// the last follow-up; here a mean that would rest on that is missing, and the verdict says so.
///
/// curve    from kaplan_meier, weights and left truncation as there; horizon in days
/// Throws   ShapeError when the horizon is not a positive finite number or the level outside (0, 1)
/// Cost     one pass over the curve
/// Source   Irwin 1949; Klein and Moeschberger 2003, section 4.5
/// Oracle   R survival 3.5.3 print(survfit, rmean = ), tests/oracle/nelson_aalen.R
RestrictedMean restricted_mean(const KmCurve& curve, double horizon, double level = 0.95);

/// Days gained in b against a, up to the same horizon; NaN where one of the means is missing.
struct RmstDifference {
  double difference, se, lower, upper;
  double z;        ///< difference / se
  double log10_p;  ///< two-sided
};

/// Difference of two independent restricted means, b − a, with normal limits.
///
/// Throws   ShapeError when the horizons differ or the level lies outside (0, 1)
RmstDifference compare(const RestrictedMean& a, const RestrictedMean& b, double level = 0.95);

}  // namespace chorale::kernels
