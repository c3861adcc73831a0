// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <string>
#include <vector>

#include "engine/runner.hpp"

namespace chorale::engine {

/// What a node needs while a part of the run lasts. Between them freed memory goes back to the system.
struct Phase {
  std::string name;         ///< "counts", "load for outcome"
  double shared_bytes = 0;  ///< once per node: the packed cohort
  double rank_bytes = 0;    ///< each rank: the program, what it reads
  double unit_bytes = 0;    ///< each rank that has a unit at hand
  Index n_units = 0;
  double spread_bytes = 0;  ///< over all ranks of the run: the cohort by time, parts that are shared out
  /// Of parts that travel, over all ranks of the run: R ranks give each other an R²-th of them at a time.
  double travelling_bytes = 0;
  /// Over the ranks of a node, at most held_by_rank in each: shards until they are packed.
  double held_bytes = 0, held_by_rank = 0;
  double root_bytes = 0;  ///< rank 0 beyond that: parts and results

  /// The node of rank 0, the fullest one.
  double node_bytes(Index ranks_per_node, Index n_nodes = 1) const;
};

/// What a run will need, from shard headers, config and whom [select] keeps.
struct Forecast {
  std::vector<Phase> phases;
  double seconds = 0;       ///< on one core
  double longest_unit = 0;  ///< seconds, on one core
  Index n_units = 0;
  Index most_units = 0;  ///< in one stage: more ranks than this have nothing to do

  /// The phase that needs most. There is one.
  const Phase& fullest(Index ranks_per_node, Index n_nodes = 1) const;
  double node_bytes(Index ranks_per_node, Index n_nodes = 1) const {
    return phases.empty() ? 0 : fullest(ranks_per_node, n_nodes).node_bytes(ranks_per_node, n_nodes);
  }
  /// Enough for this run and for another.
  void include(const Forecast& other);
};

Forecast forecast(const PreparedJob& job, Index threads_per_rank);

/// Memory that a run may use on this node, and who says so.
struct NodeMemory {
  double bytes = 0;
  std::string source;  ///< "SLURM_MEM_PER_NODE"
};
/// The least of what Slurm gave the job, the cgroups allow and the machine has free.
NodeMemory node_memory();

/// Nodes of a run whose nodes have as many ranks as this one.
inline Index n_nodes(const Comm& comm) {
  return (comm.size() + comm.node_size() - 1) / comm.node_size();
}

/// Throws   ConfigError with both numbers on every rank when a node offers less than the forecast; collective
void require_room(const PreparedJob& job, Comm& comm, Index threads_per_rank);

/// "245 MB", with the unit that suits.
std::string bytes_text(double bytes);

}  // namespace chorale::engine
