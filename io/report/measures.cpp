// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "io/report/measures.hpp"

#include <cmath>

#include "io/report/charts.hpp"

namespace chorale::io::report {
namespace {

struct Words {
  const char* measure;
  const char* words;
  const char* before_horizon;
  Scale scale;
};

constexpr Words known[] = {{"harrell_c", "Harrell's C", " to ", Scale::concordance},
                           {"uno_c", "Uno's C", " to ", Scale::concordance},
                           {"auc", "AUC", " at ", Scale::concordance},
                           {"brier", "Brier score", " at ", Scale::brier},
                           {"integrated_brier", "integrated Brier score", " to ", Scale::brier},
                           {"calibration_slope", "calibration slope", " to ", Scale::slope}};

}  // namespace

Scale scale_of(const std::string& measure) {
  for (const Words& of : known)
    if (measure == of.measure) return of.scale;
  return Scale::concordance;
}

std::string measure_words(const std::string& measure, double horizon_days) {
  const bool at = !std::isnan(horizon_days);
  for (const Words& of : known)
    if (measure == of.measure)
      return of.words + (at ? of.before_horizon + readable_time(horizon_days) : std::string());
  return measure + (at ? ", " + readable_time(horizon_days) : "");
}

}  // namespace chorale::io::report
