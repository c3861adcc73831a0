// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <string_view>
#include <vector>

#include "io/study/problems.hpp"
#include "kernels/types.hpp"

namespace chorale::io::study {

/// Walks over the rows of a block of tab-separated text and hands out their cells as views.
///
/// Rows with another number of cells than the header, NUL bytes or invalid UTF-8 become problems and are skipped;
/// blank lines are skipped. CRLF line ends are taken off. Lines are counted from 1 at the start of the block.
/// Cost     8 bytes at a time; the checks for UTF-8, NUL and quotes cost one pass that finds none of them
class Rows {
 public:
  /// `block` ends with a line end.
  Rows(std::string_view block, Index n_columns, Problems& problems);

  /// Moves to the next whole row; false behind the last.
  bool next();

  std::string_view cell(Index column) const { return cells_[static_cast<std::size_t>(column)]; }
  /// Does the cell hold a quote where a table without quoting can have none?
  bool stray_quote(std::string_view cell) const;
  bool may_have_quotes() const { return quotes_; }  ///< is there any quote in the block?
  Index line() const { return line_; }
  Index n_read() const { return n_read_; }  ///< rows met, skipped ones included, blank lines not
  bool has_crlf() const { return has_crlf_; }

 private:
  bool split();
  bool is_text(std::string_view row);

  const char* at_;
  const char* end_;
  Problems* problems_;
  std::vector<std::string_view> cells_;
  Index n_cells_ = 0;
  Index line_ = 0;
  Index n_read_ = 0;
  bool has_crlf_ = false;
  bool odd_bytes_ = false;  // somewhere in the block: bytes beyond ASCII, or NUL
  bool quotes_ = false;     // somewhere in the block
};

/// Is this well-formed UTF-8 (RFC 3629) without NUL?
bool is_utf8(std::string_view text);

}  // namespace chorale::io::study
