// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "engine/cohort.hpp"
#include "engine/feature_set.hpp"
#include "engine/job_config.hpp"
#include "io/catalogue.hpp"

namespace chorale::engine {

/// What a job knows before any patient is read. The same on every rank.
struct Setup {
  const io::Catalogue& catalogue;
  const JobConfig& config;
  const FeatureSet& features;
  /// What the job made of each finished stage, in order; empty texts where it had nothing to say.
  std::span<const std::string> briefs = {};
  /// What the job counted in all parts of each finished stage, in order; empty where it counts nothing.
  std::span<const std::vector<std::int64_t>> counts = {};
  /// For forecasts: patients of each shard whom [select] keeps, with their alterations and variants. Empty where nobody
  /// has counted them; then the catalogue says who there is.
  std::span<const io::ShardEntry> selected = {};

  std::span<const io::ShardEntry> expected() const {
    return selected.empty() ? std::span<const io::ShardEntry>(catalogue.shards) : selected;
  }
  /// Sums over expected().
  double expected_patients() const;
  double expected_variants() const;
};

enum class Layout {
  by_shard,    ///< a unit is a shard; patients never move
  replicated,  ///< the packed cohort once per node; a unit is a tile of work on all patients
  by_time  ///< each rank the patients whose follow-up ends in its range of times; all ranks work on a unit together
};

/// A run of alike units: what they read, how many there are.
struct Stage {
  std::string name;
  Layout layout = Layout::by_shard;
  Columns columns;
  Index n_units = 0;  ///< by_shard: filled in by the plan, one per shard
  /// Needs nothing of the stage before, and reads the same: both are dealt as one, so that no rank waits in between.
  bool joins_previous = false;
  /// Its parts are shared out among the ranks and joined there before they travel; see Analysis.
  bool shared_out = false;
  // for the forecast
  double seconds_per_unit = 0;  ///< on one core
  double bytes_per_rank = 0;    ///< beside the cohort: what a rank's units share, and the unit at hand
  double bytes_per_thread = 0;  ///< likewise, of each thread of a rank
  /// Likewise, over all ranks together: what each has its share of. Of a stage that is shared out, its parts, which then
  /// travel.
  double bytes_spread = 0;
};

/// One unit: its stage, and its place in the stage.
struct Unit {
  Index stage = 0;
  Index index = 0;
};

/// All units of a run, in order. A value that does not depend on ranks or threads.
struct Plan {
  std::vector<Stage> stages;

  Plan() = default;
  Plan(std::vector<Stage> stages, const io::Catalogue& catalogue);
  Index n_units() const;
  Unit unit(Index number) const;
  double seconds() const;  ///< forecast on one core
};

}  // namespace chorale::engine
