// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <vector>

#include "engine/comm.hpp"

namespace chorale::engine {

/// The most memory that this run held. The system keeps the peak of a process as a whole; what ranks of a node share would
/// be counted once per rank, so the peak is split at points where the program looks.
class MemoryWatch {
 public:
  /// To be called by all ranks where shared memory comes or goes, and at the end. A peak since the last look is taken to
  /// have stood beside the larger of the two amounts of shared memory. The system is asked to forget it then, so that the
  /// time until the next look has its own; where it does not, only higher peaks are seen.
  void look();

  struct Peak {
    double rank_bytes = 0;  ///< resident in the largest rank, shared memory and libraries included
    double node_bytes = 0;  ///< on the fullest node: each rank's own, shared memory and libraries once
  };
  Peak peak(Comm& comm) const;  ///< collective

 private:
  struct Span {
    double own = 0, shm = 0,
           libraries = 0;  // peaks between two looks: anonymous, shared memory, mapped files
  };
  std::vector<Span> spans_;
  double peak_ = 0;                                                                // of all, the system's
  double highest_ = 0, anonymous_before_ = 0, shm_before_ = 0, files_before_ = 0;  // at the last look
};

/// Memory that was freed goes back to the system, which others on the node share. What is taken next has to be cleared by
/// the system again, so this is for where much was freed, and not for every unit.
void give_back_freed_memory();

}  // namespace chorale::engine
