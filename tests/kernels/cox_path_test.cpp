// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/cox_path.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "kernels/error.hpp"
#include "kernels/level.hpp"
#include "kernels/reference/cox_path.hpp"
#include "tests/kernels/survival_data.hpp"

namespace chorale::kernels {
namespace {

using survival_data::Cohort;
using survival_data::random_cohort;
using survival_data::twenty_four;
using survival_data::With;

constexpr double infinity = std::numeric_limits<double>::infinity();

/// The cohort of tests/oracle/cox_path.R: z and v dense, x sparse, one day later than elsewhere.
struct OracleCohort {
  Cohort cohort;
  std::vector<double> dense, offset;
  std::vector<std::int32_t> carriers;
  std::vector<std::span<const std::int32_t>> lists;

  explicit OracleCohort(With with) : cohort(twenty_four(with)), dense(cohort.covariate) {
    for (double& time : cohort.time) time += 1;
    for (std::size_t i = 0; i < 24; ++i) {
      const double back = cohort.covariate[23 - i];
      dense.push_back(back * back / 10 - cohort.covariate[i] * cohort.feature[i]);
      offset.push_back(cohort.covariate[i] / 4);
    }
    carriers = cohort.carriers();
    lists = {carriers};
  }
  CoxPathDesign design(bool with_offset = false) const {
    return make_cox_path_design(cohort.timeline(), {.dense = dense,
                                                    .n_dense = 2,
                                                    .sparse = lists,
                                                    .offset = with_offset ? std::span<const double>(offset)
                                                                          : std::span<const double>()});
  }
};

void expect_equal(std::span<const double> found, std::span<const double> expected, double tolerance) {
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t k = 0; k < found.size(); ++k)
    EXPECT_NEAR(found[k], expected[k], tolerance) << "value " << k;
}

TEST(CoxPath, MatchesGlmnetAtGivenPenalties) {
  // glmnet 4.1-6, thresh = 1e-20: glmnet(columns, y, family = "cox", lambda = c(0.2, 0.05, 0.01), …);
  // tests/oracle/cox_path.R
  struct Expected {
    const char* name;
    With with;
    bool offset;
    CoxPathOptions options;
    std::vector<double> beta;
    double dev_ratio;  // at the last penalty
  };
  const double penalties[] = {0.2, 0.05, 0.01}, first_free[] = {0, 2, 1}, second_out[] = {1, infinity, 3};
  const CoxPathOptions plain{.lambda = penalties};
  const Expected cases[] = {
      {"lasso",
       {},
       false,
       plain,
       {0, 0, 0, 0.02356442284614, 0.03953593524733, 0, 0.09592210277585, 0.1370869162459, 0.1547073609906},
       0.007336398639662},
      {"weights",
       {.weight = true},
       false,
       {.alpha = 0.5, .lambda = penalties},
       {0, 0.07030252489854, 0, 0, 0.2207273623627, 0.2976523724502, 0.009303537604294, 0.3141528218711,
        0.5513744449975},
       0.02255964196487},
      {"ridge",
       {},
       false,
       {.alpha = 0, .lambda = penalties},
       {0.07543613405007, 0.0976247438703, 0.07618188588285, 0.1043788993797, 0.1533362142365, 0.205431840657,
        0.1190619468685, 0.1852893041903, 0.2862917332116},
       0.007921621305993},
      {"strata",
       {.weight = true, .stratum = true},
       false,
       plain,
       {0, 0, 0, 0, 0.05158887601463, 0, 0.02032257290867, 0.2231456140991, 0.4041970765786},
       0.01425265872053},
      {"truncation",
       {.entry = true},
       false,
       {.alpha = 0.5, .lambda = penalties},
       {0, 0, 0, 0.09140615895796, 0.08823867474992, 0, 0.1330989761885, 0.1495454232807, 0.1159608796842},
       0.01023185726765},
      {"offset",
       {},
       true,
       plain,
       {0, 0, 0, -0.1028465783868, 0.0687804076296, 0, -0.1267645769462, 0.1521864868165, 0.1879572574152},
       0.01707792490311},
      {"free",
       {},
       false,
       {.alpha = 0.5, .lambda = penalties, .penalty_factor = first_free},
       {0.06866026440751, 0, 0, 0.08467204030698, 0.05161707406549, 0, 0.1111514205821, 0.1504866515782,
        0.1979634729819},
       0.007622021966716},
      {"out",
       {},
       false,
       {.lambda = penalties, .penalty_factor = second_out},
       {0, 0, 0, 0.03390012949486, 0, 0, 0.06335368227117, 0, -0.0665369023567},
       0.002253257837464},
      {"not standardised",
       {},
       false,
       {.standardise = false, .lambda = penalties},
       {0, 0, 0, 0.03847244574912, 0.05194681285829, 0, 0.09334657451963, 0.1182827009962, 0.08139336794831},
       0.006824744628203},
  };
  for (const Expected& expected : cases) {
    SCOPED_TRACE(expected.name);
    const CoxPath path = cox_path(OracleCohort(expected.with).design(expected.offset), expected.options);
    EXPECT_EQ(path.verdict, CoxPathVerdict::complete);
    expect_equal(path.beta, expected.beta, 1e-7);
    ASSERT_EQ(path.n_lambda(), 3);
    EXPECT_NEAR(path.dev_ratio.back(), expected.dev_ratio, 1e-9);
  }
}

TEST(CoxPath, ChoosesPenaltiesAndStopsAsGlmnet) {
  // glmnet 4.1-6, thresh = 1e-20, its own sequence; tests/oracle/cox_path.R
  const CoxPathDesign design = OracleCohort({.weight = true}).design();
  const CoxPath lasso = cox_path(design);
  EXPECT_EQ(lasso.verdict, CoxPathVerdict::little_gained);
  ASSERT_EQ(lasso.n_lambda(), 50);
  EXPECT_NEAR(lasso.lambda[0], 0.191646638032856, 1e-14);
  EXPECT_NEAR(lasso.lambda[49], 0.00200772037824792, 1e-10);
  EXPECT_NEAR(lasso.dev_ratio[49], 0.02273786358327, 1e-9);
  EXPECT_NEAR(2 * (lasso.loglik_saturated - lasso.loglik_null), 56.4045304680415, 1e-11);
  expect_equal(lasso.beta_at(49), std::vector{0.01946210242599, 0.3354830747277, 0.6055966563914}, 1e-7);

  const CoxPath ridge = cox_path(design, {.alpha = 0});
  EXPECT_EQ(ridge.verdict, CoxPathVerdict::complete);
  ASSERT_EQ(ridge.n_lambda(), 100);
  EXPECT_NEAR(ridge.lambda[0], 191.646638032856, 1e-11);
  expect_equal(ridge.beta_at(0), std::vector{0.0, 0.0, 0.0}, 0);
  expect_equal(ridge.beta_at(99), std::vector{0.01590647146655, 0.3170961870512, 0.5596327029174}, 1e-7);

  const double first_free[] = {0, 2, 1};
  const CoxPath free = cox_path(OracleCohort({}).design(), {.penalty_factor = first_free});
  EXPECT_EQ(free.n_lambda(), 46);
  EXPECT_NEAR(free.lambda[0], 0.0531871188392858, 1e-8);
  expect_equal(free.beta_at(0), std::vector{0.06866026440751, 0.0, 0.0}, 1e-8);
}

TEST(CoxPath, EndsAtTooManyNonzeroAsGlmnet) {
  // glmnet 4.1-6 with dfmax = 1, 2: 5 and 18 lambdas, the last with 2 and 3 nonzero; with pmax: 4 and 17
  const CoxPathDesign design = OracleCohort({}).design();
  EXPECT_EQ(cox_path(design, {.max_nonzero = 1}).n_lambda(), 5);
  const CoxPath behind = cox_path(design, {.max_nonzero = 2});
  EXPECT_EQ(behind.verdict, CoxPathVerdict::many_nonzero);
  EXPECT_EQ(behind.n_lambda(), 18);
  EXPECT_EQ(behind.n_nonzero.back(), 3);
  EXPECT_EQ(cox_path(design, {.max_ever_nonzero = 1}).n_lambda(), 4);
  EXPECT_EQ(cox_path(design, {.max_ever_nonzero = 2}).n_lambda(), 17);
}

/// A random cohort with its last columns as carrier lists.
struct RandomCase {
  Cohort cohort;
  std::vector<double> dense, offset, weight, factor;
  std::vector<std::vector<std::int32_t>> lists;
  std::vector<std::span<const std::int32_t>> sparse;
  CoxPathColumns columns;
  CoxPathOptions options;

