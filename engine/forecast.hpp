// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include "engine/runner.hpp"

namespace chorale::engine {

/// What a run will need, from shard headers and config alone.
struct Forecast {
  double shared_bytes = 0;  ///< once per node: the packed cohort
  double rank_bytes = 0;    ///< each rank: the program, what it reads, its unit at hand
  double spread_bytes = 0;  ///< over all ranks of the run: the cohort by time, parts that are shared out
  double root_bytes = 0;    ///< rank 0 beyond that: parts and results
  double seconds = 0;       ///< on one core
  double longest_unit = 0;  ///< seconds, on one core
  Index n_units = 0;
  Index most_units = 0;  ///< in one stage: more ranks than this have nothing to do

  /// The node of rank 0, the fullest one.
  double node_bytes(Index ranks_per_node, Index n_nodes = 1) const {
    return shared_bytes + static_cast<double>(ranks_per_node) * rank_bytes +
           spread_bytes / static_cast<double>(n_nodes) + root_bytes;
  }
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
