// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "io/results.hpp"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <set>

#include <fmt/format.h>

#include "io/file.hpp"
#include "io/h5.hpp"
#include "kernels/error.hpp"

namespace chorale::io {
namespace {

using Whole = std::vector<std::int64_t>;
using Real = std::vector<double>;
using Text = std::vector<std::string>;

constexpr const char* format_name = "chorale-results";
constexpr const char* about_group = "about";  // title page of results.h5; no table may take its name

void require(bool holds, std::string what, std::string in) {
  if (!holds)
    throw ShapeError({.what = std::move(what), .in = std::move(in), .remedy = "report this as a bug"});
}

/// Names become file names, HDF5 links and header cells.
void require_name(const std::string& name, const std::string& in) {
  const bool holds = !name.empty() && std::all_of(name.begin(), name.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '_' || c == '-' || c == '.';
  });
  require(holds && name.front() != '.' && name != about_group,
          "name cannot stand in a result: \"" + name + "\"", in);
}

void require_sound(const Results& results) {
  std::set<std::string> tables;
  for (const ResultTable& table : results.tables) {
    require_name(table.name, "table");
    require(tables.insert(table.name).second, "two tables have one name", table.name);
    std::set<std::string> columns;
    for (const ResultColumn& column : table.columns) {
      require_name(column.name, "table " + table.name);
      const std::string in = "table " + table.name + ", column " + column.name;
      require(columns.insert(column.name).second, "two columns have one name", in);
      const auto n =
          std::visit([](const auto& values) { return static_cast<Index>(values.size()); }, column.values);
      require(n == table.n_rows(), fmt::format("column has {} rows, the first has {}", n, table.n_rows()),
              in);
    }
  }
}

void append_cell(fmt::memory_buffer& out, std::int64_t value) {
  if (value != missing_count) fmt::format_to(std::back_inserter(out), "{}", value);
}
void append_cell(fmt::memory_buffer& out, double value) {
  if (!std::isnan(value)) fmt::format_to(std::back_inserter(out), "{}", value);
}
void append_cell(fmt::memory_buffer& out, const std::string& value) {
  for (const char c : value) out.push_back(c == '\t' || c == '\n' || c == '\r' ? ' ' : c);
}

std::string to_tsv(const ResultTable& table) {
  fmt::memory_buffer out;
  const auto separator = [&](std::size_t c) { out.push_back(c + 1 < table.columns.size() ? '\t' : '\n'); };
  for (std::size_t c = 0; c < table.columns.size(); ++c) {
    append_cell(out, table.columns[c].name);
    separator(c);
  }
  for (std::size_t row = 0; row < static_cast<std::size_t>(table.n_rows()); ++row) {
    for (std::size_t c = 0; c < table.columns.size(); ++c) {
      std::visit([&](const auto& values) { append_cell(out, values[row]); }, table.columns[c].values);
      separator(c);
    }
  }
  return fmt::to_string(out);
}

void write_column(hid_t group, const ResultColumn& column) {
  if (const auto* text = std::get_if<Text>(&column.values)) {
    h5::write_strings(group, column.name, *text);
  } else if (const auto* whole = std::get_if<Whole>(&column.values)) {
    h5::write(group, column.name, std::span<const std::int64_t>(*whole));
  } else {
    h5::write(group, column.name, std::span<const double>(std::get<Real>(column.values)));
  }
  h5::describe(group, column.name, "unit", column.unit);
  h5::describe(group, column.name, "description", column.description);
}

std::vector<std::byte> to_hdf5(const Results& results) {
  h5::MemoryFile file;
  h5::set_attribute(file.id(), "format", std::string(format_name));
  h5::set_attribute(file.id(), "title", results.title);
  Text tables, keys, values;
  for (const ResultTable& table : results.tables) tables.push_back(table.name);
  for (const auto& [key, value] : results.settings) {
    keys.push_back(key);
    values.push_back(value);
  }
  const h5::Handle about = h5::make_group(file.id(), about_group);
  h5::write_strings(about, "summary", results.summary);
  h5::write_strings(about, "setting", keys);
  h5::write_strings(about, "value", values);
  h5::write_strings(about, "table", tables);

  for (const ResultTable& table : results.tables) {
    const h5::Handle group = h5::make_group(file.id(), table.name.c_str());
    h5::set_attribute(group, "caption", table.caption);
    Text names;
    for (const ResultColumn& column : table.columns) names.push_back(column.name);
    h5::set_attribute(group, "columns", names);
    for (const ResultColumn& column : table.columns) write_column(group, column);
  }
  return file.bytes();
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
    case h5::Kind::real:
      column.values = h5::read<double>(group, name);
      break;
    case h5::Kind::text:
      column.values = h5::read_strings(group, name);
      break;
  }
  return column;
}

