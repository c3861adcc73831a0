// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "kernels/types.hpp"

namespace chorale::kernels {

/// Ranks of numbers from 0, ascending, equal numbers sharing one; keeps its arrays between calls.
class DenseRank {
 public:
  /// Returns how many distinct values there are. Values must not be NaN; -0 equals 0.
  ///
  /// Shapes   rank as long as values
  /// Cost     three counting sorts by the upper 32 bits, then a sort of each run that shares those: 7 ns a value where few do
  Index rank(std::span<const double> values, std::span<std::int32_t> rank);

 private:
  std::vector<std::uint64_t> keys_, sorted_;  ///< the value's upper half above, its place below
  std::vector<std::int32_t> counts_;
};

}  // namespace chorale::kernels
