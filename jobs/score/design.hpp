// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/plan.hpp"
#include "io/model_file.hpp"
#include "jobs/common/evaluation.hpp"
#include "jobs/common/follow_up.hpp"
#include "jobs/common/grouping.hpp"
#include "jobs/score/config.hpp"

namespace chorale::jobs::score {

enum StageNumber : Index { whole_stage, levels_stage };

/// A model and the job's config checked against a cohort's headers.
struct Design {
  Config config;
  io::ModelFile model;
  OutcomeDesign outcome;
  EvaluationOptions evaluation;
  std::optional<Grouping> by;
  std::vector<Index> feature;  ///< per variable of the model: the job's feature, -1 for a field

  /// Throws   InputError when fields, kinds, units or features of the model are not those of the cohort;
  ///          ConfigError when the outcome, the strata or the variant classes are not those of the model, or a key
  ///          does not fit
  static Design of(const Config& config, const io::ModelFile& model, const engine::Setup& setup);

  engine::Columns columns(const engine::Setup& setup) const;
};

/// Positions of the model's variables among the job's features, -1 for fields.
/// Throws   as Design::of, for what the model says of its variables
std::vector<Index> require_inputs(const io::ModelFile& model, const engine::Setup& setup);

/// Classes of which model and cohort disagree whether a variant of theirs makes a carrier, of those that the cohort
/// has; of all that either names when the cohort has no dictionary of classes.
std::vector<std::string> classes_apart(const io::ModelFile& model, const std::string& class_set,
                                       const std::vector<std::string>& classes,
                                       const io::Catalogue& catalogue);

}  // namespace chorale::jobs::score
