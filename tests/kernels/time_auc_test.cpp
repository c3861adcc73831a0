// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/time_auc.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "kernels/error.hpp"
#include "tests/kernels/survival_data.hpp"

namespace chorale::kernels {
namespace {

using survival_data::Cohort;
using survival_data::random_cohort;
using survival_data::twenty_four;
using survival_data::With;

// the formula pair by pair in R, tests/oracle/brier.R
TEST(TimeAuc, MatchesTheFormulaInR) {
  const auto expect = [](With with, const std::vector<double>& expected) {
    const Cohort cohort = twenty_four(with);
    const std::vector<double> horizons{12, 4, 8.5};
    const auto found = time_auc(make_risk_order(cohort.timeline()), cohort.covariate, horizons, {});
    ASSERT_EQ(found.size(), 3u);
    for (std::size_t k = 0; k < 3; ++k) EXPECT_NEAR(found[k].auc, expected[k], 1e-13) << horizons[k];
  };
  expect({}, {0.61616239491959, 0.423720707795313, 0.373624031007752});
  expect({.weight = true}, {0.447049462670017, 0.408670886075949, 0.316937947296369});
  expect({.weight = true, .stratum = true}, {0.407845914692733, 0.407812409197451, 0.320503820863693});
}

TEST(TimeAuc, TurningRisksRoundTurnsTheAreaRound) {
  Cohort cohort = random_cohort({.n = 2000, .seed = 4});
  const RiskOrder order = make_risk_order(cohort.timeline());
  const std::vector<double> horizons{5};
  const double forth = time_auc(order, cohort.covariate, horizons, {})[0].auc;
  for (double& x : cohort.covariate) x = -x;
  EXPECT_NEAR(forth + time_auc(order, cohort.covariate, horizons, {})[0].auc, 1, 1e-13);
}

TEST(TimeAuc, NothingToCompareHasAVerdict) {
  Cohort cohort = twenty_four({});
  const auto verdict = [&](double horizon, std::span<const double> weight = {}) {
    const TimeAuc found =
        time_auc(make_risk_order(cohort.timeline()), cohort.covariate, {&horizon, 1}, weight)[0];
    EXPECT_TRUE(std::isnan(found.auc));
    return found.verdict;
  };
  EXPECT_EQ(verdict(-1), HorizonVerdict::no_cases);
  EXPECT_EQ(verdict(15), HorizonVerdict::no_controls);
  EXPECT_EQ(verdict(5, std::vector<double>(24, 0)), HorizonVerdict::nobody);
  cohort.event[23] = 0;
  EXPECT_EQ(verdict(15), HorizonVerdict::beyond_follow_up);
  const std::vector<double> few(3);
  EXPECT_THROW(verdict(5, few), ShapeError);
}

}  // namespace
}  // namespace chorale::kernels
