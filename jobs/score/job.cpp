// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "jobs/score/job.hpp"

#include "jobs/score/stages.hpp"
#include "jobs/score/tables.hpp"

namespace chorale::jobs {

using namespace score;

static_assert(engine::Analysis<ScoreModel>);

ScoreModel::ScoreModel(Config config) : config_(std::move(config)), model_(model_of(config_)) {}
ScoreModel::~ScoreModel() = default;

std::vector<engine::Stage> ScoreModel::stages(const engine::Setup& setup) const {
  const Design design = Design::of(config_, model_, setup);
  const auto n = static_cast<double>(setup.catalogue.n_patients());
  const double measured = 3e-8 * n * static_cast<double>(design.evaluation.measures.size());
  const auto columns = design.columns(setup);
  return {{.name = "score",
           .layout = engine::Layout::replicated,
           .columns = columns,
           .n_units = 1,
           .seconds_per_unit = 10 * measured},
          {.name = "levels",
           .layout = engine::Layout::replicated,
           .columns = columns,
           .n_units = design.by ? design.by->size() : 0,
           .seconds_per_unit = measured}};
}

Part ScoreModel::run(const engine::Setup& setup, const engine::Cohort& cohort, engine::Unit unit) const {
  if (!frame_) frame_ = std::make_unique<Frame>(Design::of(config_, model_, setup), setup, cohort);
  Part part;
  if (unit.stage == whole_stage)
    part.whole.push_back(measure(*frame_));
  else
    part.levels.push_back(measure_level(*frame_, unit.index));
  return part;
}

io::Results ScoreModel::finish(const engine::Setup& setup, std::span<const Part> parts) const {
  return tabulate(Design::of(config_, model_, setup), setup, parts);
}

}  // namespace chorale::jobs
