// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/plan.hpp"
#include "jobs/common/follow_up.hpp"
#include "jobs/common/grouping.hpp"
#include "jobs/interaction_screen/config.hpp"
#include "jobs/interaction_screen/tiling.hpp"
#include "kernels/timeline.hpp"

namespace chorale::jobs::interaction {

/// The job's stages, in order; those that a config does not ask for have no units. The two of sets stand before those
/// that need no brief of theirs and are dealt with them: units of sets are the larger ones.
enum StageNumber : Index {
  sets_stage,
  pairs_stage,
  set_fits_stage,
  details_stage,
  permutations_stage,
  n_stages
};

/// Positions begin <= k < end.
struct Range {
  Index begin, end;
};

/// The job's config understood against a cohort. Derived, never stored.
struct Design {
  Config config;
  Index seed = 1;
  std::vector<Test> tests;       ///< the first is the primary one
  std::vector<Grouping> strata;  ///< of the tests of association
  bool with_outcome = false;
  OutcomeDesign outcome;
  kernels::Ties ties = kernels::Ties::efron;
  Index n_features = 0;
  double mean_both = 0;  ///< expected carriers of both features of a pair, from shard headers
  double n_times = 0;    ///< expected event times of the outcome of all patients

  /// Of a tile: what is kept of a pair until its tile is done is ten times as much with outcome.
  Index most_cells() const { return with_outcome ? 8192 : 65536; }
  Index n_pairs() const { return n_features * (n_features - 1) / 2; }
  Index n_units(StageNumber stage, Index n_patients) const;
  /// What a unit takes of a list that is dealt out, `least` or more at a time: the last shares may go empty.
  static Range share(Index n, Index unit, Index n_units, Index least);
  /// The same with shares that fall from unit to unit (falling.hpp), `least` being their mean: the first may go empty.
  static Range falling_share(Index n, Index unit, Index n_units, Index least);
  static constexpr Index pairs_together = 16;  ///< of singled-out pairs: the first one of a unit costs most
  static constexpr Index sets_together = 1;    ///< a set takes tens of milliseconds
  /// Forecasts, on one core.
  TileCost tile_cost() const;
  double seconds(StageNumber stage, Index n_patients) const;
  /// Forecast: pairs with min_both double carriers, which are asked about outcome, where a share of the patients is selected;
  /// those that are singled out.
  double n_asked(double selected = 1) const;
  double n_chosen() const;
  /// Forecasts: what a rank holds beside the cohort, and each of its threads.
  double bytes_per_rank(const engine::Setup& setup) const;
  double bytes_per_thread(const engine::Setup& setup) const;
  /// Of the p that are kept: on rank 0 where every p is, else on the ranks that made them until all know which are needed.
  double bytes_kept() const;
  /// Few enough pairs that every p goes to rank 0; otherwise only those that could be reported.
  bool keeps_every_p() const { return n_pairs() <= 200'000; }
  /// Largest log10 p that a unit keeps for the choice of hits.
  double keep_log10_p() const;
  bool needs_strata() const;
  /// Throws   ConfigError when report = "all" would fill a text table with too many pairs
  void require_room_for_all() const;

  /// Throws   ConfigError when fields or tests do not fit the cohort
  static Design of(const Config& config, const engine::Setup& setup);
};

std::string_view name_of(Test test);
/// As a reader calls it: "Fisher's exact test".
std::string_view title_of(Test test);
std::string_view title_of(Alternative alternative);

}  // namespace chorale::jobs::interaction
