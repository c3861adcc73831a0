// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/set_cox.hpp"

#include <gtest/gtest.h>
#include <omp.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

#include "kernels/error.hpp"
#include "tests/kernels/pair_data.hpp"

namespace chorale::kernels {
namespace {

using survival_data::close;
using survival_data::With;
using List = std::vector<std::int32_t>;

struct SetCohort {
  survival_data::Cohort cohort = {};
  std::vector<List> carriers = {};
  Index n_covariates = 0;
  std::vector<std::uint8_t> tested = {};

  CoxDesign design() const {
    return make_cox_design(cohort.timeline(), {cohort.covariate, n_covariates, {}}, tested);
  }
  std::vector<std::span<const std::int32_t>> views() const { return {carriers.begin(), carriers.end()}; }
};

SetCoxFit set_fit(const SetCohort& of, const List& set, Ties ties = Ties::efron) {
  const CoxDesign design = of.design();
  SetCoxFit fit;
  set_cox(design, cox_fit(design, {.ties = ties}), of.views(), set, static_cast<int>(set.size()), ties,
          {&fit, 1});
  return fit;
}

/// The 150 patients of tests/oracle/set_cox.R.
SetCohort hundred_fifty(With with, Index n_covariates) {
  SetCohort s{.n_covariates = n_covariates};
  s.carriers.resize(4);
  survival_data::Cohort& c = s.cohort;
  std::vector<double> z, y;
  for (int i = 0; i < 150; ++i) {
    c.time.push_back(1 + (7 * i + i / 10) % 23);
    c.event.push_back((i + i / 7) % 5 != 2);
    if ((i * i) % 7 == 1 || (i * i) % 7 == 2) s.carriers[0].push_back(i);
    if ((3 * i + i / 9) % 8 < 3) s.carriers[1].push_back(i);
    if ((5 * i + i / 11) % 11 < 5) s.carriers[2].push_back(i);
    if ((2 * i + i / 6) % 9 < 4) s.carriers[3].push_back(i);
    z.push_back((11 * i) % 13 / 4.0);
    y.push_back((5 * i) % 9 / 3.0);
    if (with.entry) c.entry.push_back(i % 4 == 1 ? (i % 3) / 3.0 : 0);
    if (with.weight) c.weight.push_back((1 + i % 3) / 2.0);
    if (with.stratum) c.stratum.push_back(i % 2);
  }
  if (n_covariates > 0) c.covariate = z;
  if (n_covariates > 1) c.covariate.insert(c.covariate.end(), y.begin(), y.end());
  return s;
}

/// A random cohort; features beside its own are carried by 40 % of the patients; every seventh is not tested.
SetCohort random_set(const survival_data::Recipe& recipe, std::size_t n_features) {
  SetCohort s{.cohort = survival_data::random_cohort(recipe), .n_covariates = recipe.n_covariates};
  std::mt19937_64 engine(recipe.seed + 2000);
  std::uniform_real_distribution<double> uniform(0, 1);
  s.carriers.assign(n_features, {});
  s.carriers[0] = s.cohort.carriers();
  for (std::int32_t i = 0; i < recipe.n; ++i) {
    for (std::size_t f = 1; f < n_features; ++f) {
      if (uniform(engine) < 0.4) s.carriers[f].push_back(i);
    }
    s.tested.push_back(i % 7 != 3);
  }
  return s;
}

void expect_fit(const SetCoxFit& fit, const std::vector<double>& coefficient, const std::vector<double>& se,
                const std::vector<double>& logliks, const std::string& where) {
  EXPECT_EQ(fit.verdict, SetVerdict::converged) << where;
  for (std::size_t t = 0; t < coefficient.size(); ++t) {
    EXPECT_NEAR(fit.coefficient[t], coefficient[t], 1e-10) << where << " term " << t + 1;
    EXPECT_NEAR(fit.se[t], se[t], 1e-8) << where << " term " << t + 1;
  }
  EXPECT_NEAR(fit.loglik_null, logliks[0], 1e-9) << where;
  EXPECT_NEAR(fit.loglik_without, logliks[1], 1e-9) << where;
  EXPECT_NEAR(fit.loglik, logliks[2], 1e-9) << where;
  EXPECT_NEAR(fit.lrt_chi2, 2 * (logliks[2] - logliks[1]), 1e-9) << where;
  EXPECT_NEAR(fit.wald_chi2, std::pow(coefficient.back() / se.back(), 2), 1e-8) << where;
}

TEST(SetCox, OfATripleMatchesRSurvival) {
  // survival 3.5.3, tests/oracle/set_cox.R: coxph(Surv(time, event) ~ (a + b + c)^3) and ^2, eps = 1e-14
  const SetCohort crude = hundred_fifty({}, 0);
  const SetCoxFit fit = set_fit(crude, {0, 1, 2});
  expect_fit(fit,
             {0.148324800932139, 0.392842998098436, -0.11237754642739, 0.354893251554962, -0.139192318661217,
              -0.432650765843113, 0.19813609323642},
             {0.288805315659413, 0.468426784466563, 0.592016586366977, 0.378362077479571, 0.50134324295255,
              0.626176185700251, 0.804069359730632},
             {-487.45795052869, -486.129790711013, -486.099517126069}, "efron crude");
  // table(a + 2 b + 4 c, event)
  EXPECT_EQ(fit.n, (std::vector<Index>{27, 34, 8, 13, 14, 17, 16, 21}));
  EXPECT_EQ(fit.deaths, (std::vector<Index>{21, 28, 6, 10, 11, 13, 14, 18}));
  expect_fit(set_fit(crude, {0, 1, 2}, Ties::breslow),
             {0.139109115311609, 0.36780065079926, -0.108000603900352, 0.307495026589053, -0.125511332606986,
              -0.394440137777797, 0.176397808976409},
             {0.28882760413572, 0.467764031749501, 0.591927712543296, 0.377108989619074, 0.501390503722193,
              0.625084246171119, 0.804036453988437},
             {-495.40333813047, -494.330743793359, -494.30673873585}, "breslow crude");
}

TEST(SetCox, OfATripleMatchesRSurvivalWithLateEntriesWeightsAndStrata) {
  // tests/oracle/set_cox.R: Surv(entry, time, event) ~ z + y + strata(stratum) + (a + b + c)^3
  const SetCohort all = hundred_fifty({.entry = true, .weight = true, .stratum = true}, 2);
  expect_fit(set_fit(all, {0, 1, 2}),
             {0.228168535325965, 0.230505184572411, 0.102941463821715, 0.335697073987008, -0.258890519272569,
              -0.114786400518383, -0.253333451185776},
             {0.288925282554305, 0.528420205341217, 0.660866595805759, 0.380298156453574, 0.503381880323621,
              0.6818729168031, 0.896767144300373},
             {-406.747893986634, -404.422332979001, -404.382249572193}, "efron all");
  expect_fit(set_fit(all, {0, 1, 2}, Ties::breslow),
             {0.202135321909488, 0.203516748263875, 0.125768231509985, 0.28716225711843, -0.221400574506149,
              -0.0706781348353632, -0.30496750185436},
             {0.287419698569246, 0.527774480943473, 0.66055319344307, 0.378158026140579, 0.50237184041621,
              0.680038048795288, 0.895015919806742},
             {-413.121563034326, -411.083399376439, -411.025031153544}, "breslow all");
}

TEST(SetCox, OfFourMatchesRSurvival) {
  // tests/oracle/set_cox.R: Surv(time, event) ~ z + (a + b + c + e)^4 and ^3
  expect_fit(
      set_fit(hundred_fifty({}, 1), {0, 1, 2, 3}),
      {0.0794549222692146, 0.42515712594963, -0.346389578218905, 0.261381945845235, -0.309443071747796,
       -0.514733105965122, 0.408592973167371, -0.393317698517026, 0.283182337945187, 0.14492919907588,
       0.425808974808478, 0.197945481631137, 0.186233800768846, -0.0706932050423961, 0.00724412987149687},
      {0.365536571082081, 0.757562799066153, 0.896343764723628, 0.532058398305397, 0.708056011021161,
       0.974285229653175, 1.19156744452562, 0.490998115550168, 0.617017778631133, 0.995956091986216,
       1.24626740304051, 0.781834768342925, 1.02941901306185, 1.28634793352715, 1.66972691111826},
      {-487.45795052869, -483.732095603096, -483.732086191123}, "four");
}

TEST(SetCox, OfAPairIsThePairsOwnFit) {
  for (unsigned seed = 1; seed <= 12; ++seed) {
    const Index p = seed % 4;
    const pair_data::PairCohort pair =
        pair_data::random_pair({.n = 120 + 37 * (seed % 4),
                                .days = seed % 2 == 0 ? 15 : 300,
                                .carriers = 0.4,
                                .with = {seed % 5 == 0, seed % 4 == 0, seed % 3 == 0},
                                .seed = seed,
                                .n_covariates = p});
    const PairCoxFit expected = pair_data::full_fit(pair.design(), pair.a, pair.b, Ties::efron);
    const SetCoxFit found = set_fit({pair.cohort, {pair.a, pair.b}, p, pair.tested}, {0, 1});
    const std::string where = "seed " + std::to_string(seed);
    ASSERT_EQ(name_of(found.verdict), name_of(expected.verdict)) << where;
    EXPECT_TRUE(std::ranges::equal(found.n, expected.counts.n)) << where;
    EXPECT_TRUE(std::ranges::equal(found.deaths, expected.counts.deaths)) << where;
    EXPECT_TRUE(close(found.coefficient[0], expected.a, 1e-9)) << where;
    EXPECT_TRUE(close(found.coefficient[1], expected.b, 1e-9)) << where;
    EXPECT_TRUE(close(found.coefficient[2], expected.ab, 1e-9)) << where;
    EXPECT_TRUE(close(found.se[2], expected.se_ab, 1e-7)) << where;
    EXPECT_TRUE(close(found.loglik_covariates, expected.loglik_covariates, 1e-12)) << where;
    EXPECT_TRUE(close(found.lrt_chi2, expected.lrt_chi2, 1e-8)) << where;
    for (std::size_t j = 0; j < expected.beta.size(); ++j)
      EXPECT_TRUE(close(found.beta[j], expected.beta[j], 1e-9)) << where;
  }
}

TEST(SetCox, TheOrderOfFeaturesOnlyRenamesTerms) {
  const SetCohort c = random_set({.n = 900, .days = 60, .carriers = 0.4, .seed = 2, .n_covariates = 2}, 4);
  const SetCoxFit abcd = set_fit(c, {0, 1, 2, 3}), dcba = set_fit(c, {3, 2, 1, 0});
  ASSERT_EQ(abcd.verdict, SetVerdict::converged);
  for (std::size_t t = 1; t < 16; ++t) {
    const std::size_t reversed = (t & 1) << 3 | (t & 2) << 1 | (t & 4) >> 1 | (t & 8) >> 3;
    EXPECT_NEAR(abcd.coefficient[t - 1], dcba.coefficient[reversed - 1], 1e-8) << t;
    EXPECT_EQ(abcd.n[t], dcba.n[reversed]);
  }
  EXPECT_NEAR(abcd.lrt_chi2, dcba.lrt_chi2, 1e-8);
  EXPECT_EQ(std::accumulate(abcd.n.begin(), abcd.n.end(), Index{0}), c.design().n_analysed);
  EXPECT_EQ(std::accumulate(abcd.deaths.begin(), abcd.deaths.end(), Index{0}), c.design().n_events);
}

TEST(SetCox, ThreadsChangeNothing) {
  const SetCohort c = random_set({.n = 400, .days = 60, .carriers = 0.4, .seed = 5, .n_covariates = 1}, 6);
  List sets;
  for (std::int32_t k = 0; k < 10; ++k) sets.insert(sets.end(), {k % 6, (k + 1 + k / 6) % 6, (k + 3) % 6});
  for (std::size_t k = 0; k < 30; k += 3) {
    if (std::set<std::int32_t>{sets[k], sets[k + 1], sets[k + 2]}.size() < 3) sets[k + 1] = (sets[k] + 2) % 6;
  }
  const CoxDesign design = c.design();
  const CoxFit covariates = cox_fit(design);
  const int threads = omp_get_max_threads();
  std::vector<SetCoxFit> one(10), three(10);
  omp_set_num_threads(1);
  set_cox(design, covariates, c.views(), sets, 3, Ties::efron, one);
  omp_set_num_threads(3);
  set_cox(design, covariates, c.views(), sets, 3, Ties::efron, three);
  omp_set_num_threads(threads);
  for (std::size_t k = 0; k < 10; ++k) {
    EXPECT_EQ(one[k].coefficient, three[k].coefficient) << k;
    EXPECT_EQ(one[k].loglik, three[k].loglik) << k;
  }
}

TEST(SetCox, SaysWhyThereIsNoEstimate) {
  SetCohort c = hundred_fifty({}, 1);
  // nobody carries all three
  SetCohort none = c;
  List& third = none.carriers[2];
  std::erase_if(third, [&](std::int32_t i) {
    return std::ranges::binary_search(c.carriers[0], i) && std::ranges::binary_search(c.carriers[1], i);
  });
  const SetCoxFit empty = set_fit(none, {0, 1, 2});
  EXPECT_EQ(empty.verdict, SetVerdict::empty_group);
  EXPECT_EQ(empty.n[7], 0);
  EXPECT_TRUE(std::isnan(empty.coefficient[0]) && std::isnan(empty.lrt_chi2));
  EXPECT_FALSE(std::isnan(empty.loglik_covariates));

  // nobody who carries all three dies: the highest term alone goes to minus infinity
  SetCohort safe = c;
  for (const std::int32_t i : c.carriers[0]) {
    if (std::ranges::binary_search(c.carriers[1], i) && std::ranges::binary_search(c.carriers[2], i))
      safe.cohort.event[static_cast<std::size_t>(i)] = 0;
  }
  const SetCoxFit separated = set_fit(safe, {0, 1, 2});
  EXPECT_EQ(separated.verdict, SetVerdict::separated) << name_of(separated.verdict);
  EXPECT_EQ(separated.infinite, (std::vector<Index>{7}));
  EXPECT_EQ(separated.n[7], 21);
  EXPECT_EQ(separated.deaths[7], 0);
  EXPECT_TRUE(std::isnan(separated.coefficient[6]));
  EXPECT_GT(separated.lrt_chi2, 1);

  // the covariate is a feature
  SetCohort same = c;
  std::ranges::fill(same.cohort.covariate, 0);
  for (const std::int32_t i : c.carriers[1]) same.cohort.covariate[static_cast<std::size_t>(i)] = 1;
  EXPECT_EQ(set_fit(same, {0, 1, 2}).verdict, SetVerdict::singular);

  // the covariate parts who dies from who does not
  SetCohort parted = c;
  for (std::size_t i = 0; i < 150; ++i) parted.cohort.covariate[i] = parted.cohort.event[i];
  EXPECT_EQ(set_fit(parted, {0, 1, 2}).verdict, SetVerdict::covariates_failed);

  std::ranges::fill(c.cohort.event, 0);
  EXPECT_EQ(set_fit(c, {0, 1, 2}).verdict, SetVerdict::no_events);
}

TEST(SetCox, RefusesWhatDoesNotFit) {
  const SetCohort c = hundred_fifty({}, 0);
  EXPECT_THROW(set_fit(c, {0}), ShapeError);
  EXPECT_THROW(set_fit(c, {0, 1, 1}), ShapeError);
  EXPECT_THROW(set_fit(c, {0, 1, 4}), ShapeError);
  EXPECT_THROW(set_fit(c, {-1, 1, 2}), ShapeError);
  const CoxDesign design = c.design();
  SetCoxFit fit;
  const List set{0, 1, 2};
  EXPECT_THROW(set_cox(design, cox_fit(design), c.views(), set, 2, Ties::efron, {&fit, 1}), ShapeError);
  CoxFit other = cox_fit(design);
  other.beta.push_back(0);
  EXPECT_THROW(set_cox(design, other, c.views(), set, 3, Ties::efron, {&fit, 1}), ShapeError);
}

}  // namespace
}  // namespace chorale::kernels
