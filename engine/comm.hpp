// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "kernels/types.hpp"

namespace chorale::engine {

/// Memory that all ranks of a node see: one copy per node, whatever the ranks per node.
class SharedBlock {
 public:
  virtual ~SharedBlock() = default;
  virtual std::span<std::byte> bytes() = 0;
  /// Collective: what any rank of the node wrote before is visible to all of them after.
  virtual void publish() = 0;
};

/// Numbers that all ranks draw from: how units are dealt without a master.
class Counter {
 public:
  virtual ~Counter() = default;
  /// The value of a slot before `step` was added to it; each value goes to one rank only.
  virtual Index next(Index step = 1, Index slot = 0) = 0;
};

/// The ranks of one run. Two bodies: MPI, and a process alone (no MPI is started then).
/// Calls marked collective must be made by every rank in the same order. Throws CommError.
class Comm {
 public:
  virtual ~Comm() = default;

  virtual int rank() const = 0;
  virtual int size() const = 0;
  virtual int node_rank() const = 0;  ///< rank among those that share memory with this one
  virtual int node_size() const = 0;
  virtual std::string host() const = 0;

  // collective, all of these; sums and maxima are in place and the same on all ranks
  virtual void barrier() = 0;  ///< waits without keeping a core busy: before others, where rank 0 works alone
  virtual void broadcast(std::string& bytes) = 0;                         ///< from rank 0
  virtual std::vector<std::string> gather(const std::string& bytes) = 0;  ///< in rank order, on rank 0
  virtual void sum(std::span<std::int64_t> values) = 0;
  virtual void node_sum(std::span<std::int64_t> values) = 0;  ///< over this node's ranks
  virtual void largest(std::span<std::int64_t> values) = 0;
  /// Each rank's numbers, as many as it likes, one rank's after the other's; the same on all ranks.
  virtual std::vector<double> in_rank_order(std::span<const double> mine) = 0;
  /// to[r] goes to rank r; returns what came from each rank, in rank order.
  virtual std::vector<std::string> exchange(std::vector<std::string> to) = 0;

  virtual std::unique_ptr<SharedBlock> node_shared(Index n_bytes) = 0;  ///< collective; zero-filled
  virtual std::unique_ptr<Counter> counter(Index n_slots = 1) = 0;      ///< collective; slots start at 0

  /// True for the first rank that asks, false for every other: who may print the one error message.
  virtual bool claim_error() = 0;
  /// Ends all ranks with this exit code.
  [[noreturn]] virtual void abort(int exit_code) = 0;

  bool is_root() const { return rank() == 0; }
};

/// MPI when a launcher (mpirun, srun) started this process, otherwise the process alone.
std::unique_ptr<Comm> open_comm(int& argc, char**& argv);

/// The one-process twin.
std::unique_ptr<Comm> solo_comm();

}  // namespace chorale::engine
