// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <string>
#include <vector>

#include "engine/cohort.hpp"
#include "engine/ledger.hpp"
#include "engine/plan.hpp"
#include "jobs/common/covariates.hpp"
#include "jobs/common/grouping.hpp"
#include "kernels/timeline.hpp"

namespace chorale::jobs {

/// The [outcome] table understood: which strata, whether a model beside the crude one is asked for.
struct OutcomeDesign {
  std::vector<Grouping> strata;
  bool adjusted = false;  ///< covariates or strata are configured

  /// Throws   ConfigError when a field does not fit the cohort, or there is no endpoint for them
  static OutcomeDesign of(const engine::Setup& setup);
  /// Adds what the outcome needs of each patient.
  void require_columns(const engine::Setup& setup, engine::Columns& columns) const;
};

/// Follow-up of a cohort, as [outcome] has it.
struct Timelines {
  kernels::Timeline crude;       ///< without strata
  kernels::Timeline stratified;  ///< with the configured strata; only when adjusted
  bool adjusted = false;

  Timelines(const OutcomeDesign& design, const engine::Setup& setup, const engine::Cohort& cohort);

  const kernels::Timeline& model() const { return adjusted ? stratified : crude; }
  /// Who leaves, and why: first from every outcome, then for want of a stratum.
  engine::Ledger ledger() const;
};

/// Follow-up and covariates of a cohort.
struct FollowUp : Timelines {
  Covariates covariates;

  FollowUp(const OutcomeDesign& design, const engine::Setup& setup, const engine::Cohort& cohort);

  /// As that of the timelines, then who leaves the adjusted model for want of a covariate.
  engine::Ledger ledger() const;
};

/// Throws   InputError that says who left, for a model whose patients have no events
[[noreturn]] void refuse_without_events(const engine::Ledger& ledger, Index n_left_over,
                                        const std::string& endpoint, std::string remedy);

}  // namespace chorale::jobs
