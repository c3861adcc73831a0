// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "io/study/layout.hpp"
#include "io/study/outcome.hpp"
#include "io/study/string_table.hpp"
#include "io/study/table.hpp"

namespace chorale::io::study {

enum class ColumnType { number, text, boolean };

/// One clinical column, one value a row; booleans are numbers 0 and 1.
struct ClinicalColumn {
  std::string name;
  std::string description;
  ColumnType type = ColumnType::text;
  std::vector<double> number;      ///< numbers and booleans; NaN is missing
  std::vector<std::int8_t> bound;  ///< numbers; empty while none of them is a bound
  std::vector<std::int32_t> code;  ///< texts: code into `levels`, -1 is missing
  StringTable levels;              ///< in order of arrival
  Index n_bounds = 0;
};

/// A clinical table: one row per patient, or one per sample.
struct ClinicalTable {
  std::string file;
  StringTable id;                       ///< of the row: patient or sample; code = row
  std::vector<std::string> patient;     ///< sample table only: whose sample this is
  std::vector<Index> line;              ///< of each row in the file
  std::vector<ClinicalColumn> columns;  ///< all but PATIENT_ID and SAMPLE_ID, outcomes too
  std::vector<Outcome> outcomes;
  TableReport report;

  Index n_rows() const { return id.size(); }
  Index find(std::string_view column) const;  ///< -1 when absent
};

enum class ClinicalKind { patients, samples };

/// Reads a clinical table with its four rows of attribute metadata (display name, description, type, priority).
/// Columns <P>_STATUS beside a <P>_MONTHS or <P>_DAYS are read as texts, those and <P>_ENTRY_… as numbers, whatever
/// their type row says.
///
/// Throws   InputError for what TextSource and Table refuse, missing or ragged metadata rows, unknown types, a
///          missing key column; and, unless dropped: rows without an id, ids that stand twice, values that do not
///          fit their column's type
/// Cost     memory grows with the patients, not beyond
/// Threads  blocks side by side, taken up in order: equal for any number
ClinicalTable read_clinical(const TableFile& file, ClinicalKind kind, const ReadOptions& options);

}  // namespace chorale::io::study
