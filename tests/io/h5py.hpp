// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <array>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

namespace chorale {

/// What a command prints; nothing when it fails.
inline std::optional<std::string> output_of(const std::string& command) {
  FILE* pipe = ::popen(command.c_str(), "r");
  if (pipe == nullptr) return std::nullopt;
  std::string text;
  std::array<char, 4096> block{};
  while (const std::size_t n = std::fread(block.data(), 1, block.size(), pipe)) text.append(block.data(), n);
  return ::pclose(pipe) == 0 ? std::optional(text) : std::nullopt;
}

/// A Python that knows h5py; empty when this machine has none.
inline std::string python_with_h5py() {
  for (const char* python : {"python3", "/usr/bin/python3"}) {
    if (output_of(std::string(python) + " -c 'import h5py' 2>/dev/null")) return python;
  }
  return {};
}

/// Lines of tests/io/describe_hdf5.py for a file.
inline std::vector<std::string> describe_hdf5(const std::string& python, const std::filesystem::path& file) {
  const auto text = output_of(python + " " CHORALE_SOURCE_DIR "/tests/io/describe_hdf5.py " + file.string());
  std::vector<std::string> lines;
  std::istringstream in(text.value_or(""));
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

}  // namespace chorale
