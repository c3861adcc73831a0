// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/cohort.hpp"
#include "engine/plan.hpp"
#include "jobs/common/evaluation.hpp"
#include "jobs/common/follow_up.hpp"
#include "jobs/common/pool.hpp"
#include "jobs/prognosis/candidates.hpp"
#include "jobs/prognosis/part.hpp"
#include "jobs/prognosis/procedure.hpp"
#include "kernels/bootstrap_weights.hpp"

namespace chorale::jobs::prognosis {

/// What all units of a rank share: a function of config and patients alone.
struct Frame {
  const Design design;
  const Timelines timelines;
  const Candidates candidates;
  const Procedure procedure;
  const Evaluation evaluation;
  std::vector<double> weight;               ///< (n_patients) case weights
  std::vector<std::int32_t> cluster;        ///< (n_patients), or empty
  std::vector<std::int32_t> left_out;       ///< (n_patients), or empty
  Evaluation::Sample everyone;              ///< with their case weights
  kernels::BootstrapPlan plan;              ///< who is drawn, from where
  std::vector<std::string> stratum_labels;  ///< of the model's strata, by code

  /// Throws   InputError when nobody is left, or nobody has an event
  Frame(const Design& design, const engine::Setup& setup, const engine::Cohort& cohort);
  Frame(const Frame&) = delete;

  const kernels::Timeline& timeline() const { return timelines.model(); }
  /// Case weights times copies of who takes part.
  std::vector<double> weighted(std::span<const std::uint8_t> copies) const;
  engine::Ledger ledger() const;

  mutable Pool<Evaluation::Scratch> scratches;
};

/// The procedure on all patients; everything that is asked of its model.
FullModel describe_model(const Frame& frame, const engine::Cohort& cohort);

/// Replicates first … last - 1.
std::vector<Replicate> replicate(const Frame& frame, Index first, Index last);

/// The procedure without the patients of one level, measured on them.
LevelScores leave_out(const Frame& frame, Index level);

/// Pairs first … last - 1 of half samples: which terms entered the path of each.
std::vector<std::vector<std::uint8_t>> halve(const Frame& frame, Index first, Index last);

/// Terms that enter the path of a half sample before it ends.
Index stability_terms(const Design& design, Index n_terms);

/// Risk groups by linear predictor, and how each fared.
void describe_groups(const Frame& frame, std::span<const double> eta, FullModel& full);

/// The model beside other schemes.
void compare_schemes(const Frame& frame, const engine::Cohort& cohort, std::span<const double> eta,
                     FullModel& full);

}  // namespace chorale::jobs::prognosis
