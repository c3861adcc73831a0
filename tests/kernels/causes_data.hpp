// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <random>
#include <utility>
#include <vector>

#include "kernels/competing_risks.hpp"
#include "tests/kernels/survival_data.hpp"

namespace chorale::kernels::causes_data {

/// Causes of the 24 patients in tests/oracle/competing_risks.R.
inline const std::vector<std::int8_t> causes{1, 2, 1, 0, 1, 1, 2, 0, 1, 2, 1, 0,
                                             2, 1, 1, 2, 0, 1, 0, 1, 2, 1, 0, 2};

inline CauseTimeline causes_of(const survival_data::Cohort& c, std::span<const std::int8_t> cause,
                               Index n_causes) {
  return make_cause_timeline(
      {.entry = c.entry, .time = c.time, .cause = cause, .weight = c.weight, .stratum = c.stratum}, n_causes);
}

inline CauseTimeline two_causes(survival_data::With with) {
  return causes_of(survival_data::twenty_four(with), causes, 2);
}

/// A random cohort whose events have causes 1 … n_causes at random.
inline std::pair<survival_data::Cohort, std::vector<std::int8_t>> random_causes(
    const survival_data::Recipe& recipe, int n_causes) {
  survival_data::Cohort c = random_cohort(recipe);
  std::mt19937_64 engine(recipe.seed + 1000);
  std::vector<std::int8_t> cause;
  for (const std::int8_t event : c.event)
    cause.push_back(event <= 0 ? event
                               : static_cast<std::int8_t>(1 + engine() % static_cast<unsigned>(n_causes)));
  return {std::move(c), std::move(cause)};
}

}  // namespace chorale::kernels::causes_data
