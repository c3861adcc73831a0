// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "kernels/draw.hpp"
#include "kernels/pair_counts_tables.hpp"

namespace chorale::kernels {

/// Carriers, single missing values and panels drawn so that only who is tested carries.
struct PanelCohort {
  PanelCohort(Index patients, Index n_features, Index n_panels, double share_missing, double carried)
      : carriers(static_cast<std::size_t>(n_features)), missing(carriers.size()) {
    Draws masks(5, 0, 0);
    for (Index k = 0; k < n_panels * n_features; ++k) holds.push_back(masks.bernoulli(0.8));
    for (std::int32_t i = 0; i < patients; ++i) {
      Draws draws(5, 1, i);
      const Index on = draws.below(n_panels + 1) - 1;
      panel.push_back(static_cast<std::int16_t>(on));
      stratum.push_back(static_cast<std::int32_t>(draws.below(3)) - 1);
      for (Index f = 0; f < n_features && on >= 0; ++f) {
        if (holds[static_cast<std::size_t>(on * n_features + f)] == 0) continue;
        const bool is_missing = draws.bernoulli(share_missing);
        if (is_missing || draws.bernoulli(carried / static_cast<double>(1 + f / 2)))
          (is_missing ? missing : carriers)[static_cast<std::size_t>(f)].push_back(i);
      }
    }
    carrier_views.assign(carriers.begin(), carriers.end());
    missing_views.assign(missing.begin(), missing.end());
    panels = {panel, holds, n_panels};
  }
  PanelCohort(const PanelCohort&) = delete;

  std::vector<std::vector<std::int32_t>> carriers, missing;
  std::vector<std::span<const std::int32_t>> carrier_views = {}, missing_views = {};
  std::vector<std::uint8_t> holds = {};
  std::vector<std::int16_t> panel = {};
  std::vector<std::int32_t> stratum = {};
  PanelMask panels = {};
};

}  // namespace chorale::kernels
