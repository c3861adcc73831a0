// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/cohort.hpp"
#include "kernels/pair_counts_tables.hpp"

namespace chorale::jobs::interaction {

/// Which patients are tested for which features, in the shapes that pair kernels take.
class TestedPatients {
 public:
  explicit TestedPatients(const engine::Cohort& cohort);

  /// A panel here is one combination of a patient's panels over all profiles.
  kernels::PanelMask panels() const { return {.of_patient = panel_, .holds = holds_, .n_panels = n_panels_}; }
  /// By feature, ascending: patients whose panels hold it but who have no value.
  kernels::PatientLists untested() const { return untested_; }
  bool anyone_untested() const { return anyone_untested_; }

  /// Features with the same tested patients share a set.
  Index set_of(Index feature) const { return set_of_[static_cast<std::size_t>(feature)]; }
  Index n_sets() const { return static_cast<Index>(mask_.size()); }
  /// (n_patients) 1 for who is tested
  std::span<const std::uint8_t> mask(Index set) const { return mask_[static_cast<std::size_t>(set)]; }
  /// (n_patients) 1 for who is tested for the features of all these sets
  std::vector<std::uint8_t> mask(std::span<const Index> sets) const;

 private:
  std::vector<std::int16_t> panel_;
  std::vector<std::uint8_t> holds_;
  Index n_panels_ = 0;
  std::vector<std::vector<std::int32_t>> untested_lists_;
  std::vector<std::span<const std::int32_t>> untested_;
  bool anyone_untested_ = false;
  std::vector<Index> set_of_;
  std::vector<std::vector<std::uint8_t>> mask_;
};

/// Patients who may change places: of one stratum, and tested for the same features.
struct ExchangeGroups {
  std::vector<std::int32_t> code;    ///< (n_patients), -1 where the stratum is missing
  std::vector<std::uint8_t> tested;  ///< (n_groups, n_features) 0 or 1
  Index n_groups = 0;

  /// stratum  (n_patients), -1 missing; empty: one stratum
  ExchangeGroups(const engine::Cohort& cohort, const TestedPatients& tested_patients,
                 std::span<const std::int32_t> stratum);
};

}  // namespace chorale::jobs::interaction
