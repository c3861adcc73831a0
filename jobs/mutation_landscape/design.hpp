// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/plan.hpp"
#include "jobs/common/follow_up.hpp"
#include "jobs/common/grouping.hpp"
#include "jobs/mutation_landscape/config.hpp"

namespace chorale::jobs::landscape {

/// The job's config understood against a cohort: which groups, which comparisons, which strata. Derived, never stored.
struct Design {
  Config config;
  std::optional<Grouping> grouping;
  std::vector<std::pair<std::int32_t, std::int32_t>> compared;  ///< group codes; second -1: all others
  std::vector<Grouping> comparison_strata;
  OutcomeDesign outcome;

  /// All patients (0), then the groups of the grouping (1 …).
  Index n_groups() const { return 1 + (grouping ? grouping->size() : 0); }
  std::string group_label(Index group) const;

  /// Throws   ConfigError when fields, cut points or groups do not fit the cohort
  static Design of(const Config& config, const engine::Setup& setup);
};

}  // namespace chorale::jobs::landscape
