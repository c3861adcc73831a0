// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "io/study/table.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "io/study/layout.hpp"

namespace chorale::io::study {

Table::Table(const std::filesystem::path& path, std::string shown_name, const ReadOptions& options)
    : options_(options),
      source_(path, std::move(shown_name), options.block_bytes),
      problems_(source_.name(), options.drop_invalid) {
  std::string line;
  bool found = false;
  while (!found && source_.next_line(line)) {
    ++n_lines_;
    if (line.starts_with('#'))
      comments_.push_back(line.substr(1));
    else
      found = !line.empty();
  }
  const std::string where = fmt::format("{}, line {}", name(), n_lines_);
  if (!found)
    throw InputError({.what = "table has no header",
                      .found = {},
                      .expected = "a line with the names of the columns",
                      .in = where,
                      .remedy = "deliver the file again"});
  if (!is_utf8(line))
    throw InputError({.what = "header is not valid UTF-8",
                      .found = {},
                      .expected = "text in UTF-8",
                      .in = where,
                      .remedy = "save the file as UTF-8, for instance with iconv -f LATIN1 -t UTF-8"});
  columns_ = split(line, '\t');
  std::vector<std::string> sorted = columns_;
  std::sort(sorted.begin(), sorted.end());
  const auto twice = std::adjacent_find(sorted.begin(), sorted.end());
  for (const std::string& column : columns_) {
    if (column.empty())
      throw InputError({.what = "column has no name",
                        .found = {},
                        .expected = "a name in every cell of the header",
                        .in = fmt::format("{}, column {}", where, &column - columns_.data() + 1),
                        .remedy = "name the column, or take out the extra tab"});
    if (column.find('"') != std::string::npos)
      throw InputError({.what = "stray quote in the header",
                        .found = column,
                        .expected = "no quotes",
                        .in = where,
                        .remedy = "write the table without quoting"});
  }
  if (twice != sorted.end())
    throw InputError({.what = "two columns have the same name",
                      .found = *twice,
                      .expected = "every name once",
                      .in = where,
                      .remedy = "rename or remove one of them"});
}

Index Table::find(std::string_view column) const {
  const auto at = std::find(columns_.begin(), columns_.end(), column);
  return at == columns_.end() ? -1 : at - columns_.begin();
}

std::vector<Index> Table::require(std::span<const std::string_view> names) const {
  std::vector<Index> positions;
  std::vector<std::string_view> missing;
  for (const std::string_view wanted : names) {
    positions.push_back(find(wanted));
    if (positions.back() < 0) missing.push_back(wanted);
  }
  if (!missing.empty()) {
    const std::size_t n_shown = std::min<std::size_t>(columns_.size(), 8);
    throw InputError(
        {.what = missing.size() == 1 ? "column is missing" : "columns are missing",
         .found = fmt::format(
             "{}{}",
             fmt::join(columns_.begin(), columns_.begin() + static_cast<std::ptrdiff_t>(n_shown), ", "),
             n_shown < columns_.size() ? ", …" : ""),
         .expected = fmt::format("{}", fmt::join(missing, ", ")),
         .in = fmt::format("{}, line {}", name(), n_lines_),
         .remedy = "add the column, or correct its name; names are written exactly so"});
  }
  return positions;
}

Index Table::take_up(const Piece& piece) {
  if (piece.error) std::rethrow_exception(piece.error);
  const Index first_line = n_lines_ + 1;
  problems_.merge(piece.problems, first_line);
  n_lines_ += piece.n_lines;
  n_read_ += piece.n_read;
  has_crlf_ |= piece.has_crlf;
  return first_line;
}

void Table::finish(TableReport& report) const {
  problems_.refuse_if_any();
  report.file = name();
  report.n_read = n_read_;
  for (const Count& count : problems_.dropped()) report.drop(count.reason, count.n);
  report.blanked = problems_.blanked();
  if (has_crlf_) report.note("lines end with CRLF");
  if (source_.had_mark()) report.note("file starts with a byte-order mark");
}

bool refuse_quote(const Rows& rows, std::string_view cell, std::string_view column, Effect effect,
                  Problems& problems) {
  if (!rows.stray_quote(cell)) return false;
  problems.add({.what = "stray quote",
                .column = column,
                .expected = "a value without quotes around it",
                .remedy = "write the table without quoting; tabs alone separate its cells",
                .value = cell,
                .line = rows.line(),
                .effect = effect});
  return true;
}

}  // namespace chorale::io::study
