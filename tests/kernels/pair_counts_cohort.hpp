// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <cmath>
#include <span>
#include <vector>

#include "kernels/draw.hpp"
#include "kernels/pair_counts.hpp"

namespace chorale::kernels {

/// Lists of carriers whose frequencies fall from `most` to `least`, evenly in their logarithm, in shuffled
/// order.
struct ListCohort {
  ListCohort(Index patients, Index features, double most, double least, std::uint64_t seed = 1)
      : n_patients(patients), lists(static_cast<std::size_t>(features)) {
    for (Index f = 0; f < features; ++f) {
      Draws draws(seed, 0, f);
      const double p = most * std::pow(least / most, draws.uniform());
      auto& list = lists[static_cast<std::size_t>(f)];
      for (Index i = draws.skip(p); i < patients; i += 1 + draws.skip(p))
        list.push_back(static_cast<std::int32_t>(i));
    }
    views.assign(lists.begin(), lists.end());
  }

  PatientLists carriers() const { return views; }

  Index n_patients;
  std::vector<std::vector<std::int32_t>> lists;
  std::vector<std::span<const std::int32_t>> views;
};

}  // namespace chorale::kernels