  RandomCase(Index n, int days, unsigned seed) {
    constexpr Index n_dense = 3, n_sparse = 4;
    cohort = random_cohort({.n = n,
                            .days = days,
                            .with = {seed % 5 == 0, seed % 3 == 0, seed % 4 == 0},
                            .seed = seed,
                            .n_covariates = n_dense + n_sparse + 2});
    const auto column = [&](Index j) {
      return std::span(cohort.covariate)
          .subspan(static_cast<std::size_t>(j * n), static_cast<std::size_t>(n));
    };
    dense.assign(cohort.covariate.begin(), cohort.covariate.begin() + n_dense * n);
    for (Index j = 0; j < n_sparse; ++j) {
      lists.emplace_back();
      for (std::int32_t i = 0; i < n; ++i) {
        if (column(n_dense + j)[static_cast<std::size_t>(i)] < -0.8 + 0.5 * static_cast<double>(j))
          lists.back().push_back(i);
      }
    }
    sparse.assign(lists.begin(), lists.end());
    for (const double u : column(n_dense + n_sparse)) weight.push_back(std::max(0.0, std::floor(u)));
    offset.assign(column(n_dense + n_sparse + 1).begin(), column(n_dense + n_sparse + 1).end());
    factor = {1, 2, seed % 2 ? 0.0 : 1.0, 1, 1, 0.5, seed % 7 == 0 ? infinity : 1};
    columns = {.dense = dense, .n_dense = n_dense, .sparse = sparse, .offset = {}};
    if (seed % 2) columns.offset = offset;
    static const double penalties[] = {0.3, 0.2, 0.1, 0.05, 0.03, 0.02, 0.015, 0.013, 0.011, 0.01};
    options.lambda = penalties;
    options.ties = seed % 3 == 1 ? Ties::efron : Ties::breslow;
    options.alpha = seed % 4 == 0 ? 0.5 : seed % 4 == 1 ? 0 : 1;
    options.penalty_factor = factor;
    options.standardise = seed % 11 != 0;
    if (seed % 3 != 2) options.weight = weight;
  }
};

TEST(CoxPath, EveryLevelAgreesWithTheReferenceOnRandomCohorts) {
  const Level before = level();
  for (const Level each : available_levels()) {
    force_level(each);
    unsigned seed = 0;
    for (const Index n : {40, 63, 64, 65, 151}) {
      for (const int days : {3, 20, 300}) {
        for (int again = 0; again < 2; ++again) {
          SCOPED_TRACE("seed " + std::to_string(++seed));
          const RandomCase c(n, days, seed);
          const Timeline timeline = c.cohort.timeline();
          const CoxPath path = cox_path(make_cox_path_design(timeline, c.columns), c.options);
          EXPECT_EQ(path.verdict, CoxPathVerdict::complete);
          expect_equal(path.beta, reference::cox_path(timeline, c.columns, c.options), 1e-6);
        }
      }
    }
  }
  force_level(before);
}

TEST(CoxPath, HoldsTheConditionsOfAMinimumOnAThousandSmallCohorts) {
  Index n_reached = 0;
  for (unsigned seed = 100; seed < 1100; ++seed) {
    const RandomCase c(12 + seed % 40, 2 + static_cast<int>(seed % 9), seed);
    const Timeline timeline = c.cohort.timeline();
    const CoxPath path = cox_path(make_cox_path_design(timeline, c.columns), c.options);
    for (Index k = 0; k < path.n_lambda(); ++k) {
      const double lambda = path.lambda[static_cast<std::size_t>(k)];
      EXPECT_LT(reference::cox_path_violation(timeline, c.columns, c.options, lambda, path.beta_at(k)), 1e-6)
          << "seed " << seed << " lambda " << lambda;
      ++n_reached;
    }
  }
  EXPECT_GT(n_reached, 9000);  // where columns without penalty separate the dead, there is no minimum
}

TEST(CoxPath, AWeightOfTwoIsTheRowTwice) {
  const RandomCase c(80, 10, 8);
  Cohort twice = c.cohort;
  std::vector<double> dense, weight(80, 1.0);
  std::vector<std::size_t> rows(80);
  std::iota(rows.begin(), rows.end(), std::size_t{0});
  for (std::size_t i = 0; i < 80; i += 3) {
    weight[i] = 2;
    rows.push_back(i);
  }
  weight[1] = 0;
  rows.erase(rows.begin() + 1);
  const auto pick = [&](auto& values) {
    auto picked = values;
    picked.clear();
    for (const std::size_t i : rows) {
      if (!values.empty()) picked.push_back(values[i]);
    }
    values = picked;
  };
  for (auto* values : {&twice.entry, &twice.time, &twice.weight}) pick(*values);
  pick(twice.event);
  pick(twice.stratum);
  for (std::size_t j = 0; j < 3; ++j) {
    for (const std::size_t i : rows) dense.push_back(c.dense[j * 80 + i]);
  }
  CoxPathOptions options{.alpha = 0.7, .lambda = c.options.lambda};
  const CoxPath repeated = cox_path(
      make_cox_path_design(twice.timeline(), {.dense = dense, .n_dense = 3, .sparse = {}, .offset = {}}),
      options);
  options.weight = weight;
  const CoxPath weighted = cox_path(
      make_cox_path_design(c.cohort.timeline(), {.dense = c.dense, .n_dense = 3, .sparse = {}, .offset = {}}),
      options);
  ASSERT_FALSE(weighted.beta.empty());
  expect_equal(weighted.beta, repeated.beta, 1e-8);
  expect_equal(weighted.dev_ratio, repeated.dev_ratio, 1e-10);
}

TEST(CoxPath, DoesNotDependOnTheOrderOfPatients) {
  const RandomCase c(97, 12, 15);
  const CoxPathColumns columns{.dense = c.dense, .n_dense = 3, .sparse = {}, .offset = {}};
  const CoxPathOptions options{.alpha = 0.8, .lambda = c.options.lambda};
  const CoxPath forward = cox_path(make_cox_path_design(c.cohort.timeline(), columns), options);
  Cohort back = c.cohort;
  std::vector<double> dense = c.dense;
  for (auto* values : {&back.entry, &back.time, &back.weight}) std::reverse(values->begin(), values->end());
  std::reverse(back.event.begin(), back.event.end());
  std::reverse(back.stratum.begin(), back.stratum.end());
  for (int j = 0; j < 3; ++j) std::reverse(dense.begin() + 97 * j, dense.begin() + 97 * (j + 1));
  const CoxPath backward = cox_path(
      make_cox_path_design(back.timeline(), {.dense = dense, .n_dense = 3, .sparse = {}, .offset = {}}),
      options);
  ASSERT_EQ(forward.n_lambda(), 10);
  expect_equal(backward.beta, forward.beta, 1e-11);
}

TEST(CoxPath, EndsWhereItsCriterionHasPassedItsLeast) {
  const CoxPathDesign design = OracleCohort({.weight = true}).design();
  const double penalties[] = {0.2, 0.15, 0.1, 0.07, 0.05, 0.03, 0.02, 0.01, 0.005};
  const CoxPath all = cox_path(design, {.lambda = penalties});
  constexpr double per_nonzero = 1.5;
  // by hand: the first lambda behind two in a row that are not below the least before
  std::size_t end = 0;
  double least = std::numeric_limits<double>::infinity();
  for (int worse = 0; end < 9 && worse < 2; ++end) {
    const double here = -2 * all.loglik[end] + per_nonzero * static_cast<double>(all.n_nonzero[end]);
    worse = here < least ? 0 : worse + 1;
    least = std::min(least, here);
  }
  const CoxPath ended =
      cox_path(design, {.lambda = penalties, .stop_after_worse = 2, .criterion_per_nonzero = per_nonzero});
  ASSERT_LT(end, 9u);
  EXPECT_EQ(ended.verdict, CoxPathVerdict::criterion_passed);
  EXPECT_EQ(name_of(ended.verdict), "criterion_passed");
  EXPECT_EQ(ended.n_lambda(), static_cast<Index>(end));
  EXPECT_TRUE(std::equal(ended.beta.begin(), ended.beta.end(), all.beta.begin()));
  EXPECT_THROW(cox_path(design, {.stop_after_worse = -1}), ShapeError);
}

TEST(CoxPath, AGivenSequenceMayEndAsGlmnetsOwn) {
  const CoxPathDesign design = OracleCohort({.weight = true}).design();
  const CoxPath own = cox_path(design);
  std::vector<double> longer = own.lambda;
  for (int k = 0; k < 5; ++k) longer.push_back(longer.back() / 2);
  const CoxPath given = cox_path(design, {.lambda = longer, .stop_early = true});
  EXPECT_EQ(given.verdict, own.verdict);
  EXPECT_EQ(given.n_lambda(), own.n_lambda());
  EXPECT_EQ(cox_path(design, {.lambda = longer}).n_lambda(), own.n_lambda() + 5);
}

TEST(CoxPath, SaysWhyThereIsNoPath) {
  OracleCohort c({});
  const std::vector<double> nobody(24, 0.0);
  EXPECT_EQ(cox_path(c.design(), {.weight = nobody}).verdict, CoxPathVerdict::no_events);
  const double all_free[] = {0, 0, infinity};
  EXPECT_EQ(cox_path(c.design(), {.penalty_factor = all_free}).verdict, CoxPathVerdict::nothing_penalised);
  std::fill(c.dense.begin(), c.dense.begin() + 24, 3.0);
  const CoxPath path = cox_path(c.design());
  EXPECT_EQ(path.constant, std::vector<Index>{0});
  EXPECT_EQ(path.beta_at(path.n_lambda() - 1)[0], 0);
  c.dense[5] = std::numeric_limits<double>::quiet_NaN();
  EXPECT_EQ(c.design().n_missing_covariate, 1);
  EXPECT_EQ(c.design().n_analysed, 23);
}

TEST(CoxPath, RefusesWhatDoesNotFit) {
  const CoxPathDesign design = OracleCohort({}).design();
  const double two[] = {1, 1}, negative[] = {1, -1, 1}, rising[] = {0.1, 0.2};
  EXPECT_THROW(cox_path(design, {.penalty_factor = two}), ShapeError);
  EXPECT_THROW(cox_path(design, {.penalty_factor = negative}), ShapeError);
  EXPECT_THROW(cox_path(design, {.weight = two}), ShapeError);
  EXPECT_THROW(cox_path(design, {.lambda = rising}), ShapeError);
  EXPECT_THROW(cox_path(design, {.alpha = 1.5}), ShapeError);
  EXPECT_THROW(cox_path(design, {.n_lambda = 0}), ShapeError);
  EXPECT_THROW(cox_path_loglik(design, two, Ties::breslow), ShapeError);
  OracleCohort c({});
  c.dense[0] = infinity;
  EXPECT_THROW(c.design(), ShapeError);
}

}  // namespace
}  // namespace chorale::kernels
