// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include "engine/plan.hpp"

namespace chorale::jobs {

/// What forecasts need to know of a job before any patient is read.

/// Columns of the outcome model: one for a number, one less than its levels for a category.
Index expected_terms(const engine::Setup& setup);

/// Distinct event times over all strata of the outcome: whole days of a follow-up of a dozen years, of which two
/// patients in three see the event on one at random.
double expected_times(const engine::Setup& setup);

/// Distinct sets of tested patients, as far as panels make them: features that the same panels hold share one.
Index expected_tested_sets(const engine::Setup& setup);

}  // namespace chorale::jobs
