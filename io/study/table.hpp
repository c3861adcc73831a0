// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <exception>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <omp.h>

#include "io/study/problems.hpp"
#include "io/study/report.hpp"
#include "io/study/rows.hpp"
#include "io/study/text_source.hpp"

namespace chorale::io::study {

/// How tables are read; never changes what is read.
struct ReadOptions {
  int n_threads = 1;
  Index block_bytes = Index{4} << 20;
  bool drop_invalid = false;
};

/// A tab-separated table: leading lines with '#', a header, rows. Blocks are parsed side by side, and taken up in
/// the order of the file, so the outcome does not depend on the number of threads.
class Table {
 public:
  /// Reads up to the header.
  /// Throws   InputError as TextSource does, or when there is no header, a column has no name or two have the same
  Table(const std::filesystem::path& path, std::string shown_name, const ReadOptions& options);

  const std::string& name() const { return source_.name(); }
  const std::vector<std::string>& comments() const { return comments_; }  ///< leading lines, '#' taken off
  const std::vector<std::string>& columns() const { return columns_; }
  Index n_columns() const { return static_cast<Index>(columns_.size()); }
  Index find(std::string_view column) const;  ///< -1 when absent
  /// Positions of columns that must be there.
  /// Throws   InputError that names every missing one
  std::vector<Index> require(std::span<const std::string_view> names) const;

  const Problems& problems() const { return problems_; }
  Problems& problems() { return problems_; }
  Index n_read() const { return n_read_; }
  bool drop_invalid() const { return options_.drop_invalid; }

  /// Calls parse(Rows&, Problems&, Block&) on blocks in parallel, then merge(Block&, Index first_line) in order.
  /// A Block is default-constructed once, and cleared by its owner's clear() before it is used again.
  template <class Block, class Parse, class Merge>
  void read_rows(const Parse& parse, const Merge& merge);

  /// Counts rows, and what was dropped or blanked because it was wrong.
  /// Throws   InputError that lists what is wrong, unless the recipe drops it
  void finish(TableReport& report) const;

 private:
  struct Piece {
    std::vector<char> text;
    Problems problems;
    Index n_lines = 0;
    Index n_read = 0;
    bool has_crlf = false;
    std::exception_ptr error;
  };

  Index take_up(const Piece& piece);  // gives the line of the file at which the piece starts

  ReadOptions options_;
  TextSource source_;
  Problems problems_;
  std::vector<std::string> comments_;
  std::vector<std::string> columns_;
  Index n_lines_ = 0;
  Index n_read_ = 0;
  bool has_crlf_ = false;
};

template <class Block, class Parse, class Merge>
void Table::read_rows(const Parse& parse, const Merge& merge) {
  const std::size_t n_pieces = 2 * static_cast<std::size_t>(options_.n_threads);
  std::vector<Piece> pieces(n_pieces);
  std::vector<Block> blocks(n_pieces);
  for (bool more = true; more;) {
    std::size_t n = 0;
    while (n < n_pieces && (more = source_.next_block(pieces[n].text))) ++n;
#pragma omp parallel for schedule(dynamic, 1) num_threads(options_.n_threads)
    for (std::size_t i = 0; i < n; ++i) {
      Piece& piece = pieces[i];
      try {
        piece.problems.clear();
        blocks[i].clear();
        Rows rows({piece.text.data(), piece.text.size()}, n_columns(), piece.problems);
        parse(rows, piece.problems, blocks[i]);
        piece.n_lines = rows.line();
        piece.n_read = rows.n_read();
        piece.has_crlf = rows.has_crlf();
      } catch (...) {
        piece.error = std::current_exception();
      }
    }
    for (std::size_t i = 0; i < n; ++i) merge(blocks[i], take_up(pieces[i]));
  }
}

/// Adds the problem of a cell with a stray quote; true when there is one.
bool refuse_quote(const Rows& rows, std::string_view cell, std::string_view column, Effect effect,
                  Problems& problems);

}  // namespace chorale::io::study
