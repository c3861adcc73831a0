// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "io/pieces.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "io/file.hpp"
#include "io/h5.hpp"
#include "io/table_group.hpp"
#include "kernels/error.hpp"

namespace chorale::io {
namespace {

namespace fs = std::filesystem;

fs::path path_of(const fs::path& output, const std::string& table, Index number) {
  return output / piece_name(table, number);
}

}  // namespace

std::string piece_name(const std::string& table, Index number) {
  return fmt::format("pieces/{}-{:05}.h5", table, number);
}

void write_piece(const fs::path& output, Index number, const ResultTable& piece) {
  h5::MemoryFile file;
  write_table(file.id(), piece);
  make_folder(output / "pieces");
  write_file(path_of(output, piece.name, number), file.bytes());
}

void remove_pieces(const fs::path& output) {
  std::error_code error;
  fs::remove_all(output / "pieces", error);
  if (error) {
    throw StoreError({.what = "pieces of an earlier run cannot be removed",
                      .found = error.message(),
                      .in = (output / "pieces").string(),
                      .remedy = "check the permissions, or choose another output folder"});
  }
}

void remove_unfinished_pieces(const fs::path& output) {
  std::vector<fs::path> unfinished;
  std::error_code error;
  for (fs::directory_iterator at(output / "pieces", error), end; !error && at != end; at.increment(error))
    if (at->path().filename().string().find(".part-") != std::string::npos) unfinished.push_back(at->path());
  for (const fs::path& path : unfinished) remove_file(path);
}

Pieces::Pieces(fs::path output) : output_(std::move(output)) {
  std::error_code error;
  for (fs::directory_iterator at(output_ / "pieces", error), end; !error && at != end; at.increment(error)) {
    const std::string stem = at->path().stem().string();
    const auto dash = stem.rfind('-');
    if (at->path().extension() == ".h5" && dash != std::string::npos) ++tables_[stem.substr(0, dash)];
  }
  for (const auto& [table, n] : tables_) require(table, n);
}

void Pieces::require(const std::string& table, Index n) const {
  for (Index number = 0; number < n; ++number) {
    const fs::path path = path_of(output_, table, number);
    if (fs::exists(path)) continue;
    throw StoreError({.what = "a piece of a table is missing",
                      .in = path.string(),
                      .remedy = "run again with --fresh: the checkpoint counts on the piece"});
  }
}

ResultTable Pieces::read(const std::string& table, Index number) const {
  const fs::path path = path_of(output_, table, number);
  const auto bytes = read_file(path);
  const h5::Image image(bytes, path.string());
  return read_table(image, table);
}

std::vector<double> Pieces::reals(const std::string& table, Index number, const std::string& column) const {
  const fs::path path = path_of(output_, table, number);
  const auto bytes = read_file(path);
  return h5::read<double>(h5::Image(bytes, path.string()), column);
}

void Pieces::put(const std::string& table, Index number, ResultColumn column) const {
  ResultTable piece = read(table, number);
  const auto at = std::find_if(piece.columns.begin(), piece.columns.end(),
                               [&](const auto& other) { return other.name == column.name; });
  if (at != piece.columns.end())
    *at = std::move(column);
  else
    piece.columns.push_back(std::move(column));
  require_sound(piece);
  write_piece(output_, number, piece);
}

}  // namespace chorale::io
