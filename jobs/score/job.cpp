// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "jobs/score/job.hpp"

#include "jobs/score/stages.hpp"
#include "jobs/score/tables.hpp"

namespace chorale::jobs {

using namespace score;

static_assert(engine::Analysis<ScoreModel>);

namespace {

/// What a unit holds of a patient.
double patient_bytes(const Design& design) {
  constexpr double number = sizeof(double), code = sizeof(std::int32_t);
  // two places, event, analysed, stratum, exit
  const double timelines = (design.outcome.adjusted ? 2 : 1) * (3 * code + 2 + number);
  // prediction, who is included, a bit for each variable that is known; weight and level
  const double predictions =
      number + 1 + static_cast<double>(design.model.variables.size()) / 8 + number + code;
  // patients in the order of their exits, within strata and pooled: patient, exit, place, who dies; of a death its row and
  // slot, and its number where several are tied; lists that grow
  const double orders = 2 * 1.5 * (2 * code + number + 1 + 0.7 * (3 * code + number));
  // ranks of predictions, twice while they are sorted, sums over pairs, weights and predictions in that order; survival
  const double measures = 5 * code + 6 * number;
  // risk groups compared by a Cox model: an indicator for each cut point, in its rows and in a list that grows; where rows
  // stand, in the order of either way with ties too; a column at hand
  const double groups =
      3 * number * static_cast<double>(design.model.group_cuts.size()) + 4 * code + 2 * number;
  return timelines + predictions + orders + measures + groups;
}

}  // namespace

ScoreModel::ScoreModel(Config config) : config_(std::move(config)), model_(model_of(config_)) {}
ScoreModel::~ScoreModel() = default;

std::vector<engine::Stage> ScoreModel::stages(const engine::Setup& setup) const {
  const Design design = Design::of(config_, model_, setup);
  const double n = setup.expected_patients();
  const double measured = 3e-8 * n * static_cast<double>(design.evaluation.measures.size());
  const auto columns = design.columns(setup);
  return {{.name = "score",
           .layout = engine::Layout::replicated,
           .columns = columns,
           .n_units = 1,
           .seconds_per_unit = 10 * measured,
           .bytes_per_rank = n * patient_bytes(design)},
          {.name = "levels",
           .layout = engine::Layout::replicated,
           .columns = columns,
           .n_units = design.by ? design.by->size() : 0,
           .seconds_per_unit = measured,
           .bytes_per_rank = n * patient_bytes(design)}};
}

double ScoreModel::result_bytes(const engine::Setup& setup) const {
  if (!config_.patients) return 0;
  const Design design = Design::of(config_, model_, setup);
  // a patient's number, prediction, group and survival at each horizon: in the part, as a table, and in results.h5 while
  // it is made and what is written of it
  return 4 * sizeof(double) * setup.expected_patients() *
         static_cast<double>(3 + design.evaluation.horizons.size());
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
