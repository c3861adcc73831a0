// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "engine/comm.hpp"
#include "io/results.hpp"

namespace chorale::engine {

/// Where the time of a rank's stages goes, in seconds.
struct RankTimes {
  double load = 0;           ///< reading the cohort, together with the node's other ranks
  double work = 0;           ///< units
  double checkpoint = 0;     ///< parts and pieces to disk
  double idle = 0;           ///< waiting: for the counter, at a stage's end, for what rank 0 makes of a stage
  double communication = 0;  ///< parts to rank 0, briefs to all, sums
  double n_units = 0;
};

/// Adds the seconds that `body` takes to an account.
template <class Body>
auto timed(double& seconds, Body&& body) {
  struct Stopwatch {
    double& to;
    std::chrono::steady_clock::time_point start = std::chrono::steady_clock::now();
    ~Stopwatch() { to += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(); }
  };
  const Stopwatch watch{seconds};
  return std::forward<Body>(body)();
}

/// A unit of this run: by whom, how long by the clock and in the processor (all threads), how much it left.
struct UnitTime {
  Index unit = 0, rank = 0;
  double seconds = 0, cpu_seconds = 0;
  std::size_t n_bytes = 0;
};

/// The times of all ranks in rank order, on rank 0. Collective.
std::vector<RankTimes> gather_times(const RankTimes& mine, Comm& comm);

/// Mean and largest of each account over the ranks, for the run record.
std::vector<io::RankShare> shares(const std::vector<RankTimes>& ranks);

/// ranks.tsv: a line per rank.
std::string ranks_text(const std::vector<RankTimes>& ranks);

}  // namespace chorale::engine
