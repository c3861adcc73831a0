// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/cox.hpp"

#include <gtest/gtest.h>
#include <omp.h>

#include <cmath>

#include "kernels/error.hpp"
#include "kernels/level.hpp"
#include "kernels/reference/cox.hpp"
#include "tests/kernels/survival_data.hpp"

namespace chorale::kernels {
namespace {

using survival_data::close;
using survival_data::Cohort;
using survival_data::random_cohort;
using survival_data::twenty_four;
using survival_data::With;

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

std::vector<double> side_by_side(const std::vector<double>& a, const std::vector<double>& b) {
  std::vector<double> columns = a;
  columns.insert(columns.end(), b.begin(), b.end());
  return columns;
}

TEST(CoxTerms, TiesFollowEfron) {
  Cohort c;
  c.time = {1, 2, 2, 3, 4, 5};
  c.event = {1, 1, 1, 0, 1, 0};
  const std::vector<double> x{1, 0, 1, 0, 1, 0}, beta{0};
  const CoxDesign design = make_cox_design(c.timeline(), {.values = x, .n_columns = 1, .offset = {}});
  const CoxTerms terms = cox_terms(design, beta, Ties::efron);

  // each death costs log(at risk): 6; then 5 and 5 − 1/2·2 = 4 for the tied pair; then 2
  EXPECT_NEAR(terms.loglik, -(std::log(6) + std::log(5) + std::log(4) + std::log(2)), 1e-12);
  // carriers who die, less their share of each risk set: 3/6; 2/5 and (2 − 1/2)/4; 1/2
  EXPECT_NEAR(terms.gradient[0], 3 - (3. / 6 + 2. / 5 + 1.5 / 4 + 1. / 2), 1e-13);
  EXPECT_NEAR(terms.information[0], 0.25 + 0.24 + 0.375 * 0.625 + 0.25, 1e-13);
}

TEST(CoxTerms, TiesFollowBreslow) {
  Cohort c;
  c.time = {1, 2, 2, 3, 4, 5};
  c.event = {1, 1, 1, 0, 1, 0};
  const std::vector<double> x{1, 0, 1, 0, 1, 0}, beta{0};
  const CoxDesign design = make_cox_design(c.timeline(), {.values = x, .n_columns = 1, .offset = {}});
  // the tied pair both see all 5 at risk
  EXPECT_NEAR(cox_terms(design, beta, Ties::breslow).loglik, -(std::log(6) + 2 * std::log(5) + std::log(2)),
              1e-12);
}

TEST(CoxTerms, EveryLevelAgreesWithTheReferenceOnRandomCohorts) {
  const Level before = level();
  for (const Level each : available_levels()) {
    force_level(each);
    unsigned seed = 0;
    for (const Index n : {1, 5, 63, 64, 65, 151}) {
      for (const int days : {1, 3, 20, 300}) {
        for (const Index p : {0, 1, 2, 5}) {
          for (const Ties ties : {Ties::efron, Ties::breslow}) {
            ++seed;
            const Cohort c = random_cohort({.n = n,
                                            .days = days,
                                            .with = {seed % 5 == 0, seed % 3 == 0, seed % 4 == 0},
                                            .seed = seed,
                                            .n_covariates = p + 1});
            const auto values = std::span(c.covariate);
            const CoxColumns columns{
                .values = values.first(static_cast<std::size_t>(n * p)),
                .n_columns = p,
                .offset = seed % 2 ? values.last(static_cast<std::size_t>(n)) : std::span<const double>()};
            const Timeline timeline = c.timeline();
            std::vector<double> beta;
            for (Index j = 0; j < p; ++j) beta.push_back(0.7 - 0.4 * static_cast<double>(j));
            const CoxTerms found = cox_terms(make_cox_design(timeline, columns), beta, ties);
            const CoxTerms expected = reference::cox_terms(timeline, columns, {}, beta, ties);
            EXPECT_TRUE(close(found.loglik, expected.loglik, 1e-12))
                << found.loglik << ", " << expected.loglik;
            for (std::size_t k = 0; k < expected.gradient.size(); ++k) {
              EXPECT_TRUE(close(found.gradient[k], expected.gradient[k], 1e-11))
                  << found.gradient[k] << ", " << expected.gradient[k];
            }
            for (std::size_t k = 0; k < expected.information.size(); ++k) {
              EXPECT_TRUE(close(found.information[k], expected.information[k], 1e-11))
                  << found.information[k] << ", " << expected.information[k];
            }
          }
        }
      }
    }
  }
  force_level(before);
}

TEST(CoxFit, MatchesRSurvival) {
  // survival 3.5.3: coxph(Surv([entry,] time, event) ~ z + x [+ strata(stratum)], weights, ties) and
  // coxph(… ~ x + offset(z / 4)), eps = 1e-14; tests/oracle/survival.R
  struct Expected {
    Ties ties;
    With with;
    bool offset;  // x beside an offset instead of z and x
    std::vector<double> beta, se;
    double loglik_null, loglik, score;
  };
  const Expected cases[] = {
      {Ties::efron,
       {},
       false,
       {0.07820271941949, -0.112142382080717},
       {0.195685012741513, 0.509658486829385},
       -41.9829019180309,
       -41.8852081231267,
       0.198008602362254},
      {Ties::efron,
       {},
       true,
       {-0.126320745572221},
       {0.508621869270968},
       -42.2992407905099,
       -42.2680375238588,
       0.0617632927308842},
      {Ties::efron,
       {.entry = true, .weight = true, .stratum = true},
       false,
       {-0.00723205715803257, 0.133185074760566},
       {0.256658884532313, 0.62870483939142},
       -19.1698790555052,
       -19.1474692654257,
       0.0450495490274592},
      {Ties::breslow,
       {},
       false,
       {0.0715252996954188, -0.122484283163411},
       {0.195994079288669, 0.509475183383996},
       -42.4260978280896,
       -42.3363192961666,
       0.181697869966766},
      {Ties::breslow,
       {},
       true,
       {-0.134167139882844},
       {0.5085859822082},
       -42.7831038428932,
       -42.7478745916994,
       0.0696960430051193},
      {Ties::breslow,
       {.entry = true, .weight = true, .stratum = true},
       false,
       {-0.014266132575324, 0.0868635082900012},
       {0.256453928178064, 0.624104216719848},
       -19.6263582558466,
       -19.6156556251748,
       0.0214792114793741},
  };
  for (const Expected& expected : cases) {
    const Cohort c = twenty_four(expected.with);
    std::vector<double> offset = c.covariate;
    for (double& value : offset) value /= 4;
    const auto both = side_by_side(c.covariate, c.feature);
    const CoxColumns columns = expected.offset ? CoxColumns{c.feature, 1, offset} : CoxColumns{both, 2, {}};
    const CoxFit fit = cox_fit(make_cox_design(c.timeline(), columns), {.ties = expected.ties});
    EXPECT_EQ(fit.verdict, CoxVerdict::converged);
    ASSERT_EQ(fit.beta.size(), expected.beta.size());
    const std::size_t p = fit.beta.size();
    for (std::size_t j = 0; j < p; ++j) {
      EXPECT_NEAR(fit.beta[j], expected.beta[j], 1e-10);
      EXPECT_NEAR(std::sqrt(fit.covariance[j * p + j]), expected.se[j], 1e-9);
    }
    EXPECT_NEAR(fit.loglik_null, expected.loglik_null, 1e-11);
    EXPECT_NEAR(fit.loglik, expected.loglik, 1e-11);
    EXPECT_NEAR(fit.score_chi2, expected.score, 1e-11);
  }
}

TEST(CoxFit, ColumnsThatFollowFromOthersAreSetAside) {
  // survival 3.5.3: coxph(Surv(time, event) ~ z + I(2 * z - 1) + x), tests/oracle/survival.R, aliased
  const Cohort c = twenty_four({});
  std::vector<double> columns = c.covariate;
  for (const double z : c.covariate) columns.push_back(2 * z - 1);
  columns.insert(columns.end(), c.feature.begin(), c.feature.end());
  const CoxFit fit = cox_fit(make_cox_design(c.timeline(), {columns, 3, {}}));
  EXPECT_EQ(fit.verdict, CoxVerdict::singular);
  EXPECT_EQ(fit.aliased, std::vector<Index>{1});
  EXPECT_NEAR(fit.beta[0], 0.07820271941949, 1e-10);
  EXPECT_TRUE(std::isnan(fit.beta[1]));
  EXPECT_NEAR(fit.beta[2], -0.112142382080717, 1e-10);
  EXPECT_NEAR(fit.loglik, -41.8852081231267, 1e-11);
}

TEST(CoxFit, ConstantColumnsAreSetAside) {
  const Cohort c = twenty_four({});
  const CoxFit fit =
      cox_fit(make_cox_design(c.timeline(), {side_by_side(std::vector(24, 0.1), c.feature), 2, {}}));
  EXPECT_EQ(fit.aliased, std::vector<Index>{0});
  EXPECT_EQ(fit.verdict, CoxVerdict::singular);
}

TEST(CoxFit, NamesTheColumnWhoseCoefficientDiverges) {
  // nobody with x = 1 dies
  Cohort c = twenty_four({});
  for (std::size_t i = 0; i < 24; ++i) c.event[i] = c.feature[i] == 0 ? c.event[i] : std::int8_t{0};
  const CoxFit fit = cox_fit(make_cox_design(c.timeline(), {side_by_side(c.covariate, c.feature), 2, {}}));
  EXPECT_EQ(fit.verdict, CoxVerdict::monotone);
  EXPECT_EQ(fit.infinite, std::vector<Index>{1});
  EXPECT_EQ(fit.beta[1], -std::numeric_limits<double>::infinity());
  // the limit: z among those with x = 0 alone
  std::vector<std::uint8_t> others;
  for (const double x : c.feature) others.push_back(x == 0);
  const CoxFit limit = cox_fit(make_cox_design(c.timeline(), {c.covariate, 1, {}}, others));
  EXPECT_NEAR(fit.loglik, limit.loglik, 1e-8);
  EXPECT_NEAR(fit.beta[0], limit.beta[0], 1e-6);
}

TEST(CoxFit, ColumnsThatNeverDifferAmongThoseAtRiskTogetherAreSetAside) {
  // a column equal to the stratum: its information is 0 but for rounding
  const Cohort c =
      random_cohort({.n = 300, .days = 60, .with = {.stratum = true}, .seed = 6, .n_covariates = 1});
  std::vector<double> columns(c.stratum.begin(), c.stratum.end());
  for (double& x : columns) x = 0.3 + 1.7 * x;
  columns.insert(columns.end(), c.covariate.begin(), c.covariate.end());
  const CoxFit fit = cox_fit(make_cox_design(c.timeline(), {columns, 2, {}}));
  EXPECT_EQ(fit.verdict, CoxVerdict::singular);
  EXPECT_EQ(fit.aliased, std::vector<Index>{0});
  EXPECT_NEAR(fit.beta[1], cox_fit(make_cox_design(c.timeline(), {c.covariate, 1, {}})).beta[0], 1e-9);
}

TEST(CoxFit, SumsOfWhoIsAtRiskDoNotCancelWhenTheHazardousEnterLate) {
  // until time 2 only patients with a predictor of about 0 are at risk; then one with 100 enters
  Cohort c;
  c.entry = {0, 0, 0, 2, 2};
  c.time = {1, 2, 3, 4, 5};
  c.event = {1, 1, 1, 1, 0};
  const std::vector<double> x{0, 0.5, 0, 50, 0.25}, beta{2};
  const CoxTerms terms = cox_terms(make_cox_design(c.timeline(), {.values = x, .n_columns = 1, .offset = {}}),
                                   beta, Ties::efron);
  // risk sets {1, 2, 3}, {2, 3}, {3, 4, 5}, {4, 5} with predictors 0, 1, 0, 100, 0.5
  const double expected = -std::log(2 + std::exp(1)) + 1 - std::log(1 + std::exp(1)) - 100 + 0;
  EXPECT_NEAR(terms.loglik, expected, 1e-12 * 100);
  EXPECT_NEAR(terms.gradient[0],
              -0.5 * std::exp(1) / (2 + std::exp(1)) + 0.5 - 0.5 * std::exp(1) / (1 + std::exp(1)) - 50,
              1e-11);
}

TEST(CoxFit, SaysMonotoneWhereNumbersEndBeforeTheLikelihoodLevelsOff) {
  // who dies among those at risk has almost, not quite, the covariates of another: the coefficients that tell the two
  // apart run through hazard ratios beyond any number
  Cohort c;
  c.entry = {1, 598, 0, 291, 592, 164};
  c.time = {234, 669, 881, 817, 713, 976};
  c.event = {0, 0, 1, 0, 1, 0};
  const std::vector<double> x{0.545656, 0.35872, 0.493652, -0.679802, -0.653887, 1.86817, 1, 0, 1, 3, 3, 0};
  const CoxFit fit = cox_fit(make_cox_design(c.timeline(), {x, 2, {}}));
  EXPECT_EQ(fit.verdict, CoxVerdict::monotone);
  EXPECT_EQ(fit.infinite, (std::vector<Index>{0, 1}));
}

TEST(CoxFit, DoesNotDependOnTheScaleOfAColumn) {
  const Cohort c = random_cohort({.n = 200, .days = 100, .seed = 5, .n_covariates = 2});
  std::vector<double> scaled = c.covariate;
  for (std::size_t i = 0; i < 200; ++i) scaled[i] = 1e6 + 1e4 * scaled[i];
  const CoxFit plain = cox_fit(make_cox_design(c.timeline(), {c.covariate, 2, {}}));
  const CoxFit other = cox_fit(make_cox_design(c.timeline(), {scaled, 2, {}}));
  EXPECT_NEAR(other.beta[0] * 1e4, plain.beta[0], 1e-9);
  EXPECT_NEAR(other.beta[1], plain.beta[1], 1e-9);
  EXPECT_NEAR(other.loglik, plain.loglik, 1e-9);
}

TEST(CoxFit, WithoutEventsThereIsNoFit) {
  Cohort c = twenty_four({});
  for (auto& event : c.event) event = 0;
  EXPECT_EQ(cox_fit(make_cox_design(c.timeline(), {c.feature, 1, {}})).verdict, CoxVerdict::no_events);
}

TEST(CoxFit, CountsPatientsWithoutACovariate) {
  Cohort c = twenty_four({});
  c.covariate[3] = c.covariate[7] = nan;
  const CoxDesign design = make_cox_design(c.timeline(), {c.covariate, 1, {}});
  EXPECT_EQ(design.n_missing_covariate, 2);
  EXPECT_EQ(design.n_analysed, 22);
}

TEST(CoxFit, IsEqualToTheBitForAnyNumberOfThreads) {
  const Cohort c = random_cohort({.n = 20000, .days = 2000, .seed = 9, .n_covariates = 4});
  const CoxDesign design = make_cox_design(c.timeline(), {c.covariate, 4, {}});
  omp_set_num_threads(1);
  const CoxFit one = cox_fit(design);
  omp_set_num_threads(3);
  const CoxFit three = cox_fit(design);
  omp_set_num_threads(omp_get_num_procs());
  EXPECT_EQ(one.beta, three.beta);
  EXPECT_EQ(one.covariance, three.covariance);
  EXPECT_EQ(one.loglik, three.loglik);
}

TEST(CoxDesign, RefusesColumnsOfAnotherLengthAndInfiniteValues) {
  const Timeline timeline = twenty_four({}).timeline();
  std::vector<double> columns(25, 0);
  EXPECT_THROW(make_cox_design(timeline, {columns, 1, {}}), ShapeError);
  columns.pop_back();
  columns[4] = std::numeric_limits<double>::infinity();
  EXPECT_THROW(make_cox_design(timeline, {columns, 1, {}}), ShapeError);
  const std::vector<double> beta{1, 2};
  columns[4] = 0;
  EXPECT_THROW(cox_terms(make_cox_design(timeline, {columns, 1, {}}), beta, Ties::efron), ShapeError);
}

}  // namespace
}  // namespace chorale::kernels
