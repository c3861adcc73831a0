// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/expected_deaths.hpp"

namespace chorale::kernels {
namespace {

std::size_t size(Index n) {
  return static_cast<std::size_t>(n);
}

}  // namespace

AlignedDoubles expected_deaths(const CoxRows& rows, const EventTimes& times, const double* risk,
                               const double* at_risk, const double* dying) {
  const Index n_padded = times.n_padded();
  AlignedDoubles sums_at_risk(at_risk, at_risk + n_padded), sums_dying(dying, dying + n_padded);
  AlignedDoubles terms(size(5 * n_padded));
  const TimeTerms to{terms.data(), terms.data() + n_padded, terms.data() + 2 * n_padded,
                     terms.data() + 3 * n_padded, terms.data() + 4 * n_padded};
  const RiskTable sums{sums_at_risk.data(), sums_dying.data(), n_padded};
  const EventTable table = times.table();
  CHORALE_AT_LEVEL(cox_time_terms, table, sums, to);
  AlignedDoubles hazard(size(n_padded)), spared(size(n_padded)), expected(size(rows.n_rows));
  const auto strata = times.stratum_begin();
  for (std::size_t s = 0; s + 1 < strata.size(); ++s) {
    double sum = 0;
    for (Index t = strata[s]; t < strata[s + 1]; ++t) {
      hazard[size(t)] = sum += to.first[t];
      spared[size(t)] = table.centre[t] * to.first[t] + to.first_tied[t];
    }
  }
  CHORALE_AT_LEVEL(cox_factors, rows.place_begin.data(), rows.enters.empty() ? nullptr : rows.enters.data(),
                   times.n_times(), risk, hazard.data(), spared.data(), 0, times.n_times(), expected.data());
  return expected;
}

}  // namespace chorale::kernels
