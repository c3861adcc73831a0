// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kernels/error.hpp"
#include "kernels/types.hpp"

namespace chorale::io {

/// The version of the cohort format that this program writes and the only one it reads.
inline constexpr int format_version = 1;

enum class FieldKind { number, category };

/// A clinical column: float64 with NaN for missing (number), or int32 codes into `levels` with -1 (category).
struct Field {
  std::string name;
  FieldKind kind = FieldKind::number;
  std::string unit;  ///< "years", "g/dL"; empty when dimensionless or unknown
  std::string description;
  std::vector<std::string> levels;  ///< categories only; sorted, code i means levels[i]
  std::string source;               ///< where the values came from: file and column, or the simulator
  bool bounds = false;              ///< some values are released bounds such as ">89" (see ShardData::bound)
};

/// A time-to-event outcome: entry, time and event per patient, in days.
struct Endpoint {
  std::string name;  ///< "OS"
  std::string description;
  std::string source;
};

/// What kind of assay finds a feature; each profile has its own panel per patient.
enum class Profile { mutation, copy_number, structural };
inline constexpr int n_profiles = 3;
std::string_view name_of(Profile profile);

/// Anything a patient carries or not.
struct Feature {
  std::string name;     ///< "NPM1", "MYC:AMP", "RUNX1::RUNX1T1"; unique, dictionary sorted by name
  std::string gene;     ///< the gene whose place on a panel decides who was tested
  std::string partner;  ///< second gene of a fusion, otherwise empty; tested when either gene is on the panel
  Profile profile = Profile::mutation;
};

/// A gene panel: the genes it tests, or all of them (whole exome or genome).
struct Panel {
  std::string name;
  bool whole_exome = false;
  std::vector<std::int32_t> genes;  ///< sorted indices into Catalogue::genes; empty for whole exome
};

struct ShardEntry {
  std::string file;  ///< "shard-00000.h5"
  Index n_patients = 0;
  Index n_alterations = 0;
  Index n_variants = 0;
  Index n_bytes = 0;
  std::string xxh3;    ///< XXH3-128 of the whole file, 32 hex digits; verified by every load
  std::string sha256;  ///< SHA-256 of the whole file, for provenance
};

/// Everything about a cohort but the patients themselves: the content of cohort.json.
struct Catalogue {
  std::string name;
  std::vector<std::string> sites;    ///< site code i means sites[i]
  std::vector<Field> fields;         ///< sorted by name
  std::vector<Endpoint> endpoints;   ///< sorted by name
  std::vector<std::string> genes;    ///< sorted; gene code i means genes[i]
  std::vector<Feature> features;     ///< sorted by name
  std::vector<Panel> panels;         ///< panel code i means panels[i]; code -1: not profiled
  std::string class_set;             ///< name of the variant-class set behind /alteration: "nonsilent"
  std::vector<std::string> classes;  ///< the classes in that set
  std::vector<std::string> variant_classes;  ///< dictionary of /variant/class
  std::vector<ShardEntry> shards;
  std::vector<std::string>
      provenance;                ///< one line a step: who made this, from what, by which program version
  std::filesystem::path folder;  ///< where it was loaded from; not stored

  Index n_patients() const;
  Index field_index(std::string_view name) const;     ///< -1 when absent
  Index endpoint_index(std::string_view name) const;  ///< -1 when absent
  Index feature_index(std::string_view name) const;   ///< -1 when absent
  Index gene_index(std::string_view name) const;      ///< -1 when absent
  /// Digest of the stored form, shard checksums included: equal for equal cohorts.
  std::string fingerprint() const;
};

/// Reads FOLDER/cohort.json.
/// Throws   InputError when there is none, it is not format version 1, or its content does not have the fingerprint that
///          it was saved with; StoreError when it cannot be read
Catalogue load_catalogue(const std::filesystem::path& folder);

/// Writes FOLDER/cohort.json with the catalogue's fingerprint: temporary name, synced, renamed. Written last, so a folder
/// with one is complete.
void save_catalogue(const Catalogue& catalogue, const std::filesystem::path& folder);

}  // namespace chorale::io
