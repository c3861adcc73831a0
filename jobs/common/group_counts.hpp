// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/cohort.hpp"
#include "kernels/carrier_counts.hpp"

namespace chorale::jobs {

/// Carriers and tested patients of a feature in each group of patients. Panels are counted once, so a feature costs its
/// carriers and its gaps, not a pass over the patients.
class GroupCounts {
 public:
  /// group  (n_patients) codes 0 … n_groups - 1, -1 for patients to leave out; kept
  GroupCounts(const engine::Cohort& cohort, std::vector<std::int32_t> group, Index n_groups);

  /// (n_groups) patients
  std::vector<std::int64_t> patients() const { return everyone_; }
  std::vector<std::int64_t> carriers(Index feature) const;
  std::vector<std::int64_t> tested(Index feature) const;

 private:
  kernels::Groups groups() const { return {.code = group_, .n_groups = n_groups_}; }

  const engine::Cohort& cohort_;
  std::vector<std::int32_t> group_;
  Index n_groups_;
  std::vector<std::int64_t> everyone_;
  std::vector<std::vector<std::int64_t>> on_panel_;  // per profile: n_panels × n_groups
};

}  // namespace chorale::jobs
