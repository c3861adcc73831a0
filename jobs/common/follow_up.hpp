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
  /// Adds the clinical fields that the outcome needs.
  void require_columns(const engine::Setup& setup, std::vector<std::string>& fields) const;
};

/// Follow-up and covariates of a cohort, as [outcome] has them.
struct FollowUp {
  kernels::Timeline crude;       ///< without strata
  kernels::Timeline stratified;  ///< with the configured strata; only when adjusted
  Covariates covariates;
  bool adjusted = false;

  FollowUp(const OutcomeDesign& design, const engine::Setup& setup, const engine::Cohort& cohort);

  const kernels::Timeline& model() const { return adjusted ? stratified : crude; }
  /// Who leaves, and why: first from every outcome, then from the adjusted model.
  engine::Ledger ledger() const;
};

}  // namespace chorale::jobs
