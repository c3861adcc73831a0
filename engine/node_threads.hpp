// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <algorithm>

#include <omp.h>

#include "engine/comm.hpp"

namespace chorale::engine {

/// While it lives, this rank has the threads of all ranks of its node, as far as it may run on their cores. For work
/// that the others wait for.
class NodeThreads {
 public:
  explicit NodeThreads(const Comm& comm) : own_(omp_get_max_threads()) {
    const int n_cores = std::max(own_, omp_get_num_procs());
    omp_set_num_threads(std::min(own_ * comm.node_size(), n_cores));
  }
  ~NodeThreads() { omp_set_num_threads(own_); }
  NodeThreads(const NodeThreads&) = delete;
  NodeThreads& operator=(const NodeThreads&) = delete;

 private:
  int own_;
};

}  // namespace chorale::engine
