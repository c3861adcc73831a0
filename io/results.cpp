// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "io/results.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <set>

#include <fmt/compile.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "io/file.hpp"
#include "io/pieces.hpp"
#include "io/table_group.hpp"
#include "kernels/error.hpp"
#include "kernels/parallel.hpp"

namespace chorale::io {
namespace {

using Whole = std::vector<std::int64_t>;
using Real = std::vector<double>;
using Text = std::vector<std::string>;

constexpr const char* format_name = "chorale-results";
constexpr const char* about_group = "about";  // title page of results.h5; no table may take its name

void require_sound(const Results& results) {
  std::set<std::string> tables;
  for (const ResultTable& table : results.tables) {
    require_sound(table);
    if (!tables.insert(table.name).second)
      throw ShapeError(
          {.what = "two tables have one name", .in = table.name, .remedy = "report this as a bug"});
  }
}

template <class Number>
void append_number(std::string& out, Number value) {
  std::array<char, 32> digits;  // the longest double has 24
  out.append(digits.data(), fmt::format_to(digits.data(), FMT_COMPILE("{}"), value));
}
void append_cell(std::string& out, std::int32_t value) {
  append_number(out, value);
}
void append_cell(std::string& out, std::int64_t value) {
  if (value != missing_count) append_number(out, value);
}
void append_cell(std::string& out, double value) {
  if (!std::isnan(value)) append_number(out, value);
}
void append_cell(std::string& out, const std::string& value) {
  const std::size_t begin = out.size();
  out += value;
  for (std::size_t i = begin; i < out.size(); ++i)
    if (out[i] == '\t' || out[i] == '\n' || out[i] == '\r') out[i] = ' ';
}

std::string to_tsv(const ResultTable& table) {
  std::string out;
  const auto separator = [&](std::size_t c) { out += c + 1 < table.columns.size() ? '\t' : '\n'; };
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
  return out;
}

std::vector<std::byte> to_hdf5(const std::filesystem::path& folder, const Results& results) {
  h5::MemoryFile file;
  h5::set_attribute(file.id(), "format", std::string(format_name));
  h5::set_attribute(file.id(), "title", results.title);
  Text tables, only_here, keys, values;
  for (const ResultTable& table : results.tables) {
    tables.push_back(table.name);
    if (!table.in_text) only_here.push_back(table.name);
  }
  for (const auto& [key, value] : results.settings) {
    keys.push_back(key);
    values.push_back(value);
  }
  const h5::Handle about = h5::make_group(file.id(), about_group);
  h5::write_strings(about, "summary", results.summary);
  h5::write_strings(about, "setting", keys);
  h5::write_strings(about, "value", values);
  h5::write_strings(about, "table", tables);
  h5::write_strings(about, "only_here", only_here);
  const auto joined = Pieces(folder).tables();
  Text in_pieces;
  for (const auto& [name, n_pieces] : joined) in_pieces.push_back(name);
  h5::write_strings(about, "joined", in_pieces);

  for (const ResultTable& table : results.tables) {
    const h5::Handle group = h5::make_group(file.id(), table.name.c_str());
    write_table(group, table);
  }
  for (const auto& [name, n_pieces] : joined)
    write_joined(h5::make_group(file.id(), name.c_str()), folder, name, n_pieces);
  return file.bytes();
}

std::string to_json(const Results& results) {
  nlohmann::ordered_json out;
  out["title"] = results.title;
  out["summary"] = results.summary;
  auto& settings = out["settings"] = nlohmann::ordered_json::object();
  for (const auto& [key, value] : results.settings) settings[key] = value;
  auto& numbers = out["numbers"] = nlohmann::ordered_json::object();
  for (const auto& [key, value] : results.numbers) numbers[key] = value;
  return out.dump(1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
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

void ResultTable::add(std::string column, std::string unit, std::string description,
                      std::vector<std::int32_t> values) {
  add_column(*this, std::move(column), std::move(unit), std::move(description), std::move(values));
}

void write_results(const std::filesystem::path& folder, const Results& results) {
  require_sound(results);
  make_folder(folder);
  remove_file(folder / "DONE");
  // side by side, with HDF5, which takes one at a time, at the front
  kernels::in_parallel(1 + results.tables.size(), [&](std::size_t i) {
    if (i == 0) {
      write_file(folder / "results.h5", to_hdf5(folder, results));
    } else if (const ResultTable& table = results.tables[i - 1]; table.in_text) {
      write_file(folder / (table.name + ".tsv"), to_tsv(table));
    }
  });
  for (const auto& [name, text] : results.files) write_file(folder / name, text);
  write_file(folder / "summary.json", to_json(results));
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
  Results results{
      .title = h5::text_attribute(file, "title"), .summary = {}, .tables = {}, .settings = {}, .numbers = {}};
  const h5::Handle about = h5::open_group(file, about_group);
  results.summary = h5::read_strings(about, "summary");
  const auto keys = h5::read_strings(about, "setting"), values = h5::read_strings(about, "value");
  for (std::size_t i = 0; i < std::min(keys.size(), values.size()); ++i)
    results.settings.emplace_back(keys[i], values[i]);
  const Text only_here = h5::read_strings(about, "only_here");
  for (const std::string& name : h5::read_strings(about, "table")) {
    const h5::Handle group = h5::open_group(file, name);
    results.tables.push_back(read_table(group, name));
    results.tables.back().in_text = std::find(only_here.begin(), only_here.end(), name) == only_here.end();
  }
  return results;
}

std::vector<JoinedTable> read_joined(const std::filesystem::path& folder) {
  const h5::Handle file = h5::open_file((folder / "results.h5").string());  // not read whole for a few names
  std::vector<JoinedTable> tables;
  for (const std::string& name : h5::read_strings(h5::open_group(file, about_group), "joined")) {
    const h5::Handle group = h5::open_group(file, name);
    JoinedTable table{.name = name,
                      .caption = h5::text_attribute(group, "caption"),
                      .columns = h5::texts_attribute(group, "columns")};
    table.n_rows = h5::length(group, table.columns.front());
    tables.push_back(std::move(table));
  }
  return tables;
}

}  // namespace chorale::io
