// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "jobs/registry.hpp"

#include "jobs/cox_model/job.hpp"
#include "jobs/interaction_screen/job.hpp"
#include "jobs/mutation_landscape/job.hpp"
#include "jobs/prognosis/job.hpp"
#include "jobs/score/job.hpp"

namespace chorale::jobs {

const std::vector<engine::AnalysisEntry>& registry() {
  static const std::vector<engine::AnalysisEntry> entries{
      engine::entry_of<CoxModel>(),          engine::entry_of<InteractionScreen>(),
      engine::entry_of<MutationLandscape>(), engine::entry_of<Prognosis>(),
      engine::entry_of<ScoreModel>(),
  };
  return entries;
}

}  // namespace chorale::jobs
