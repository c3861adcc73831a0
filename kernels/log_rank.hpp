// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "kernels/timeline.hpp"
#include "kernels/types.hpp"

namespace chorale::kernels {

struct LogRankResult {
  Index n_analysed = 0;
  std::vector<Index> n;          ///< n_groups, patients
  std::vector<double> observed;  ///< n_groups, deaths, each times its u
  std::vector<double> expected;  ///< n_groups, the same if the groups did not differ
  std::vector<double> variance;  ///< n_groups x n_groups, of observed - expected
  double chi2 = 0;               ///< NaN when the groups never were at risk together
  Index df = 0;                  ///< groups with expected > 0, less one (0 where fewer than two have)
};

/// Which differences count most. The default is the plain log-rank test; rho = 1 looks at early differences
/// (Peto and Peto's test), gamma = 1 at late ones.
struct LogRankOptions {
  double rho = 0;             ///< >= 0
  double gamma = 0;           ///< >= 0
  bool case_weights = false;  ///< true: a patient's weight counts copies; false: ignored, as by R's survdiff
};

/// Log-rank test of k groups, stratified by the timeline's strata, with the weights of Fleming and
/// Harrington's G(rho, gamma).
///
///   O_g = Σ_t u d_g,   E_g = Σ_t u d n_g / n,   V_gh = Σ_t u² d (n - d)/(n - 1) (n_g/n) ([g = h] - n_h/n),
///   u = S(t-)^rho (1 - S(t-))^gamma,   chi2 = (O-E)' V^-1 (O-E)
///
/// over groups with E > 0, the first of them left out; S is the survival of all groups together, within the
/// stratum, just before t. Left truncation is honoured, which survdiff does not offer.
///
/// Shapes   group (n_patients) codes 0 … n_groups - 1, -1 = the patient leaves; tested (n_patients) or empty
/// Throws   ShapeError on a wrong length, a code out of range, or rho or gamma below 0
/// Cost     one pass over the patients, n_times · n_groups^2 / 2
/// Source   Mantel 1966; Harrington and Fleming 1982, Biometrika 69:553; Fleming and Harrington 1991, section
///          7.2
/// Oracle   R survival 3.5.3 survdiff, tests/oracle/survival.R and (rho, gamma) tests/oracle/log_rank.R
LogRankResult log_rank(const Timeline& timeline, std::span<const std::int32_t> group, Index n_groups,
                       std::span<const std::uint8_t> tested = {}, const LogRankOptions& options = {});

}  // namespace chorale::kernels
