// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "jobs/interaction_screen/job.hpp"

#include <algorithm>
#include <array>

#include "engine/archive.hpp"
#include "jobs/interaction_screen/complete_table.hpp"
#include "jobs/interaction_screen/counts.hpp"
#include "jobs/interaction_screen/stages.hpp"
#include "jobs/interaction_screen/tables.hpp"

namespace chorale::jobs {

using namespace interaction;

static_assert(engine::Analysis<InteractionScreen>);

namespace interaction {

Frame::Frame(const Design& own, const engine::Setup& setup, const engine::Cohort& patients)
    : design(own),
      cohort(patients),
      tested(patients),
      association(own, patients, tested),
      tiles(own, patients, tested, association, own.n_units(pairs_stage, setup.catalogue.n_patients())),
      set_tables(tiles.lists(), tested.anyone_untested() ? tested.untested() : kernels::PatientLists{},
                 tested.panels(), patients.n_patients()) {
  design.require_room_for_all();
  if (design.with_outcome) outcome.emplace(design, setup, cohort, tested);
  if (design.config.permutations > 0)
    permuted.emplace(design, cohort, tested, association, tiles, outcome ? &*outcome : nullptr);
}

const kernels::ItemSetFinder& Frame::finder(int order) const {
  const kernels::ItemSetOptions options{.order = order, .min_carriers = design.config.min_carriers_of_set};
  return finders_.try_emplace(order, tiles.carriers(), options).first->second;
}

const std::vector<ChosenPair>& Frame::chosen_pairs(const engine::Setup& setup) const {
  if (!chosen_pairs_)
    chosen_pairs_ = engine::from_archive<std::vector<ChosenPair>>(setup.briefs[pairs_stage]);
  return *chosen_pairs_;
}

const std::vector<FoundSet>& Frame::chosen_sets(const engine::Setup& setup) const {
  if (!chosen_sets_) chosen_sets_ = engine::from_archive<std::vector<FoundSet>>(setup.briefs[sets_stage]);
  return *chosen_sets_;
}

}  // namespace interaction

InteractionScreen::InteractionScreen(Config config) : config_(std::move(config)) {}
InteractionScreen::~InteractionScreen() = default;

std::vector<engine::Stage> InteractionScreen::stages(const engine::Setup& setup) const {
  const Design design = Design::of(config_, setup);
  engine::Columns columns{
      .fields = {}, .endpoint = setup.config.outcome.endpoint, .alterations = true, .variants = false};
  require_columns(design.strata, columns);
  design.outcome.require_columns(setup, columns);
  constexpr std::array names{"sets", "pairs", "set fits", "details", "permutations"};
  std::vector<engine::Stage> stages;
  const Index n_patients = setup.catalogue.n_patients();
  for (Index s = 0; s < n_stages; ++s) {
    const auto stage = static_cast<StageNumber>(s);
    const Index n_units = design.n_units(stage, n_patients);
    stages.push_back(
        {.name = names[static_cast<std::size_t>(s)],
         .layout = engine::Layout::replicated,
         .columns = columns,
         .n_units = n_units,
         .joins_previous = stage != sets_stage && stage != set_fits_stage,
         .seconds_per_unit =
             n_units == 0 ? 0 : design.seconds(stage, n_patients) / static_cast<double>(n_units),
         .bytes_per_rank = design.bytes_per_rank(setup),
         .bytes_per_thread = design.bytes_per_thread(setup),
         .bytes_spread = stage == pairs_stage && !design.keeps_every_p() ? design.bytes_kept() : 0});
  }
  return stages;
}

Part InteractionScreen::run(const engine::Setup& setup, const engine::Cohort& cohort,
                            engine::Unit unit) const {
  const Design design = Design::of(config_, setup);
  if (!frame_) frame_ = std::make_unique<Frame>(design, setup, cohort);
  const Index n_units = design.n_units(static_cast<StageNumber>(unit.stage), setup.catalogue.n_patients());
  switch (unit.stage) {
    case pairs_stage:
      return screen_pairs(*frame_, unit);
    case details_stage:
      return describe_pairs(*frame_, frame_->chosen_pairs(setup), unit, n_units);
    case sets_stage:
      return find_sets(*frame_, unit, n_units);
    case set_fits_stage:
      return fit_sets(*frame_, frame_->chosen_sets(setup), unit, n_units);
    default:
      return permute(*frame_, unit, n_units);
  }
}

std::string InteractionScreen::brief(const engine::Setup& setup, Index stage,
                                     std::span<const Part> parts) const {
  const Design design = Design::of(config_, setup);
  if (stage == pairs_stage) return engine::to_archive(choose_pairs(design, setup.counts[pairs_stage], parts));
  if (stage == sets_stage) return engine::to_archive(choose_sets(design, parts));
  return {};
}

std::vector<std::int64_t> InteractionScreen::count(const engine::Setup& setup, Index stage,
                                                   std::span<const Part> parts) const {
  const Design design = Design::of(config_, setup);
  if (stage == pairs_stage) return count_pairs(design, parts);
  if (stage == details_stage) return count_details(design, parts);
  return {};
}

void InteractionScreen::condense(const engine::Setup& setup, Index stage, std::vector<Part>& parts) const {
  const Design design = Design::of(config_, setup);
  if (stage == pairs_stage) condense_pairs(design, setup.counts[pairs_stage], parts);
  if (stage == details_stage)
    condense_details(design, setup.counts[pairs_stage], setup.counts[details_stage], parts);
  if (stage == sets_stage || stage == set_fits_stage) condense_sets(design, parts);
}

void InteractionScreen::complete(const engine::Setup& setup, io::Pieces& pieces) const {
  if (!config_.complete_table) return;
  const Design design = Design::of(config_, setup);
  add_q(design, pieces, design.n_units(pairs_stage, setup.catalogue.n_patients()));
}

double InteractionScreen::result_bytes(const engine::Setup& setup) const {
  const Design design = Design::of(config_, setup);
  return 3e6 + (design.keeps_every_p() ? design.bytes_kept() : 0);
}

io::Results InteractionScreen::finish(const engine::Setup& setup, std::span<const Part> parts) const {
  return tabulate(Design::of(config_, setup), setup, parts);
}

}  // namespace chorale::jobs
