// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/pair_cox_reri.hpp"

#include <array>
#include <cmath>
#include <string>

#include "kernels/error.hpp"
#include "kernels/tail.hpp"

namespace chorale::kernels {

Reri pair_cox_reri(const PairCoxFit& fit, double confidence) {
  if (!(confidence > 0 && confidence < 1)) {
    throw ShapeError({.what = "confidence out of range",
                      .found = std::to_string(confidence),
                      .expected = "a number between 0 and 1"});
  }
  const double of_both = std::exp(fit.a + fit.b + fit.ab), of_a = std::exp(fit.a), of_b = std::exp(fit.b);
  const std::array<double, 3> slope{of_both - of_a, of_both - of_b, of_both};
  double variance = 0;
  for (std::size_t j = 0; j < 3; ++j) {
    for (std::size_t k = 0; k < 3; ++k) variance += slope[j] * fit.covariance[3 * j + k] * slope[k];
  }
  const double estimate = of_both - of_a - of_b + 1, se = std::sqrt(variance);
  const double z = normal_quantile((1 + confidence) / 2);
  return {.estimate = estimate, .se = se, .lower = estimate - z * se, .upper = estimate + z * se};
}

}  // namespace chorale::kernels
