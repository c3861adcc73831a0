// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "jobs/mutation_landscape/job.hpp"

#include <algorithm>

#include "jobs/common/expected.hpp"
#include "jobs/mutation_landscape/stages.hpp"
#include "jobs/mutation_landscape/tables.hpp"

namespace chorale::jobs {

using landscape::Design;

static_assert(engine::Analysis<MutationLandscape>);

namespace {

constexpr double number = sizeof(double), code = sizeof(std::int32_t);

/// What the counting stage makes of a shard: of each variant its allele fraction, its protein change (about eight letters)
/// and how many patients share it; of each feature carriers and tested; of each gene variants and patients by class.
double part_bytes(const engine::Setup& setup, const Design& design, double n_variants) {
  const auto n_genes = static_cast<double>(setup.catalogue.genes.size());
  const auto n_classes = static_cast<double>(setup.catalogue.variant_classes.size());
  return n_variants * (sizeof(float) + code + 8) +
         2 * number * static_cast<double>(design.n_groups() * setup.features.size()) +
         2 * code * n_genes * (n_classes + 1);
}

/// What outcome units share of a patient, and the unit at hand: timelines (two places, event, analysed, stratum, exit), who
/// is in the group, tested and included; of an adjusted model its own timeline, the covariates, and its rows: where they
/// stand, in the order of either way with ties too, the covariates again and the risk by them alone.
double outcome_bytes(const engine::Setup& setup, const Design& design) {
  const double timeline = 3 * code + 2 + number, terms = static_cast<double>(expected_terms(setup));
  const double crude = timeline + code + 3;
  return design.outcome.adjusted ? crude + timeline + 4 * code + 2 * number * terms + number : crude;
}

/// A feature's outcome in a group, as units leave it: fits, and of carriers and others the landmarks.
double row_bytes(const landscape::Config& config) {
  const auto n_points = config.feature_curves ? 2 * static_cast<double>(config.landmarks.size()) : 0;
  return sizeof(landscape::OutcomeRow) + n_points * sizeof(kernels::KmPoint);
}

}  // namespace

MutationLandscape::MutationLandscape(Config config) : config_(std::move(config)) {}
MutationLandscape::~MutationLandscape() = default;

std::vector<engine::Stage> MutationLandscape::stages(const engine::Setup& setup) const {
  const Design design = Design::of(config_, setup);
  const double n_patients = setup.expected_patients(), n_variants = setup.expected_variants();
  const auto n_shards = static_cast<double>(setup.catalogue.shards.size());

  engine::Columns of_shard{.fields = {}, .endpoint = {}, .alterations = true, .variants = true};
  if (design.grouping) require_columns({*design.grouping}, of_shard);
  double largest = 0, all_parts = 0;
  for (const auto& shard : setup.expected()) {
    const double part = part_bytes(setup, design, static_cast<double>(shard.n_variants));
    largest = std::max(largest, part);
    all_parts += part;
  }
  // a tenth of a microsecond a variant, one a patient: reading, checksums, counting (measured on one core). A unit's part
  // stands beside the lists that it is sorted from, and later its archive
  std::vector<engine::Stage> stages{{.name = "counts",
                                     .layout = engine::Layout::by_shard,
                                     .columns = of_shard,
                                     .n_units = 0,
                                     .shared_out = true,
                                     .seconds_per_unit = (1e-6 * n_patients + 1e-7 * n_variants) / n_shards,
                                     .bytes_per_rank = 2 * largest,
                                     .bytes_spread = all_parts}};

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
                      // a patient's group, stratum and their crossing, made and kept
                      .bytes_per_rank = 4 * code * n_patients,
                      .bytes_per_thread = 1e6});
  }
  if (!of_all.endpoint.empty()) {
    const double crude = 5e-5 + 1e-9 * n_patients;
    const double adjusted = design.outcome.adjusted ? 4e-8 * n_patients : 0;
    stages.push_back({.name = "outcome",
                      .layout = engine::Layout::replicated,
                      .columns = of_all,
                      .n_units = n_tiles * design.n_groups(),
                      .seconds_per_unit = n_features * (crude + adjusted),
                      .bytes_per_rank = n_patients * outcome_bytes(setup, design),
                      // a patient's risk in the fit at hand, two numbers; sums at event times
                      .bytes_per_thread = 2e6 + (design.outcome.adjusted ? 2 * number * n_patients : 0),
                      .bytes_spread = row_bytes(config_) *
                                      static_cast<double>(setup.features.size() * design.n_groups())});
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
  // a cell of a table, with its copies in the HDF5 file that is built in memory and in what is written of it
  constexpr double number_cell = 3 * number, text_cell = sizeof(std::string) + 2 * 16;
  const auto rows = static_cast<double>(setup.features.size() * design.n_groups());
  double row = 5 * number_cell + 3 * text_cell;
  if (!setup.config.outcome.endpoint.empty()) {
    const auto n_landmarks = static_cast<double>(config_.landmarks.size());
    row += 26 * number_cell + 2 * text_cell;
    if (config_.feature_curves)  // carriers and others
      row += 2 * (5 * number_cell + 3 * text_cell) + 2 * n_landmarks * (6 * number_cell + 3 * text_cell);
    row += 2 * row_bytes(config_);  // in the parts, and put together
  }
  const auto n_genes = static_cast<double>(setup.catalogue.genes.size());
  const double n_cells = n_genes * static_cast<double>(setup.catalogue.variant_classes.size());
  // about half of a gene's classes occur
  const double of_classes = std::min(setup.expected_variants(), n_cells / 2) * 2 * (number_cell + text_cell);
  return 4e6 + rows * row + of_classes + n_genes * (4 * number_cell + text_cell);
}

io::Results MutationLandscape::finish(const engine::Setup& setup, std::span<const Part> parts) const {
  return landscape::tabulate(Design::of(config_, setup), setup, parts);
}

}  // namespace chorale::jobs
