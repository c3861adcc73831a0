// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <Eigen/Dense>
#include <cstdint>
#include <span>
#include <vector>

#include "kernels/timeline.hpp"

namespace chorale::kernels {

/// Who is at risk and who ends how, per group and event time of the timeline's strata; the groups side by side.
struct GroupTotals {
  Index n_analysed = 0;
  std::vector<Index> n;                 ///< n_groups, patients
  Eigen::MatrixXd at_risk;              ///< n_groups x n_times, patients or their weights
  std::vector<Eigen::MatrixXd> events;  ///< per kind of event, likewise
};

/// kind[i]: which of n_kinds kinds patient i's event is of; below 0: none.
///
/// Shapes   group (n_patients) codes from 0, -1 = the patient leaves; kind (n_patients); tested (n_patients) or empty
/// Throws   ShapeError on a wrong length or a group out of range
/// Cost     one pass over the patients, one over the event times
GroupTotals group_totals(const Timeline& timeline, std::span<const std::int32_t> group, Index n_groups,
                         std::span<const std::int8_t> kind, Index n_kinds,
                         std::span<const std::uint8_t> tested, bool case_weights);

}  // namespace chorale::kernels
