// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "jobs/mutation_landscape/job.hpp"

#include "jobs/common/expected.hpp"
#include "jobs/mutation_landscape/stages.hpp"
#include "jobs/mutation_landscape/tables.hpp"

namespace chorale::jobs {

using landscape::Design;

static_assert(engine::Analysis<MutationLandscape>);

MutationLandscape::MutationLandscape(Config config) : config_(std::move(config)) {}
MutationLandscape::~MutationLandscape() = default;

std::vector<engine::Stage> MutationLandscape::stages(const engine::Setup& setup) const {
  const Design design = Design::of(config_, setup);
  const auto n_patients = static_cast<double>(setup.catalogue.n_patients());
  const auto n_shards = static_cast<double>(setup.catalogue.shards.size());

  engine::Columns of_shard{.fields = {}, .endpoint = {}, .alterations = true, .variants = true};
  if (design.grouping) require_columns({*design.grouping}, of_shard);
  double n_variants = 0;
  for (const auto& shard : setup.catalogue.shards) n_variants += static_cast<double>(shard.n_variants);
  // a tenth of a microsecond a variant, one a patient: reading, checksums, counting (measured on one core); protein
  // changes and allele fractions as they lie in parts and travel from rank to rank
  std::vector<engine::Stage> stages{{.name = "counts",
                                     .layout = engine::Layout::by_shard,
                                     .columns = of_shard,
                                     .n_units = 0,
                                     .shared_out = true,
                                     .seconds_per_unit = (1e-6 * n_patients + 1e-7 * n_variants) / n_shards,
                                     .bytes_per_rank = 4e6,
                                     .bytes_per_thread = 2e6,
                                     .bytes_spread = 30 * n_variants}};

  engine::Columns of_all{.fields = of_shard.fields,
                         .endpoint = setup.config.outcome.endpoint,
                         .alterations = true,
                         .variants = false};
  require_columns(design.comparison_strata, of_all);
  design.outcome.require_columns(setup, of_all);
  const Index n_tiles = landscape::n_tiles(setup);
  const double n_features = landscape::features_per_tile;
  if (!design.compared.empty()) {
    stages.push_back({.name = "comparison",
                      .layout = engine::Layout::replicated,
                      .columns = of_all,
                      .n_units = n_tiles,
                      .seconds_per_unit = 1e-4 * n_features * static_cast<double>(design.compared.size()),
                      .bytes_per_rank = 4e6 + 60 * n_patients,
                      .bytes_per_thread = 2e6});
  }
  if (!of_all.endpoint.empty()) {
    const double crude = 5e-5 + 1e-9 * n_patients;
    const double adjusted = design.outcome.adjusted ? 4e-8 * n_patients : 0;
    stages.push_back(
        {.name = "outcome",
         .layout = engine::Layout::replicated,
         .columns = of_all,
         .n_units = n_tiles * design.n_groups(),
         .seconds_per_unit = n_features * (crude + adjusted),
         // timelines, rows of the model, who is tested: bytes of a patient, measured
         .bytes_per_rank = 4e6 + n_patients * (180 + 30 * static_cast<double>(expected_terms(setup))),
         .bytes_per_thread = 2e6});
  }
  return stages;
}

landscape::Part MutationLandscape::run(const engine::Setup& setup, const engine::Cohort& cohort,
                                       engine::Unit unit) const {
  const Design design = Design::of(config_, setup);
  if (unit.stage == 0) return landscape::count_shard(design, setup, cohort);
  if (unit.stage == 1 && !design.compared.empty()) return landscape::compare_tile(design, cohort, unit.index);
  if (!frame_) frame_ = std::make_unique<landscape::OutcomeFrame>(design, setup, cohort);
  return frame_->run(cohort, unit.index);
}

std::vector<landscape::Part> MutationLandscape::share_out(const engine::Setup& setup, Index,
                                                          std::vector<Part> parts, Index n) const {
  return landscape::share_out(setup, std::move(parts), n);
}

landscape::Part MutationLandscape::join(const engine::Setup& setup, Index, std::vector<Part> shares) const {
  return landscape::join(Design::of(config_, setup), std::move(shares));
}

double MutationLandscape::result_bytes(const engine::Setup& setup) const {
  const Design design = Design::of(config_, setup);
  // a row of every table that has one for a feature in a group: measured
  double row = 750;
  if (!setup.config.outcome.endpoint.empty() && config_.feature_curves)
    row += 620 * static_cast<double>(config_.landmarks.size());
  return 4e6 + row * static_cast<double>(setup.features.size() * design.n_groups());
}

io::Results MutationLandscape::finish(const engine::Setup& setup, std::span<const Part> parts) const {
  return landscape::tabulate(Design::of(config_, setup), setup, parts);
}

}  // namespace chorale::jobs
