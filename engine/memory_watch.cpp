// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "engine/memory_watch.hpp"

#include <algorithm>
#include <fstream>
#include <limits>
#include <string>

#ifdef __GLIBC__
#include <malloc.h>
#endif

namespace chorale::engine {
namespace {

/// Has the system count the peak of this process from now on. False where it cannot.
bool forget_peak() {
  std::ofstream out("/proc/self/clear_refs");
  out << 5 << std::flush;
  return out.good();
}

}  // namespace

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
  Span span{.own = std::max(anonymous_before_, anonymous),
            .shm = std::max(shm_before_, shm),
            .libraries = std::max(files_before_, files)};
  if (highest > highest_)
    span.own = std::max(span.own, highest - std::max(shm_before_ + files_before_, shm + files));
  spans_.push_back(span);
  peak_ = std::max(peak_, highest);
  highest_ = forget_peak() ? anonymous + files + shm : highest;
  anonymous_before_ = anonymous;
  shm_before_ = shm;
  files_before_ = files;
}

MemoryWatch::Peak MemoryWatch::peak(Comm& comm) const {
  const auto whole = [](double bytes) { return static_cast<std::int64_t>(bytes); };
  std::vector<std::int64_t> once{whole(peak_)}, node;
  for (const Span& span : spans_) {
    once.push_back(whole(span.shm));
    once.push_back(whole(span.libraries));
    node.push_back(whole(span.own));
  }
  comm.largest(once);
  comm.node_sum(node);
  for (std::size_t s = 0; s < node.size(); ++s) node[s] += once[1 + 2 * s] + once[2 + 2 * s];
  std::int64_t most[] = {node.empty() ? 0 : *std::max_element(node.begin(), node.end())};
  comm.largest(most);
  return {.rank_bytes = static_cast<double>(once[0]), .node_bytes = static_cast<double>(most[0])};
}

void give_back_freed_memory() {
#ifdef __GLIBC__
  ::malloc_trim(0);
#endif
}

}  // namespace chorale::engine
