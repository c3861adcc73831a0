// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <limits>

#include "kernels/kaplan_meier.hpp"

/// The steps that the general curve and the two arms of a feature share.
namespace chorale::kernels {

/// Half the width of an interval in standard errors: z with P(|N(0, 1)| <= z) = level.
/// Throws ShapeError when level is outside (0, 1).
double half_width(double level);

struct KmLimits {
  double lower, upper;
};

/// Confidence limits of a survival, given the standard error of its logarithm.
KmLimits km_limits(double survival, double log_se, ConfType type, double z);

/// True only where the lower limit surely lies above 0.51; says so without exponentials.
bool stays_above_half(double survival, double log_se, ConfType type, double z);

/// Finds where a falling curve, shown step by step, crosses one half; NaN heights are passed over.
class HalfCrossing {
 public:
  void see(double at, double height);
  double time() const { return time_; }
  bool done() const { return done_; }

 private:
  double time_ = std::numeric_limits<double>::quiet_NaN();
  double height_ = 0;
  bool done_ = false;
};

}  // namespace chorale::kernels
