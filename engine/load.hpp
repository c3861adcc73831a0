// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include "engine/cohort.hpp"
#include "engine/slice.hpp"

namespace chorale::engine {

/// The selected patients of one shard, for a unit of a by_shard stage.
Cohort load_shard(const Reading& reading, Index shard);

/// All selected patients, packed once per node; collective. The ranks of a node share the reading; slices are held
/// beside the packed copy while it is filled, then freed.
Cohort load_replicated(const Reading& reading, Comm& comm);

/// Carriers of each feature among the selected patients of the whole cohort; collective.
std::vector<std::int64_t> count_carriers(const Reading& reading, Comm& comm);

/// Bytes of the packed cohort if every patient were selected, from shard headers alone.
Index forecast_bytes(const Reading& reading);

}  // namespace chorale::engine
