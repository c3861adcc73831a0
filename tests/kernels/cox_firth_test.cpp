// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/cox_firth.hpp"

#include <gtest/gtest.h>
#include <omp.h>

#include <cmath>

#include "kernels/cox_residuals.hpp"
#include "kernels/error.hpp"
#include "kernels/pair_cox_firth.hpp"
#include "tests/kernels/oracle_numbers.hpp"
#include "tests/kernels/pair_data.hpp"

namespace chorale::kernels {
namespace {

using survival_data::Cohort;
using survival_data::random_cohort;
using survival_data::twenty_four;

TEST(CoxFirth, MatchesTheDefinitionInR) {
  const OracleNumbers oracle("cox_penalised");
  for (const Ties ties : {Ties::efron, Ties::breslow}) {
    for (const bool all : {false, true}) {
      for (const bool apart : {false, true}) {
        Cohort c = twenty_four({.entry = all, .weight = all, .stratum = all});
        for (std::size_t i = 0; apart && i < 24; ++i)
          if (c.feature[i] == 1) c.event[i] = 0;
        std::vector<double> columns = c.covariate;
        columns.insert(columns.end(), c.feature.begin(), c.feature.end());
        const CoxFirthFit found =
            cox_firth(make_cox_design(c.timeline(), {columns, 2, {}}), {.ties = ties, .profiles = true});
        const std::string name = std::string(ties == Ties::efron ? "efron" : "breslow") + " firth" +
                                 (all ? " all" : "") + (apart ? " apart" : "");
        EXPECT_EQ(found.fit.verdict, CoxVerdict::converged);
        EXPECT_TRUE(found.unprofiled.empty());
        expect_near(found.fit.beta, oracle(name + " beta"), 1e-9, name);
        expect_near(found.fit.covariance, oracle(name + " var"), 1e-9, name);
        expect_near({found.fit.loglik_null, found.fit.loglik}, oracle(name + " null and penalised loglik"),
                    1e-11, name);
        expect_near(found.lrt_chi2, oracle(name + " lrt"), 1e-9, name + " lrt");
        // uniroot's tolerance
        expect_near(found.lower, oracle(name + " lower"), 1e-7, name + " lower");
        expect_near(found.upper, oracle(name + " upper"), 1e-7, name + " upper");
      }
    }
  }
}

/// l + ½ log |I| by cox_terms.
double penalised(const CoxDesign& design, std::span<const double> beta, Ties ties) {
  const CoxTerms terms = cox_terms(design, beta, ties);
  // log |I| by elimination
  std::vector<double> left = terms.information;
  const auto p = static_cast<std::size_t>(design.n_columns);
  double loglik = terms.loglik;
  for (std::size_t j = 0; j < p; ++j) {
    loglik += 0.5 * std::log(left[j * p + j]);
    for (std::size_t a = j + 1; a < p; ++a) {
      for (std::size_t b = j + 1; b < p; ++b)
        left[a * p + b] -= left[a * p + j] * left[j * p + b] / left[j * p + j];
    }
  }
  return loglik;
}

TEST(CoxFirth, NoStepInAnyDirectionIsHigherOnRandomCohorts) {
  for (unsigned seed = 1; seed <= 60; ++seed) {
    const Index p = 1 + seed % 5;
    const Cohort c = random_cohort({.n = 30 + 40 * (seed % 4),
                                    .days = seed % 3 == 0 ? 4 : 50,
                                    .with = {seed % 2 == 0, seed % 3 == 0, seed % 5 == 0},
                                    .seed = seed,
                                    .n_covariates = p});
    const Ties ties = seed % 4 == 1 ? Ties::breslow : Ties::efron;
    const CoxDesign design = make_cox_design(c.timeline(), {c.covariate, p, {}});
    const CoxFit fit = cox_firth(design, {.ties = ties}).fit;
    ASSERT_EQ(fit.verdict, CoxVerdict::converged) << seed;
    EXPECT_NEAR(penalised(design, fit.beta, ties), fit.loglik, 1e-9 * std::abs(fit.loglik));
    for (std::size_t j = 0; j < fit.beta.size(); ++j) {
      const double se = std::sqrt(fit.covariance[j * fit.beta.size() + j]), h = 1e-3 * se;
      std::vector<double> up = fit.beta, down = fit.beta;
      up[j] += h;
      down[j] -= h;
      // slope in standard errors; of the third derivative h² is left
      EXPECT_NEAR((penalised(design, up, ties) - penalised(design, down, ties)) / (2 * h) * se, 0, 2e-6)
          << seed << " " << j;
    }
  }
}

TEST(CoxFirth, OfAPairIsThatOfPairCoxFirth) {
  const pair_data::PairCohort c = pair_data::random_pair(
      {.n = 400, .days = 40, .with = {true, true, true}, .seed = 4, .n_covariates = 2});
  const CoxDesign design = c.design();
  const std::vector<std::span<const std::int32_t>> carriers{c.a, c.b};
  const FeaturePair pair{0, 1};
  PairCoxFit expected;
  pair_cox_firth(design, cox_fit(design), carriers, {&pair, 1}, Ties::efron, {&expected, 1});
  ASSERT_EQ(expected.verdict, PairVerdict::penalised);
  std::vector<double> columns = c.cohort.covariate;
  columns.resize(5 * 400, 0.0);
  for (const std::int32_t i : c.a) columns[static_cast<std::size_t>(800 + i)] = 1;
  for (const std::int32_t i : c.b) {
    columns[static_cast<std::size_t>(1200 + i)] = 1;
    columns[static_cast<std::size_t>(1600 + i)] = columns[static_cast<std::size_t>(800 + i)];
  }
  const CoxFirthFit found =
      cox_firth(make_cox_design(c.cohort.timeline(), {columns, 5, {}}, c.tested), {.profiles = true});
  EXPECT_NEAR(found.fit.beta[0], expected.beta[0], 1e-9);
  EXPECT_NEAR(found.fit.beta[2], expected.a, 1e-9);
  EXPECT_NEAR(found.fit.beta[4], expected.ab, 1e-9);
  EXPECT_NEAR(found.fit.loglik, expected.loglik, 1e-9);
  EXPECT_NEAR(found.lrt_chi2[4], expected.lrt_chi2, 1e-8);
}

TEST(CoxFirth, DoesNotDependOnScalesAndSetsCopiesAside) {
  const Cohort c = random_cohort({.n = 80, .days = 20, .seed = 11, .n_covariates = 2});
  std::vector<double> other = c.covariate;
  for (std::size_t i = 0; i < 80; ++i) other[i] = 1e5 - 1e3 * other[i];
  other.insert(other.end(), c.covariate.begin() + 80, c.covariate.end());
  const CoxFirthFit plain =
      cox_firth(make_cox_design(c.timeline(), {c.covariate, 2, {}}), {.profiles = true});
  const CoxFirthFit found = cox_firth(make_cox_design(c.timeline(), {other, 3, {}}), {.profiles = true});
  EXPECT_EQ(found.fit.verdict, CoxVerdict::singular);
  EXPECT_EQ(found.fit.aliased, std::vector<Index>{2});
  EXPECT_TRUE(std::isnan(found.fit.beta[2]));
  EXPECT_TRUE(std::isnan(found.lower[2]));
  EXPECT_NEAR(found.fit.beta[0] * -1e3, plain.fit.beta[0], 1e-8);
  EXPECT_NEAR(found.upper[0] * -1e3, plain.lower[0], 1e-7);
  EXPECT_NEAR(found.fit.beta[1], plain.fit.beta[1], 1e-8);
  EXPECT_NEAR(found.lrt_chi2[1], plain.lrt_chi2[1], 1e-8);
  // |I| has the unit of the columns
  EXPECT_NEAR(found.fit.loglik, plain.fit.loglik + std::log(1e3), 1e-8);
}

TEST(CoxFirth, IsEqualToTheBitForAnyNumberOfThreads) {
  const Cohort c = random_cohort({.n = 9000, .days = 700, .seed = 3, .n_covariates = 4});
  const CoxDesign design = make_cox_design(c.timeline(), {c.covariate, 4, {}});
  const int before = omp_get_max_threads();
  omp_set_num_threads(1);
  const CoxFit one = cox_firth(design).fit;
  omp_set_num_threads(3);
  const CoxFit three = cox_firth(design).fit;
  omp_set_num_threads(before);
  EXPECT_EQ(one.beta, three.beta);
  EXPECT_EQ(one.loglik, three.loglik);
}

TEST(CoxFirth, SaysWhatCannotBeFitted) {
  Cohort c = twenty_four({});
  const CoxDesign design = make_cox_design(c.timeline(), {c.covariate, 1, {}});
  EXPECT_EQ(cox_firth(design, {.max_iterations = 1}).fit.verdict, CoxVerdict::not_converged);
  EXPECT_THROW(cox_firth(design, {.level = 1}), ShapeError);
  c.event.assign(24, 0);
  const CoxFirthFit none = cox_firth(make_cox_design(c.timeline(), {c.covariate, 1, {}}), {.profiles = true});
  EXPECT_EQ(none.fit.verdict, CoxVerdict::no_events);
  EXPECT_TRUE(std::isnan(none.fit.beta[0]));
  EXPECT_TRUE(std::isnan(none.lower[0]));
  EXPECT_EQ(cox_firth(make_cox_design(twenty_four({}).timeline(), {})).fit.verdict, CoxVerdict::converged);
}

}  // namespace
}  // namespace chorale::kernels
