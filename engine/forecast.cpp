// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "engine/forecast.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "engine/load.hpp"

namespace chorale::engine {
namespace {

/// What the program holds before it reads anything, with its libraries and MPI: of each rank, and once per node.
constexpr double program_bytes = 8e6, libraries_bytes = 18e6;

}  // namespace

Forecast forecast(const PreparedJob& job, Index threads_per_rank) {
  Forecast all;
  double working = 0, packed = 0, shard = 0;
  for (const Stage& stage : job.plan.stages) {
    working = std::max(working,
                       stage.bytes_per_rank + static_cast<double>(threads_per_rank) * stage.bytes_per_thread);
    const double cohort = stage.layout == Layout::by_shard
                              ? 0
                              : static_cast<double>(forecast_bytes(
                                    {job.catalogue, *job.selection, job.features, stage.columns}));
    if (stage.layout == Layout::replicated) packed = std::max(packed, cohort);
    const double by_time = stage.layout == Layout::by_time ? cohort : 0;
    all.spread_bytes = std::max(all.spread_bytes, by_time + stage.bytes_spread);
    all.most_units = std::max(all.most_units, stage.n_units);
    all.longest_unit = std::max(all.longest_unit, stage.seconds_per_unit);
  }
  for (const auto& entry : job.catalogue.shards) shard = std::max(shard, static_cast<double>(entry.n_bytes));
  // a shard as a file, as columns and as a slice; beside the packed cohort the slices that are held. What work takes
  // later comes from the same heap.
  const double loading = 3 * shard + std::min(packed, static_cast<double>(most_held_bytes));
  all.shared_bytes = libraries_bytes + packed;
  all.rank_bytes = program_bytes + std::max(loading, working);
  all.root_bytes = job.analysis->result_bytes(job.setup());
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
