// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "io/catalogue.hpp"

namespace chorale::io {

/// A ragged list of codes per patient: row i is value[offset[i] .. offset[i + 1]), sorted.
struct SparseRows {
  std::vector<std::int64_t> offset{0};  ///< (n_patients + 1)
  std::vector<std::int32_t> value;
};

/// Values of one clinical field: `number` when the field is a number, `code` when it is a category.
struct ColumnData {
  std::vector<double> number;      ///< (n_patients), NaN is missing
  std::vector<std::int32_t> code;  ///< (n_patients), -1 is missing
  std::vector<std::int8_t>
      bound;  ///< (n_patients) or empty: 1 "above the value", -1 "below the value", 0 exact
};

/// One endpoint; a patient without it has NaN time and event -1.
struct SurvivalData {
  std::vector<double> entry;       ///< days; 0 unless left-truncated
  std::vector<double> time;        ///< days
  std::vector<std::int8_t> event;  ///< 1 event, 0 censored, -1 missing
};

/// Variants of all classes, ordered by patient, then gene, class, protein change.
struct VariantData {
  std::vector<std::int64_t> offset{0};       ///< (n_patients + 1)
  std::vector<std::int32_t> gene;            ///< code into Catalogue::genes
  std::vector<std::int8_t> variant_class;    ///< code into Catalogue::variant_classes
  std::vector<std::int32_t> protein_change;  ///< code into protein_changes, -1 when not given
  std::vector<float> vaf;                    ///< variant allele fraction in [0, 1], NaN when not given
  std::vector<std::string> protein_changes;  ///< this shard's dictionary, sorted
};

/// The patients of one shard, column by column; what write_shard stores and ShardReader gives back.
struct ShardData {
  std::vector<std::string> id;         ///< (n_patients) pseudonyms
  std::vector<std::int32_t> site;      ///< (n_patients) code into Catalogue::sites
  std::vector<ColumnData> clinical;    ///< one per Catalogue::fields, in that order
  std::vector<SurvivalData> survival;  ///< one per Catalogue::endpoints, in that order
  SparseRows alteration;               ///< features carried: gene features of the class set, CNA, SV
  SparseRows untested;                 ///< features not tested although the panel holds them
  VariantData variant;
  std::array<std::vector<std::int16_t>, n_profiles> panel;  ///< per profile: panel code, -1 not profiled

  Index n_patients() const { return static_cast<Index>(id.size()); }
};

/// "shard-00042.h5"
std::string shard_file_name(Index shard);

/// First patient of each shard and the total: even sizes, at most `patients_per_shard` each, at least one shard.
std::vector<Index> even_shards(Index n_patients, Index patients_per_shard);

/// Writes one shard to FOLDER/shard-NNNNN.h5: temporary name, synced, renamed; fletcher32 on every dataset.
/// Equal data give equal bytes.
/// Throws   ShapeError when columns differ in length or codes leave their dictionaries
///          StoreError when the disk refuses
ShardEntry write_shard(const std::filesystem::path& folder, Index shard, const Catalogue& catalogue,
                       const ShardData& data);

/// How much of a shard is read: all of it, so that its checksum can be compared with the manifest; or those columns that
/// are asked for, each with a checksum of its own, for counts that decide nothing.
enum class ShardAccess { whole, columns };

/// One shard. Opened as a whole it is in memory, after its XXH3-128 was compared with the manifest.
class ShardReader {
 public:
  /// Throws   StoreError when the file is missing, cut short, or not what the manifest says
  ShardReader(const Catalogue& catalogue, Index shard, ShardAccess access = ShardAccess::whole);
  ~ShardReader();
  ShardReader(ShardReader&&) noexcept;
  ShardReader& operator=(ShardReader&&) noexcept;

  Index n_patients() const;
  std::vector<std::string> read_id() const;
  std::vector<std::int32_t> read_site() const;
  ColumnData read_clinical(Index field) const;
  SurvivalData read_survival(Index endpoint) const;
  SparseRows read_alteration() const;
  std::vector<std::int64_t> read_alteration_offset() const;  ///< (n_patients + 1), of read_alteration()
  std::vector<std::int64_t> read_variant_offset() const;     ///< likewise
  SparseRows read_untested() const;
  VariantData read_variant() const;
  std::vector<std::int16_t> read_panel(Profile profile) const;
  ShardData read_all() const;

  /// Readers of a thread hand the memory of a shard on from one to the next. Reading is over: gives it back.
  static void let_go_of_memory();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace chorale::io
