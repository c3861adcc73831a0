// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include "engine/cohort.hpp"
#include "engine/slice.hpp"

namespace chorale::engine {

/// The selected patients of one shard, for a unit of a by_shard stage.
Cohort load_shard(const Reading& reading, Index shard);

/// What a rank may hold of slices beside the packed cohort while it is filled.
inline constexpr Index most_held_bytes = 32'000'000;

/// All selected patients, packed once per node; collective. The ranks of a node share the reading. Where each shard's
/// patients go is known when all have been read: slices are held until then, up to `most_held`, and shards beyond that are
/// read a second time.
Cohort load_replicated(const Reading& reading, Comm& comm, Index most_held = most_held_bytes);

/// Carriers of each feature among the selected patients of the whole cohort; collective.
std::vector<std::int64_t> count_carriers(const Reading& reading, Comm& comm);

/// The shards as if they held the selected patients alone; names, sizes and checksums stay those of the files. Reads the
/// columns of the conditions and no more; collective.
std::vector<io::ShardEntry> count_selected(const Reading& reading, Comm& comm);

/// What patients take in memory, as far as shard headers tell.
struct CohortBytes {
  double packed = 0;         ///< the cohort, packed
  double slices = 0;         ///< its shards, as they are held until they are packed
  double largest_shard = 0;  ///< the largest packed shard
  double largest_read = 0;   ///< of all patients of a shard the columns, before some are picked
  double largest_file = 0;
};
/// selected   as Setup::expected()
CohortBytes forecast_bytes(const Reading& reading, std::span<const io::ShardEntry> selected);

}  // namespace chorale::engine
