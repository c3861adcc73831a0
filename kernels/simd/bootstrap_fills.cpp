// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/bootstrap_fills_body.hpp"

namespace chorale::kernels::simd::CHORALE_LEVEL {
namespace {

/// n_lanes known when compiled, so that sums stay in registers.
template <Index n_lanes>
void sum_rows(const std::uint8_t* copies, Index stride, const std::int32_t* patient, Index n,
              std::uint16_t* sum) {
  for (Index lane = 0; lane < fill_lanes; lane += n_lanes) {
    std::uint16_t total[n_lanes] = {};
    for (Index k = 0; k < n; ++k) {
      const std::uint8_t* row = copies + patient[k] * stride + lane;
      for (Index r = 0; r < n_lanes; ++r) total[r] = static_cast<std::uint16_t>(total[r] + row[r]);
    }
    for (Index r = 0; r < n_lanes; ++r) sum[lane + r] = total[r];
  }
}

}  // namespace

void sum_copies(const std::uint8_t* copies, Index stride, const std::int32_t* patient, Index n, Index n_lanes,
                std::uint16_t* sum) {
  if (n_lanes == fill_lanes) {
    sum_rows<fill_lanes>(copies, stride, patient, n, sum);
    return;
  }
  for (Index r = 0; r < n_lanes; ++r) sum[r] = 0;
  for (Index k = 0; k < n; ++k) {
    const std::uint8_t* row = copies + patient[k] * stride;
    for (Index r = 0; r < n_lanes; ++r) sum[r] = static_cast<std::uint16_t>(sum[r] + row[r]);
  }
}

}  // namespace chorale::kernels::simd::CHORALE_LEVEL
