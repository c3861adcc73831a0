// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include "engine/cohort.hpp"
#include "engine/plan.hpp"
#include "jobs/common/follow_up.hpp"
#include "jobs/mutation_landscape/design.hpp"
#include "jobs/mutation_landscape/part.hpp"
#include "kernels/two_group.hpp"

namespace chorale::jobs::landscape {

/// Features of one unit of the comparison and outcome stages.
inline constexpr Index features_per_tile = 128;
Index n_tiles(const engine::Setup& setup);

/// Counts one shard: carriers and tested per group, variants per class, allele fractions, burden, protein changes.
Part count_shard(const Design& design, const engine::Setup& setup, const engine::Cohort& cohort);

/// The counting stage's parts of a rank as n shares, each of every n-th feature and gene; and all that came to a rank of
/// one share as one: what needs all shards of a gene, but no other gene.
std::vector<Part> share_out(const engine::Setup& setup, std::vector<Part> parts, Index n);
Part join(const Design& design, std::vector<Part> shares);

/// Compares the groups for one tile of features.
Part compare_tile(const Design& design, const engine::Cohort& cohort, Index tile);

/// What all outcome units share: timelines and covariates of the whole cohort, made once and read only.
class OutcomeFrame {
 public:
  OutcomeFrame(const Design& design, const engine::Setup& setup, const engine::Cohort& cohort);

  /// Outcome of one tile of features in one group; the first tile of a group brings the group's own curve, the very
  /// first unit the log-rank test between groups and the ledger.
  Part run(const engine::Cohort& cohort, Index unit) const;

 private:
  std::vector<std::uint8_t> members(Index group) const;
  void fit_tile(const engine::Cohort& cohort, Index group, Index tile, Part& part) const;
  void fit_adjusted(kernels::CarrierLists carriers, std::span<const std::uint8_t> tested,
                    std::span<OutcomeRow* const> rows) const;
  void describe_group(Index group, Part& part) const;
  void describe_cohort(Part& part) const;

  Design design_;
  kernels::Ties ties_;
  Index n_tiles_;
  std::vector<std::int32_t> group_;  // (n_patients), empty without grouping
  FollowUp follow_up_;
};

}  // namespace chorale::jobs::landscape
