// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "jobs/interaction_screen/counts.hpp"

#include <cmath>

#include <gtest/gtest.h>

#include "jobs/interaction_screen/family.hpp"
#include "kernels/draw.hpp"

namespace chorale::jobs::interaction {
namespace {

Design many_pairs() {
  Design design;
  design.tests = {Test::fisher};
  design.n_features = 1000;  // 499,500 pairs: above the 200,000 of which every p is kept
  return design;
}

/// 2,000 pairs of 100,000 tested with p ≤ 0.02: half of them uniform there, half with p = 0.02 u^4.
std::vector<Part> drawn_parts(std::size_t n_parts) {
  std::vector<Part> parts(n_parts);
  for (Part& part : parts) part.pairs.tests.resize(1);
  for (std::int32_t k = 0; k < 2000; ++k) {
    const double u = kernels::draw_uniform(5, 9, k, 0);
    PTally& tally = parts[static_cast<std::size_t>(k) % n_parts].pairs.tests[0];
    tally.kept.push_back(
        {.a = k / 40, .b = 100 + k % 40, .log10_p = std::log10(0.02) + (k % 2 == 0 ? 1 : 4) * std::log10(u)});
  }
  parts.front().pairs.tests[0].n_tested = 100'000;
  return parts;
}

TEST(InteractionScreenCounts, BinsOfTheTailAreTwentiethsOfAPowerOfTen) {
  EXPECT_EQ(Tail::bin(0), 0);
  EXPECT_EQ(Tail::bin(-0.07), 1);
  EXPECT_EQ(Tail::bin(-2.02), 40);
  EXPECT_EQ(Tail::bin(-300), Tail::n_bins - 1);
}

TEST(InteractionScreenCounts, ABinIsNeededWhereItsLowerEdgeCouldPass) {
  Design design = many_pairs();
  std::vector<std::int64_t> tail(static_cast<std::size_t>(Tail::n_bins));
  tail[60] = 10;  // 10 p in (10^-3.05, 10^-3]
  // 0.05 · 10 / m ≥ 10^-3.05 when m ≤ 561
  EXPECT_EQ(first_needed(design, 561, tail, 0), 60);
  EXPECT_GT(first_needed(design, 562, tail, 0), 60);
  EXPECT_EQ(first_needed(design, 1122, tail, 10), 60);  // ten more may join: twice as many tests
  design.config.report = Report::p;
  design.config.report_p = 0.0095;
  EXPECT_EQ(first_needed(design, 100'000, tail, 0), 40);  // -log10 0.0095 = 2.022
  design.config.report = Report::top;
  design.config.report_top = 10;
  EXPECT_EQ(first_needed(design, 100'000, tail, 0), 60);
}

TEST(InteractionScreenCounts, WhatTravelsGivesTheSameHits) {
  const Design design = many_pairs();
  std::vector<Part> parts = drawn_parts(7);
  const auto counts = count_pairs(design, parts);
  const Family all = Family::of_test(design, counts, parts, 0);
  condense_pairs(design, counts, parts);
  ASSERT_EQ(parts.size(), 1U);
  const Family some = Family::of_test(design, counts, parts, 0);
  EXPECT_LT(some.kept.size(), 1000U);
  ASSERT_GT(some.hits(design.config).size(), 50U);
  std::vector<std::pair<KeptP, double>> before, after;
  for (const Index k : all.hits(design.config))
    before.emplace_back(all.kept[static_cast<std::size_t>(k)], all.log10_q[static_cast<std::size_t>(k)]);
  for (const Index k : some.hits(design.config))
    after.emplace_back(some.kept[static_cast<std::size_t>(k)], some.log10_q[static_cast<std::size_t>(k)]);
  ASSERT_EQ(before.size(), after.size());
  for (std::size_t i = 0; i < before.size(); ++i) {
    EXPECT_EQ(before[i].first.a, after[i].first.a);
    EXPECT_EQ(before[i].first.b, after[i].first.b);
    EXPECT_EQ(before[i].second, after[i].second);
  }
}

}  // namespace
}  // namespace chorale::jobs::interaction
