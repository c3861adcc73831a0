// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <span>
#include <vector>

#include "io/shard.hpp"
#include "jobs/simulate/model.hpp"
#include "jobs/simulate/patient.hpp"

namespace chorale::jobs {

/// Patients first, first + 1, …, drawn on all threads; equal for any number of them.
void draw_patients(const CohortModel& model, Index first, std::span<SimulatedPatient> patients);

/// The patients as the columns of a shard.
io::ShardData shard_data(const CohortModel& model, std::span<const SimulatedPatient> patients);

/// Does a variant of this class make a carrier?
bool makes_carrier(VariantClass variant_class);

}  // namespace chorale::jobs
