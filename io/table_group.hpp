// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include "io/h5.hpp"
#include "io/results.hpp"

/// Tables as HDF5 groups: a dataset per column, attributes caption, columns, unit, description.
/// Include from io/*.cpp only.
namespace chorale::io {

/// Throws   ShapeError when names cannot stand in a result or are used twice, or columns differ in length
void require_sound(const ResultTable& table);

void write_table(hid_t group, const ResultTable& table);
ResultTable read_table(hid_t group, const std::string& name);

/// Path of a piece inside the output folder.
std::string piece_name(const std::string& table, Index number);

/// Writes a table whose columns are those of its pieces, one after another, as virtual datasets.
void write_joined(hid_t group, const std::filesystem::path& output, const std::string& table, Index n_pieces);

}  // namespace chorale::io
