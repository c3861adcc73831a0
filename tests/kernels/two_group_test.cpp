// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/two_group.hpp"

#include <gtest/gtest.h>
#include <omp.h>

#include <cmath>
#include <cstring>

#include "kernels/error.hpp"
#include "kernels/level.hpp"
#include "kernels/log_rank.hpp"
#include "kernels/reference/two_group.hpp"
#include "tests/kernels/survival_data.hpp"

namespace chorale::kernels {
namespace {

using survival_data::close;
using survival_data::Cohort;
using survival_data::random_cohort;
using survival_data::Recipe;
using survival_data::twenty_four;
using survival_data::With;

TwoGroupFit fit_one(const Timeline& timeline, std::span<const std::int32_t> carriers, Ties ties,
                    std::span<const std::uint8_t> tested = {}) {
  TwoGroupFit fit;
  two_group(timeline, risk_totals(timeline, tested), {&carriers, 1}, ties, {&fit, 1});
  return fit;
}

TwoGroupFit fit_one(const Cohort& cohort, Ties ties) {
  const auto carriers = cohort.carriers();
  return fit_one(cohort.timeline(), carriers, ties);
}

/// Six patients die in turn, carriers first and third and fifth.
Cohort six() {
  Cohort c;
  c.time = {1, 2, 3, 4, 5, 6};
  c.event = {1, 1, 1, 1, 1, 1};
  c.feature = {1, 0, 1, 0, 1, 0};
  return c;
}

TEST(TwoGroup, CountsAndLogRankFollowFromTheTable) {
  const TwoGroupFit fit = fit_one(six(), Ties::efron);

  EXPECT_EQ(fit.n_analysed, 6);
  EXPECT_EQ(fit.n_events, 6);
  EXPECT_EQ(fit.n_carriers, 3);
  EXPECT_EQ(fit.n_carrier_events, 3);
  EXPECT_EQ(fit.observed, 3);
  // carriers among those at risk: 3/6, 2/5, 2/4, 1/3, 1/2, 0/1
  EXPECT_NEAR(fit.expected, 3. / 6 + 2. / 5 + 2. / 4 + 1. / 3 + 1. / 2, 1e-15);
  // one death at a time: p (1 − p)
  EXPECT_NEAR(fit.logrank_variance, 1. / 4 + 6. / 25 + 1. / 4 + 2. / 9 + 1. / 4, 1e-15);
  EXPECT_NEAR(fit.logrank_chi2, std::pow(3 - fit.expected, 2) / fit.logrank_variance, 1e-14);
}

TEST(TwoGroup, NullLikelihoodMultipliesTheChancesOfEachDeath) {
  const TwoGroupFit fit = fit_one(six(), Ties::efron);

  // 6, 5, 4, 3, 2, 1 at risk
  EXPECT_NEAR(fit.loglik_null, -std::log(720.), 1e-13);
  // with one death at a time the score test is the log-rank test
  EXPECT_NEAR(fit.score_chi2, fit.logrank_chi2, 1e-13);
}

TEST(TwoGroup, TwoPatientsAtOneTimeHaveAClosedForm) {
  // at risk 1 carrier and 2 others; a carrier dies at 1, an other at 2: l(b) = b − log(e^b + 2) − log 2
  // has no maximum; with a third time on which the carrier of a later pair is beaten it has one:
  // deaths carrier, other among {c, c, o, o}, {c, o, o}: l = b − log(2e^b + 2) − log(e^b + 2), after that nobody
  // is at risk with a choice. l' = 1 − e/(e+1) − e/(e+2) = 0 → e² = 2
  Cohort c;
  c.time = {1, 2, 3, 3};
  c.event = {1, 1, 0, 0};
  c.feature = {1, 0, 1, 0};
  const TwoGroupFit fit = fit_one(c, Ties::efron);

  EXPECT_NEAR(fit.log_hazard, std::log(2.) / 2, 1e-12);
  const double e = std::sqrt(2.);
  EXPECT_NEAR(fit.loglik, std::log(e) - std::log(2 * e + 2) - std::log(e + 2), 1e-12);
  // −l'' = e/(e+1)² + 2e/(e+2)²
  EXPECT_NEAR(fit.se, 1 / std::sqrt(e / std::pow(e + 1, 2) + 2 * e / std::pow(e + 2, 2)), 1e-12);
}

TEST(TwoGroup, MatchesRSurvival) {
  // survival 3.5.3: coxph(Surv([entry,] time, event) ~ x [+ strata(stratum)], weights, ties), eps = 1e-14;
  // tests/oracle/survival.R
  struct Expected {
    Ties ties;
    With with;
    double beta, se, loglik_null, loglik, score;
  };
  const Expected cases[] = {
      {Ties::efron,
       {},
       -0.0958193925767682,
       0.508789770740655,
       -41.9829019180309,
       -41.965008486323,
       0.0354942379150972},
      {Ties::efron,
       {.weight = true},
       -0.111938216378435,
       0.554404703416688,
       -29.8751053507523,
       -29.8546496744615,
       0.0408060499496102},
      {Ties::efron,
       {.stratum = true},
       -0.0715871398888154,
       0.555734707924334,
       -31.6034183100856,
       -31.5950862423647,
       0.0165980466567052},
      {Ties::efron,
       {.entry = true},
       -0.0851811400745522,
       0.519627149664976,
       -37.8423641909694,
       -37.8288381311152,
       0.0268878784038991},
      {Ties::efron,
       {.entry = true, .weight = true, .stratum = true},
       0.131828130926824,
       0.627702711426348,
       -19.1698790555052,
       -19.1478665915639,
       0.0441395274193402},
      {Ties::breslow,
       {},
       -0.109073164686307,
       0.508794633244145,
       -42.4260978280896,
       -42.4028849526131,
       0.0460018707611733},
      {Ties::breslow,
       {.weight = true},
       -0.116460278825815,
       0.554240012397278,
       -30.203532773992,
       -30.1813747446222,
       0.0441994818214639},
      {Ties::breslow,
       {.stratum = true},
       -0.102548681456128,
       0.552287554311305,
       -32.1199419549662,
       -32.102595294201,
       0.0344976077551287},
      {Ties::breslow,
       {.entry = true},
       -0.0983697700423614,
       0.519553474297721,
       -38.2960314008954,
       -38.2779697396653,
       0.0358757470470159},
      {Ties::breslow,
       {.entry = true, .weight = true, .stratum = true},
       0.084504433930054,
       0.624276312123108,
       -19.6263582558466,
       -19.6172053484175,
       0.018329274966315},
  };
  for (const Expected& expected : cases) {
    const TwoGroupFit fit = fit_one(twenty_four(expected.with), expected.ties);
    EXPECT_EQ(fit.verdict, Verdict::converged);
    EXPECT_NEAR(fit.log_hazard, expected.beta, 1e-10);
    EXPECT_NEAR(fit.se, expected.se, 1e-9);
    EXPECT_NEAR(fit.loglik_null, expected.loglik_null, 1e-11);
    EXPECT_NEAR(fit.loglik, expected.loglik, 1e-11);
    EXPECT_NEAR(fit.score_chi2, expected.score, 1e-11);
    EXPECT_EQ(fit.z, fit.log_hazard / fit.se);
  }
}

TEST(TwoGroup, MatchesRWhenTwelveOfTwentyDieTogether) {
  // survival 3.5.3, tests/oracle/survival.R, heavy
  Cohort c;
  const double carries[] = {1, 0, 0, 1, 1};
  for (int i = 0; i < 20; ++i) {
    c.time.push_back(i < 12 ? 1 : i < 14 ? 1.5 : i < 19 ? 2 : 3);
    c.event.push_back(i < 12 || (i >= 14 && i < 19));
    c.feature.push_back(carries[i % 5]);
  }
  const TwoGroupFit fit = fit_one(c, Ties::efron);

  EXPECT_NEAR(fit.log_hazard, -0.220111088126606, 1e-10);
  EXPECT_NEAR(fit.se, 0.496514444094846, 1e-9);
  EXPECT_NEAR(fit.loglik_null, -38.3102647700183, 1e-11);
  EXPECT_NEAR(fit.loglik, -38.2133823607132, 1e-11);
  EXPECT_NEAR(fit.score_chi2, 0.19729347841307, 1e-11);
}

TEST(TwoGroup, LogRankMatchesRSurvdiff) {
  // survival 3.5.3: survdiff(Surv(time, event) ~ x [+ strata(stratum)]), tests/oracle/survival.R
  const TwoGroupFit plain = fit_one(twenty_four({}), Ties::efron);
  EXPECT_NEAR(plain.expected, 6.42770686709979, 1e-13);
  EXPECT_NEAR(plain.logrank_variance, 3.74891203640773, 1e-13);
  EXPECT_NEAR(plain.logrank_chi2, 0.0487963340797948, 1e-13);
  const TwoGroupFit strata = fit_one(twenty_four({.stratum = true}), Ties::efron);
  EXPECT_NEAR(strata.expected, 6.33932178932179, 1e-13);
  EXPECT_NEAR(strata.logrank_variance, 3.10150377720724, 1e-13);
  EXPECT_NEAR(strata.logrank_chi2, 0.0371236938528635, 1e-13);
}

TEST(TwoGroup, LogRankIgnoresWeights) {
  const TwoGroupFit plain = fit_one(twenty_four({}), Ties::efron);
  const TwoGroupFit weighted = fit_one(twenty_four({.weight = true}), Ties::efron);
  EXPECT_EQ(plain.logrank_chi2, weighted.logrank_chi2);
}

TEST(TwoGroup, VerdictsSayWhyThereIsNoCoefficient) {
  Cohort c = six();
  const auto verdict = [&](std::vector<double> feature, std::vector<std::int8_t> event) {
    c.feature = std::move(feature);
    c.event = std::move(event);
    const TwoGroupFit fit = fit_one(c, Ties::efron);
    EXPECT_TRUE(std::isnan(fit.log_hazard));
    return fit.verdict;
  };
  EXPECT_EQ(verdict({1, 0, 1, 0, 1, 0}, {0, 0, 0, 0, 0, 0}), Verdict::no_events);
  EXPECT_EQ(verdict({0, 0, 0, 0, 0, 0}, {1, 1, 1, 1, 1, 1}), Verdict::no_carriers);
  EXPECT_EQ(verdict({1, 1, 1, 1, 1, 1}, {1, 1, 1, 1, 1, 1}), Verdict::everyone_carries);
  EXPECT_EQ(verdict({1, 0, 1, 0, 1, 0}, {0, 1, 0, 1, 0, 1}), Verdict::no_events_among_carriers);
  EXPECT_EQ(verdict({1, 0, 1, 0, 1, 0}, {1, 0, 1, 0, 1, 0}), Verdict::no_events_among_others);
  // the only carrier leaves before anyone dies
  EXPECT_EQ(verdict({1, 0, 0, 0, 0, 0}, {0, 1, 1, 1, 1, 1}), Verdict::never_compared);
  // the carrier dies, but last of all, when nobody else is at risk
  EXPECT_EQ(verdict({0, 0, 0, 0, 0, 1}, {1, 1, 1, 1, 1, 1}), Verdict::no_events_among_carriers);
}

TEST(TwoGroup, LikelihoodHasItsLimitWhenNoCarrierDies) {
  Cohort c = six();
  c.event = {0, 1, 0, 1, 0, 1};
  const TwoGroupFit fit = fit_one(c, Ties::efron);
  // carriers count for nothing: others at risk 3, 2, 1
  EXPECT_NEAR(fit.loglik, -std::log(6.), 1e-14);
  // everyone counts at 0: at risk 5, 3, 1
  EXPECT_NEAR(fit.loglik_null, -std::log(15.), 1e-14);
}

TEST(TwoGroup, LikelihoodHasItsLimitWhenOnlyCarriersDie) {
  Cohort c = six();
  c.event = {1, 0, 1, 0, 1, 0};
  const TwoGroupFit fit = fit_one(c, Ties::efron);
  // others count for nothing: carriers at risk 3, 2, 1
  EXPECT_NEAR(fit.loglik, -std::log(6.), 1e-14);
}

TEST(TwoGroup, UntestedPatientsLeave) {
  const Cohort c = twenty_four({.entry = true, .weight = true, .stratum = true});
  std::vector<std::uint8_t> tested(24, 1);
  tested[4] = tested[9] = tested[16] = 0;
  const auto carriers = c.carriers();
  const TwoGroupFit fit = fit_one(c.timeline(), carriers, Ties::efron, tested);

  Cohort rest = c;  // the same without them
  for (const int i : {16, 9, 4}) {
    rest.time.erase(rest.time.begin() + i);
    rest.entry.erase(rest.entry.begin() + i);
    rest.event.erase(rest.event.begin() + i);
    rest.weight.erase(rest.weight.begin() + i);
    rest.stratum.erase(rest.stratum.begin() + i);
    rest.feature.erase(rest.feature.begin() + i);
  }
  const TwoGroupFit expected = fit_one(rest, Ties::efron);
  EXPECT_EQ(fit.n_analysed, expected.n_analysed);
  EXPECT_EQ(fit.n_carriers, expected.n_carriers);
  EXPECT_EQ(fit.log_hazard, expected.log_hazard);
  EXPECT_EQ(fit.loglik, expected.loglik);
  EXPECT_EQ(fit.logrank_chi2, expected.logrank_chi2);
}

void expect_equal(const TwoGroupFit& found, const TwoGroupFit& expected) {
  EXPECT_EQ(found.n_analysed, expected.n_analysed);
  EXPECT_EQ(found.n_events, expected.n_events);
  EXPECT_EQ(found.n_carriers, expected.n_carriers);
  EXPECT_EQ(found.n_carrier_events, expected.n_carrier_events);
  EXPECT_EQ(found.verdict, expected.verdict) << name_of(found.verdict) << ", " << name_of(expected.verdict);
  const auto same = [&](double a, double b, double tolerance, const char* what) {
    EXPECT_TRUE(close(a, b, tolerance))
        << what << " " << a << ", expected " << b << ", n " << found.n_analysed;
  };
  same(found.observed, expected.observed, 0, "observed");
  same(found.expected, expected.expected, 1e-12, "expected");
  same(found.logrank_variance, expected.logrank_variance, 1e-12, "variance");
  same(found.logrank_chi2, expected.logrank_chi2, 1e-11, "chi2");
  same(found.score_chi2, expected.score_chi2, 1e-9, "score");
  same(found.loglik_null, expected.loglik_null, 1e-12, "null");
  same(found.loglik, expected.loglik, 1e-11, "loglik");
  same(found.log_hazard, expected.log_hazard, 1e-8, "log hazard");
  same(found.se, expected.se, 1e-8, "se");
}

TEST(TwoGroup, EveryLevelAgreesWithTheReferenceOnRandomCohorts) {
  const Level before = level();
  for (const Level each : available_levels()) {
    force_level(each);
    unsigned seed = 0;
    for (const Index n : {0, 1, 2, 7, 63, 64, 65, 101}) {
      for (const int days : {1, 4, 30, 400}) {
        for (const double carriers : {0.02, 0.3, 0.9}) {
          for (const Ties ties : {Ties::efron, Ties::breslow}) {
            const bool some = ++seed % 2 == 0;
            const Cohort c = random_cohort({.n = n,
                                            .days = days,
                                            .carriers = carriers,
                                            .hazard_ratio = seed % 3 == 0 ? 6 : 0.7,
                                            .with = {seed % 5 == 0, seed % 7 < 3, some},
                                            .seed = seed});
            const Timeline timeline = c.timeline();
            std::vector<std::uint8_t> tested;
            if (some) {
              for (Index i = 0; i < n; ++i) tested.push_back(i % 4 != 1);
            }
            const auto list = c.carriers();
            expect_equal(fit_one(timeline, list, ties, tested),
                         reference::two_group(timeline, tested, list, ties));
          }
        }
      }
    }
  }
  force_level(before);
}

TEST(TwoGroup, IsEqualToTheBitForAnyNumberOfThreads) {
  const Cohort c = random_cohort({.n = 2000, .days = 300, .with = {.weight = true}, .seed = 3});
  const Timeline timeline = c.timeline();
  const RiskTotals totals = risk_totals(timeline);
  std::vector<std::vector<std::int32_t>> lists;
  for (unsigned seed = 10; seed < 40; ++seed)
    lists.push_back(random_cohort({.n = 2000, .seed = seed}).carriers());
  const std::vector<std::span<const std::int32_t>> carriers(lists.begin(), lists.end());
  const auto all = [&](int threads) {
    omp_set_num_threads(threads);
    std::vector<TwoGroupFit> fits(carriers.size());
    two_group(timeline, totals, carriers, Ties::efron, fits);
    return fits;
  };
  const auto one = all(1), three = all(3);
  omp_set_num_threads(omp_get_num_procs());
  for (std::size_t g = 0; g < one.size(); ++g) {
    EXPECT_EQ(std::memcmp(&one[g].log_hazard, &three[g].log_hazard, sizeof(double)), 0);
    EXPECT_EQ(std::memcmp(&one[g].loglik, &three[g].loglik, sizeof(double)), 0);
    EXPECT_EQ(std::memcmp(&one[g].logrank_chi2, &three[g].logrank_chi2, sizeof(double)), 0);
  }
}

TEST(TwoGroup, RefusesListsThatAreNotAscendingPatients) {
  const Timeline timeline = six().timeline();
  const std::vector<std::int32_t> disordered{3, 1}, beyond{2, 6};
  EXPECT_THROW(fit_one(timeline, disordered, Ties::efron), ShapeError);
  EXPECT_THROW(fit_one(timeline, beyond, Ties::efron), ShapeError);
}

TEST(TwoGroup, RefusesTotalsOfAnotherTimeline) {
  const Timeline timeline = six().timeline();
  const RiskTotals others = risk_totals(twenty_four({}).timeline());
  TwoGroupFit fit;
  EXPECT_THROW(two_group(timeline, others, {}, Ties::efron, {}), ShapeError);
  EXPECT_THROW(two_group(timeline, risk_totals(timeline), {}, Ties::efron, {&fit, 1}), ShapeError);
}

}  // namespace
}  // namespace chorale::kernels
