// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <cstddef>
#include <stdexcept>
#include <string>

#include "kernels/types.hpp"

namespace chorale {

/// What a person needs to know to act on an error: one line each, empty lines are left out.
struct ErrorText {
  std::string what = {};      ///< what is wrong
  std::string found = {};     ///< the offending value
  std::string expected = {};  ///< what would have been right
  std::string in = {};        ///< file, line, column; or shard, field; or key
  std::string remedy = {};    ///< what to do next
};

/// Base of all errors. The kind says what the reader does next; the exit code follows from it.
class Error : public std::runtime_error {
 public:
  Error(ErrorText text, int exit_code);
  const ErrorText& text() const { return text_; }
  int exit_code() const { return exit_code_; }

 private:
  ErrorText text_;
  int exit_code_;
};

/// A kernel was called with arguments that do not fit together: report a bug.
class ShapeError : public Error {
 public:
  explicit ShapeError(ErrorText text) : Error(std::move(text), 1) {}
};

/// The config or the command line is wrong: edit it.
class ConfigError : public Error {
 public:
  explicit ConfigError(ErrorText text) : Error(std::move(text), 2) {}
};

/// The input data are wrong: mend the study.
class InputError : public Error {
 public:
  explicit InputError(ErrorText text) : Error(std::move(text), 3) {}
};

/// Reading or writing failed, or a checksum differs: look at the disk.
class StoreError : public Error {
 public:
  explicit StoreError(ErrorText text) : Error(std::move(text), 4) {}
};

/// Ranks cannot talk to each other: ask the operator.
class CommError : public Error {
 public:
  explicit CommError(ErrorText text) : Error(std::move(text), 5) {}
};

/// The user may not do this.
class PermissionError : public Error {
 public:
  explicit PermissionError(ErrorText text) : Error(std::move(text), 6) {}
};

/// Throws ShapeError, saying `what`, unless the two are equal.
void require_size(const char* what, std::size_t found, Index expected);

}  // namespace chorale
