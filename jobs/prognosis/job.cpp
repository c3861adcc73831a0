// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "jobs/prognosis/job.hpp"

#include "jobs/prognosis/stages.hpp"
#include "jobs/prognosis/tables.hpp"

namespace chorale::jobs {

using namespace prognosis;

static_assert(engine::Analysis<Prognosis>);

Prognosis::Prognosis(Config config) : config_(std::move(config)) {}
Prognosis::~Prognosis() = default;

std::vector<engine::Stage> Prognosis::stages(const engine::Setup& setup) const {
  const Design design = Design::of(config_, setup);
  const auto n_patients = static_cast<Index>(setup.expected_patients());
  std::vector<engine::Stage> stages;
  constexpr const char* names[] = {"model", "replicates", "left out", "stability"};
  for (Index s = 0; s < n_stages; ++s) {
    const auto stage = static_cast<StageNumber>(s);
    stages.push_back({.name = names[s],
                      .layout = engine::Layout::replicated,
                      .columns = design.columns(setup),
                      .n_units = design.n_units(stage),
                      .joins_previous = stage != model_stage,
                      .seconds_per_unit = design.seconds_per_unit(stage, n_patients),
                      .bytes_per_rank = design.bytes_per_rank(setup),
                      .bytes_per_thread = design.bytes_per_thread(setup)});
  }
  return stages;
}

Part Prognosis::run(const engine::Setup& setup, const engine::Cohort& cohort, engine::Unit unit) const {
  if (!frame_) frame_ = std::make_unique<Frame>(Design::of(config_, setup), setup, cohort);
  const auto stage = static_cast<StageNumber>(unit.stage);
  const auto [first, last] = frame_->design.share(stage, unit.index);
  Part part;
  switch (stage) {
    case model_stage:
      part.full.push_back(describe_model(*frame_, cohort));
      break;
    case replicates_stage:
      part.replicates = replicate(*frame_, first, last);
      break;
    case left_out_stage:
      part.left_out.push_back(leave_out(*frame_, unit.index));
      break;
    default:
      part.entered = halve(*frame_, first, last);
  }
  return part;
}

double Prognosis::result_bytes(const engine::Setup& setup) const {
  return Design::of(config_, setup).result_bytes(setup);
}

io::Results Prognosis::finish(const engine::Setup& setup, std::span<const Part> parts) const {
  return tabulate(Design::of(config_, setup), setup, parts);
}

}  // namespace chorale::jobs
