// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/martingale.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "kernels/error.hpp"
#include "tests/kernels/pair_data.hpp"

namespace chorale::kernels {
namespace {

using pair_data::forty;
using pair_data::PairCohort;
using pair_data::random_pair;

std::vector<double> residuals_of(const CoxDesign& design, Ties ties) {
  std::vector<double> residuals(static_cast<std::size_t>(design.n_patients));
  martingale_residuals(design, cox_fit(design, {.ties = ties}), ties, residuals);
  return residuals;
}

void expect_near(const std::vector<double>& found, const std::vector<double>& expected, double tolerance) {
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t i = 0; i < found.size(); ++i)
    EXPECT_NEAR(found[i], expected[i], tolerance) << "patient " << i;
}

// survival 3.5.3: residuals(coxph(...), type = "martingale"), tests/oracle/martingale.R
const std::vector<double> efron_null = {
    0.962179487179487, 0.519256763683411,   -1.84204710702448,   0.783317692204609,   -0.0243065142838921,
    0.908443058443059, 0.39604342731218,    -2.09204710702448,   0.709808506626458,   -0.246412186389564,
    0.865142404848287, 0.284760317577057,   -2.59204710702448,   0.629744404062355,   -0.470023297500675,
    0.833892404848287, 0.159515219537842,   -0.0506410256410256, 0.519256763683411,   -0.758713773691151,
    0.783317692204609, -0.0243065142838921, -0.10544583044583,   0.39604342731218,    -1.09204710702448,
    0.709808506626458, -0.246412186389564,  -0.134857595151713,  0.284760317577057,   -1.59204710702448,
    0.629744404062355, -0.470023297500675,  -0.166107595151713,  0.159515219537842,   0.962179487179487,
    0.519256763683411, -0.758713773691151,  -0.233923687105736,  -0.0243065142838921, 0.908443058443059};
const std::vector<double> efron_all = {0.950109219189574,   0.546828413764736,   -1.25132988210323,
                                       0.803974442743195,   0.201092865378028,   0.884688755924126,
                                       0.475150300229024,   -1.95799231678325,   0.699580837604753,
                                       0.185088700954908,   0.856534373576298,   0.211778419691923,
                                       -3.04637653695183,   0.658688989149042,   -0.72729075761501,
                                       0.885042409400016,   0.0865778326621873,  0,
                                       0.657146985770347,   -1.26274218459541,   0.852850356381727,
                                       -0.154619811490232,  -0.0593751139219045, 0.0584926289638883,
                                       -1.19659163808779,   0.60449795211287,    -0.551249481555548,
                                       -0.0643531866500477, 0.442749810939818,   -1.29636794795035,
                                       0.5227412313726,     -0.366916446773359,  -0.203806448903331,
                                       0.236643311564844,   0.931585127245416,   0.535807115388929,
                                       -0.281762681546365,  -0.2007929703547,    0.181663152278894,
                                       0.881884344381902};
const std::vector<double> breslow_null = {0.95,
                                          0.484108657890627,
                                          -1.75604285726089,
                                          0.768617514573397,
                                          -0.0662881675061981,
                                          0.895945945945946,
                                          0.384108657890627,
                                          -2.00604285726089,
                                          0.694543440499323,
                                          -0.24810634932438,
                                          0.866534181240064,
                                          0.272997546779516,
                                          -2.50604285726089,
                                          0.614543440499323,
                                          -0.470328571546602,
                                          0.835284181240064,
                                          0.147997546779516,
                                          -0.05,
                                          0.484108657890627,
                                          -0.756042857260888,
                                          0.768617514573397,
                                          -0.0662881675061981,
                                          -0.104054054054054,
                                          0.384108657890627,
                                          -1.00604285726089,
                                          0.694543440499323,
                                          -0.24810634932438,
                                          -0.133465818759936,
                                          0.272997546779516,
                                          -1.50604285726089,
                                          0.614543440499323,
                                          -0.470328571546602,
                                          -0.164715818759936,
                                          0.147997546779516,
                                          0.95,
                                          0.484108657890627,
                                          -0.756042857260888,
                                          -0.231382485426603,
                                          -0.0662881675061981,
                                          0.895945945945946};
const std::vector<double> breslow_all = {0.934726308361123,   0.505051099390288,   -1.23189090163036,
                                         0.80855327118572,    0.148005556305227,   0.850120246503463,
                                         0.477876869276661,   -1.94726763606283,   0.700700706896354,
                                         0.19875748737564,    0.858165645781034,   0.228331787015648,
                                         -3.01489550133553,   0.664241138478832,   -0.70646084170916,
                                         0.888608735844277,   0.0855015237667023,  0,
                                         0.659740811383312,   -1.23950584677025,   0.854016620117685,
                                         -0.139850012467318,  -0.0580511082272193, 0.0784909343174442,
                                         -1.1694750120145,    0.610606697830447,   -0.518522513940894,
                                         -0.0616668962515055, 0.443474681386491,   -1.28049808252186,
                                         0.524012582808973,   -0.34765825444728,   -0.201603441462664,
                                         0.248988853670979,   0.909706575861426,   0.493756735221268,
                                         -0.260001731743077,  -0.195815400148902,  0.128563679567615,
                                         0.846700102493712};

TEST(Martingale, MatchesRSurvivalWithoutCovariates) {
  const CoxDesign design = forty({}, 0).design();
  expect_near(residuals_of(design, Ties::efron), efron_null, 1e-13);
  expect_near(residuals_of(design, Ties::breslow), breslow_null, 1e-13);
}

TEST(Martingale, MatchesRSurvivalWithEntryTimesWeightsAndStrata) {
  const CoxDesign design = forty({.entry = true, .weight = true, .stratum = true}, 2).design();
  expect_near(residuals_of(design, Ties::efron), efron_all, 1e-10);
  expect_near(residuals_of(design, Ties::breslow), breslow_all, 1e-10);
}

TEST(Martingale, WeightedSumsAreZeroInEveryStratumAndNaNForWhoLeaves) {
  const PairCohort cohort = random_pair({.n = 500, .with = {true, true, true}, .n_covariates = 2});
  const Timeline timeline = cohort.cohort.timeline();
  const auto residuals = residuals_of(cohort.design(), Ties::efron);
  std::vector<double> sums(3, 0), sizes(3, 0);
  for (std::size_t i = 0; i < residuals.size(); ++i) {
    const bool analysed = timeline.analysed[i] != 0 && cohort.tested[i] != 0;
    ASSERT_EQ(std::isnan(residuals[i]), !analysed) << i;
    if (!analysed) continue;
    const double term = cohort.cohort.weight[i] * residuals[i];
    sums[static_cast<std::size_t>(timeline.stratum[i])] += term;
    sizes[static_cast<std::size_t>(timeline.stratum[i])] += std::abs(term);
  }
  for (std::size_t s = 0; s < 3; ++s) EXPECT_LT(std::abs(sums[s]), 1e-13 * sizes[s]);
}

TEST(Martingale, NobodyDiesAndNoMaximum) {
  PairCohort cohort = forty({}, 1);
  cohort.cohort.event.assign(40, 0);
  expect_near(residuals_of(cohort.design(), Ties::efron), std::vector<double>(40, 0), 0);

  // whoever dies has the larger covariate and dies before the others leave
  PairCohort monotone = forty({}, 1);
  for (std::size_t i = 0; i < 40; ++i) {
    monotone.cohort.event[i] = i < 10;
    monotone.cohort.time[i] = i < 10 ? 1 : 2;
    monotone.cohort.covariate[i] = i < 10;
  }
  for (const double residual : residuals_of(monotone.design(), Ties::efron))
    EXPECT_TRUE(std::isnan(residual));
}

TEST(Martingale, AliasedColumnsChangeNothing) {
  PairCohort once = forty({}, 1), twice = forty({}, 1);
  twice.n_covariates = 2;
  for (std::size_t i = 0; i < 40; ++i) twice.cohort.covariate.push_back(1 - 2 * twice.cohort.covariate[i]);
  expect_near(residuals_of(twice.design(), Ties::efron), residuals_of(once.design(), Ties::efron), 1e-12);
}

TEST(Martingale, ArgumentsMustFit) {
  const CoxDesign design = forty({}, 1).design();
  const CoxFit fit = cox_fit(design);
  std::vector<double> short_one(39), residuals(40);
  EXPECT_THROW(martingale_residuals(design, fit, Ties::efron, short_one), ShapeError);
  EXPECT_THROW(martingale_residuals(forty({}, 2).design(), fit, Ties::efron, residuals), ShapeError);
}

}  // namespace
}  // namespace chorale::kernels
