// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "engine/memory_watch.hpp"

#include <algorithm>
#include <fstream>
#include <limits>
#include <string>

namespace chorale::engine {

void MemoryWatch::look() {
  double highest = 0, anonymous = 0, files = 0, shm = 0;
  std::ifstream in("/proc/self/status");
  std::string key;
  while (in >> key) {
    double* const value = key == "VmHWM:"      ? &highest
                          : key == "RssAnon:"  ? &anonymous
                          : key == "RssFile:"  ? &files
                          : key == "RssShmem:" ? &shm
                                               : nullptr;
    if (value != nullptr) {
      in >> *value;
      *value *= 1024;
    }
    in.ignore(std::numeric_limits<std::streamsize>::max(), '\n');
  }
  own_ = std::max(own_, anonymous);
  if (highest > highest_) own_ = std::max(own_, highest - std::max(shared_before_, files + shm));
  highest_ = highest;
  shared_before_ = files + shm;
  shm_ = std::max(shm_, shm);
  libraries_ = std::max(libraries_, files);
}

MemoryWatch::Peak MemoryWatch::peak(Comm& comm) const {
  const auto whole = [](double bytes) { return static_cast<std::int64_t>(bytes); };
  std::int64_t largest[] = {whole(highest_), whole(shm_), whole(libraries_)};
  comm.largest(largest);
  std::int64_t node[] = {whole(own_)};
  comm.node_sum(node);
  node[0] += largest[1] + largest[2];
  comm.largest(node);
  return {.rank_bytes = static_cast<double>(largest[0]), .node_bytes = static_cast<double>(node[0])};
}

}  // namespace chorale::engine
