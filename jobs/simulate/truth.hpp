// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <filesystem>

#include "jobs/simulate/model.hpp"

namespace chorale::jobs {

/// Writes what was planted into FOLDER, so that an analysis can be held against it:
///   frequencies.tsv   entity feature kind frequency          every gene and aberration, background genes too
///   pairs.tsv         entity a b odds_ratio both              both: share of patients who carry both
///   effects.tsv       entity term per log_hazard              alterations, clinical values, sites
///   interactions.tsv  entity a b log_hazard
///   baseline.tsv      entity shape death_rate relapse_rate    per year^shape, at log hazard 0
///   spec.toml         the spec as run, overrides included
/// Throws   StoreError when the disk refuses
void write_truth(const CohortModel& model, const std::filesystem::path& folder);

}  // namespace chorale::jobs
