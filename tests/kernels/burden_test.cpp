// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/burden.hpp"

#include <gtest/gtest.h>
#include <omp.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <vector>

#include "kernels/draw.hpp"
#include "kernels/error.hpp"
#include "kernels/fisher.hpp"

namespace chorale::kernels {
namespace {

// a 0/1 table as the kernels read it; every patient with a stratum
struct Table {
  Index n_features = 0, n_strata = 1;
  std::vector<std::vector<int>> carries;  // (n_patients, n_features)
  std::vector<std::int32_t> stratum;
  std::vector<std::uint8_t> tested;  // (n_strata, n_features), or empty

  std::vector<BurdenMargins> margins() const {
    std::vector<std::int64_t> offset{0};
    std::vector<std::int32_t> feature;
    for (const auto& row : carries) {
      for (std::size_t g = 0; g < row.size(); ++g) {
        if (row[g] != 0) feature.push_back(static_cast<std::int32_t>(g));
      }
      offset.push_back(static_cast<std::int64_t>(feature.size()));
    }
    return burden_margins({offset, feature}, {stratum, n_strata}, n_features, tested);
  }

  bool is_tested(std::size_t patient, std::size_t g) const {
    if (stratum[patient] < 0) return false;
    return tested.empty() ||
           tested[static_cast<std::size_t>(stratum[patient]) * static_cast<std::size_t>(n_features) + g] != 0;
  }

  Index burden(std::size_t patient) const {
    return std::count(carries[patient].begin(), carries[patient].end(), 1);
  }

  TwoByTwo cells(std::size_t a, std::size_t b) const {
    TwoByTwo table;
    for (std::size_t i = 0; i < carries.size(); ++i) {
      if (!is_tested(i, a) || !is_tested(i, b)) continue;
      const bool has_a = carries[i][a] != 0, has_b = carries[i][b] != 0;
      ++(has_a ? (has_b ? table.n11 : table.n10) : (has_b ? table.n01 : table.n00));
    }
    return table;
  }

