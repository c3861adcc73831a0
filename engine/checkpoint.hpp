// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <chrono>
#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "kernels/types.hpp"

namespace chorale::engine {

/// What must be equal for parts of an earlier run to be of use: named values, compared one by one.
using Fingerprint = std::vector<std::pair<std::string, std::string>>;

/// The folder OUT/.chorale: what the run there is, and the parts finished so far.
///
/// A part is appended to the file of the rank that made it as soon as it is done, and reaches the disk at least every
/// `sync_seconds`. Each record carries its length and XXH3-128, each file the digest of the fingerprint. A record that
/// was cut short, or does not match, ends its file, and what it held is made again; a file of another run or program
/// version is set aside.
class Checkpoint {
 public:
  /// On rank 0, under the lock: compares the fingerprint with the one found there, or leaves it there.
  /// Throws   ConfigError naming the first field that differs, both values and the remedy; StoreError when the
  ///          fingerprint there is damaged
  static void agree(const std::filesystem::path& output, const Fingerprint& fingerprint);

  struct Loaded {
    std::map<Index, std::string> parts;  ///< finished parts by unit number
    Index n_repeated = 0;                ///< records of units that another record holds too
    std::vector<std::string> notices;    ///< what was cut short, damaged or set aside, a sentence each
  };
  /// On rank 0, after agree. Renames what is of another run or version to *.parts.set-aside.
  static Loaded load(const std::filesystem::path& output, const Fingerprint& fingerprint);

  /// Where this rank's parts of this run go: a new file, so that no run writes into another's.
  Checkpoint(const std::filesystem::path& output, const Fingerprint& fingerprint, int rank,
             double sync_seconds);
  ~Checkpoint();
  Checkpoint(const Checkpoint&) = delete;
  Checkpoint& operator=(const Checkpoint&) = delete;

  /// Throws StoreError when the disk refuses.
  void append(Index unit, const std::string& part);
  /// Throws StoreError when the disk refuses, or the file has vanished from its folder.
  void sync();

  /// Removes the parts of a finished run; the fingerprint stays. On rank 0.
  static void clear(const std::filesystem::path& output);
  /// Removes the fingerprint, then the parts and what was set aside: all is forgotten. On rank 0, under the lock.
  static void forget(const std::filesystem::path& output);

 private:
  void write(const std::string& bytes);

  std::filesystem::path path_;
  int fd_ = -1;
  double sync_seconds_;
  std::chrono::steady_clock::time_point synced_;
};

}  // namespace chorale::engine
