// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "io/table_group.hpp"

#include <algorithm>
#include <cctype>
#include <set>

#include <fmt/format.h>

#include "io/file.hpp"
#include "kernels/error.hpp"

namespace chorale::io {
namespace {

void require(bool holds, std::string what, std::string in) {
  if (!holds)
    throw ShapeError({.what = std::move(what), .in = std::move(in), .remedy = "report this as a bug"});
}

/// Names become file names, HDF5 links and header cells.
void require_name(const std::string& name, const std::string& in) {
  const bool holds = !name.empty() && std::all_of(name.begin(), name.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '_' || c == '-' || c == '.';
  });
  require(holds && name.front() != '.' && name != "about", "name cannot stand in a result: \"" + name + "\"",
          in);
}

void write_column(hid_t group, const ResultColumn& column) {
  const auto write = [&]<class T>(const std::vector<T>& values) {
    if constexpr (std::is_same_v<T, std::string>)
      h5::write_strings(group, column.name, values);
    else
      h5::write(group, column.name, std::span<const T>(values));
  };
  std::visit(write, column.values);
  h5::describe(group, column.name, "unit", column.unit);
  h5::describe(group, column.name, "description", column.description);
}

ResultColumn read_column(hid_t group, const std::string& name) {
  ResultColumn column{.name = name,
                      .unit = h5::description(group, name, "unit"),
                      .description = h5::description(group, name, "description"),
                      .values = {}};
  switch (h5::kind_of(group, name)) {
    case h5::Kind::whole:
      column.values = h5::read<std::int64_t>(group, name);
      break;
    case h5::Kind::whole32:
      column.values = h5::read<std::int32_t>(group, name);
      break;
    case h5::Kind::real:
      column.values = h5::read<double>(group, name);
      break;
    case h5::Kind::text:
      column.values = h5::read_strings(group, name);
      break;
  }
  return column;
}

}  // namespace

void require_sound(const ResultTable& table) {
  require_name(table.name, "table");
  std::set<std::string> columns;
  for (const ResultColumn& column : table.columns) {
    require_name(column.name, "table " + table.name);
    const std::string in = "table " + table.name + ", column " + column.name;
    require(columns.insert(column.name).second, "two columns have one name", in);
    const auto n =
        std::visit([](const auto& values) { return static_cast<Index>(values.size()); }, column.values);
    require(n == table.n_rows(), fmt::format("column has {} rows, the first has {}", n, table.n_rows()), in);
  }
}

void write_table(hid_t group, const ResultTable& table) {
  h5::set_attribute(group, "caption", table.caption);
  std::vector<std::string> names;
  for (const ResultColumn& column : table.columns) names.push_back(column.name);
  h5::set_attribute(group, "columns", names);
  for (const ResultColumn& column : table.columns) write_column(group, column);
}

ResultTable read_table(hid_t group, const std::string& name) {
  ResultTable table{.name = name, .caption = h5::text_attribute(group, "caption"), .columns = {}};
  for (const std::string& column : h5::texts_attribute(group, "columns"))
    table.columns.push_back(read_column(group, column));
  return table;
}

void write_joined(hid_t group, const std::filesystem::path& output, const std::string& table,
                  Index n_pieces) {
  std::vector<h5::VirtualSource> sources;
  for (Index number = 0; number < n_pieces; ++number) {
    const std::string name = piece_name(table, number);
    const auto bytes = read_file(output / name);
    const h5::Image image(bytes, (output / name).string());
    const auto columns = h5::texts_attribute(image, "columns");
    sources.push_back({.file = name, .n = h5::length(image, columns.front())});
    if (number + 1 < n_pieces) continue;
    h5::set_attribute(group, "caption", h5::text_attribute(image, "caption"));
    h5::set_attribute(group, "columns", columns);
    for (const std::string& column : columns) {
      h5::write_virtual(group, column, image, sources);
      for (const char* attribute : {"unit", "description"})
        h5::describe(group, column, attribute, h5::description(image, column, attribute));
    }
  }
}

}  // namespace chorale::io
