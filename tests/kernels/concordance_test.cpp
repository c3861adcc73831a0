// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/concordance.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "kernels/error.hpp"
#include "tests/kernels/survival_data.hpp"

namespace chorale::kernels {
namespace {

using survival_data::Cohort;
using survival_data::random_cohort;
using survival_data::Recipe;
using survival_data::twenty_four;
using survival_data::With;

Concordance count(const Cohort& cohort, const ConcordanceOptions& options = {},
                  std::span<const double> weight = {}, std::span<double> influence = {}) {
  ConcordanceCounter counter;
  return counter.count(make_risk_order(cohort.timeline()), cohort.covariate, weight, options, influence);
}

/// c, se, concordant, discordant, tied.x, tied.y, tied.xy
void expect_matches(const Concordance& found, const std::vector<double>& r) {
  EXPECT_EQ(found.verdict, ConcordanceVerdict::computed);
  EXPECT_NEAR(found.c, r[0], 1e-13);
  EXPECT_NEAR(found.se, r[1], 1e-13);
  EXPECT_NEAR(found.concordant, r[2], 1e-10);
  EXPECT_NEAR(found.discordant, r[3], 1e-10);
  EXPECT_NEAR(found.tied_risk, r[4], 1e-10);
  EXPECT_NEAR(found.tied_time, r[5], 1e-10);
  EXPECT_NEAR(found.tied_both, r[6], 1e-10);
}

// survival 3.5.3: concordance(..., reverse = TRUE), tests/oracle/concordance.R
TEST(Concordance, HarrellMatchesRSurvival) {
  const ConcordanceOptions with_error{.with_error = true};
  expect_matches(count(twenty_four({}), with_error),
                 {0.502336448598131, 0.0707805440426259, 99, 98, 17, 4, 0});
  expect_matches(count(twenty_four({.weight = true}), with_error),
                 {0.468871595330739, 0.0637411950370178, 54.5, 62.5, 11.5, 2, 0});
  expect_matches(count(twenty_four({.stratum = true}), with_error),
                 {0.524509803921569, 0.0887395661257246, 51, 46, 5, 3, 0});
  expect_matches(count(twenty_four({.entry = true}), with_error),
                 {0.508670520231214, 0.0790207225449381, 81, 78, 14, 4, 0});
  expect_matches(count(twenty_four({.entry = true, .weight = true, .stratum = true}), with_error),
                 {0.449748743718593, 0.0936016267954285, 20, 25, 4.75, 1.5, 0});
}

TEST(Concordance, UnoMatchesRSurvival) {
  ConcordanceOptions uno{.pairs = PairWeight::inverse_censoring, .with_error = true};
  expect_matches(count(twenty_four({}), uno), {0.513290717059548, 0.0693854804051299, 125.1986675662,
                                               118.213704144881, 19.3636466942149, 6.54408078934053, 0});
  expect_matches(count(twenty_four({.weight = true, .stratum = true}), uno),
                 {0.460119264374978, 0.075661241930209, 28.4937641723356, 33.8640873015873, 4.9719387755102,
                  1.75453514739229, 0});
  uno.tau = 9;
  expect_matches(count(twenty_four({.weight = true}), uno),
                 {0.453113142925398, 0.0660132290705717, 54.1385958326411, 66.6650359149754, 12.7779395486136,
                  1.7170583876121, 0});
}

/// Every pair by itself, with the terms that count it.
Concordance by_pairs(const Cohort& c, const std::vector<double>& weight) {
  Concordance total;
  const Timeline timeline = c.timeline();
  const auto same_risk = [&](std::size_t i, std::size_t j) { return c.covariate[i] == c.covariate[j]; };
  for (std::size_t i = 0; i < c.time.size(); ++i) {
    for (std::size_t j = 0; j < c.time.size(); ++j) {
      if (i == j || !timeline.analysed[i] || !timeline.analysed[j] || c.event[i] != 1) continue;
      if (timeline.stratum[i] != timeline.stratum[j]) continue;
      if (!timeline.entry.empty() && timeline.entry[j] >= c.time[i]) continue;
      const double w = weight[i] * weight[j];
      if (c.time[j] == c.time[i] && c.event[j] == 1) {
        // each such pair is met twice
        (same_risk(i, j) ? total.tied_both : total.tied_time) += w / 2;
      } else if (c.time[j] >= c.time[i]) {
        (same_risk(i, j)                   ? total.tied_risk
         : c.covariate[i] > c.covariate[j] ? total.concordant
                                           : total.discordant) += w;
      }
    }
  }
  total.c =
      (total.concordant + total.tied_risk / 2) / (total.concordant + total.discordant + total.tied_risk);
  return total;
}

TEST(Concordance, EqualsPairByPairOnRandomCohorts) {
  std::mt19937_64 engine(5);
  std::uniform_int_distribution<int> copies(0, 3);
  for (unsigned seed = 1; seed <= 300; ++seed) {
    const With with{.entry = seed % 2 == 0, .stratum = seed % 3 == 0};
    Cohort cohort = random_cohort({.n = 3 + Index{seed} % 60, .days = 12, .with = with, .seed = seed});
    for (double& x : cohort.covariate) x = std::floor(2 * x);
    std::vector<double> weight;
    for (std::size_t i = 0; i < cohort.time.size(); ++i) weight.push_back(copies(engine));
    const Concordance expected = by_pairs(cohort, weight), found = count(cohort, {}, weight);
    EXPECT_EQ(found.concordant, expected.concordant) << seed;
    EXPECT_EQ(found.discordant, expected.discordant) << seed;
    EXPECT_EQ(found.tied_risk, expected.tied_risk) << seed;
    EXPECT_EQ(found.tied_time, expected.tied_time) << seed;
    EXPECT_EQ(found.tied_both, expected.tied_both) << seed;
    EXPECT_EQ(found.verdict == ConcordanceVerdict::no_pairs, std::isnan(expected.c)) << seed;
    EXPECT_TRUE(found.c == expected.c || std::isnan(expected.c)) << seed;
  }
}

TEST(Concordance, InfluenceIsTheDerivative) {
  for (const With with : {With{.stratum = true}, With{.entry = true}}) {
    const Cohort cohort = random_cohort({.n = 400, .with = with, .seed = 9});
    std::vector<double> weight(400, 1), influence(400);
    const double c = count(cohort, {}, weight, influence).c;
    double sum = 0;
    for (std::size_t i = 0; i < 400; i += 7) {
      auto moved = weight;
      moved[i] += 1e-5;
      EXPECT_NEAR((count(cohort, {}, moved).c - c) / 1e-5, influence[i], 1e-7) << i;
    }
    for (const double part : influence) sum += part;
    EXPECT_NEAR(sum, 0, 1e-12);
  }
}

TEST(Concordance, TurningRisksRoundTurnsCRound) {
  Cohort cohort = random_cohort({.n = 3000, .seed = 4});
  const Concordance forth = count(cohort, {.with_error = true});
  for (double& x : cohort.covariate) x = -x;
  const Concordance back = count(cohort, {.with_error = true});
  EXPECT_NEAR(forth.c + back.c, 1, 1e-14);
  EXPECT_NEAR(forth.se, back.se, 1e-15);
}

TEST(Concordance, UnknownRisksLeaveAndNobodyToCompareIsNoNumber) {
  Cohort cohort = twenty_four({});
  std::vector<double> weight(24, 1);
  weight[5] = 0;
  const Concordance without = count(cohort, {.with_error = true}, weight);
  cohort.covariate[5] = missing;
  const Concordance unknown = count(cohort, {.with_error = true});
  EXPECT_EQ(unknown.n_missing_risk, 1);
  EXPECT_EQ(unknown.n_analysed, 23);
  EXPECT_EQ(unknown.c, without.c);
  EXPECT_EQ(unknown.se, without.se);

  const Concordance nobody = count(cohort, {.tau = -1});
  EXPECT_EQ(nobody.verdict, ConcordanceVerdict::no_pairs);
  EXPECT_TRUE(std::isnan(nobody.c));
  cohort.event.assign(24, 0);
  EXPECT_EQ(count(cohort).verdict, ConcordanceVerdict::no_pairs);
}

TEST(Concordance, ArgumentsMustFit) {
  const Cohort cohort = twenty_four({});
  std::vector<double> few(23, 1), negative(24, 1), infinite(24, 1);
  negative[3] = -1;
  infinite[3] = std::numeric_limits<double>::infinity();
  EXPECT_THROW(count(cohort, {}, few), ShapeError);
  EXPECT_THROW(count(cohort, {}, negative), ShapeError);
  EXPECT_THROW(count(cohort, {}, {}, few), ShapeError);
  ConcordanceCounter counter;
  const RiskOrder order = make_risk_order(cohort.timeline());
  EXPECT_THROW(counter.count(order, few, {}), ShapeError);
  EXPECT_THROW(counter.count(order, infinite, {}), ShapeError);
  EXPECT_THROW(make_risk_order(cohort.timeline(), std::vector<std::uint8_t>(3)), ShapeError);
  EXPECT_THROW(count(twenty_four({.entry = true}), {.pairs = PairWeight::inverse_censoring}), ShapeError);
}

}  // namespace
}  // namespace chorale::kernels
