// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "io/study/clinical.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "io/study/values.hpp"

namespace chorale::io::study {
namespace {

constexpr double missing_number = std::numeric_limits<double>::quiet_NaN();

// What one block of the table yields; the columns in the table's order.
struct Block {
  std::vector<std::string_view> id, patient;  // views into the block's text
  std::vector<Index> line;
  std::vector<ClinicalColumn> columns;

  void clear() {
    id.clear();
    patient.clear();
    line.clear();
    for (ClinicalColumn& c : columns) {
      c.number.clear();
      c.bound.clear();
      c.code.clear();
      c.levels.clear();
      c.n_bounds = 0;
    }
  }
};

class Reader {
 public:
  Reader(const TableFile& file, ClinicalKind kind, const ReadOptions& options)
      : table_(file.path, file.name, options), is_samples_(kind == ClinicalKind::samples) {
    static constexpr std::array<std::string_view, 2> keys{"PATIENT_ID", "SAMPLE_ID"};
    const auto positions = table_.require(std::span(keys).first(is_samples_ ? 2 : 1));
    patient_at_ = positions[0];
    id_at_ = positions.back();
    describe_columns();
  }

  ClinicalTable read() {
    table_.read_rows<Block>(
        [this](Rows& rows, Problems& problems, Block& block) { parse(rows, problems, block); },
        [this](Block& block, Index first_line) { take_up(block, first_line); });
    out_.file = table_.name();
    out_.outcomes = read_outcomes(out_, table_.problems());
    out_.report.content = is_samples_ ? "samples" : "patients";
    table_.finish(out_.report);
    if (out_.n_rows() == 0)
      throw InputError({.what = "clinical table has no rows",
                        .found = {},
                        .expected = is_samples_ ? "one row per sample" : "one row per patient",
                        .in = table_.name(),
                        .remedy = "deliver the table again"});
    out_.report.n_kept = out_.n_rows();
    return std::move(out_);
  }

 private:
  static std::vector<std::string> cells_of(std::string line) {
    if (line.starts_with('#')) line.erase(0, 1);
    return split(line, '\t');
  }

  void describe_columns() {
    const auto& rows = table_.comments();
    if (rows.size() != 4)
      throw InputError({.what = "clinical table lacks its rows of attribute metadata",
                        .found = fmt::format("{} rows that start with #", rows.size()),
                        .expected = "4: display name, description, type, priority",
                        .in = table_.name(),
                        .remedy = "add the four rows above the header"});
    const auto descriptions = cells_of(rows[1]), types = cells_of(rows[2]);
    for (std::size_t row = 0; row < rows.size(); ++row)
      if (const auto n = static_cast<Index>(cells_of(rows[row]).size()); n != table_.n_columns())
        throw InputError({.what = "row of attribute metadata has another number of cells than the header",
                          .found = fmt::format("{} cells", n),
                          .expected = fmt::format("{} cells", table_.n_columns()),
                          .in = fmt::format("{}, line {}", table_.name(), row + 1),
                          .remedy = "give every column its display name, description, type and priority"});
    for (Index c = 0; c < table_.n_columns(); ++c) {
      if (c == patient_at_ || c == id_at_) continue;
      const auto at = static_cast<std::size_t>(c);
      ClinicalColumn column;
      column.name = table_.columns()[at];
      column.description = is_utf8(descriptions[at]) ? descriptions[at] : std::string();
      column.type = type_of(column.name, types[at]);
      if (column.name.find_first_of("/\\") != std::string::npos || column.name.front() == '.')
        throw InputError({.what = "column name cannot be kept in a shard",
                          .found = column.name,
                          .expected = "a name without slashes that starts with a letter",
                          .in = table_.name(),
                          .remedy = "rename the column"});
      position_.push_back(c);
      out_.columns.push_back(std::move(column));
    }
  }

  ColumnType type_of(const std::string& name, const std::string& type) const {
    switch (role_in_outcome(name, table_.columns())) {
      case OutcomeRole::status:
        return ColumnType::text;
      case OutcomeRole::time:
        return ColumnType::number;
      case OutcomeRole::none:
        break;
    }
    if (same_word(type, "NUMBER")) return ColumnType::number;
    if (same_word(type, "STRING")) return ColumnType::text;
    if (same_word(type, "BOOLEAN")) return ColumnType::boolean;
    throw InputError({.what = "column type is unknown",
                      .found = type,
                      .expected = "NUMBER, STRING or BOOLEAN",
                      .in = fmt::format("{}, line 3, column {}", table_.name(), name),
                      .remedy = "correct the type in the third row"});
  }

  void parse(Rows& rows, Problems& problems, Block& block) const {
    block.columns.resize(out_.columns.size());
    while (rows.next()) {
      const std::string_view patient = trimmed(rows.cell(patient_at_)), id = trimmed(rows.cell(id_at_));
      if (!is_id(rows, patient, "PATIENT_ID", problems)) continue;
      if (is_samples_ && !is_id(rows, id, "SAMPLE_ID", problems)) continue;
      block.id.push_back(id);
      if (is_samples_) block.patient.push_back(patient);
      block.line.push_back(rows.line());
      for (std::size_t c = 0; c < position_.size(); ++c) parse_cell(rows, c, problems, block.columns[c]);
    }
  }

