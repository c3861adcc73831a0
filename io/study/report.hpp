// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "io/catalogue.hpp"
#include "kernels/types.hpp"

namespace chorale::io {

/// So many of something, and why.
struct Count {
  std::string reason;
  Index n = 0;
  bool operator==(const Count&) const = default;
};

/// What became of the rows of one table: n_read = n_kept + Σ dropped.
struct TableReport {
  std::string file;
  std::string content;  ///< "patients", "variants"
  Index n_read = 0;
  Index n_kept = 0;
  std::vector<Count> dropped;
  std::vector<Count> blanked;  ///< values that became missing; their rows are kept
  std::vector<std::string> notes;

  void drop(std::string_view reason, Index n);
  void note(std::string text);
  /// Another file of the same content.
  void join(const TableReport& other);
};

struct StudyReport {
  std::string study, site, folder;
  Index n_patients = 0;
  Index n_samples = 0;
  std::vector<TableReport> tables;
  std::vector<std::string> notes;
};

struct FieldReport {
  std::string name, source;
  Index n_levels = -1;  ///< -1: a number
  Index n_missing = 0;
  Index n_bounds = 0;
};

struct EndpointReport {
  std::string name, source;
  Index n_known = 0;
  Index n_events = 0;
  Index n_half = 0;   ///< missing because only the time, the status or the entry is missing
  Index n_bound = 0;  ///< missing because the time of an event is only a bound
};

struct PanelReport {
  std::string name;
  Index n_genes = -1;  ///< -1: whole exome
  std::array<Index, n_profiles> n_patients{};
};

/// What ingest read, kept and dropped, and by which rules.
struct IngestReport {
  std::string cohort, program;
  Index n_patients = 0, n_shards = 0, n_genes = 0, n_features = 0, n_variants = 0, n_alterations = 0;
  std::string class_set;
  std::vector<std::string> classes;
  std::vector<Count> variants_by_class;  ///< kept, most frequent first
  std::vector<std::string> rules;
  std::vector<StudyReport> studies;
  std::vector<FieldReport> fields;
  std::vector<EndpointReport> endpoints;
  std::vector<PanelReport> panels;
  std::array<Index, n_profiles> n_not_profiled{};
};

/// The report as a person reads it, and as a script does. Neither holds times or paths of this machine beyond the
/// folders that the recipe names, so equal deliveries give equal reports.
std::string as_text(const IngestReport& report);
std::string as_json(const IngestReport& report);

}  // namespace chorale::io