template <class Values>
void add_column(ResultTable& table, std::string name, std::string unit, std::string description,
                Values values) {
  table.columns.push_back({.name = std::move(name),
                           .unit = std::move(unit),
                           .description = std::move(description),
                           .values = std::move(values)});
}

}  // namespace

Index ResultTable::n_rows() const {
  if (columns.empty()) return 0;
  return std::visit([](const auto& values) { return static_cast<Index>(values.size()); },
                    columns.front().values);
}

const ResultColumn* ResultTable::find(const std::string& column) const {
  const auto at =
      std::find_if(columns.begin(), columns.end(), [&](const auto& c) { return c.name == column; });
  return at == columns.end() ? nullptr : &*at;
}

void ResultTable::add(std::string column, std::string unit, std::string description, Whole values) {
  add_column(*this, std::move(column), std::move(unit), std::move(description), std::move(values));
}
void ResultTable::add(std::string column, std::string unit, std::string description, Real values) {
  add_column(*this, std::move(column), std::move(unit), std::move(description), std::move(values));
}
void ResultTable::add(std::string column, std::string unit, std::string description, Text values) {
  add_column(*this, std::move(column), std::move(unit), std::move(description), std::move(values));
}

void write_results(const std::filesystem::path& folder, const Results& results) {
  require_sound(results);
  make_folder(folder);
  remove_file(folder / "DONE");
  for (const ResultTable& table : results.tables) write_file(folder / (table.name + ".tsv"), to_tsv(table));
  write_file(folder / "results.h5", to_hdf5(results));
}

Results read_results(const std::filesystem::path& folder) {
  const auto path = folder / "results.h5";
  const auto bytes = read_file(path);
  const h5::Image file(bytes, path.string());
  if (const auto format = h5::text_attribute(file, "format"); format != format_name) {
    throw InputError({.what = "not a result of Chorale",
                      .found = "format \"" + format + "\"",
                      .expected = std::string("format \"") + format_name + "\"",
                      .in = path.string(),
                      .remedy = "name the output folder of 'chorale run'"});
  }
  Results results{.title = h5::text_attribute(file, "title"), .summary = {}, .tables = {}, .settings = {}};
  const h5::Handle about = h5::open_group(file, about_group);
  results.summary = h5::read_strings(about, "summary");
  const auto keys = h5::read_strings(about, "setting"), values = h5::read_strings(about, "value");
  for (std::size_t i = 0; i < std::min(keys.size(), values.size()); ++i)
    results.settings.emplace_back(keys[i], values[i]);
  for (const std::string& name : h5::read_strings(about, "table")) {
    const h5::Handle group = h5::open_group(file, name);
    ResultTable table{.name = name, .caption = h5::text_attribute(group, "caption"), .columns = {}};
    for (const std::string& column : h5::texts_attribute(group, "columns"))
      table.columns.push_back(read_column(group, column));
    results.tables.push_back(std::move(table));
  }
  return results;
}

}  // namespace chorale::io
