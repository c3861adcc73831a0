// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "kernels/aligned.hpp"

namespace chorale::kernels {

/// What a block of bootstrap replicates knows of them before their coefficients move: rows of bootstrap_lanes
/// numbers, or of as many as were chosen.
struct BootstrapKnowledge {
  std::vector<std::uint8_t> copies;     ///< per visit
  AlignedDoubles deaths, weight;        ///< per event time, see BootstrapBatch
  AlignedDoubles of_columns;            ///< per column, see bootstrap_deaths
  AlignedDoubles null;                  ///< log-likelihood at 0
  AlignedDoubles offset_of_deaths;      ///< Σ w offset over deaths
  std::vector<std::uint32_t> n_events;  ///< each copy counts
};

/// The chosen lanes of a whole block.
BootstrapKnowledge chosen(const BootstrapKnowledge& all, std::span<const std::size_t> lanes);

/// Lanes `at` … of a whole block become those of `few`, n a row.
void put(const BootstrapKnowledge& few, std::size_t n, std::size_t at, BootstrapKnowledge& all);

}  // namespace chorale::kernels
