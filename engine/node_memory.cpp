// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <limits>
#include <sstream>
#include <string>

#include "engine/forecast.hpp"

namespace chorale::engine {
namespace {

namespace fs = std::filesystem;

/// The first number of a small file of the system; none when it holds a word such as "max".
double number_in(const fs::path& path) {
  std::ifstream in(path);
  double value = 0;
  return in >> value ? value : std::numeric_limits<double>::infinity();
}

void lower(NodeMemory& least, double bytes, const std::string& source) {
  // cgroups that allow everything hold a number near 2^63
  if (bytes > 0 && bytes < least.bytes && bytes < 1e18) least = {.bytes = bytes, .source = source};
}

void from_slurm(NodeMemory& least) {
  constexpr double mebibyte = 1048576;
  const auto number = [](const char* name) {
    const char* text = std::getenv(name);
    return text == nullptr ? 0.0 : std::strtod(text, nullptr);
  };
  lower(least, number("SLURM_MEM_PER_NODE") * mebibyte, "SLURM_MEM_PER_NODE");
  lower(least, number("SLURM_MEM_PER_CPU") * number("SLURM_CPUS_ON_NODE") * mebibyte,
        "SLURM_MEM_PER_CPU × SLURM_CPUS_ON_NODE");
}

/// Limits of this process' cgroup and of those that it lies in, versions 1 and 2.
void from_cgroups(NodeMemory& least) {
  std::ifstream in("/proc/self/cgroup");
  for (std::string line; std::getline(in, line);) {
    const auto first = line.find(':'), second = line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = "," + line.substr(first + 1, second - first - 1) + ",";
    const bool unified = controllers == ",,";
    if (!unified && controllers.find(",memory,") == std::string::npos) continue;
    const fs::path root = unified ? "/sys/fs/cgroup" : "/sys/fs/cgroup/memory";
    const char* limit = unified ? "memory.max" : "memory.limit_in_bytes";
    for (fs::path group = line.substr(second + 1);; group = group.parent_path()) {
      const fs::path file = root / group.relative_path() / limit;
      lower(least, number_in(file), file.string());
      if (!group.has_relative_path()) break;
    }
  }
}

void from_machine(NodeMemory& least) {
  std::ifstream in("/proc/meminfo");
  std::string key;
  for (double kibibytes = 0; in >> key >> kibibytes;
       in.ignore(std::numeric_limits<std::streamsize>::max(), '\n'))
    if (key == "MemAvailable:") lower(least, kibibytes * 1024, "free memory of the machine");
}

}  // namespace

NodeMemory node_memory() {
  NodeMemory least{.bytes = std::numeric_limits<double>::infinity(), .source = "nobody says"};
  from_slurm(least);
  from_cgroups(least);
  from_machine(least);
  return least;
}

}  // namespace chorale::engine
