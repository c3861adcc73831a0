// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include "engine/comm.hpp"

namespace chorale::engine {

/// The most memory that this run held. The system keeps the peak of a process as a whole; what ranks of a node share would
/// be counted once per rank, so the peak is split at points where the program looks.
class MemoryWatch {
 public:
  /// To be called where shared memory comes or goes, and at the end: a peak since the last look is taken to have stood
  /// beside the larger of the two amounts of shared memory, if it is larger than what is in use now.
  void look();

  struct Peak {
    double rank_bytes = 0;  ///< resident in the largest rank, shared memory and libraries included
    double node_bytes = 0;  ///< on the fullest node: each rank's own, shared memory and libraries once
  };
  Peak peak(Comm& comm) const;  ///< collective

 private:
  double highest_ = 0, shared_before_ = 0;    // the system's peak and shared memory at the last look
  double own_ = 0, shm_ = 0, libraries_ = 0;  // peaks: anonymous, shared memory, mapped files
};

}  // namespace chorale::engine
