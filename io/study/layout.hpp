// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <array>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "io/catalogue.hpp"

namespace chorale::io::study {

std::vector<std::string> split(std::string_view text, char separator);

/// A gene panel as its file defines it.
struct PanelFile {
  std::string name;  ///< stable_id
  std::vector<std::string> genes;
  std::string file;
};

/// A table that a meta file names.
struct TableFile {
  std::filesystem::path path;
  std::string name;       ///< as shown to people: relative to the study folder
  std::string stable_id;  ///< of the molecular profile; empty for clinical tables
  std::string datatype;   ///< DISCRETE or DISCRETE_LONG; MAF; …
};

/// What a study folder holds, found through its meta files.
struct Layout {
  std::filesystem::path folder;
  std::string study;        ///< cancer_study_identifier
  std::string description;  ///< name of the study in meta_study
  std::optional<TableFile> patients, samples, panel_matrix, copy_number, structural;
  std::vector<TableFile> mutations;
  std::vector<PanelFile> panels;
  /// Samples of the case lists _sequenced, _cna and _sv; no value when the study has no such list.
  std::array<std::optional<std::vector<std::string>>, n_profiles> case_list;
  std::array<std::string, n_profiles> case_list_file;
  std::vector<std::string> not_read;  ///< meta files whose kind of data this program does not read, and why
};

/// Reads the meta files, panel definitions and case lists of a study folder; tables are only located.
/// Throws   InputError for a folder without meta files or clinical tables, a meta file with missing keys, two
///          tables of one kind, a table outside the folder or missing, a panel without a name or genes
Layout read_layout(const std::filesystem::path& folder);

}  // namespace chorale::io::study
