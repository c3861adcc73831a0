// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/comm.hpp"
#include "engine/feature_set.hpp"
#include "engine/ledger.hpp"
#include "io/shard.hpp"
#include "kernels/carrier_counts.hpp"
#include "kernels/timeline.hpp"

namespace chorale::engine {

/// What a stage reads of each patient; the rest stays on disk.
struct Columns {
  std::vector<std::string> fields;  ///< clinical fields, SITE among them when wanted
  std::string endpoint;             ///< empty: none
  bool alterations = false;         ///< carriers and tested, of the job's features
  bool variants = false;            ///< single variants; by_shard only

  bool operator==(const Columns&) const = default;
};

/// Patients in memory, already selected: of one shard, or of the whole cohort (one copy per node).
class Cohort {
 public:
  Index n_patients() const { return n_patients_; }
  Index n_features() const { return n_features_; }

  std::span<const double> numbers(std::string_view field) const;      ///< (n_patients), NaN is missing
  std::span<const std::int32_t> codes(std::string_view field) const;  ///< (n_patients), -1 is missing
  kernels::SurvivalView survival() const;                          ///< the endpoint's entry, time and event
  std::span<const std::int16_t> panel(io::Profile profile) const;  ///< (n_patients), -1 is not profiled

  std::span<const std::int32_t> carriers(Index feature) const;  ///< patients, ascending
  /// Patients, ascending; those whom panels leave out apart.
  std::span<const std::int32_t> untested(Index feature) const;
  /// Features of one patient, ascending.
  std::span<const std::int32_t> features_of(Index patient) const;
  /// Of all patients, one after another.
  kernels::SparseRowsView rows() const;
  /// 1 for each patient tested for the feature, 0 otherwise; `mask` is n_patients long.
  void tested(Index feature, std::span<std::uint8_t> mask) const;
  /// The profile whose panels decide who is tested, and which panels do; a 0/1 field has neither: all are tested but
  /// its gaps.
  int profile_of(Index feature) const { return profile_[static_cast<std::size_t>(feature)]; }
  std::span<const std::uint8_t> panels_testing(Index feature) const {
    return panel_holds_[static_cast<std::size_t>(feature)];
  }
  /// Two features with equal keys have the same tested patients.
  std::string tested_key(Index feature) const;

  /// Variants of the selected patients; of a by_shard stage that asked for them.
  const io::VariantData& variants() const { return variants_; }
  const Ledger& ledger() const { return ledger_; }

 private:
  friend class Packer;
  struct Section {
    std::size_t at = 0;  // bytes from the start of the arena
    std::size_t n = 0;   // elements
  };
  struct NamedSection {
    std::string name;
    bool number = true;
    Section section;
  };
  template <class T>
  std::span<const T> view(Section section) const {
    return {reinterpret_cast<const T*>(arena_.data() + section.at), section.n};
  }
  const NamedSection& find(std::string_view field, bool number) const;

  Index n_patients_ = 0;
  Index n_features_ = 0;
  std::vector<NamedSection> fields_;
  Section entry_, time_, event_;
  std::array<Section, io::n_profiles> panel_;
  Section row_offset_, row_feature_;                    // by patient
  Section column_offset_, column_patient_;              // by feature: carriers
  Section gap_offset_, gap_patient_;                    // by feature: individually untested
  std::vector<int> profile_;                            // per feature: which panel decides, -1 none
  std::vector<std::vector<std::uint8_t>> panel_holds_;  // per feature: panel code -> tested
  io::VariantData variants_;
  Ledger ledger_;
  std::shared_ptr<SharedBlock> block_;
  std::span<const std::byte> arena_;
};

}  // namespace chorale::engine
