// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "engine/forecast.hpp"

#include <algorithm>
#include <filesystem>
#include <limits>

#include <fmt/format.h>

#include "engine/load.hpp"

namespace chorale::engine {
namespace {

/// What the program holds before it reads anything, with its libraries and MPI: of each rank, and once per node.
constexpr double program_bytes = 7e6, libraries_bytes = 27e6;

/// The tree of cohort.json while it is read: ten times its text, measured on 20,000 genes and features.
double tree_bytes(const PreparedJob& job) {
  std::error_code unknown;
  const auto n = std::filesystem::file_size(job.catalogue.folder / "cohort.json", unknown);
  return unknown ? 0 : 10 * static_cast<double>(n);
}

/// Of that tree, what lies between the dictionaries that stay, and the system does not get back nor others use.
constexpr double tree_left = 0.25;

/// The dictionaries of genes and features, in the cohort's and in the job's words.
double dictionary_bytes(const PreparedJob& job) {
  return tree_left * tree_bytes(job) +
         static_cast<double>(job.catalogue.genes.size() * sizeof(std::string) +
                             job.catalogue.features.size() * sizeof(io::Feature) +
                             job.features.features.size() * sizeof(JobFeature));
}

/// Which panels hold each feature, where carriers are read: a list of panels a feature and the profile.
double panel_bytes(const PreparedJob& job, const Stage& stage) {
  constexpr double allocation = 32;  // the least that one takes
  return stage.columns.alterations ? static_cast<double>(job.features.size()) *
                                         (sizeof(std::vector<std::uint8_t>) + allocation + sizeof(int))
                                   : 0;
}

/// Variants of a shard as they are read: four columns, again of those whom [select] keeps, and its dictionary of protein
/// changes, of which about every second variant brings one.
double variant_bytes(const PreparedJob& job) {
  constexpr double columns = 2 * sizeof(std::int32_t) + sizeof(std::int8_t) + sizeof(float);
  double most = 0;
  for (std::size_t s = 0; s < job.catalogue.shards.size(); ++s) {
    const auto n = static_cast<double>(job.catalogue.shards[s].n_variants);
    const double picked = job.selected.empty() ? 0 : static_cast<double>(job.selected[s].n_variants);
    most = std::max(most, n * (columns + sizeof(std::string) / 2.0) + picked * columns);
  }
  return most;
}

/// A unit of a shard at a time: its file, its columns as they are read and packed.
void add_by_shard(const PreparedJob& job, const Stage& stage, const CohortBytes& cohort, Phase phase,
                  double unit_bytes, std::vector<Phase>& phases) {
  phase.name = stage.name;
  phase.spread_bytes = stage.bytes_spread;
  phase.unit_bytes = unit_bytes + cohort.largest_file + cohort.largest_read + cohort.largest_shard;
  phase.n_units = stage.n_units;
  if (stage.columns.variants) phase.unit_bytes += variant_bytes(job);
  phases.push_back(phase);
  if (!stage.shared_out) return;
  phases.push_back({.name = "parts of " + stage.name,
                    .shared_bytes = phase.shared_bytes,
                    .rank_bytes = phase.rank_bytes,
                    .spread_bytes = stage.bytes_spread,
                    .travelling_bytes = stage.bytes_spread});
}

/// Shards are read and held, and the cohort is packed; then it is worked on, while parts gather on rank 0.
void add_in_memory(const PreparedJob& job, const Stage& stage, const CohortBytes& cohort, Phase phase,
                   double unit_bytes, std::vector<Phase>& phases) {
  Phase load = phase, work = phase;
  load.name = "load for " + stage.name;
  load.rank_bytes += cohort.largest_file + cohort.largest_read;
  work.name = stage.name;
  work.unit_bytes = unit_bytes;
  work.n_units = stage.layout == Layout::by_time ? std::numeric_limits<Index>::max() : stage.n_units;
  work.root_bytes = job.analysis->result_bytes(job.setup());
  if (stage.layout == Layout::replicated) {
    load.shared_bytes += cohort.packed;
    load.held_bytes = cohort.slices;
    load.held_by_rank =
        cohort.packed > 0 ? static_cast<double>(most_held_bytes) * cohort.slices / cohort.packed : 0;
    work.shared_bytes += cohort.packed;
    work.spread_bytes = stage.bytes_spread;
  } else {
    load.rank_bytes += 2 * cohort.largest_shard;  // a shard as it travels, and one that arrives
    load.spread_bytes = cohort.slices;
    work.spread_bytes = cohort.packed + stage.bytes_spread;
  }
  phases.push_back(std::move(load));
  phases.push_back(std::move(work));
}

}  // namespace

double Phase::node_bytes(Index ranks_per_node, Index n_nodes) const {
  const auto ranks = static_cast<double>(ranks_per_node), nodes = static_cast<double>(n_nodes);
  const double travelling = ranks * nodes > 1 ? travelling_bytes / (ranks * nodes) : 0;  // of all ranks
  const auto busy = static_cast<double>(std::min(ranks_per_node, n_units));
  return shared_bytes + ranks * rank_bytes + busy * unit_bytes + (spread_bytes + travelling) / nodes +
         std::min(held_bytes, ranks * held_by_rank) + root_bytes;
}

const Phase& Forecast::fullest(Index ranks_per_node, Index n_nodes) const {
  return *std::max_element(phases.begin(), phases.end(), [&](const Phase& a, const Phase& b) {
    return a.node_bytes(ranks_per_node, n_nodes) < b.node_bytes(ranks_per_node, n_nodes);
  });
}

void Forecast::include(const Forecast& other) {
  phases.insert(phases.end(), other.phases.begin(), other.phases.end());
  seconds = std::max(seconds, other.seconds);
  longest_unit = std::max(longest_unit, other.longest_unit);
  n_units = std::max(n_units, other.n_units);
  most_units = std::max(most_units, other.most_units);
}

Forecast forecast(const PreparedJob& job, Index threads_per_rank) {
  Forecast all;
  const Phase program{
      .name = {}, .shared_bytes = libraries_bytes, .rank_bytes = program_bytes + dictionary_bytes(job)};
  all.phases.push_back(program);
  all.phases.back().name = "cohort.json";
  all.phases.back().rank_bytes += (1 - tree_left) * tree_bytes(job);  // the rest is in the program's
  for (const Stage& stage : job.plan.stages) {
    const CohortBytes cohort =
        forecast_bytes({job.catalogue, *job.selection, job.features, stage.columns}, job.setup().expected());
    const double unit = stage.bytes_per_rank + static_cast<double>(threads_per_rank) * stage.bytes_per_thread;
    Phase own = program;
    own.rank_bytes += panel_bytes(job, stage);
    if (stage.layout == Layout::by_shard)
      add_by_shard(job, stage, cohort, std::move(own), unit, all.phases);
    else
      add_in_memory(job, stage, cohort, std::move(own), unit, all.phases);
    all.most_units = std::max(all.most_units, stage.n_units);
    all.longest_unit = std::max(all.longest_unit, stage.seconds_per_unit);
  }
  all.seconds = job.plan.seconds();
  all.n_units = job.plan.n_units();
  return all;
}

void require_room(const PreparedJob& job, Comm& comm, Index threads_per_rank) {
  const NodeMemory memory = node_memory();
  const double needed = forecast(job, threads_per_rank).node_bytes(comm.node_size(), n_nodes(comm));
  // every rank says what lacks on its node; the largest lack is told by all alike
  std::int64_t lack[] = {static_cast<std::int64_t>(needed - std::min(memory.bytes, 1e18))};
  comm.largest(lack);
  if (lack[0] <= 0) return;
  throw ConfigError(
      {.what = "the job does not fit into the memory of a node",
       .found = fmt::format("{} needed", bytes_text(needed)),
       .expected =
           fmt::format("at most {} ({})", bytes_text(needed - static_cast<double>(lack[0])), memory.source),
       .in = fmt::format("the forecast for {} on a node",
                         comm.node_size() == 1 ? "1 rank" : std::to_string(comm.node_size()) + " ranks"),
       .remedy = "ask for more memory or more nodes with fewer ranks on each, or take fewer features; "
                 "run.refuse_by_memory = false runs all the same"});
}

std::string bytes_text(double bytes) {
  if (bytes < 1e6) return fmt::format("{:.0f} kB", bytes / 1e3);
  if (bytes < 1e9) return fmt::format("{:.0f} MB", bytes / 1e6);
  return fmt::format("{:.1f} GB", bytes / 1e9);
}

}  // namespace chorale::engine
