// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "kernels/types.hpp"

namespace chorale::io::study {

/// A text file, plain or gzip (told by its first bytes, not by its name), given out as a header line by line and
/// then as blocks that end at a line end. Never more than one block and one line of it are held here.
///
/// A byte-order mark of UTF-8 is taken off; CRLF is left to the reader of rows.
/// Throws   InputError for a missing or empty file, a Git LFS pointer, UTF-16, lines ended by a lone carriage
///          return, a damaged gzip stream, a line longer than 256 MiB; StoreError when the disk refuses
class TextSource {
 public:
  TextSource(const std::filesystem::path& path, std::string shown_name, Index block_bytes);
  ~TextSource();
  TextSource(TextSource&&) noexcept;

  const std::string& name() const { return name_; }
  bool had_mark() const { return had_mark_; }

  /// The first bytes that are still to come, up to one block.
  std::string_view peek() const { return {pending_.data() + at_, pending_.size() - at_}; }
  /// The next line without its end; false at the end of the file.
  bool next_line(std::string& line);
  /// Replaces `block` by the next whole lines, the last one ended by a line end too; false at the end of the file.
  bool next_block(std::vector<char>& block);

 private:
  struct File;

  bool fill();  // reads more behind pending_; false at the end of the file
  void refuse_what_is_no_text() const;

  std::string name_;
  std::unique_ptr<File> file_;
  Index block_bytes_;
  std::vector<char> pending_;
  std::size_t at_ = 0;  // pending_ before this was given out
  bool had_mark_ = false;
};

}  // namespace chorale::io::study
