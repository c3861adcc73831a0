// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <cstdint>
#include <vector>

#include "engine/cohort.hpp"
#include "engine/plan.hpp"
#include "jobs/common/evaluation.hpp"
#include "jobs/common/follow_up.hpp"
#include "jobs/score/part.hpp"
#include "jobs/score/predictions.hpp"

namespace chorale::jobs::score {

/// What all units of a rank share: a function of config, model and patients alone.
struct Frame {
  const Design design;
  const Timelines timelines;
  const Predictions predictions;
  const Evaluation evaluation;
  std::vector<std::string> stratum_labels;  ///< by code
  /// Per stratum here: the model's baseline, null where nobody takes part.
  std::vector<const io::ModelFile::Baseline*> baseline;
  std::vector<double> weight;  ///< (n_patients), 0 for who left
  HazardAtTimes hazard;
  std::vector<std::int32_t> level;  ///< (n_patients), or empty

  /// Throws   InputError when a patient has a level or a stratum that the model does not know, or nobody has an event
  Frame(Design design, const engine::Setup& setup, const engine::Cohort& cohort);
  Frame(const Frame&) = delete;

  engine::Ledger ledger() const;
};

/// Cumulative baseline hazard of a model: its last step that is not later.
double gathered_by(const io::ModelFile::Baseline& baseline, double days);

Whole measure(const Frame& frame);
LevelScores measure_level(const Frame& frame, Index level);

}  // namespace chorale::jobs::score
