// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "kernels/competing_risks.hpp"
#include "kernels/types.hpp"

namespace chorale::kernels {

struct GrayOptions {
  double rho = 0;             ///< weight (1 − F(t-))^rho of the differences at t, F of all groups together
  bool case_weights = false;  ///< true: a patient's weight counts copies; false: ignored
};

struct GrayResult {
  Index n_analysed = 0;
  std::vector<Index> n;          ///< n_groups, patients
  std::vector<double> score;     ///< n_groups, events more than expected if the incidences did not differ
  std::vector<double> variance;  ///< n_groups x n_groups, of the score
  double chi2 = std::numeric_limits<double>::quiet_NaN();  ///< NaN when fewer than two groups can be compared
  Index df = 0;
};

/// Gray's test that the cumulative incidence of one cause is the same in k groups, stratified by the
/// timeline's strata.
///
///   score_g = Σ_t (1 − F(t-))^rho (d_g − d R_g / Σ_h R_h),   R_g = n_g (1 − F_g(t-)) / S_g(t-),
///   chi2 = score' V^-1 score
///
/// d events of the cause, n_g at risk, F_g the group's incidence of the cause, S_g its event-free share. V is
/// Gray's, the first group that can be compared left out. Left truncation is honoured, which cmprsk does not
/// offer.
///
/// Shapes   group (n_patients) codes 0 … n_groups − 1, −1 = the patient leaves; tested (n_patients) or empty
/// Throws   ShapeError on a wrong length, a code or cause out of range, or rho below 0
/// Cost     one pass over the patients, n_times · n_groups³
/// Source   Gray 1988, Ann Stat 16:1141
/// Oracle   cmprsk 2.2.11 cuminc, tests/oracle/competing_risks.R
GrayResult gray_test(const CauseTimeline& causes, Index cause, std::span<const std::int32_t> group,
                     Index n_groups, std::span<const std::uint8_t> tested = {},
                     const GrayOptions& options = {});

}  // namespace chorale::kernels
