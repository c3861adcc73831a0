// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/association_permutation.hpp"

#include <gtest/gtest.h>
#include <omp.h>

#include <bit>
#include <cmath>
#include <map>
#include <numeric>

#include "kernels/draw.hpp"
#include "kernels/error.hpp"
#include "kernels/level.hpp"

namespace chorale::kernels {
namespace {

// carriers, strata and what is tested, with their own storage
struct Cohort {
  Index n_strata = 1;
  std::vector<std::int32_t> stratum;
  std::vector<std::vector<std::int32_t>> carriers;
  std::vector<std::uint8_t> tested;  // (n_strata, n_features), or empty

  std::vector<std::span<const std::int32_t>> lists() const { return {carriers.begin(), carriers.end()}; }
  Groups strata() const { return {stratum, n_strata}; }
  AssociationPermutation family(double min_expected) const {
    return AssociationPermutation(lists(), strata(), tested, min_expected);
  }
  std::vector<FeaturePair> pairs() const {
    std::vector<FeaturePair> all;
    for (std::int32_t a = 0; a < static_cast<std::int32_t>(carriers.size()); ++a) {
      for (std::int32_t b = 0; b < a; ++b) all.push_back({a, b});
    }
    return all;
  }
};

// feature f is carried in stratum s by share[f] · boost[s] of those tested
Cohort random_cohort(Index n_patients, Index n_features, Index n_strata, std::uint64_t seed,
                     bool with_panels) {
  Cohort cohort{.n_strata = n_strata, .stratum = {}, .carriers = {}, .tested = {}};
  cohort.carriers.resize(static_cast<std::size_t>(n_features));
  if (with_panels) {
    for (Index cell = 0; cell < n_strata * n_features; ++cell) cohort.tested.push_back(cell % 5 != 3);
  }
  for (std::int32_t i = 0; i < n_patients; ++i) {
    Draws draws(seed, 1, i);
    const auto s = static_cast<std::int32_t>(draws.below(n_strata));
    cohort.stratum.push_back(draws.bernoulli(0.05) ? -1 : s);
    for (Index f = 0; f < n_features; ++f) {
      const double share =
          0.02 + 0.9 * static_cast<double>(f * f) / static_cast<double>(n_features * n_features);
      const bool carries = draws.bernoulli(share / (1 + s));
      const bool holds = !with_panels || cohort.tested[static_cast<std::size_t>(s * n_features + f)] != 0;
      if (carries && (holds || cohort.stratum.back() < 0))
        cohort.carriers[static_cast<std::size_t>(f)].push_back(i);
    }
  }
  return cohort;
}

double largest(const Extremes& extremes) {
  return std::max(extremes.greatest, -extremes.least);
}

// every way to choose who of each stratum carries each feature, equally probable: the largest |z| of each, rounded,
// with its probability
std::map<double, double> enumerate(const Cohort& cohort, double min_expected) {
  struct Cell {
    std::size_t feature;
    std::vector<std::int32_t> patients;
    int n;
  };
  std::vector<Cell> cells;
  for (std::size_t f = 0; f < cohort.carriers.size(); ++f) {
    for (std::int32_t s = 0; s < cohort.n_strata; ++s) {
      Cell cell{f, {}, 0};
      for (std::size_t i = 0; i < cohort.stratum.size(); ++i) {
        if (cohort.stratum[i] == s) cell.patients.push_back(static_cast<std::int32_t>(i));
      }
      for (const std::int32_t i : cohort.carriers[f])
        cell.n += cohort.stratum[static_cast<std::size_t>(i)] == s;
      cells.push_back(cell);
    }
  }
  std::map<double, double> count;
  double total = 0;
  Cohort drawn = cohort;
  for (auto& list : drawn.carriers) list.clear();
  const auto choose = [&](const auto& next, std::size_t k) -> void {
    if (k == cells.size()) {
      Extremes found;
      for (const FeaturePair& pair : drawn.pairs())
        found.add(reference::association(drawn.lists(), drawn.strata(), drawn.tested, pair, min_expected).z);
      ++count[std::round(largest(found) * 1e9)];
      ++total;
      return;
    }
    const Cell& cell = cells[k];
    for (unsigned subset = 0; subset < 1U << cell.patients.size(); ++subset) {
      if (std::popcount(subset) != cell.n) continue;
      const auto before = drawn.carriers[cell.feature];
      for (std::size_t j = 0; j < cell.patients.size(); ++j) {
        if ((subset >> j & 1) != 0) drawn.carriers[cell.feature].push_back(cell.patients[j]);
      }
      next(next, k + 1);
      drawn.carriers[cell.feature] = before;
    }
  };
  choose(choose, 0);
  for (auto& [value, n] : count) n /= total;
  return count;
}

void expect_as_enumerated(const Cohort& cohort, double min_expected) {
  const auto probability = enumerate(cohort, min_expected);
  constexpr std::size_t n = 20'000;
  std::vector<Extremes> extremes(n);
  cohort.family(min_expected).extremes(3, 0, extremes);
  std::map<double, double> count;
  for (const Extremes& found : extremes) ++count[std::round(largest(found) * 1e9)];
  for (const auto& [value, found] : count) ASSERT_TRUE(probability.contains(value)) << value;
  EXPECT_GE(probability.size(), 3U);
  double chi2 = 0;
  for (const auto& [value, p] : probability) chi2 += std::pow(count[value] - n * p, 2) / (n * p);
  const double df = static_cast<double>(probability.size()) - 1, c = 2 / (9 * df);
  EXPECT_LT(chi2, df * std::pow(1 - c + 3.09 * std::sqrt(c), 3)) << df;  // the 0.999 quantile, nearly
}

TEST(AssociationPermutation, DrawsEverySubsetWithEqualProbability) {
  // 15 · 20 · 15 ways
  expect_as_enumerated(
      {.n_strata = 1, .stratum = {0, 0, 0, 0, 0, 0}, .carriers = {{0, 1}, {0, 1, 2}, {1, 5}}, .tested = {}},
      0);
  // 3 carried by most, so drawn by who does not: 15 · 6 · 20 ways
  expect_as_enumerated({.n_strata = 1,
                        .stratum = {0, 0, 0, 0, 0, 0},
                        .carriers = {{0, 1, 2, 3}, {1, 2, 3, 4, 5}, {0, 1, 2}},
                        .tested = {}},
                       0);
}

TEST(AssociationPermutation, DrawsWithinStrataAmongTheTested) {
  // patient 4 is left out; feature 2 is not tested in stratum 1, and there feature 0 is carried by most:
  // (3 · 3 · 3) · (4 · 6) ways
  expect_as_enumerated({.n_strata = 2,
                        .stratum = {0, 1, 0, 1, -1, 0, 1, 1},
                        .carriers = {{0, 1, 3, 6}, {0, 2, 3, 4, 6}, {2, 4}},
                        .tested = {1, 1, 1, 1, 1, 0}},
                       0);
}

TEST(AssociationPermutation, ObservesWhatTheDefinitionSaysAtEveryLevel) {
  for (const Level level : available_levels()) {
    force_level(level);
    for (const Index n_features : {2, 7, 64, 65, 131}) {
      const Cohort cohort = random_cohort(1009, n_features, 3, 5, n_features != 7);
      const auto pairs = cohort.pairs();
      std::vector<Association> found(pairs.size());
      const AssociationPermutation family = cohort.family(2);
      family.observed(pairs, found);
      Index n_tested = 0;
      for (std::size_t k = 0; k < pairs.size(); ++k) {
        n_tested += found[k].verdict == AssociationVerdict::tested;
        if (n_features > 7 && k % 17 != 0) continue;
        const Association expected =
            reference::association(cohort.lists(), cohort.strata(), cohort.tested, pairs[k], 2);
        ASSERT_EQ(found[k].verdict, expected.verdict) << pairs[k].a << " " << pairs[k].b;
        if (expected.verdict != AssociationVerdict::tested) continue;
        ASSERT_NEAR(found[k].z, expected.z, 1e-9) << pairs[k].a << " " << pairs[k].b;
      }
      EXPECT_EQ(n_tested, family.n_tested());
    }
  }
  force_level(available_levels().back());
}

TEST(AssociationPermutation, IsAFunctionOfSeedAndPermutationAlone) {
  const Cohort cohort = random_cohort(1500, 70, 4, 6, true);
  const AssociationPermutation family = cohort.family(1);
  std::vector<Extremes> all(37), other(37), more(37);
  family.extremes(11, 100, all);
  for (const Level level : available_levels()) {
    force_level(level);
    for (const int n_threads : {1, 3}) {
      omp_set_num_threads(n_threads);
      cohort.family(1).extremes(11, 100, std::span(other).first(10));
      family.extremes(11, 110, std::span(other).subspan(10));
      EXPECT_EQ(all, other) << name_of(level) << " " << n_threads;
    }
  }
  force_level(available_levels().back());
  family.extremes(12, 100, other);
  family.extremes(11, 0, more);
  for (std::size_t r = 0; r < all.size(); ++r) {
    EXPECT_NE(all[r], other[r]);
    EXPECT_NE(all[r], more[r]);
  }
}

TEST(AssociationPermutation, PairsApartAreNoPartOfTheExtremes) {
  const Cohort cohort = random_cohort(600, 12, 2, 7, false);
  const AssociationPermutation family = cohort.family(5);
  std::vector<Extremes> all(50), rest(50), none(50);
  family.extremes(1, 0, all);
  const auto pairs = cohort.pairs();
  std::vector<FeaturePair> some;
  for (std::size_t k = 0; k < pairs.size(); k += 3) some.push_back({pairs[k].b, pairs[k].a});
  std::vector<double> permuted(50 * some.size()), every(50 * pairs.size());
  family.extremes(1, 0, rest, some, permuted);
  family.extremes(1, 0, none, pairs, every);
  std::vector<Association> observed(pairs.size());
  family.observed(pairs, observed);
  for (std::size_t r = 0; r < 50; ++r) {
    EXPECT_EQ(none[r], Extremes{});
    for (std::size_t k = 0; k < some.size(); ++k) rest[r].add(permuted[r * some.size() + k]);
    for (std::size_t k = 0; k < pairs.size(); ++k) {
      none[r].add(every[r * pairs.size() + k]);
      EXPECT_EQ(std::isnan(every[r * pairs.size() + k]), std::isnan(observed[k].z));
    }
    EXPECT_EQ(rest[r], all[r]);
    EXPECT_EQ(none[r], all[r]);
  }
}

TEST(AssociationPermutation, OnePairComesCloseToItsNormalTails) {
  Cohort cohort{
      .n_strata = 1, .stratum = std::vector<std::int32_t>(2000, 0), .carriers = {{}, {}}, .tested = {}};
  for (std::int32_t i = 0; i < 600; ++i) {
    cohort.carriers[0].push_back(i);
    cohort.carriers[1].push_back(2 * i + 1);
  }
  std::vector<Extremes> extremes(20'000);
  cohort.family(1).extremes(4, 0, extremes);
  double n_above = 0, squares = 0, sum = 0;
  for (const Extremes& found : extremes) {
    ASSERT_EQ(found.least, found.greatest);
    n_above += std::abs(found.least) >= 1.96;
    sum += found.least;
    squares += found.least * found.least;
  }
  EXPECT_NEAR(n_above / 20'000, 0.05, 0.005);
  EXPECT_NEAR(sum / 20'000, 0, 4 / std::sqrt(20'000.0));
  EXPECT_NEAR(squares / 20'000, 1, 4 * std::sqrt(2 / 20'000.0));
}

TEST(AssociationPermutation, HoldsTheFamilyWiseErrorOnlyGivenTheStrata) {
  // features that know nothing of each other, but all are frequent in stratum 0 and rare in stratum 1
  constexpr int n_cohorts = 400, n_permutations = 99;
  double n_within = 0, n_pooled = 0, sum_of_p = 0;
  for (int k = 0; k < n_cohorts; ++k) {
    Cohort cohort = random_cohort(300, 8, 2, static_cast<std::uint64_t>(1000 + k), false);
    for (const bool within : {true, false}) {
      if (!within) {
        for (auto& code : cohort.stratum) code = std::min(code, 0);
      }
      const AssociationPermutation family = cohort.family(1);
      const auto pairs = cohort.pairs();
      std::vector<Association> observed(pairs.size());
      family.observed(pairs, observed);
      std::vector<Extremes> extremes(n_permutations);
      family.extremes(2, 0, extremes);
      std::vector<double> z, p(pairs.size());
      for (const Association& pair : observed) z.push_back(pair.z);
      max_t_p(extremes, z, Alternative::two_sided, p);
      double smallest = 1;
      for (const double one : p) smallest = std::fmin(smallest, one);
      (within ? n_within : n_pooled) += smallest <= 0.05;
      if (within) sum_of_p += smallest;
    }
  }
  // 5 % of 400 is 20, and four standard deviations are 17
  EXPECT_NEAR(n_within, 20, 17);
  EXPECT_GT(n_pooled, 50);
  // uniform on 0.01, 0.02, …, 1: mean 0.505, standard deviation 0.289
  EXPECT_NEAR(sum_of_p / n_cohorts, 0.505, 4 * 0.289 / 20);
}

TEST(AssociationPermutation, NobodyAndEverybodySayNothing) {
  Cohort cohort = random_cohort(200, 4, 1, 3, false);
  std::fill(cohort.stratum.begin(), cohort.stratum.end(), 0);
  cohort.carriers[0].clear();
  cohort.carriers[1].resize(200);
  std::iota(cohort.carriers[1].begin(), cohort.carriers[1].end(), 0);
  const AssociationPermutation family = cohort.family(0);
  EXPECT_EQ(family.n_tested(), 1);
  std::vector<Association> found(6);
  family.observed(cohort.pairs(), found);
  for (std::size_t k = 0; k < 5; ++k) {
    EXPECT_EQ(found[k].verdict, AssociationVerdict::no_variation);
    EXPECT_TRUE(std::isnan(found[k].z));
  }
  EXPECT_EQ(found[5].verdict, AssociationVerdict::tested);

  std::vector<Extremes> extremes(3);
  Cohort nothing{.n_strata = 1, .stratum = {}, .carriers = {{}, {}}, .tested = {}};
  nothing.family(0).extremes(1, 0, extremes);
  EXPECT_EQ(extremes, std::vector<Extremes>(3));
  EXPECT_EQ(name_of(AssociationVerdict::few_expected), "few_expected");
}

TEST(AssociationPermutation, RefusesWhatDoesNotFit) {
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
  cohort.carriers[2] = {5, 4};
  EXPECT_THROW(cohort.family(1), ShapeError);
  cohort.carriers[2] = {50};
  EXPECT_THROW(cohort.family(1), ShapeError);

  const AssociationPermutation family = good.family(1);
  std::vector<Association> found(1);
  const std::vector<FeaturePair> same{{1, 1}}, unknown{{1, 4}};
  EXPECT_THROW(family.observed(same, found), ShapeError);
  EXPECT_THROW(family.observed(unknown, found), ShapeError);
  EXPECT_THROW(family.observed({}, found), ShapeError);
  std::vector<Extremes> extremes(2);
  std::vector<double> permuted(1);
  EXPECT_THROW(family.extremes(1, -1, extremes), ShapeError);
  EXPECT_THROW(family.extremes(1, (Index{1} << 32) - 1, extremes), ShapeError);
  EXPECT_THROW(family.extremes(1, 0, extremes, {}, permuted), ShapeError);
}

}  // namespace
}  // namespace chorale::kernels
