// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "kernels/competing_risks.hpp"

/// The variance behind cumulative_incidence().
namespace chorale::kernels {

struct IncidencePatient {
  std::int32_t first, last;  ///< at risk at rows first <= k < last
  std::int8_t cause;         ///< of the event at row last − 1; 0 = censored
  double weight;
};

/// The included patients and what happens at each event time.
struct IncidenceRows {
  Index n_causes = 0;
  std::vector<double> time;
  std::vector<IncidencePatient> patients;
  std::vector<double> at_risk;   ///< n_times + 1, weighted; 0 at the end
  std::vector<Index> survivors;  ///< n_times + 1, patients at risk who have no event then
  std::vector<double> events;    ///< n_causes x n_times, weighted
};

/// n_causes x n_times variances of the incidences.
std::vector<double> incidence_variance(const IncidenceRows& rows, std::span<const double> incidence,
                                       std::span<const double> event_free, IncidenceVariance kind);

}  // namespace chorale::kernels
