// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/group_totals.hpp"

#include <string>

#include "kernels/error.hpp"

namespace chorale::kernels {

GroupTotals group_totals(const Timeline& timeline, std::span<const std::int32_t> group, Index n_groups,
                         std::span<const std::int8_t> kind, Index n_kinds,
                         std::span<const std::uint8_t> tested, bool case_weights) {
  require_size("group does not have one value per patient", group.size(), timeline.n_patients);
  require_size("kind of event does not have one value per patient", kind.size(), timeline.n_patients);
  if (!tested.empty())
    require_size("tested does not have one value per patient", tested.size(), timeline.n_patients);
  for (const std::int32_t code : group) {
    if (code >= -1 && code < n_groups) continue;
    throw ShapeError({.what = "group code out of range",
                      .found = std::to_string(code),
                      .expected = "-1 to " + std::to_string(n_groups - 1)});
  }
  const Eigen::MatrixXd zero = Eigen::MatrixXd::Zero(n_groups, timeline.n_times());
  GroupTotals totals{.n = std::vector<Index>(static_cast<std::size_t>(n_groups), 0),
                     .at_risk = zero,
                     .events = std::vector(static_cast<std::size_t>(n_kinds), zero)};
  const bool weighted = case_weights && !timeline.weight.empty();
  for (std::size_t i = 0; i < group.size(); ++i) {
    if (!timeline.analysed[i] || group[i] < 0 || (!tested.empty() && !tested[i])) continue;
    ++totals.n_analysed;
    ++totals.n[static_cast<std::size_t>(group[i])];
    const Index first = timeline.first[i], last = timeline.last[i];
    if (first == last) continue;
    const double weight = weighted ? timeline.weight[i] : 1;
    totals.at_risk(group[i], last - 1) += weight;
    const Index begin = timeline.stratum_begin[static_cast<std::size_t>(timeline.stratum[i])];
    if (first > begin) totals.at_risk(group[i], first - 1) -= weight;
    if (kind[i] >= 0) totals.events[static_cast<std::size_t>(kind[i])](group[i], last - 1) += weight;
  }
  for (std::size_t s = 0; s + 1 < timeline.stratum_begin.size(); ++s) {
    for (Index t = timeline.stratum_begin[s + 1] - 2; t >= timeline.stratum_begin[s]; --t)
      totals.at_risk.col(t) += totals.at_risk.col(t + 1);
  }
  return totals;
}

}  // namespace chorale::kernels
