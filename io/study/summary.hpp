// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <array>
#include <vector>

#include "io/shard.hpp"
#include "io/study/assemble.hpp"
#include "io/study/recipe.hpp"
#include "io/study/report.hpp"

namespace chorale::io::study {

/// What the report counts while shards are written; sums over shards.
struct ShardSums {
  KeptByStudy kept;
  std::vector<Index> n_missing, n_bounds;                 ///< per field
  std::vector<Index> n_known, n_events;                   ///< per endpoint
  std::vector<std::array<Index, n_profiles>> n_on_panel;  ///< per panel
  std::array<Index, n_profiles> n_not_profiled{};
  std::vector<Index> n_by_class;  ///< per variant class

  void add(const ShardSums& more);
};

ShardSums empty_sums(const Plan& plan);
void add_shard(const ShardData& data, ShardSums& sums);

/// The report of a finished ingest; the tables' rows are all accounted for.
/// Throws   ShapeError when the rows read are not those kept and dropped
IngestReport summarise(const IngestRecipe& recipe, const Plan& plan, const ShardSums& sums);

}  // namespace chorale::io::study
