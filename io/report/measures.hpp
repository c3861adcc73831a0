// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <string>

namespace chorale::io::report {

/// Measures that share an axis.
enum class Scale { concordance, brier, slope };

Scale scale_of(const std::string& measure);

/// "uno_c" at 1826.25 days: "Uno's C to 5 years". A measure that is not known keeps its name.
std::string measure_words(const std::string& measure, double horizon_days);

}  // namespace chorale::io::report
