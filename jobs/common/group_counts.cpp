// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "jobs/common/group_counts.hpp"

#include <algorithm>

namespace chorale::jobs {

GroupCounts::GroupCounts(const engine::Cohort& cohort, std::vector<std::int32_t> group, Index n_groups)
    : cohort_(cohort),
      group_(std::move(group)),
      n_groups_(n_groups),
      everyone_(static_cast<std::size_t>(n_groups)) {
  for (const std::int32_t code : group_)
    if (code >= 0) ++everyone_[static_cast<std::size_t>(code)];
  for (int p = 0; p < io::n_profiles; ++p) {
    const auto panel = cohort.panel(static_cast<io::Profile>(p));
    const Index n_panels =
        panel.empty() ? 0 : 1 + std::max<Index>(-1, *std::max_element(panel.begin(), panel.end()));
    auto& counts = on_panel_.emplace_back(static_cast<std::size_t>(n_panels * n_groups));
    kernels::panel_counts(panel, groups(), n_panels, counts);
  }
}

std::vector<std::int64_t> GroupCounts::carriers(Index feature) const {
  std::vector<std::int64_t> counts(static_cast<std::size_t>(n_groups_));
  kernels::group_counts(cohort_.carriers(feature), groups(), counts);
  return counts;
}

std::vector<std::int64_t> GroupCounts::tested(Index feature) const {
  const int profile = cohort_.profile_of(feature);
  const auto holds = cohort_.panels_testing(feature);
  auto tested = everyone_;
  if (profile >= 0) {
    std::fill(tested.begin(), tested.end(), 0);
    const auto& on_panel = on_panel_[static_cast<std::size_t>(profile)];
    for (std::size_t cell = 0; cell < on_panel.size(); ++cell)
      if (holds[cell / tested.size()] != 0) tested[cell % tested.size()] += on_panel[cell];
  }
  for (const std::int32_t patient : cohort_.untested(feature)) {
    const auto i = static_cast<std::size_t>(patient);
    if (group_[i] < 0) continue;
    if (profile >= 0) {  // a gap counts only where the panel had counted the patient as tested
      const auto panel = cohort_.panel(static_cast<io::Profile>(profile))[i];
      if (panel < 0 || holds[static_cast<std::size_t>(panel)] == 0) continue;
    }
    --tested[static_cast<std::size_t>(group_[i])];
  }
  return tested;
}

}  // namespace chorale::jobs
