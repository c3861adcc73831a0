// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/max_t.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "kernels/draw.hpp"
#include "kernels/error.hpp"

namespace chorale::kernels {
namespace {

const double missing_number = std::nan("");

TEST(Extremes, OfPartsMergeInAnyOrder) {
  Extremes all, some, rest;
  for (const double z : {1.0, -3.0, missing_number, 2.0}) all.add(z);
  for (const double z : {2.0, -3.0}) some.add(z);
  rest.add(1.0);
  Extremes merged;
  merged.merge(rest);
  merged.merge(Extremes{});
  merged.merge(some);
  EXPECT_EQ(merged, all);
  EXPECT_EQ(all, (Extremes{-3, 2}));
}

TEST(MaxT, CountsPermutationsThatReachTheObserved) {
  const std::vector<Extremes> extremes{{-3, 1}, {-1, 2}, {-0.5, 0.5}};
  const std::vector<double> z{2, -2, 2.5, -3.5, 0.1, missing_number};
  std::vector<double> p(z.size());

  // largest |z|: 3, 2, 0.5
  max_t_p(extremes, z, Alternative::two_sided, p);
  EXPECT_EQ(std::vector<double>(p.begin(), p.end() - 1), (std::vector<double>{0.75, 0.75, 0.5, 0.25, 1}));
  EXPECT_TRUE(std::isnan(p.back()));

  // largest z: 1, 2, 0.5
  max_t_p(extremes, z, Alternative::greater, p);
  EXPECT_EQ(std::vector<double>(p.begin(), p.end() - 1), (std::vector<double>{0.5, 1, 0.25, 1, 1}));

  // largest -z: 3, 1, 0.5
  max_t_p(extremes, z, Alternative::less, p);
  EXPECT_EQ(std::vector<double>(p.begin(), p.end() - 1), (std::vector<double>{1, 0.5, 1, 0.25, 1}));
}

TEST(MaxT, RoundingBreaksNoTie) {
  const std::vector<Extremes> extremes{{0, 1 - 1e-14}, {-1 + 1e-14, 0}};
  std::vector<double> p(1);
  max_t_p(extremes, std::vector<double>{1}, Alternative::two_sided, p);
  EXPECT_EQ(p[0], 1);
}

// statistics of four tests in 200 permutations that depend on each other
struct Permuted {
  static constexpr std::size_t n_permutations = 200, n_tests = 4;
  std::vector<double> z;  ///< (n_permutations, n_tests)

  Permuted() {
    for (Index r = 0; r < Index{n_permutations}; ++r) {
      Draws draws(1, 2, r);
      const double shared = draws.normal();
      for (std::size_t k = 0; k < n_tests; ++k) z.push_back(shared + 0.5 * draws.normal());
    }
  }
  double at(std::size_t r, std::size_t k) const { return z[r * n_tests + k]; }
};

TEST(MaxT, StepDownIsTheDefinitionOverSubsets) {
  const Permuted permuted;
  const std::vector<double> observed{-2.5, 2.0, 1.5, 0.3};
  for (const std::size_t n_leaders : {0, 1, 3, 4}) {
    std::vector<Extremes> rest(Permuted::n_permutations);
    std::vector<double> of_leaders;
    for (std::size_t r = 0; r < rest.size(); ++r) {
      for (std::size_t k = 0; k < Permuted::n_tests; ++k) {
        if (k < n_leaders) of_leaders.push_back(permuted.at(r, k));
        if (k >= n_leaders) rest[r].add(permuted.at(r, k));
      }
    }
    std::vector<double> p(n_leaders);
    max_t_step_down_p(rest, of_leaders, std::span(observed).first(n_leaders), Alternative::two_sided, p);

    double largest = 0;
    for (std::size_t k = 0; k < n_leaders; ++k) {
      double n_reached = 0;
      for (std::size_t r = 0; r < rest.size(); ++r) {
        double most = 0;  // over the hypotheses k, k + 1, …
        for (std::size_t j = k; j < Permuted::n_tests; ++j)
          most = std::fmax(most, std::abs(permuted.at(r, j)));
        n_reached += most >= std::abs(observed[k]);
      }
      largest = std::fmax(largest, (1 + n_reached) / 201);
      EXPECT_DOUBLE_EQ(p[k], largest);
    }
  }
}

TEST(MaxT, StepDownBeginsWithTheSingleStep) {
  const Permuted permuted;
  std::vector<Extremes> all(Permuted::n_permutations), nobody(all);
  for (std::size_t r = 0; r < all.size(); ++r) {
    for (std::size_t k = 0; k < Permuted::n_tests; ++k) all[r].add(permuted.at(r, k));
  }
  const std::vector<double> observed{1.9, 1.1, 0.4, -1};
  for (const Alternative alternative : {Alternative::two_sided, Alternative::greater}) {
    const std::vector<double> z =
        alternative == Alternative::greater ? observed : std::vector{1.9, 1.1, -1.0, 0.4};
    std::vector<double> single(4), stepped(4);
    max_t_p(all, z, alternative, single);
    max_t_step_down_p(nobody, permuted.z, z, alternative, stepped);
    EXPECT_EQ(stepped[0], single[0]);
    for (std::size_t k = 0; k < 4; ++k) EXPECT_LE(stepped[k], single[k]);
  }
}

TEST(MaxT, RefusesWhatDoesNotFit) {
  std::vector<double> p(2);
  const std::vector<Extremes> one(1);
  EXPECT_THROW(max_t_p(one, std::vector<double>{1}, Alternative::two_sided, p), ShapeError);
  const std::vector<double> permuted(2), rising{1, 2}, unknown{1, missing_number}, falling{2, 1};
  EXPECT_THROW(max_t_step_down_p(one, permuted, rising, Alternative::two_sided, p), ShapeError);
  EXPECT_THROW(max_t_step_down_p(one, permuted, unknown, Alternative::two_sided, p), ShapeError);
  EXPECT_THROW(max_t_step_down_p({}, permuted, falling, Alternative::two_sided, p), ShapeError);
  EXPECT_NO_THROW(max_t_step_down_p(one, permuted, falling, Alternative::two_sided, p));
}

}  // namespace
}  // namespace chorale::kernels
