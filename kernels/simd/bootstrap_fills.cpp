// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/bootstrap_fills_body.hpp"

namespace chorale::kernels::simd::CHORALE_LEVEL {
namespace {

inline void add_row(const std::uint8_t* row, Index n_lanes, std::uint32_t* sum) {
  for (Index r = 0; r < n_lanes; ++r) sum[r] += row[r];
}

}  // namespace

void sum_copies(const std::uint8_t* copies, Index stride, const std::int32_t* patient,
                const std::int32_t* group, Index n, Index n_lanes, std::uint32_t* sum) {
  for (Index k = 0; k < n; ++k) {
    const std::uint8_t* row = copies + patient[k] * stride;
    std::uint32_t* to = sum + group[k] * fill_lanes;
    // a number of lanes known when compiled needs no loop
    if (n_lanes == fill_lanes) {
      add_row(row, fill_lanes, to);
    } else {
      add_row(row, n_lanes, to);
    }
  }
}

}  // namespace chorale::kernels::simd::CHORALE_LEVEL
