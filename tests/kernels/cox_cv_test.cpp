// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/cox_cv.hpp"

#include <gtest/gtest.h>
#include <omp.h>

#include <algorithm>
#include <cmath>

#include "kernels/error.hpp"
#include "tests/kernels/survival_data.hpp"

namespace chorale::kernels {
namespace {

using survival_data::Cohort;
using survival_data::twenty_four;
using survival_data::With;

/// The cohort of tests/oracle/cox_path.R, all columns dense.
CoxPathDesign oracle_design(With with) {
  Cohort c = twenty_four(with);
  std::vector<double> dense = c.covariate;
  for (double& time : c.time) time += 1;
  for (std::size_t i = 0; i < 24; ++i)
    dense.push_back(c.covariate[23 - i] * c.covariate[23 - i] / 10 - c.covariate[i] * c.feature[i]);
  dense.insert(dense.end(), c.feature.begin(), c.feature.end());
  return make_cox_path_design(c.timeline(), {.dense = dense, .n_dense = 3, .sparse = {}, .offset = {}});
}

std::vector<std::int32_t> four_folds() {
  std::vector<std::int32_t> fold;
  for (std::int32_t i = 0; i < 24; ++i) fold.push_back(i % 4);
  return fold;
}

TEST(CoxCv, MatchesCvGlmnet) {
  // with weights: the same from glmnet's coefficients and coxph's likelihoods, see the script
  // glmnet 4.1-6: cv.glmnet(columns, y, family = "cox", foldid, lambda = c(0.3, 0.2, 0.05, 0.01)); tests/oracle/cox_path.R
  const double penalties[] = {0.3, 0.2, 0.05, 0.01};
  const struct {
    With with;
    double mean[4], se[4];
  } cases[] = {{{.weight = true},
                {5.110723116181, 5.195464082591, 5.613433467337, 6.044386844034},
                {0.6936782769819, 0.7788463332674, 1.128858888517, 1.48028687325}},
               {{.stratum = true},
                {4.045634103725, 4.045634103725, 4.392525911097, 4.854198406136},
                {0.3553878227156, 0.3553878227156, 0.4863314402749, 0.6680264580614}}};
  for (const auto& expected : cases) {
    const CoxCv cv = cox_cv(oracle_design(expected.with), four_folds(), {.lambda = penalties});
    for (std::size_t k = 0; k < 4; ++k) {
      EXPECT_NEAR(cv.mean_deviance[k], expected.mean[k], 1e-6);
      EXPECT_NEAR(cv.se[k], expected.se[k], 1e-6);
    }
    EXPECT_EQ(cv.at_min, 0);
    EXPECT_EQ(cv.at_1se, 0);
  }
}

TEST(CoxCv, ThreadsChangeNothing) {
  const CoxPathDesign design = oracle_design({.weight = true, .stratum = true});
  const int before = omp_get_max_threads();
  omp_set_num_threads(1);
  const CoxCv alone = cox_cv(design, four_folds(), {.alpha = 0.5});
  omp_set_num_threads(3);
  const CoxCv together = cox_cv(design, four_folds(), {.alpha = 0.5});
  omp_set_num_threads(before);
  EXPECT_EQ(alone.mean_deviance, together.mean_deviance);
  EXPECT_EQ(alone.se, together.se);
}

TEST(CoxCv, FoldsWithoutEventsAreLeftOut) {
  std::vector<std::int32_t> fold = four_folds();
  for (std::int32_t& f : fold) ++f;
  fold[0] = -1;
  fold[3] = 0;  // censored
  const CoxCv cv = cox_cv(oracle_design({}), fold);
  EXPECT_EQ(cv.n_folds, 5);
  EXPECT_EQ(cv.fold_weight[0], 0);
  EXPECT_TRUE(std::isnan(cv.fold_deviance[0]));
  EXPECT_FALSE(std::isnan(cv.mean_deviance[0]));
}

TEST(CoxCv, FoldsAreEvenAndFixedBySeed) {
  const auto fold = cox_cv_folds(1003, 10, 7);
  for (std::int32_t f = 0; f < 10; ++f) EXPECT_EQ(std::count(fold.begin(), fold.end(), f), f < 3 ? 101 : 100);
  EXPECT_EQ(fold, cox_cv_folds(1003, 10, 7));
  EXPECT_NE(fold, cox_cv_folds(1003, 10, 8));
}

TEST(CoxCv, RefusesWhatDoesNotFit) {
  const CoxPathDesign design = oracle_design({});
  std::vector<std::int32_t> fold(24, 0);
  EXPECT_THROW(cox_cv(design, fold), ShapeError);
  fold[0] = -2;
  EXPECT_THROW(cox_cv(design, fold), ShapeError);
  fold.pop_back();
  EXPECT_THROW(cox_cv(design, fold), ShapeError);
}

}  // namespace
}  // namespace chorale::kernels
