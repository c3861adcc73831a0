// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "io/study/problems.hpp"

namespace chorale::io::study {

struct ClinicalTable;

enum class OutcomeRole { none, status, time };

/// Is a column part of a time-to-event outcome? <P>_STATUS beside <P>_MONTHS or <P>_DAYS is, for any P, and so is
/// <P>_ENTRY_MONTHS or <P>_ENTRY_DAYS (when the patient came under observation).
OutcomeRole role_in_outcome(std::string_view column, const std::vector<std::string>& columns);

/// An outcome, one value for each row of its clinical table.
struct Outcome {
  std::string name;  ///< P
  std::string description;
  std::string source;
  std::vector<double> entry, time;  ///< days; NaN time is missing
  std::vector<std::int8_t> event;   ///< 1, 0, -1 missing
  Index n_known = 0;
  Index n_events = 0;
  Index n_half = 0;   ///< rows with a time but no status, or a status but no time: missing
  Index n_bound = 0;  ///< events whose time is only a bound: missing
};

/// Outcomes of a clinical table, sorted by name.
///
///   days = months · 30.4375        (365.25 / 12; not rounded, so that ties stay ties)
///
/// Days are taken where a study gives both. A time that is a bound is kept for the censored and missing for events.
/// Wrong values become problems: a status that is no code, a negative time, an entry that is not before the time.
std::vector<Outcome> read_outcomes(const ClinicalTable& table, Problems& problems);

}  // namespace chorale::io::study
