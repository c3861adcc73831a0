// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "io/results.hpp"

namespace chorale::io {

/// A table of a result that is too large to travel lies in pieces, OUTPUT/pieces/TABLE-00000.h5 and so on, each written
/// by the rank that made it; results.h5 joins them by virtual datasets, so that readers see one table. A piece holds a
/// dataset per column, with fletcher32.
/// Throws   StoreError when the disk refuses
void write_piece(const std::filesystem::path& output, Index number, const ResultTable& piece);

/// Removes all pieces of an earlier run; none there is no error.
void remove_pieces(const std::filesystem::path& output);

/// Removes what a killed process was writing.
void remove_unfinished_pieces(const std::filesystem::path& output);

/// The pieces of a finished run.
class Pieces {
 public:
  explicit Pieces(std::filesystem::path output);

  /// Tables in pieces with the number of pieces, which are numbered from 0.
  const std::map<std::string, Index>& tables() const { return tables_; }
  /// Throws   StoreError when one of the table's n pieces is not there
  void require(const std::string& table, Index n) const;
  std::vector<double> reals(const std::string& table, Index number, const std::string& column) const;
  /// Adds a column, or replaces the one of that name.
  /// Throws   ShapeError when the piece has another number of rows
  void put(const std::string& table, Index number, ResultColumn column) const;
  ResultTable read(const std::string& table, Index number) const;

 private:
  std::filesystem::path output_;
  std::map<std::string, Index> tables_;
};

}  // namespace chorale::io
