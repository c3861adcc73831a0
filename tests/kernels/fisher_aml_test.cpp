// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
//
// All pairs of genes of a real cohort of 1,540 patients with acute myeloid leukaemia, as R counted and tested them.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "kernels/fisher.hpp"
#include "kernels/multiplicity.hpp"
#include "tests/aml.hpp"

namespace chorale::kernels {
namespace {

using aml::json, aml::real;

class FisherAml : public testing::Test {
 protected:
  void SetUp() override {
    if (!aml::are_here()) GTEST_SKIP() << aml::why_skipped();
    pairs_ = aml::reference("aml_comutation.json");
    ASSERT_EQ(pairs_.size(), 703u);  // 38 genes, 38 · 37 / 2 pairs
    for (const json& pair : pairs_) tables_.push_back({pair["n11"], pair["n10"], pair["n01"], pair["n00"]});
  }

  json pairs_;
  std::vector<TwoByTwo> tables_;
};

TEST_F(FisherAml, EveryPMatchesFisherTest) {
  for (std::size_t i = 0; i < tables_.size(); ++i) {
    // the file keeps 12 digits
    const double p = pairs_[i]["p"];
    EXPECT_NEAR(std::pow(10, fisher_log10_p(tables_[i])), p, 1e-9 * p) << pairs_[i]["a"] << pairs_[i]["b"];
  }
}

TEST_F(FisherAml, EveryQMatchesPAdjust) {
  std::vector<double> log10_p(tables_.size()), log10_q(tables_.size());
  fisher_log10_p(tables_, log10_p);
  benjamini_hochberg(log10_p, log10_q);
  for (std::size_t i = 0; i < tables_.size(); ++i) {
    const double q = pairs_[i]["q"];
    EXPECT_NEAR(std::pow(10, log10_q[i]), q, 1e-9 * q) << pairs_[i]["a"] << pairs_[i]["b"];
  }
}

TEST_F(FisherAml, EverySampleOddsRatioMatches) {
  for (std::size_t i = 0; i < tables_.size(); ++i) {
    const double found = sample_odds_ratio(tables_[i]), expected = real(pairs_[i]["or_sample"]);
    if (std::isfinite(expected)) {
      EXPECT_NEAR(found, expected, 1e-9 * expected) << i;
    } else {
      EXPECT_EQ(found, expected) << i;
    }
  }
}

TEST_F(FisherAml, EveryConditionalOddsRatioMatchesWithinTheToleranceOfFisherTest) {
  for (std::size_t i = 0; i < tables_.size(); ++i) {
    const double found = fisher_odds_ratio(tables_[i]).estimate, expected = real(pairs_[i]["or_cmle"]);
    if (!std::isfinite(expected)) {
      EXPECT_EQ(found, expected) << i;
      continue;
    }
    // fisher.test solves for the odds ratio, or for its inverse above 1, with uniroot's tol = .Machine$double.eps^0.25;
    // fisher_test.cpp compares with R at a tight tolerance
    const double scale = std::max(1.0, expected * expected);
    EXPECT_NEAR(found, expected, 1.2207e-4 * scale) << i;
  }
}

}  // namespace
}  // namespace chorale::kernels
