// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "kernels/kaplan_meier.hpp"
#include "kernels/timeline.hpp"
#include "kernels/types.hpp"

namespace chorale::kernels {

/// How deaths on the same day add to the hazard: all from the same risk set, or one after the other.
/// R's survfit calls them ctype 1 and 2.
enum class HazardTies { nelson_aalen, fleming_harrington };

/// The scale on which a confidence interval of the cumulative hazard is symmetric.
enum class HazardConf { plain, log };

struct HazardOptions {
  HazardTies ties = HazardTies::nelson_aalen;
  HazardConf conf = HazardConf::log;
  double level = 0.95;
};

/// One row per distinct time (event or censoring) of the patients, ascending.
struct HazardCurve {
  Index n_analysed = 0;
  Index n_events = 0;
  std::vector<double> time;      ///< days
  std::vector<double> at_risk;   ///< entry < time <= exit, weighted
  std::vector<double> events;    ///< weighted
  std::vector<double> hazard;    ///< gathered from the start up to the time
  std::vector<double> variance;  ///< of the hazard
  std::vector<double> lower;     ///< NaN on the log scale while the hazard is 0
  std::vector<double> upper;
};

/// Cumulative hazard over the included patients, strata pooled.
///
///   Nelson-Aalen         H(t) = Σ_{t_k <= t} d_k / n_k,                       var = Σ d_k / n_k²
///   Fleming-Harrington   H(t) = Σ_{t_k <= t} (d_k/m_k) Σ_{l < m_k} 1/x_kl,    var = Σ (d_k/m_k) Σ 1/x_kl²,
///                        x_kl = n_k − (l/m_k) d_k,   m_k patients die at t_k
///   limits at H ± z·se (plain, not below 0), H · exp(± z·se / H) (log)
///
/// n and d are sums of weights, so a weight counts copies of a patient, who die together under
/// Fleming-Harrington; equal to R for whole weights. exp(−H) with limits exp(−upper), exp(−lower) is R's
/// survfit(stype = 2) on the scales log (plain here) and log-log (log here).
///
/// Shapes   included (n_patients) or empty for all analysed patients
/// Throws   ShapeError on a wrong length or a level outside (0, 1)
/// Cost     one sort of the included patients
/// Source   Aalen 1978, Ann Stat 6:701; Fleming and Harrington 1984, Commun Stat 13:2469
/// Oracle   R survival 3.5.3 survfit(ctype = 1, 2), tests/oracle/nelson_aalen.R
HazardCurve nelson_aalen(const Timeline& timeline, std::span<const std::uint8_t> included,
                         HazardOptions options = {});

}  // namespace chorale::kernels
