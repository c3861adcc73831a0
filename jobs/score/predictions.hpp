// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/cohort.hpp"
#include "engine/ledger.hpp"
#include "jobs/score/design.hpp"
#include "kernels/timeline.hpp"

namespace chorale::jobs::score {

/// What a model says of patients.
///
///   η = Σ coefficient · value of the term;  who misses a variable takes its terms' `when_missing`, or leaves
struct Predictions {
  std::vector<double> eta;             ///< (n_patients), NaN for who left
  std::vector<std::uint8_t> included;  ///< (n_patients), 1 for who has an outcome and a linear predictor
  Index n_included = 0;
  std::vector<Index> n_missing;  ///< per variable: those included who miss it
  std::vector<engine::Ledger::Line> attrition;

  /// Throws   InputError when a patient who is included has a level that the model does not know
  Predictions(const Design& design, const engine::Setup& setup, const engine::Cohort& cohort,
              const kernels::Timeline& timeline);

 private:
  struct Values;
  Values read(const Design& design, const engine::Setup& setup, const engine::Cohort& cohort,
              std::size_t variable);
  void add(const io::ModelFile::Term& term, const Values& values);
  void require_levels(const io::ModelFile::Variable& variable, const engine::Setup& setup,
                      const engine::Cohort& cohort) const;
};

}  // namespace chorale::jobs::score
