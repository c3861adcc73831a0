// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/plan.hpp"
#include "jobs/common/evaluation.hpp"
#include "jobs/common/follow_up.hpp"
#include "jobs/common/grouping.hpp"
#include "jobs/prognosis/config.hpp"
#include "kernels/timeline.hpp"

namespace chorale::jobs::prognosis {

enum StageNumber : Index { model_stage, replicates_stage, left_out_stage, stability_stage, n_stages };

/// The job's config checked against a cohort's headers.
struct Design {
  Config config;
  OutcomeDesign outcome;
  std::uint64_t seed = 1;
  kernels::Ties ties = kernels::Ties::efron;
  std::vector<Grouping> bootstrap_strata;
  std::optional<Grouping> cluster, fold_by, left_out;
  std::vector<Grouping> schemes;
  Index n_covariates = 0;
  Index n_features = 0;  ///< candidates

  /// Throws   ConfigError when a key does not fit the cohort or another key
  static Design of(const Config& config, const engine::Setup& setup);

  bool selects() const { return config.selection == Selection::elastic_net; }
  bool cross_validates() const {
    return selects() && (config.tuning == Tuning::cv || config.tuning == Tuning::cv_1se);
  }
  EvaluationOptions evaluation() const;

  engine::Columns columns(const engine::Setup& setup) const;
  Index n_units(StageNumber stage) const;
  double seconds_per_unit(StageNumber stage, Index n_patients) const;
  double bytes_per_rank(const engine::Setup& setup) const;
  double bytes_per_thread(const engine::Setup& setup) const;
  /// Of the model on one rank, and of what all replicates yield.
  double result_bytes(const engine::Setup& setup) const;
  /// Replicates (pairs of half samples) of one unit: first and one past the last.
  std::pair<Index, Index> share(StageNumber stage, Index unit) const;
};

}  // namespace chorale::jobs::prognosis
