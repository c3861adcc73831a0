// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/linear_predictors.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "kernels/aligned.hpp"
#include "kernels/error.hpp"
#include "kernels/linear_predictors_body.hpp"

namespace chorale::kernels {
namespace {

constexpr Index rows_at_once = 64;

std::size_t size(Index n) {
  return static_cast<std::size_t>(n);
}

/// beta of models first … first + n - 1, column by column.
AlignedDoubles in_lanes(std::span<const double> beta, Index n_columns, Index first, Index n) {
  AlignedDoubles lanes(size(n_columns * predictor_lanes), 0);
  for (Index r = 0; r < n; ++r) {
    for (Index j = 0; j < n_columns; ++j) {
      const double value = beta[size((first + r) * n_columns + j)];
      lanes[size(j * predictor_lanes + r)] = std::isnan(value) ? 0 : value;
    }
  }
  return lanes;
}

}  // namespace

void linear_predictors(const CoxColumns& columns, Index n_patients, std::span<const double> beta,
                       std::span<double> eta) {
  const Index p = columns.n_columns;
  require_size("columns do not have one value per patient", columns.values.size(), p * n_patients);
  if (!columns.offset.empty()) require_size("offset does not fit", columns.offset.size(), n_patients);
  const Index n_models = n_patients > 0 ? static_cast<Index>(eta.size()) / n_patients : 0;
  require_size("predictors do not fit patients and models", eta.size(), n_patients * n_models);
  if (n_patients > 0) require_size("coefficients do not fit models and columns", beta.size(), n_models * p);

  std::vector<AlignedDoubles> coefficients;
  for (Index first = 0; first < n_models; first += predictor_lanes)
    coefficients.push_back(in_lanes(beta, p, first, std::min(predictor_lanes, n_models - first)));
  const Index n_blocks = (n_patients + rows_at_once - 1) / rows_at_once;
#pragma omp parallel if (n_blocks > 64)
  {
    AlignedDoubles x(size(rows_at_once * p)), sums(size(rows_at_once * predictor_lanes));
#pragma omp for
    for (Index b = 0; b < n_blocks; ++b) {
      const Index begin = b * rows_at_once, n = std::min(rows_at_once, n_patients - begin);
      for (Index j = 0; j < p; ++j) {
        for (Index i = 0; i < n; ++i) x[size(i * p + j)] = columns.values[size(j * n_patients + begin + i)];
      }
      for (std::size_t block = 0; block < coefficients.size(); ++block) {
        const Index first = static_cast<Index>(block) * predictor_lanes;
        const Index n_here = std::min(predictor_lanes, n_models - first);
        CHORALE_AT_LEVEL(predict_rows, x.data(), rows_at_once, p, coefficients[block].data(), sums.data());
        for (Index i = 0; i < n; ++i) {
          const double offset = columns.offset.empty() ? 0 : columns.offset[size(begin + i)];
          double* to = eta.data() + (begin + i) * n_models + first;
          for (Index r = 0; r < n_here; ++r) to[r] = sums[size(i * predictor_lanes + r)] + offset;
        }
      }
    }
  }
}

}  // namespace chorale::kernels
