// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/linear_predictors_body.hpp"
#include "kernels/simd/lane_tiles.hpp"

namespace chorale::kernels::simd::CHORALE_LEVEL {

void predict_rows(const double* x, Index n_rows, Index n_columns, const double* beta, double* eta) {
  const auto keep_sums = [&](Index row, Index lane, const Vector* sums) {
    for (Index s = 0; s < lane_strip<predictor_lanes, double>; ++s)
      store_lanes(eta + row * predictor_lanes + lane + s * width, sums[s]);
  };
  lane_products<predictor_lanes>(x, n_rows, n_columns, beta, keep_sums);
}

}  // namespace chorale::kernels::simd::CHORALE_LEVEL
