// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "kernels/draw.hpp"
#include "kernels/timeline.hpp"

namespace chorale::kernels {

/// Covariates that alternate between continuous and 0/1, and follow-up in whole days: about 3,500 distinct event times
/// at 100,000 patients, 70 % dying.
struct CovariateCohort {
  CovariateCohort(Index n, Index n_columns) : columns(static_cast<std::size_t>(n * n_columns)) {
    for (Index i = 0; i < n; ++i) {
      Draws draws(11, 1, i);
      double log_hazard = 0;
      for (Index j = 0; j < n_columns; ++j) {
        const double value =
            j % 2 == 0 ? draws.normal() : draws.bernoulli(0.02 + 0.02 * static_cast<double>(j));
        columns[static_cast<std::size_t>(j * n + i)] = value;
        log_hazard += 0.1 * value * static_cast<double>(j % 3 - 1);
      }
      const double death = 1400 * draws.exponential() * std::exp(-log_hazard);
      const double censoring = 200 + 3800 * draws.uniform();
      time.push_back(std::ceil(std::min(death, censoring)));
      event.push_back(death <= censoring);
    }
    timeline = make_timeline({.entry = {}, .time = time, .event = event, .weight = {}, .stratum = {}});
  }

  std::vector<double> columns, time;
  std::vector<std::int8_t> event;
  Timeline timeline;
};

}  // namespace chorale::kernels
