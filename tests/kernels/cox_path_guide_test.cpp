// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/cox_path_guide.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "kernels/cox_cv.hpp"
#include "kernels/draw.hpp"
#include "kernels/error.hpp"
#include "kernels/level.hpp"
#include "kernels/reference/cox_path.hpp"
#include "tests/kernels/survival_data.hpp"

namespace chorale::kernels {
namespace {

using survival_data::Cohort;
using survival_data::random_cohort;

constexpr double infinity = std::numeric_limits<double>::infinity();

/// A cohort with dense columns, one of them 0/1 and one constant, sparse ones behind them; penalties down to where
/// nearly all are nonzero.
struct Case {
  static constexpr Index n_dense = 6, n_sparse = 5;
  Cohort cohort;
  std::vector<double> dense, offset, factor;
  std::vector<std::vector<std::int32_t>> lists;
  std::vector<std::span<const std::int32_t>> sparse;
  std::vector<double> lambda;
  CoxPathOptions options;

  Case(Index n, int days, unsigned seed) {
    cohort = random_cohort({.n = n,
                            .days = days,
                            .with = {seed % 5 == 0, seed % 3 == 0, seed % 4 == 0},
                            .seed = seed,
                            .n_covariates = n_dense + n_sparse + 1});
    const auto column = [&](Index j) {
      return std::span(cohort.covariate)
          .subspan(static_cast<std::size_t>(j * n), static_cast<std::size_t>(n));
    };
    dense.assign(cohort.covariate.begin(), cohort.covariate.begin() + n_dense * n);
    for (Index i = 0; i < n; ++i) {
      double& coded = dense[static_cast<std::size_t>(4 * n + i)];
      coded = coded > 0.2 ? 1 : 0;
      dense[static_cast<std::size_t>(5 * n + i)] = 3;
    }
    for (Index j = 0; j < n_sparse; ++j) {
      lists.emplace_back();
      for (std::int32_t i = 0; i < n; ++i) {
        if (column(n_dense + j)[static_cast<std::size_t>(i)] < -1.2 + 0.4 * static_cast<double>(j))
          lists.back().push_back(i);
      }
    }
    sparse.assign(lists.begin(), lists.end());
    offset.assign(column(n_dense + n_sparse).begin(), column(n_dense + n_sparse).end());
    factor = {1, 2, seed % 2 ? 0.0 : 1.0, 1, 1, 1, 1, 1, 0.5, seed % 7 == 0 ? infinity : 1, 1};
    for (int k = 0; k < 30; ++k) lambda.push_back(0.2 * std::pow(0.85, k));
    options.lambda = lambda;
    options.ties = seed % 3 == 1 ? Ties::efron : Ties::breslow;
    options.alpha = seed % 4 == 0 ? 0.5 : seed % 8 == 1 ? 0 : 1;
    options.penalty_factor = factor;
    options.standardise = seed % 11 != 0;
  }
  CoxPathColumns columns(bool with_offset) const {
    return {.dense = dense,
            .n_dense = n_dense,
            .sparse = sparse,
            .offset = with_offset ? std::span<const double>(offset) : std::span<const double>()};
  }
};

/// As many draws as patients.
std::vector<double> resample(Index n, std::uint32_t replicate) {
  std::vector<double> weight(static_cast<std::size_t>(n), 0.0);
  for (Index i = 0; i < n; ++i) {
    Draws draws(3, replicate, i);
    weight[static_cast<std::size_t>(std::floor(draws.uniform() * static_cast<double>(n)))] += 1;
  }
  return weight;
}

CoxPath plain(const CoxPathDesign& design, CoxPathOptions options, std::span<const double> weight) {
  options.weight = weight;
  return cox_path(design, options);
}

void expect_same(const CoxPath& found, const CoxPath& expected, double tolerance) {
  EXPECT_EQ(found.verdict, expected.verdict);
  EXPECT_EQ(found.n_analysed, expected.n_analysed);
  EXPECT_EQ(found.n_events, expected.n_events);
  EXPECT_EQ(found.constant, expected.constant);
  ASSERT_EQ(found.n_lambda(), expected.n_lambda());
  for (std::size_t k = 0; k < expected.beta.size(); ++k)
    EXPECT_NEAR(found.beta[k], expected.beta[k], tolerance) << "coefficient " << k;
  for (std::size_t k = 0; k < expected.loglik.size(); ++k)
    EXPECT_NEAR(found.loglik[k], expected.loglik[k], 1e-6 * std::abs(expected.loglik[k]));
  EXPECT_NEAR(found.loglik_null, expected.loglik_null, 1e-9 * std::abs(expected.loglik_null));
  EXPECT_NEAR(found.loglik_saturated, expected.loglik_saturated, 1e-9 * std::abs(expected.loglik_saturated));
}

TEST(CoxPathGuide, ReplicatesAreThePathsOfTheirWeightsAtEveryLevel) {
  const Level before = level();
  for (const Level each : available_levels()) {
    force_level(each);
    Index n_by_guide = 0;
    for (unsigned seed = 1; seed <= 16; ++seed) {
      const Case c(700 + 37 * seed, seed % 3 == 0 ? 12 : 400, seed);
      const CoxPathDesign design = make_cox_path_design(c.cohort.timeline(), c.columns(seed % 2));
      const CoxPathGuide guide = make_cox_path_guide(design, c.options);
      CoxPathRoom room;
      for (std::uint32_t replicate = 0; replicate < 2; ++replicate) {
        SCOPED_TRACE("seed " + std::to_string(seed) + " replicate " + std::to_string(replicate));
        const auto weight = resample(design.n_patients, replicate);
        const CoxPath found = cox_path(guide, weight, room), expected = plain(design, c.options, weight);
        expect_same(found, expected, 1e-6);
        n_by_guide += found.n_evaluations != expected.n_evaluations;
      }
    }
    EXPECT_GT(n_by_guide, 24);
  }
  force_level(before);
}

TEST(CoxPathGuide, ManyPatientsLeadToTheSamePathsInSinglePrecision) {
  const Level before = level();
  for (const Level each : available_levels()) {
    force_level(each);
    for (unsigned seed = 20; seed < 25; ++seed) {
      const Case c(20000, seed % 3 == 0 ? 12 : 900, seed);
      const CoxPathDesign design = make_cox_path_design(c.cohort.timeline(), c.columns(seed % 2));
      const CoxPathGuide guide = make_cox_path_guide(design, c.options);
      CoxPathRoom room;
      SCOPED_TRACE("seed " + std::to_string(seed));
      const auto weight = resample(design.n_patients, seed);
      expect_same(cox_path(guide, weight, room), plain(design, c.options, weight), 2e-7);
    }
  }
  force_level(before);
}

TEST(CoxPathGuide, NearlyEqualColumnsOfManyPatientsAreFoundAsWithoutIt) {
  Case c(20000, 900, 22);
  // their difference is estimated with a hundred times the variance of a column
  for (std::int32_t i = 0; i < 20000; ++i) {
    const auto at = static_cast<std::size_t>(i);
    c.dense[20000 + at] = c.dense[at] + 0.1 * Draws(9, 0, i).normal();
  }
  c.factor[0] = c.factor[1] = 0;
  const CoxPathDesign design = make_cox_path_design(c.cohort.timeline(), c.columns(false));
  const CoxPathGuide guide = make_cox_path_guide(design, c.options);
  CoxPathRoom room;
  const auto weight = resample(design.n_patients, 1);
  const CoxPath found = cox_path(guide, weight, room);
  EXPECT_EQ(found.verdict, CoxPathVerdict::complete);
  expect_same(found, plain(design, c.options, weight), 2e-7);
}

TEST(CoxPathGuide, FoldsOfAReplicateAreCrossValidatedAsWithoutIt) {
  const Case c(900, 300, 7);
  const CoxPathDesign design = make_cox_path_design(c.cohort.timeline(), c.columns(false));
  const CoxPathGuide guide = make_cox_path_guide(design, c.options);
  const auto fold = cox_cv_folds(design.n_patients, 4, 11);
  const auto weight = resample(design.n_patients, 3);
  CoxPathRoom room;
  const CoxCv found = cox_cv(design, guide, c.options.ties, fold, weight, room);
  CoxPathOptions options = c.options;
  options.weight = weight;
  const CoxCv expected = cox_cv(design, fold, options);

  EXPECT_NEAR(found.mean_deviance[static_cast<std::size_t>(found.at_min)],
              expected.mean_deviance[static_cast<std::size_t>(expected.at_min)], 1e-5);
  ASSERT_EQ(found.mean_deviance.size(), expected.mean_deviance.size());
  for (std::size_t k = 0; k < expected.mean_deviance.size(); ++k) {
    EXPECT_NEAR(found.mean_deviance[k], expected.mean_deviance[k], 1e-5) << k;
    EXPECT_NEAR(found.se[k], expected.se[k], 1e-5) << k;
  }
}

TEST(CoxPathGuide, HoldsTheConditionsOfAMinimum) {
  for (unsigned seed = 40; seed < 52; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Case c(400, 60, seed);
    const Timeline timeline = c.cohort.timeline();
    const CoxPathGuide guide =
        make_cox_path_guide(make_cox_path_design(timeline, c.columns(false)), c.options);
    CoxPathRoom room;
    const auto weight = resample(400, seed);
    const CoxPath path = cox_path(guide, weight, room);
    c.options.weight = weight;
    for (Index k = 0; k < path.n_lambda(); ++k) {
      EXPECT_LT(reference::cox_path_violation(timeline, c.columns(false), c.options,
                                              path.lambda[static_cast<std::size_t>(k)], path.beta_at(k)),
                1e-7);
    }
  }
}

TEST(CoxPathGuide, AReplicateDoesNotDependOnWhatTheRoomHeldBefore) {
  const Case c(900, 200, 6);
  const CoxPathDesign design = make_cox_path_design(c.cohort.timeline(), c.columns(false));
  const CoxPathGuide guide = make_cox_path_guide(design, c.options);
  CoxPathRoom used, fresh;
  for (std::uint32_t replicate = 1; replicate < 4; ++replicate)
    cox_path(guide, resample(900, replicate), used);
  const Case small(300, 30, 8);
  cox_path(
      make_cox_path_guide(make_cox_path_design(small.cohort.timeline(), small.columns(false)), small.options),
      resample(300, 0), used);
  const CoxPath again = cox_path(guide, resample(900, 0), used),
                alone = cox_path(guide, resample(900, 0), fresh);
  EXPECT_EQ(again.beta, alone.beta);
  EXPECT_EQ(again.loglik, alone.loglik);
}

TEST(CoxPathGuide, LeavesOddReplicatesToThePlainPath) {
  const Case c(200, 40, 2);
  const CoxPathDesign design = make_cox_path_design(c.cohort.timeline(), c.columns(false));
  const CoxPathGuide guide = make_cox_path_guide(design, c.options);
  CoxPathRoom room;
  EXPECT_EQ(cox_path(guide, std::vector<double>(200, 0.0), room).verdict, CoxPathVerdict::no_events);
  EXPECT_EQ(cox_path(guide, {}, room).n_lambda(), guide.full.n_lambda());
  // few patients, so few that columns are constant or carried by nobody
  for (std::uint32_t replicate = 0; replicate < 20; ++replicate) {
    SCOPED_TRACE("replicate " + std::to_string(replicate));
    std::vector<double> weight(200, 0.0);
    for (Index i = 0; i < 9; ++i) {
      Draws draws(4, replicate, i);
      weight[static_cast<std::size_t>(std::floor(draws.uniform() * 200))] += 1;
    }
    expect_same(cox_path(guide, weight, room), plain(design, c.options, weight), 1e-6);
  }
  EXPECT_THROW(cox_path(guide, std::vector<double>(3, 1.0), room), ShapeError);
  EXPECT_THROW(cox_path(guide, std::vector<double>(200, -1.0), room), ShapeError);
}

TEST(CoxPathGuide, FollowsAColumnWithoutPenaltyThatSeparatesTheDead) {
  // the full data has two deaths among those without the column, a replicate may have none
  Case c(300, 50, 10);
  Index n_left = 2;
  for (Index i = 0; i < 300; ++i) {
    bool with = c.cohort.event[static_cast<std::size_t>(i)] != 0;
    if (with && n_left > 0) {
      --n_left;
      with = false;
    }
    c.dense[static_cast<std::size_t>(2 * 300 + i)] = with ? 1 : 0;
  }
  c.factor[2] = 0;
  const CoxPathDesign design = make_cox_path_design(c.cohort.timeline(), c.columns(false));
  const CoxPathGuide guide = make_cox_path_guide(design, c.options);
  CoxPathRoom room;
  for (std::uint32_t replicate = 0; replicate < 8; ++replicate) {
    SCOPED_TRACE("replicate " + std::to_string(replicate));
    const auto weight = resample(300, replicate);
    expect_same(cox_path(guide, weight, room), plain(design, c.options, weight), 2e-6);
  }
}

TEST(CoxPathGuide, EndsReplicatesAsThePlainPath) {
  const Case c(800, 300, 14);
  const CoxPathDesign design = make_cox_path_design(c.cohort.timeline(), c.columns(false));
  CoxPathOptions early = c.options, criterion = c.options;
  early.stop_early = true;
  criterion.stop_after_worse = 3;
  criterion.criterion_per_nonzero = 6;
  for (const CoxPathOptions& options : {early, criterion}) {
    const CoxPathGuide guide = make_cox_path_guide(design, options);
    EXPECT_EQ(guide.full.n_lambda(), 30);
    CoxPathRoom room;
    for (std::uint32_t replicate = 0; replicate < 4; ++replicate) {
      const auto weight = resample(800, replicate);
      expect_same(cox_path(guide, weight, room), plain(design, options, weight), 1e-6);
    }
  }
  const CoxPathGuide own = make_cox_path_guide(design, {.n_lambda = 40});
  CoxPathRoom room;
  const auto weight = resample(800, 9);
  expect_same(cox_path(own, weight, room), plain(design, {.lambda = own.full.lambda}, weight), 1e-6);
}

}  // namespace
}  // namespace chorale::kernels
