// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <string>
#include <vector>

namespace chorale::jobs {

/// A word as a shell reads it back.
std::string quoted(const std::string& word);
/// Words of a command line, or of a bash array.
std::string quoted(const std::vector<std::string>& words);

struct Said {
  int code = 0;      ///< 127: there is no such program
  std::string text;  ///< both outputs, without the last line break
};
/// Runs a program to its end.
Said ask(const std::vector<std::string>& command);

}  // namespace chorale::jobs
