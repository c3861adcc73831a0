// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <filesystem>
#include <string_view>

namespace chorale::io {

/// A file that grows piece by piece and appears under its name only when it is complete: written to a temporary name,
/// synced and renamed by close(). Destroyed without close(), it leaves nothing behind.
/// Throws   StoreError with the system's reason
class TextFile {
 public:
  explicit TextFile(std::filesystem::path path);
  ~TextFile();
  TextFile(const TextFile&) = delete;
  TextFile& operator=(const TextFile&) = delete;

  /// Written as it stands, without a buffer: hand over large pieces.
  void append(std::string_view text);
  void close();

 private:
  [[noreturn]] void fail(int error);

  std::filesystem::path path_, temporary_;
  int descriptor_ = -1;
};

}  // namespace chorale::io
