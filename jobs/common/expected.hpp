// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include "engine/plan.hpp"

namespace chorale::jobs {

/// What forecasts need to know of a job before any patient is read.

/// Columns of the outcome model: one for a number, one less than its levels for a category.
Index expected_terms(const engine::Setup& setup);

/// Distinct event times over all strata of the outcome, of n_patients: half of them have the event, on whole days that are
/// exponential with a mean of 900. A stratum with N events has Σ_d (1 − exp(−N/μ e^(−d/μ))) = μ (log(N/μ) + γ + E_1(N/μ)) of
/// them.
double expected_times(const engine::Setup& setup, double n_patients);

/// Distinct sets of tested patients, as far as panels make them: features that the same panels hold share one.
Index expected_tested_sets(const engine::Setup& setup);

}  // namespace chorale::jobs
