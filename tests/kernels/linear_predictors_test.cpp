// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/linear_predictors.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "kernels/error.hpp"
#include "kernels/level.hpp"
#include "tests/kernels/survival_data.hpp"

namespace chorale::kernels {
namespace {

using survival_data::close;

TEST(LinearPredictors, AreTheSumAtEveryLevel) {
  const Level before = level();
  for (const Level each : available_levels()) {
    force_level(each);
    for (const Index n : {0, 1, 7, 64, 65, 5003}) {
      for (const Index models : {1, 63, 65, 130}) {
        for (const Index p : {0, 1, 5}) {
          std::vector<double> x, beta, offset;
          for (Index k = 0; k < n * p; ++k) x.push_back(std::sin(static_cast<double>(k)));
          for (Index k = 0; k < models * p; ++k) beta.push_back(std::cos(static_cast<double>(7 * k)));
          for (Index i = 0; i < n && p == 5; ++i) offset.push_back(static_cast<double>(i % 3));
          if (p > 1) beta[1] = std::numeric_limits<double>::quiet_NaN();
          if (p > 1 && n > 5) x[static_cast<std::size_t>(n) + 5] = std::numeric_limits<double>::quiet_NaN();
          std::vector<double> eta(static_cast<std::size_t>(n * models), 9);
          linear_predictors({x, p, offset}, n, beta, eta);
          for (Index i = 0; i < n; ++i) {
            for (Index r = 0; r < models; ++r) {
              double expected = offset.empty() ? 0 : offset[static_cast<std::size_t>(i)];
              for (Index j = 0; j < p; ++j) {
                const double b = beta[static_cast<std::size_t>(r * p + j)];
                expected += x[static_cast<std::size_t>(j * n + i)] * (std::isnan(b) ? 0 : b);
              }
              ASSERT_TRUE(close(eta[static_cast<std::size_t>(i * models + r)], expected, 1e-14))
                  << i << " " << r;
            }
          }
        }
      }
    }
  }
  force_level(before);
}

TEST(LinearPredictors, RefuseWhatDoesNotFit) {
  const std::vector<double> x(6), beta(4);
  std::vector<double> eta(6);
  linear_predictors({x, 2, {}}, 3, beta, eta);
  EXPECT_THROW(linear_predictors({x, 2, {}}, 4, beta, eta), ShapeError);
  EXPECT_THROW(linear_predictors({x, 2, {}}, 3, std::span(beta).first(3), eta), ShapeError);
  EXPECT_THROW(linear_predictors({x, 2, {}}, 3, beta, std::span(eta).first(5)), ShapeError);
  EXPECT_THROW(linear_predictors({x, 2, beta}, 3, beta, eta), ShapeError);
}

}  // namespace
}  // namespace chorale::kernels
