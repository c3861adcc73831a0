// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/outcome_permutation.hpp"

#include <gtest/gtest.h>
#include <omp.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "kernels/draw.hpp"
#include "kernels/error.hpp"
#include "kernels/level.hpp"
#include "kernels/martingale.hpp"
#include "kernels/pair_cox_screen.hpp"
#include "tests/kernels/pair_data.hpp"

namespace chorale::kernels {
namespace {

// outcomes, carriers, strata and what is tested, with their own storage
struct Cohort {
  Index n_strata = 1;
  std::vector<std::int32_t> stratum;
  std::vector<double> residual;
  std::vector<std::vector<std::int32_t>> carriers;
  std::vector<std::uint8_t> tested;  // (n_strata, n_features), or empty

  std::vector<std::span<const std::int32_t>> lists() const { return {carriers.begin(), carriers.end()}; }
  Groups strata() const { return {stratum, n_strata}; }
  std::vector<FeaturePair> pairs() const {
    std::vector<FeaturePair> all;
    for (std::int32_t a = 0; a < static_cast<std::int32_t>(carriers.size()); ++a) {
      for (std::int32_t b = 0; b < a; ++b) all.push_back(b % 2 == 0 ? FeaturePair{a, b} : FeaturePair{b, a});
    }
    return all;
  }
  OutcomePermutation family(Index min_both, const std::vector<FeaturePair>& of) const {
    return OutcomePermutation(residual, lists(), strata(), tested, of, min_both);
  }
  OutcomePermutation family(Index min_both) const { return family(min_both, pairs()); }
  Interaction by_definition(const FeaturePair& pair, Index min_both) const {
    return reference::interaction(residual, lists(), strata(), tested, pair, min_both);
  }
};

// outcomes and frequencies differ between strata; who carries a feature is more likely to carry the next
Cohort random_cohort(Index n_patients, Index n_features, Index n_strata, std::uint64_t seed,
                     bool with_panels) {
  Cohort cohort{.n_strata = n_strata, .stratum = {}, .residual = {}, .carriers = {}, .tested = {}};
  cohort.carriers.resize(static_cast<std::size_t>(n_features));
  if (with_panels) {
    for (Index cell = 0; cell < n_strata * n_features; ++cell) cohort.tested.push_back(cell % 5 != 3);
  }
  for (std::int32_t i = 0; i < n_patients; ++i) {
    Draws draws(seed, 1, i);
    const auto s = static_cast<std::int32_t>(draws.below(n_strata));
    const bool leaves = draws.bernoulli(0.05), is_missing = draws.bernoulli(0.05);
    cohort.stratum.push_back(leaves ? -1 : s);
    cohort.residual.push_back(is_missing ? missing : s + (1 + s) * (1 - draws.exponential()));
    bool before = false;
    for (Index f = 0; f < n_features; ++f) {
      const double share = 0.05 + 0.6 * static_cast<double>(f % 7) / 7 / (1 + s) + (before ? 0.2 : 0);
      const bool carries = draws.bernoulli(share);
      const bool holds = !with_panels || cohort.tested[static_cast<std::size_t>(s * n_features + f)] != 0;
      before = carries && (holds || leaves);
      if (before) cohort.carriers[static_cast<std::size_t>(f)].push_back(i);
    }
  }
  return cohort;
}

double largest(const Extremes& extremes) {
  return std::max(extremes.greatest, -extremes.least);
}

// every order of the outcomes within strata, equally probable: the largest |z| of each, rounded, with its probability
std::map<double, double> enumerate(const Cohort& cohort, Index min_both) {
  std::map<double, double> count;
  double total = 0;
  Cohort permuted = cohort;
  const auto arrange = [&](const auto& next, std::int32_t s) -> void {
    if (s == cohort.n_strata) {
      Extremes found;
      for (const FeaturePair& pair : permuted.pairs()) found.add(permuted.by_definition(pair, min_both).z);
      ++count[std::round(largest(found) * 1e9)];
      ++total;
      return;
    }
    std::vector<std::size_t> order, places;
    for (std::size_t i = 0; i < cohort.stratum.size(); ++i) {
      if (cohort.stratum[i] == s && !std::isnan(cohort.residual[i])) places.push_back(i);
    }
    order = places;
    do {
      for (std::size_t k = 0; k < places.size(); ++k)
        permuted.residual[places[k]] = cohort.residual[order[k]];
      next(next, s + 1);
    } while (std::next_permutation(order.begin(), order.end()));
  };
  arrange(arrange, 0);
  for (auto& [value, n] : count) n /= total;
  return count;
}

void expect_as_enumerated(const Cohort& cohort, Index min_both) {
  const auto probability = enumerate(cohort, min_both);
  constexpr std::size_t n = 30'000;
  std::vector<Extremes> extremes(n);
  cohort.family(min_both).extremes(3, 0, extremes);
  std::map<double, double> count;
  for (const Extremes& found : extremes) ++count[std::round(largest(found) * 1e9)];
  EXPECT_GT(probability.size(), 5U);
  double chi2 = 0, seen = 0;
  for (const auto& [value, p] : probability) {
    // neighbours of a rounded value: arithmetic in another order
    const double found = count[value - 1] + count[value] + count[value + 1];
    seen += found;
    chi2 += std::pow(found - n * p, 2) / (n * p);
  }
  EXPECT_EQ(seen, n);
  const double df = static_cast<double>(probability.size()) - 1, c = 2 / (9 * df);
  EXPECT_LT(chi2, df * std::pow(1 - c + 3.09 * std::sqrt(c), 3)) << df;  // the 0.999 quantile, nearly
}

TEST(OutcomePermutation, DrawsEveryOrderWithEqualProbability) {
  // 6! orders; patient 5 carries nothing
  expect_as_enumerated({.n_strata = 1,
                        .stratum = {0, 0, 0, 0, 0, 0},
                        .residual = {0.9, 0.3, -1.7, 0.8, -0.6, 0.3},
                        .carriers = {{0, 1, 4}, {1, 2, 4}, {0, 3, 4}},
                        .tested = {}},
                       1);
}

TEST(OutcomePermutation, DrawsWithinStrataAmongTheAnalysed) {
  // patient 3 left, patient 8 has no outcome; feature 2 is not tested in stratum 1: 5! · 4! orders
  expect_as_enumerated({.n_strata = 2,
                        .stratum = {0, 1, 0, -1, 1, 0, 1, 0, 1, 0, 1},
                        .residual = {0.9, 2, -1.7, 0.8, 5, 0.3, 7, -0.25, missing, 0.4, 3},
                        .carriers = {{0, 1, 2, 3, 4, 7, 8}, {0, 1, 5, 6, 8}, {0, 2, 3, 5}},
                        .tested = {1, 1, 1, 1, 1, 0}},
                       1);
}

TEST(OutcomePermutation, ObservesWhatTheDefinitionSays) {
  for (const bool with_panels : {false, true}) {
    const Cohort cohort = random_cohort(400, 16, 4, 5, with_panels);
    const auto pairs = cohort.pairs();
    const OutcomePermutation family = cohort.family(8);
    ASSERT_EQ(family.observed().size(), pairs.size());
    int n_tested = 0;
    for (std::size_t k = 0; k < pairs.size(); ++k) {
      const Interaction found = family.observed()[k], expected = cohort.by_definition(pairs[k], 8);
      ASSERT_EQ(found.verdict, expected.verdict) << pairs[k].a << " " << pairs[k].b;
      EXPECT_EQ(found.n_both, expected.n_both);
      EXPECT_TRUE(survival_data::close(found.z, expected.z, 1e-9)) << found.z << " " << expected.z;
      n_tested += found.verdict == InteractionVerdict::tested;
    }
    EXPECT_GT(n_tested, 50);
  }
}

TEST(OutcomePermutation, HasNearlyMeanZeroAndVarianceOne) {
  const Cohort cohort = random_cohort(2000, 5, 3, 8, true);
  const OutcomePermutation family = cohort.family(3);
  constexpr std::size_t n = 20'000;
  std::vector<Index> apart;
  for (Index k = 0; k < 10; ++k) {
    const bool tested = family.observed()[static_cast<std::size_t>(k)].verdict == InteractionVerdict::tested;
    if (tested && apart.size() < 3) apart.push_back(k);
  }
  ASSERT_EQ(apart.size(), 3U);
  std::vector<Extremes> extremes(n);
  std::vector<double> z(n * 3);
  family.extremes(1, 0, extremes, apart, z);
  for (std::size_t k = 0; k < 3; ++k) {
    double sum = 0, squares = 0;
    for (std::size_t r = 0; r < n; ++r) {
      sum += z[3 * r + k];
      squares += z[3 * r + k] * z[3 * r + k];
    }
    // outcomes are skewed by -2, which moves a studentised mean by 1/√(double carriers)
    EXPECT_NEAR(sum / n, 0, 0.15);
    EXPECT_NEAR(squares / n, 1, 0.1);
  }
}

TEST(OutcomePermutation, IsAFunctionOfSeedAndPermutationAlone) {
  const Cohort cohort = random_cohort(700, 24, 4, 6, true);
  const OutcomePermutation family = cohort.family(5);
  std::vector<Extremes> all(37), other(37), part(37);
  family.extremes(11, 100, all);
  for (const int n_threads : {1, 3}) {
    omp_set_num_threads(n_threads);
    cohort.family(5).extremes(11, 100, std::span(other).first(10));
    family.extremes(11, 110, std::span(other).subspan(10));
    EXPECT_EQ(all, other) << n_threads;
  }
  // pairs in three parts
  const auto pairs = cohort.pairs();
  std::vector<Extremes> merged(37);
  for (std::size_t first = 0; first < 3; ++first) {
    std::vector<FeaturePair> some;
    for (std::size_t k = first; k < pairs.size(); k += 3) some.push_back(pairs[k]);
    cohort.family(5, some).extremes(11, 100, part);
    for (std::size_t r = 0; r < 37; ++r) merged[r].merge(part[r]);
  }
  EXPECT_EQ(all, merged);
  for (const Level level : available_levels()) {
    force_level(level);
    family.extremes(11, 100, other);
    for (std::size_t r = 0; r < 37; ++r) {
      EXPECT_NEAR(other[r].least, all[r].least, 1e-12) << name_of(level);
      EXPECT_NEAR(other[r].greatest, all[r].greatest, 1e-12) << name_of(level);
    }
  }
  force_level(available_levels().back());
  family.extremes(12, 100, other);
  for (std::size_t r = 0; r < 37; ++r) EXPECT_NE(all[r], other[r]);
}

TEST(OutcomePermutation, PairsApartAreNoPartOfTheExtremes) {
  const Cohort cohort = random_cohort(300, 9, 2, 7, false);
  const OutcomePermutation family = cohort.family(20);
  std::vector<Extremes> all(20), rest(20), none(20);
  family.extremes(1, 0, all);
  std::vector<Index> some, every;
  for (Index k = 0; k < 36; ++k) every.push_back(k);
  for (Index k = 35; k >= 0; k -= 3) some.push_back(k);
  std::vector<double> permuted(20 * some.size()), of_every(20 * every.size());
  family.extremes(1, 0, rest, some, permuted);
  family.extremes(1, 0, none, every, of_every);
  bool some_untested = false;
  for (std::size_t r = 0; r < 20; ++r) {
    EXPECT_EQ(none[r], Extremes{});
    for (std::size_t k = 0; k < some.size(); ++k) rest[r].add(permuted[r * some.size() + k]);
    for (std::size_t k = 0; k < 36; ++k) {
      none[r].add(of_every[r * 36 + k]);
      EXPECT_EQ(std::isnan(of_every[r * 36 + k]), std::isnan(family.observed()[k].z));
      some_untested |= std::isnan(family.observed()[k].z);
    }
    EXPECT_EQ(rest[r], all[r]);
    EXPECT_EQ(none[r], all[r]);
  }
  EXPECT_TRUE(some_untested);
}

// in stratum 1 features are frequent and outcomes high; given the stratum they know nothing of each other
Cohort confounded_cohort(std::uint64_t seed) {
  Cohort cohort{.n_strata = 2, .stratum = {}, .residual = {}, .carriers = {}, .tested = {}};
  cohort.carriers.resize(7);
  for (std::int32_t i = 0; i < 600; ++i) {
    Draws draws(seed, 1, i);
    const bool high = draws.bernoulli(0.1);
    cohort.stratum.push_back(high);
    cohort.residual.push_back((high ? 4 : 0) + 1 - draws.exponential());
    for (auto& list : cohort.carriers) {
      if (draws.bernoulli(high ? 0.6 : 0.15)) list.push_back(i);
    }
  }
  return cohort;
}

TEST(OutcomePermutation, HoldsTheFamilyWiseErrorOnlyGivenTheStrata) {
  constexpr int n_cohorts = 400, n_permutations = 99;
  double n_within = 0, n_pooled = 0, sum_of_p = 0;
  for (int k = 0; k < n_cohorts; ++k) {
    Cohort cohort = confounded_cohort(static_cast<std::uint64_t>(1000 + k));
    for (const bool within : {true, false}) {
      if (!within) {
        for (auto& code : cohort.stratum) code = std::min(code, 0);
      }
      const OutcomePermutation family = cohort.family(5);
      std::vector<Extremes> extremes(n_permutations);
      family.extremes(2, 0, extremes);
      std::vector<double> z, p(family.observed().size());
      for (const Interaction& pair : family.observed()) z.push_back(pair.z);
      max_t_p(extremes, z, Alternative::two_sided, p);
      double smallest = 1;
      for (const double one : p) smallest = std::fmin(smallest, one);
      (within ? n_within : n_pooled) += smallest <= 0.05;
      if (within) sum_of_p += smallest;
    }
  }
  // 5 % of 400 is 20, and four standard deviations are 17
  EXPECT_NEAR(n_within, 20, 17);
  EXPECT_GT(n_pooled, 200);
  // uniform on 0.01, 0.02, …, 1: mean 0.505, standard deviation 0.289
  EXPECT_NEAR(sum_of_p / n_cohorts, 0.505, 4 * 0.289 / 20);
}

TEST(OutcomePermutation, MartingaleResidualsComeCloseToTheLikelihoodRatio) {
  // an outcome that knows nothing of the features: score and likelihood ratio agree to first order
  const pair_data::PairCohort pair = pair_data::random_pair({.n = 4000,
                                                             .days = 200,
                                                             .carriers = 0.3,
                                                             .hazard_ratio = 1,
                                                             .seed = 4,
                                                             .n_covariates = 2,
                                                             .missing = 0});
  const CoxDesign design = pair.design();
  const CoxFit covariates = cox_fit(design);
  std::vector<double> residuals(4000);
  martingale_residuals(design, covariates, Ties::efron, residuals);
  const std::vector<std::span<const std::int32_t>> carriers{pair.a, pair.b};
  const std::vector<FeaturePair> both{{0, 1}};
  const std::vector<std::int32_t> one(4000, 0);
  const OutcomePermutation family(residuals, carriers, {one, 1}, {}, both, 5);
  std::vector<PairScreen> screen(1);
  pair_cox_screen(design, covariates, carriers, both, Ties::efron, screen);
  const double root = std::copysign(std::sqrt(screen[0].lrt_chi2), screen[0].ab);
  EXPECT_NEAR(family.observed()[0].z, root, 0.1);
  EXPECT_GT(std::abs(root), 0.2);
}

// five of eight features double or halve the hazard and none interact; few patients are followed to their death
double smallest_p_beside_own_effects(std::uint64_t seed, bool in_model) {
  constexpr std::size_t n = 3000, n_features = 8;
  std::vector<double> time, columns(n * n_features, 0);
  std::vector<std::int8_t> event;
  std::vector<std::vector<std::int32_t>> carriers(n_features);
  for (std::size_t i = 0; i < n; ++i) {
    Draws draws(seed, 1, static_cast<Index>(i));
    double log_hazard = 0;
    for (std::size_t f = 0; f < n_features; ++f) {
      if (!draws.bernoulli(0.25)) continue;
      carriers[f].push_back(static_cast<std::int32_t>(i));
      columns[f * n + i] = 1;
      if (f < 5) log_hazard += f == 0 ? -std::log(2) : std::log(2);
    }
    const double death = draws.exponential() * std::exp(-log_hazard), censoring = 0.3 * draws.uniform();
    time.push_back(std::fmin(death, censoring));
    event.push_back(death <= censoring);
  }
  const Timeline timeline =
      make_timeline({.entry = {}, .time = time, .event = event, .weight = {}, .stratum = {}});
  const Index n_columns = in_model ? Index{n_features} : 0;
  const CoxDesign design = make_cox_design(
      timeline, {std::span(columns).first(n * static_cast<std::size_t>(n_columns)), n_columns, {}});
  Cohort cohort{.n_strata = 1,
                .stratum = std::vector<std::int32_t>(n, 0),
                .residual = std::vector<double>(n),
                .carriers = carriers,
                .tested = {}};
  martingale_residuals(design, cox_fit(design), Ties::efron, cohort.residual);
  const OutcomePermutation family = cohort.family(5);
  std::vector<Extremes> extremes(99);
  family.extremes(2, 0, extremes);
  double smallest = 1;
  for (const Interaction& pair : family.observed()) {
    double p = 1;
    max_t_p(extremes, {&pair.z, 1}, Alternative::two_sided, {&p, 1});
    smallest = std::fmin(smallest, p);
  }
  return smallest;
}

TEST(OutcomePermutation, HoldsTheFamilyWiseErrorBesideEffectsOfTheirOwnInTheModel) {
  double n_with = 0, n_without = 0;
  for (std::uint64_t k = 0; k < 100; ++k) {
    n_with += smallest_p_beside_own_effects(k, true) <= 0.05;
    n_without += smallest_p_beside_own_effects(k, false) <= 0.05;
  }
  // 5 % of 100, and three standard deviations
  EXPECT_LE(n_with, 5 + 3 * 2.2);
  EXPECT_GT(n_without, n_with);
}

TEST(OutcomePermutation, SaysWhyAPairIsNotTested) {
  Cohort cohort{.n_strata = 1,
                .stratum = {0, 0, 0, 0, 0, 0, 0, 0},
                .residual = {1, 2, 3, 4, 5, 6, 7, 9},
                .carriers = {{0, 1, 2, 3}, {1, 2}, {2, 3, 5}, {}, {0, 1, 2, 3, 4, 5, 6, 7}},
                .tested = {}};
  const std::vector<FeaturePair> pairs{{0, 1}, {0, 2}, {1, 2}, {0, 3}, {2, 4}};
  const OutcomePermutation family = cohort.family(2, pairs);
  // 1 is carried only with 0; 1 and 2 share one patient; nobody carries 3; everybody carries 4
  const InteractionVerdict expected[] = {InteractionVerdict::not_identified, InteractionVerdict::tested,
                                         InteractionVerdict::few_both, InteractionVerdict::few_both,
                                         InteractionVerdict::not_identified};
  for (std::size_t k = 0; k < 5; ++k) EXPECT_EQ(family.observed()[k].verdict, expected[k]) << k;
  EXPECT_EQ(name_of(InteractionVerdict::not_identified), "not_identified");

  // one outcome for all: nothing to permute
  cohort.residual.assign(8, 1.5);
  EXPECT_EQ(cohort.family(2, pairs).observed()[1].verdict, InteractionVerdict::not_identified);
  std::vector<Extremes> extremes(3);
  Cohort nothing{.n_strata = 1, .stratum = {}, .residual = {}, .carriers = {{}, {}}, .tested = {}};
  nothing.family(1).extremes(1, 0, extremes);
  EXPECT_EQ(extremes, std::vector<Extremes>(3));
}

TEST(OutcomePermutation, RefusesWhatDoesNotFit) {
  const Cohort good = random_cohort(50, 4, 2, 3, false);
  Cohort cohort = good;
  cohort.tested = {1, 1, 1};
  EXPECT_THROW(cohort.family(1), ShapeError);
  cohort.tested = {1, 1, 1, 0, 1, 1, 1, 0};
  EXPECT_THROW(cohort.family(1), ShapeError);
  cohort = good;
  cohort.stratum[7] = 2;
  EXPECT_THROW(cohort.family(1), ShapeError);
  cohort = good;
  cohort.residual[7] = std::numeric_limits<double>::infinity();
  EXPECT_THROW(cohort.family(1), ShapeError);
  cohort.residual.pop_back();
  EXPECT_THROW(cohort.family(1), ShapeError);
  cohort = good;
  cohort.carriers[2] = {5, 4};
  EXPECT_THROW(cohort.family(1), ShapeError);

  EXPECT_THROW(good.family(1, {{1, 1}}), ShapeError);
  EXPECT_THROW(good.family(1, {{1, 4}}), ShapeError);
  EXPECT_THROW(good.family(1, {{1, 2}, {2, 1}}), ShapeError);
  const OutcomePermutation family = good.family(1);
  std::vector<Extremes> extremes(2);
  std::vector<double> permuted(2), twice(4);
  EXPECT_THROW(family.extremes(1, -1, extremes), ShapeError);
  EXPECT_THROW(family.extremes(1, (Index{1} << 32) - 1, extremes), ShapeError);
  EXPECT_THROW(family.extremes(1, 0, extremes, {}, permuted), ShapeError);
  EXPECT_THROW(family.extremes(1, 0, extremes, std::vector<Index>{6}, permuted), ShapeError);
  EXPECT_THROW(family.extremes(1, 0, extremes, std::vector<Index>{2, 2}, twice), ShapeError);
}

}  // namespace
}  // namespace chorale::kernels