  static bool is_id(const Rows& rows, std::string_view id, std::string_view column, Problems& problems) {
    if (refuse_quote(rows, id, column, Effect::drop_row, problems)) return false;
    if (!is_null(id)) return true;
    problems.add({.what = "row has no id",
                  .column = column,
                  .expected = "an id",
                  .remedy = "give the row its id",
                  .value = id,
                  .line = rows.line(),
                  .effect = Effect::drop_row});
    return false;
  }

  void parse_cell(const Rows& rows, std::size_t c, Problems& problems, ClinicalColumn& into) const {
    const ClinicalColumn& column = out_.columns[c];
    std::string_view cell = rows.cell(position_[c]);
    if (refuse_quote(rows, cell, column.name, Effect::blank_value, problems)) cell = {};
    if (column.type == ColumnType::text) {
      cell = trimmed(cell);
      into.code.push_back(is_null(cell) ? -1 : into.levels.insert(cell));
    } else if (column.type == ColumnType::boolean) {
      const auto value = parse_boolean(cell);
      if (!value && !is_null(cell))
        wrong_value(rows, column, cell, "value of a BOOLEAN column is neither true nor false",
                    "true or false", "correct the value, or leave the cell empty", problems);
      into.number.push_back(value.value_or(missing_number));
    } else {
      const Number number = parse_number(cell);
      if (number.kind > NumberKind::missing) wrong_number(rows, column, cell, number.kind, problems);
      if (number.bound != 0) {
        into.bound.resize(into.number.size() + 1, 0);
        into.bound.back() = number.bound;
        ++into.n_bounds;
      }
      into.number.push_back(number.kind == NumberKind::value ? number.value : missing_number);
    }
  }

  static void wrong_number(const Rows& rows, const ClinicalColumn& column, std::string_view cell,
                           NumberKind kind, Problems& problems) {
    if (kind == NumberKind::not_finite)
      wrong_value(rows, column, cell, "number is not finite", "a finite number, or an empty cell",
                  "leave the cell empty, or write [Not Available]", problems);
    else if (kind == NumberKind::decimal_comma)
      wrong_value(rows, column, cell, "number is written with a decimal comma", "a decimal point",
                  "export the table with decimal points", problems);
    else
      wrong_value(rows, column, cell, "value of a NUMBER column is not a number",
                  "a number, a bound such as >89, or an empty cell",
                  "correct the value, or make the column's type STRING", problems);
  }

  static void wrong_value(const Rows& rows, const ClinicalColumn& column, std::string_view cell,
                          std::string_view what, std::string_view expected, std::string_view remedy,
                          Problems& problems) {
    problems.add({.what = what,
                  .column = column.name,
                  .expected = expected,
                  .remedy = remedy,
                  .value = cell,
                  .line = rows.line(),
                  .effect = Effect::blank_value});
  }

  // Rows whose id stood before are left out.
  void take_up(Block& block, Index first_line) {
    std::vector<std::size_t> kept;
    kept.reserve(block.id.size());
    for (std::size_t row = 0; row < block.id.size(); ++row) {
      const Index n_before = out_.n_rows();
      const Index line = block.line[row] + first_line - 1;
      const std::int32_t code = out_.id.insert(block.id[row]);
      if (code < n_before) {
        table_.problems().add(
            {.what = is_samples_ ? "sample stands twice in the table" : "patient stands twice in the table",
             .column = is_samples_ ? "SAMPLE_ID" : "PATIENT_ID",
             .expected = "every id once",
             .remedy = "remove or rename the later row",
             .value = block.id[row],
             .line = line,
             .effect = Effect::drop_row});
        continue;
      }
      kept.push_back(row);
      out_.line.push_back(line);
      if (is_samples_) out_.patient.emplace_back(block.patient[row]);
    }
    for (std::size_t c = 0; c < position_.size(); ++c) append(block.columns[c], kept, out_.columns[c]);
  }

  static void append(ClinicalColumn& from, const std::vector<std::size_t>& kept, ClinicalColumn& to) {
    if (to.type == ColumnType::text) {
      std::vector<std::int32_t> code(static_cast<std::size_t>(from.levels.size()));
      for (Index level = 0; level < from.levels.size(); ++level)
        code[static_cast<std::size_t>(level)] = to.levels.insert(from.levels[level]);
      for (const std::size_t row : kept) {
        const std::int32_t local = from.code[row];
        to.code.push_back(local < 0 ? -1 : code[static_cast<std::size_t>(local)]);
      }
      return;
    }
    if (from.n_bounds > 0) {
      from.bound.resize(from.number.size(), 0);
      to.bound.resize(to.number.size(), 0);
    }
    for (const std::size_t row : kept) {
      if (from.n_bounds > 0) {
        to.bound.push_back(from.bound[row]);
        to.n_bounds += from.bound[row] != 0;
      }
      to.number.push_back(from.number[row]);
    }
    if (to.n_bounds > 0) to.bound.resize(to.number.size(), 0);
  }

  Table table_;
  bool is_samples_;
  Index patient_at_ = 0;
  Index id_at_ = 0;
  std::vector<Index> position_;  // of each kept column in the file
  ClinicalTable out_;
};

}  // namespace

Index ClinicalTable::find(std::string_view column) const {
  const auto at =
      std::find_if(columns.begin(), columns.end(), [&](const ClinicalColumn& c) { return c.name == column; });
  return at == columns.end() ? -1 : at - columns.begin();
}

ClinicalTable read_clinical(const TableFile& file, ClinicalKind kind, const ReadOptions& options) {
  return Reader(file, kind, options).read();
}

}  // namespace chorale::io::study
