// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <cstdint>
#include <filesystem>
#include <limits>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "kernels/types.hpp"

namespace chorale::io {

/// Stands for "missing" in a column of whole numbers; an empty cell in TSV. Missing in a real column is NaN.
inline constexpr std::int64_t missing_count = std::numeric_limits<std::int64_t>::min();

struct ResultColumn {
  std::string name;
  std::string unit;         ///< "patients", "days", "log hazard"; empty when dimensionless
  std::string description;  ///< one sentence for the report and the HDF5 attribute
  /// 32 bits: pieces of large tables only; nothing stands for "missing" there
  std::variant<std::vector<std::int64_t>, std::vector<double>, std::vector<std::string>,
               std::vector<std::int32_t>>
      values;
};

/// A table of a result: named columns of equal length.
struct ResultTable {
  std::string name;     ///< "features" becomes features.tsv and the group /features in results.h5
  std::string caption;  ///< one or two sentences: what a row is, which method
  std::vector<ResultColumn> columns;
  bool in_text = true;  ///< false: in results.h5 alone, too large for a text file and a page

  Index n_rows() const;
  const ResultColumn* find(const std::string& name) const;  ///< null when absent
  void add(std::string name, std::string unit, std::string description, std::vector<std::int64_t> values);
  void add(std::string name, std::string unit, std::string description, std::vector<double> values);
  void add(std::string name, std::string unit, std::string description, std::vector<std::string> values);
  void add(std::string name, std::string unit, std::string description, std::vector<std::int32_t> values);
};

/// What a job's finish() yields. Tables are written in this order.
struct Results {
  std::string title;                 ///< heading of the report
  std::vector<std::string> summary;  ///< a few plain sentences with the main findings
  std::vector<ResultTable> tables;   ///< "attrition" is among them
  std::vector<std::pair<std::string, std::string>>
      settings;                                         ///< named settings to print: class set, rules, ties
  std::vector<std::pair<std::string, double>> numbers;  ///< named numbers of summary.json; NaN is null there
  /// Files beside the tables, name and text, such as model.json; not read back by read_results.
  std::vector<std::pair<std::string, std::string>> files = {};
};

/// Seconds of one kind over the ranks: work, waiting, ….
struct RankShare {
  std::string name;
  double mean = 0, max = 0;
  /// How much the largest exceeds the mean, by the mean; 0 where there is nothing to share.
  double imbalance() const { return mean > 0 ? max / mean - 1 : 0; }
};

/// Facts of a run, written as run.json: never part of what must be equal between runs.
struct RunRecord {
  std::string job;
  std::vector<std::pair<std::string, std::string>> config;  ///< key, value as TOML
  std::string cohort;                                       ///< folder
  std::string cohort_name;
  std::string cohort_fingerprint;
  std::string version;
  std::string level;  ///< instruction level of the kernels
  Index n_ranks = 1;
  Index n_threads = 1;
  std::string user, host, started, finished;  // who, where, when (UTC, ISO 8601)
  Index n_units = 0;
  Index n_units_resumed = 0;   ///< came from the checkpoint; with the computed ones, all
  Index n_units_computed = 0;  ///< by this start
  Index n_units_repeated = 0;  ///< finished more than once, over all starts
  std::vector<std::pair<std::string, double>> stage_seconds;
  std::vector<RankShare> rank_seconds = {};
  double peak_rss_bytes = 0;       ///< largest over the ranks
  double peak_node_bytes = 0;      ///< largest over the nodes, what ranks share counted once
  double forecast_node_bytes = 0;  ///< what had been expected
};

/// Writes TABLE.tsv for every table, summary.json and results.h5 into FOLDER. Equal results give equal bytes. A DONE of an earlier
/// run is removed first.
/// TSV: header line, missing is an empty cell, numbers in the shortest form that reads back equal; a tab or a line
/// break within a text becomes a space (results.h5 keeps it).
/// summary.json: title, summary, settings and numbers, for scripts.
/// HDF5: a group per table (attributes caption, columns), a dataset per column (attributes unit, description), all
/// with fletcher32; title as an attribute of the file, summary, settings and the order of the tables under /about.
/// Throws   ShapeError when columns of a table differ in length, or a name is used twice or cannot be a file name
///          StoreError when the disk refuses
void write_results(const std::filesystem::path& folder, const Results& results);

/// Reads results.h5 back, title, summary and settings included; not the tables that lie in pieces.
/// Throws   StoreError when it is missing or damaged; InputError when it is no result of this program
Results read_results(const std::filesystem::path& folder);

/// A table of results.h5 that lies in pieces.
struct JoinedTable {
  std::string name, caption;
  std::vector<std::string> columns;
  Index n_rows = 0;
};
/// What results.h5 says of them; the pieces themselves are not read. Throws as read_results does.
std::vector<JoinedTable> read_joined(const std::filesystem::path& folder);

/// run.json. Throws StoreError when the disk refuses, InputError when the file to read is no run record.
void write_run_record(const std::filesystem::path& folder, const RunRecord& record);
RunRecord read_run_record(const std::filesystem::path& folder);

/// Writes DONE, the last file of a complete output: "SHA-256  file" for each .tsv, .h5, .json and .html file there,
/// sorted by name.
void write_done(const std::filesystem::path& folder);
/// True when DONE is there and every file that it lists is there with that content.
bool is_done(const std::filesystem::path& folder);

/// Writes FOLDER/report.html from the result files alone: one self-contained page.
void write_report(const std::filesystem::path& folder);
/// The same page for a caller that still holds what was written there.
void write_report(const std::filesystem::path& folder, const Results& results, const RunRecord& run);

}  // namespace chorale::io