  std::vector<ObservedPair> pairs() const {
    std::vector<ObservedPair> all;
    for (std::int32_t a = 0; a < n_features; ++a) {
      for (std::int32_t b = a + 1; b < n_features; ++b) {
        all.push_back({a, b, cells(static_cast<std::size_t>(a), static_cast<std::size_t>(b)).n11});
      }
    }
    return all;
  }
};

Table table_of(std::vector<std::vector<int>> carries) {
  Table table;
  table.n_features = static_cast<Index>(carries.front().size());
  table.stratum.assign(carries.size(), 0);
  table.carries = std::move(carries);
  return table;
}

// patients with rates of their own, features independent given the patient, the most frequent 20 times as frequent as
// the rarest; strata in turn
Table simulated(std::uint64_t seed, Index n_patients, Index n_features, Index n_strata, double spread,
                double rarest = 0.02) {
  Table table;
  table.n_features = n_features;
  table.n_strata = n_strata;
  for (Index i = 0; i < n_patients; ++i) {
    Draws draws(seed, 1, i);
    const double rate = std::exp(spread * draws.normal() - spread * spread / 2);
    std::vector<int> row;
    for (Index g = 0; g < n_features; ++g) {
      const double odds = rarest * std::pow(20, static_cast<double>(g) / static_cast<double>(n_features));
      row.push_back(draws.bernoulli(1 - 1 / (1 + odds * rate)) ? 1 : 0);
    }
    table.carries.push_back(row);
    table.stratum.push_back(static_cast<std::int32_t>(i % n_strata));
  }
  return table;
}

// largest distance between a margin and its expectation
double margin_gap(const Table& table, const BurdenBackground& background) {
  const auto n_features = static_cast<std::size_t>(table.n_features);
  std::vector<double> by_feature(static_cast<std::size_t>(table.n_strata) * n_features, 0.0);
  double gap = 0;
  for (std::size_t i = 0; i < table.carries.size(); ++i) {
    if (table.stratum[i] < 0) continue;
    double by_patient = 0;
    for (std::size_t g = 0; g < n_features; ++g) {
      if (!table.is_tested(i, g)) continue;
      const double p = background.probability(table.stratum[i], table.burden(i), static_cast<Index>(g));
      by_patient += p - table.carries[i][g];
      by_feature[static_cast<std::size_t>(table.stratum[i]) * n_features + g] += p - table.carries[i][g];
    }
    gap = std::max(gap, std::abs(by_patient));
  }
  for (const double each : by_feature) gap = std::max(gap, std::abs(each));
  return gap;
}

// P(carries a and b) of every patient tested for both, as the header defines it
std::vector<double> probabilities(const Table& table, const BurdenBackground& background,
                                  const ObservedPair& pair, PairModel model) {
  std::vector<double> all;
  for (std::size_t i = 0; i < table.carries.size(); ++i) {
    if (!table.is_tested(i, static_cast<std::size_t>(pair.a))) continue;
    if (!table.is_tested(i, static_cast<std::size_t>(pair.b))) continue;
    const auto p = [&](Index g) { return background.probability(table.stratum[i], table.burden(i), g); };
    double both = p(pair.a) * p(pair.b);
    if (model == PairModel::given_burden && both > 0) {
      double spread = 0;
      for (Index g = 0; g < table.n_features; ++g) {
        if (table.is_tested(i, static_cast<std::size_t>(g))) spread += p(g) * (1 - p(g));
      }
      const double v_a = p(pair.a) * (1 - p(pair.a)), v_b = p(pair.b) * (1 - p(pair.b));
      both = std::max(0.0, both - v_a * v_b / (spread - (v_a + v_b) / 2));
    }
    all.push_back(both);
  }
  return all;
}

// the Kolmogorov-Smirnov distance from the uniform distribution, times √n: above 1.63 once in a hundred samples
double uniform_distance(std::vector<double> p) {
  std::sort(p.begin(), p.end());
  const auto n = static_cast<double>(p.size());
  double distance = 0;
  for (std::size_t i = 0; i < p.size(); ++i) {
    const auto rank = static_cast<double>(i);
    distance = std::max({distance, p[i] - rank / n, (rank + 1) / n - p[i]});
  }
  return distance * std::sqrt(n);
}

// P(X > x) + u P(X = x): exactly uniform under the null, though X takes few values
double randomised(double log10_less, double log10_greater, double u) {
  const double less = std::pow(10, log10_less), greater = std::pow(10, log10_greater);
  return 1 - less + u * (less + greater - 1);
}

TEST(BurdenMargins, AreCountedPatientByPatient) {
  Table table = table_of({{1, 0, 1}, {0, 0, 0}, {1, 1, 1}, {0, 0, 1}, {1, 0, 1}});
  table.n_strata = 2;
  table.stratum = {0, 0, -1, 1, 1};
  table.tested = {1, 1, 1, 1, 0, 1};
  const auto margins = table.margins();
  EXPECT_EQ(margins[0].patients_with, (std::vector<Index>{1, 0, 1, 0}));
  EXPECT_EQ(margins[0].carriers, (std::vector<Index>{1, 0, 1}));
  EXPECT_EQ(margins[1].patients_with, (std::vector<Index>{0, 1, 1}));
  EXPECT_EQ(margins[1].carriers, (std::vector<Index>{1, -1, 2}));
}

TEST(BurdenMargins, ACarrierWhoWasNotTestedIsRefused) {
  Table table = table_of({{1, 0}, {0, 1}});
  table.tested = {1, 0};
  EXPECT_THROW(table.margins(), ShapeError);
  table.tested = {1};
  EXPECT_THROW(table.margins(), ShapeError);
}

TEST(BurdenBackground, IsTheLogisticRegressionOnPatientAndFeature) {
  const Table table = table_of({{1, 0, 0, 0, 1},
                                {1, 1, 0, 0, 0},
                                {0, 1, 0, 0, 0},
                                {1, 1, 1, 0, 0},
                                {0, 0, 1, 0, 0},
                                {1, 1, 0, 1, 0},
                                {1, 0, 1, 1, 1},
                                {1, 0, 0, 0, 0}});
  const BurdenBackground background(table.margins());
  // R 4.2.2: glm(y ~ patient + feature, binomial), tests/oracle/burden.R
  const std::vector<std::vector<double>> expected{
      {0.532573071827, 0.219182949226, 0.124398324386, 0.061922827280, 0.061922827280},
      {0.799073267709, 0.494900459156, 0.331504710136, 0.187260781500, 0.187260781500},
      {0.916362094370, 0.729680774547, 0.577377048885, 0.388290041099, 0.388290041099},
      {0.971410060363, 0.893288684915, 0.809041508799, 0.663129872961, 0.663129872961}};
  for (Index burden = 1; burden <= 4; ++burden) {
    for (Index g = 0; g < 5; ++g) {
      EXPECT_NEAR(background.probability(0, burden, g),
                  expected[static_cast<std::size_t>(burden - 1)][static_cast<std::size_t>(g)], 1e-10);
    }
  }
  EXPECT_TRUE(std::isnan(background.probability(0, 5, 0)));
  EXPECT_EQ(background.fits()[0].n_burdens, 4);
  EXPECT_EQ(background.fits()[0].n_classes, 4);
}

TEST(BurdenBackground, MeetsTheMarginsOfEveryStratum) {
  Table table = simulated(3, 900, 40, 3, 1.2);
  const BurdenBackground background(table.margins());
  for (const BackgroundFit& fit : background.fits()) EXPECT_EQ(fit.verdict, BackgroundVerdict::fitted);
  EXPECT_LT(margin_gap(table, background), 1e-7);
}

TEST(BurdenBackground, EmptyAndFullLinesAreCertain) {
  // feature 0 in everyone, feature 3 in nobody; the last patient has all that is left, the first has nothing else
  const Table table = table_of({{1, 0, 0, 0}, {1, 1, 0, 0}, {1, 0, 1, 0}, {1, 1, 1, 0}});
  const BurdenBackground background(table.margins());
  EXPECT_EQ(background.probability(0, 1, 0), 1);
  EXPECT_EQ(background.probability(0, 2, 3), 0);
  EXPECT_EQ(background.probability(0, 1, 1), 0);
  EXPECT_EQ(background.probability(0, 3, 2), 1);
  // two patients share features 1 and 2, one each
  EXPECT_NEAR(background.probability(0, 2, 1), 0.5, 1e-12);
}

TEST(BurdenBackground, MarginsThatLeaveOneTableAreMetInTheLimit) {
  // rows 3, 3, 1, 1 and columns 1, 1, 3, 3: the first two patients must carry both of the last two features or the
  // sums cannot come out, so logits there run to infinity
  const Table table = table_of({{1, 0, 1, 1}, {0, 1, 1, 1}, {0, 0, 1, 0}, {0, 0, 0, 1}});
  const BurdenBackground background(table.margins());
  EXPECT_EQ(background.fits()[0].verdict, BackgroundVerdict::fitted);
  EXPECT_NEAR(background.probability(0, 3, 2), 1, 1e-8);
  EXPECT_NEAR(background.probability(0, 3, 0), 0.5, 1e-8);
  EXPECT_NEAR(background.probability(0, 1, 0), 0, 1e-8);
  EXPECT_NEAR(background.probability(0, 1, 2), 0.5, 1e-8);
}

TEST(BurdenBackground, StrataWithNobodyAddNothing) {
  Table table = simulated(5, 200, 10, 1, 1);
  const BurdenBackground alone(table.margins());
  table.n_strata = 2;
  const BurdenBackground with_empty(table.margins());
  EXPECT_EQ(with_empty.fits()[1].verdict, BackgroundVerdict::empty);
  const ObservedPair pair{0, 1, 3};
  BurdenTest one, other;
  burden_tests(alone, {&pair, 1}, {&one, 1});
  burden_tests(with_empty, {&pair, 1}, {&other, 1});
  EXPECT_EQ(one.n_tested, other.n_tested);
  EXPECT_EQ(one.log10_p, other.log10_p);
}

TEST(BurdenBackground, MarginsThatDoNotBelongTogetherAreRefused) {
  EXPECT_THROW(BurdenBackground(std::vector<BurdenMargins>{{{1, 1}, {2}}}),
               ShapeError);  // 1 one by row, 2 by column
  EXPECT_THROW(BurdenBackground(std::vector<BurdenMargins>{{{0, 0, 1}, {2}}}), ShapeError);  // 2 of 1 feature
  EXPECT_THROW(BurdenBackground(std::vector<BurdenMargins>{{{-1, 1}, {1}}}), ShapeError);
  EXPECT_THROW(BurdenBackground(std::vector<BurdenMargins>{{{1, 1}, {1}}, {{1, 1}, {1, -1}}}), ShapeError);
}

TEST(BurdenTests, MatchTheReferencePatientByPatientAcrossPanels) {
  Table table = simulated(11, 600, 30, 3, 1.3);
  // the second panel lacks the first ten features, the third the last ten; some patients are left out
  table.tested.assign(90, 1);
  std::fill_n(table.tested.begin() + 30, 10, std::uint8_t{0});
  std::fill_n(table.tested.begin() + 80, 10, std::uint8_t{0});
  for (std::size_t i = 0; i < table.carries.size(); ++i) {
    for (std::size_t g = 0; g < 30; ++g) {
      if (!table.is_tested(i, g)) table.carries[i][g] = 0;
    }
    if (i % 50 == 0) table.stratum[i] = -1;
  }
  const BurdenBackground background(table.margins());
  const std::vector<ObservedPair> pairs = table.pairs();
  std::vector<BurdenTest> tests(pairs.size());
  for (const PairModel model : {PairModel::given_burden, PairModel::independent}) {
    burden_tests(background, pairs, tests, model);
    for (std::size_t k = 0; k < pairs.size(); ++k) {
      const std::vector<double> p = probabilities(table, background, pairs[k], model);
      const std::vector<double> one_each(p.size(), 1.0);
      const PoissonBinomialTails expected = reference::poisson_binomial({one_each, p}, pairs[k].n_both);
      ASSERT_EQ(tests[k].n_tested, static_cast<Index>(p.size()));
      ASSERT_NEAR(tests[k].expected, expected.mean, 1e-11 * (1 + expected.mean));
      ASSERT_NEAR(tests[k].log10_p_co_occurrence, expected.log10_greater, 1e-6);
      ASSERT_NEAR(tests[k].log10_p_exclusivity, expected.log10_less, 1e-6);
      const double two_sided = std::log10(2) + std::min(expected.log10_less, expected.log10_greater);
      ASSERT_NEAR(tests[k].log10_p, std::min(0.0, two_sided), 1e-6);
    }
  }
}

TEST(BurdenTests, KnowThatAPatientWithOneFeatureCannotHaveTwo) {
  // three of six features each, one apiece: P = 1/6 by margins, yet nobody can carry both
  std::vector<std::vector<int>> carries(6, std::vector<int>(6, 0));
  for (std::size_t i = 0; i < 6; ++i) carries[i][i] = 1;
  const BurdenBackground background(table_of(carries).margins());
  const ObservedPair pair{0, 1, 0};
  BurdenTest test;
  burden_tests(background, {&pair, 1}, {&test, 1}, PairModel::given_burden);
  EXPECT_NEAR(test.expected, 0, 1e-12);
  burden_tests(background, {&pair, 1}, {&test, 1}, PairModel::independent);
  EXPECT_NEAR(test.expected, 6.0 / 36, 1e-9);
}

TEST(BurdenTests, ExpectWhatCountingSaysWhenFeaturesAreEquallyFrequent) {
  // all C(5, 3) patients who carry three of five features: both of a pair in C(3, 1) = 3 of 10
  std::vector<std::vector<int>> carries;
  for (unsigned mask = 0; mask < 32; ++mask) {
    if (std::popcount(mask) != 3) continue;
    std::vector<int> row;
    for (unsigned g = 0; g < 5; ++g) row.push_back((mask >> g) & 1U ? 1 : 0);
    carries.push_back(row);
  }
  const BurdenBackground background(table_of(carries).margins());
  const ObservedPair pair{1, 3, 3};
  BurdenTest test;
  burden_tests(background, {&pair, 1}, {&test, 1});
  EXPECT_NEAR(test.expected, 3, 1e-9);
}

TEST(BurdenTests, AreUniformUnderTheNullWhereFisherIsNot) {
  // 4,950 pairs of independent features of 0.3 to 6 %, patients with very different rates
  const Table table = simulated(20261121, 3000, 100, 1, 1, 0.003);
  const BurdenBackground background(table.margins());
  const std::vector<ObservedPair> pairs = table.pairs();
  std::vector<BurdenTest> tests(pairs.size());
  burden_tests(background, pairs, tests);
  std::vector<BurdenTest> independent(pairs.size());
  burden_tests(background, pairs, independent, PairModel::independent);
  std::vector<double> burden_p, independent_p, fisher_p;
  for (std::size_t k = 0; k < pairs.size(); ++k) {
    Draws draws(20261121, 2, static_cast<Index>(k));
    const double u = draws.uniform();
    burden_p.push_back(randomised(tests[k].log10_p_exclusivity, tests[k].log10_p_co_occurrence, u));
    independent_p.push_back(
        randomised(independent[k].log10_p_exclusivity, independent[k].log10_p_co_occurrence, u));
    const TwoByTwo cells =
        table.cells(static_cast<std::size_t>(pairs[k].a), static_cast<std::size_t>(pairs[k].b));
    fisher_p.push_back(randomised(fisher_log10_p_less(cells), fisher_log10_p_greater(cells), u));
  }
  EXPECT_LT(uniform_distance(burden_p), 1.63);
  EXPECT_GT(uniform_distance(fisher_p), 10);
  // about two features a patient: forgetting that they are part of the burden expects too many pairs
  EXPECT_GT(uniform_distance(independent_p), 4);
}

TEST(BurdenTests, FindPlantedPairsAmongHypermutatedPatients) {
  Table table = simulated(17, 2000, 60, 1, 1.2);
  for (std::size_t i = 0; i < table.carries.size(); ++i) {
    Draws draws(17, 9, static_cast<Index>(i));
    auto& row = table.carries[i];
    if (row[58] != 0 && draws.bernoulli(0.5)) row[57] = 1;  // together
    if (row[56] != 0) row[55] = 0;                          // never together
  }
  const BurdenBackground background(table.margins());
  const std::vector<ObservedPair> pairs = table.pairs();
  std::vector<BurdenTest> tests(pairs.size());
  burden_tests(background, pairs, tests);
  const auto top = [&](double BurdenTest::*log10_p) {
    const auto least =
        std::min_element(tests.begin(), tests.end(),
                         [&](const BurdenTest& x, const BurdenTest& y) { return x.*log10_p < y.*log10_p; });
    return pairs[static_cast<std::size_t>(least - tests.begin())];
  };
  EXPECT_EQ(top(&BurdenTest::log10_p_co_occurrence).a, 57);
  EXPECT_EQ(top(&BurdenTest::log10_p_co_occurrence).b, 58);
  EXPECT_EQ(top(&BurdenTest::log10_p_exclusivity).a, 55);
  EXPECT_EQ(top(&BurdenTest::log10_p_exclusivity).b, 56);
}

TEST(BurdenTests, DoNotDependOnTheNumberOfThreads) {
  const Table table = simulated(23, 500, 40, 2, 1);
  const BurdenBackground background(table.margins());
  const std::vector<ObservedPair> pairs = table.pairs();
  std::vector<BurdenTest> one(pairs.size()), two(pairs.size());
  const int before = omp_get_max_threads();
  omp_set_num_threads(1);
  burden_tests(background, pairs, one);
  omp_set_num_threads(2);
  burden_tests(background, pairs, two);
  omp_set_num_threads(before);
  for (std::size_t k = 0; k < pairs.size(); ++k) {
    EXPECT_EQ(one[k].log10_p_co_occurrence, two[k].log10_p_co_occurrence);
    EXPECT_EQ(one[k].log10_p_exclusivity, two[k].log10_p_exclusivity);
  }
}

TEST(BurdenTests, APairNobodyWasTestedForTogetherTellsNothing) {
  Table table = table_of({{1, 0}, {0, 0}, {0, 1}, {0, 0}});
  table.n_strata = 2;
  table.stratum = {0, 0, 1, 1};
  table.tested = {1, 0, 0, 1};
  const BurdenBackground background(table.margins());
  const ObservedPair pair{0, 1, 0};
  BurdenTest test;
  burden_tests(background, {&pair, 1}, {&test, 1});
  EXPECT_EQ(test.n_tested, 0);
  EXPECT_EQ(test.expected, 0);
  EXPECT_EQ(test.log10_p, 0);
  EXPECT_EQ(test.method, TailMethod::certain);
}

TEST(BurdenTests, ImpossiblePairsAreRefused) {
  const Table table = simulated(5, 50, 5, 1, 1);
  const BurdenBackground background(table.margins());
  std::vector<BurdenTest> tests(1);
  for (const ObservedPair& pair : {ObservedPair{0, 5, 0}, {-1, 0, 0}, {0, 1, -1}, {0, 1, 51}}) {
    EXPECT_THROW(burden_tests(background, {&pair, 1}, tests), ShapeError);
  }
  const std::vector<ObservedPair> two{{0, 1, 0}, {0, 2, 0}};
  EXPECT_THROW(burden_tests(background, two, tests), ShapeError);
}

}  // namespace
}  // namespace chorale::kernels
