// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "io/results.hpp"

namespace chorale::engine {

/// Where a run keeps what is not a result: OUT/.chorale.
std::filesystem::path run_folder(const std::filesystem::path& output);

/// What lies in a folder, sorted. Throws StoreError with the system's reason.
std::vector<std::filesystem::path> list_folder(const std::filesystem::path& folder);

/// As run records and locks have them: ISO 8601; the name of who runs this.
std::string utc_now();
std::string user_name();

/// Keeps two runs out of one output folder. Lives as long as the run; the system frees it when the process dies.
class OutputLock {
 public:
  /// Throws   StoreError naming the owner (user, host, process, batch job, since when) when another run holds the folder, or when the
  ///          folder cannot be made or written
  explicit OutputLock(const std::filesystem::path& output);
  ~OutputLock();
  OutputLock(const OutputLock&) = delete;
  OutputLock& operator=(const OutputLock&) = delete;

 private:
  int fd_ = -1;
};

/// Refuses a folder that holds a cohort, and, unless `fresh`, results that no run there accounts for.
/// Throws   ConfigError
void require_output(const std::filesystem::path& output, bool fresh);

/// Notes the names of the result files before they are written, so that they can be removed whenever the process dies.
void note_results(const std::filesystem::path& output, const io::Results& results);

/// Removes DONE first, then every result file that was noted; what others put into the folder stays.
void remove_results(const std::filesystem::path& output);

}  // namespace chorale::engine
