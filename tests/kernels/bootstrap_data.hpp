// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <vector>

#include "kernels/bootstrap_weights.hpp"
#include "kernels/cox_bootstrap.hpp"
#include "tests/kernels/survival_data.hpp"

namespace chorale::kernels::bootstrap_data {

struct Replicates {
  std::vector<CoxReplicate> fits;
  std::vector<double> beta;
};

inline Replicates bootstrap(const CoxDesign& design, std::span<const std::uint8_t> copies,
                            const CoxBootstrapOptions& options = {}) {
  const auto n = copies.size() / static_cast<std::size_t>(design.n_patients);
  Replicates found{std::vector<CoxReplicate>(n),
                   std::vector<double>(n * static_cast<std::size_t>(design.n_columns))};
  cox_bootstrap(design, cox_fit(design, {.ties = options.ties}), copies, options, found.fits, found.beta);
  return found;
}

inline std::vector<std::uint8_t> draws(Index n_patients, Index n_replicates, std::uint64_t seed) {
  std::vector<std::uint8_t> copies(static_cast<std::size_t>(n_patients * n_replicates));
  const BootstrapPlan plan = make_bootstrap_plan({.n_patients = n_patients, .stratum = {}, .cluster = {}});
  bootstrap_weights(plan, seed, 0, n_replicates, copies);
  return copies;
}

/// Patient i stands there copies(i) times, or once with a weight of so many.
template <class Copies>
survival_data::Cohort resampled(const survival_data::Cohort& c, Index p, Resample resample, Copies copies) {
  survival_data::Cohort out;
  std::vector<std::size_t> from;
  for (std::size_t i = 0; i < c.time.size(); ++i) {
    const std::size_t n = resample == Resample::rows ? copies(i) : copies(i) > 0;
    for (std::size_t k = 0; k < n; ++k) {
      from.push_back(i);
      const double weight = c.weight.empty() ? 1 : c.weight[i];
      out.weight.push_back(resample == Resample::rows ? weight : weight * static_cast<double>(copies(i)));
    }
  }
  for (const std::size_t i : from) {
    out.time.push_back(c.time[i]);
    out.event.push_back(c.event[i]);
    if (!c.entry.empty()) out.entry.push_back(c.entry[i]);
    if (!c.stratum.empty()) out.stratum.push_back(c.stratum[i]);
  }
  for (Index j = 0; j < p; ++j) {
    for (const std::size_t i : from)
      out.covariate.push_back(c.covariate[static_cast<std::size_t>(j) * c.time.size() + i]);
  }
  return out;
}

}  // namespace chorale::kernels::bootstrap_data
