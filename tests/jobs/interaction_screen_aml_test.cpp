// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
//
// 1,540 real patients with acute myeloid leukaemia, from the study folder to the table of pairs, against R.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "io/study/ingest.hpp"
#include "tests/aml.hpp"
#include "tests/io/temporary_folder.hpp"
#include "tests/jobs/job_runs.hpp"

namespace chorale::jobs {
namespace {

using aml::json, aml::real, aml::reference;

void expect_relative(double found, double expected, double tolerance, const std::string& what) {
  if (std::isinf(expected))
    EXPECT_EQ(found, expected) << what;
  else
    EXPECT_NEAR(found, expected, tolerance * std::abs(expected)) << what;
}

/// The row of a pair, whichever of the two stands first.
struct PairAt {
  PairAt(const Rows& pairs, const json& pair) {
    const std::string a = pair["a"], b = pair["b"];
    name = a + " × " + b;
    for (row = 0; row < pairs.size(); ++row) {
      const std::string& first = pairs.text("feature_a", row);
      const std::string& second = pairs.text("feature_b", row);
      turned = first == b && second == a;
      if (turned || (first == a && second == b)) return;
    }
    throw std::runtime_error("no pair " + name);
  }
  Index row = 0;
  bool turned = false;
  std::string name;
};

/// E[n11] given the margins, under an odds ratio: the conditional estimate is where it equals n11 (Fisher 1935).
double mean_of_both(Index n11, Index n10, Index n01, Index n00, double odds_ratio) {
  const auto choose = [](Index n, Index k) {
    return std::lgamma(static_cast<double>(n + 1)) - std::lgamma(static_cast<double>(k + 1)) -
           std::lgamma(static_cast<double>(n - k + 1));
  };
  const Index carriers_a = n11 + n10, others = n01 + n00, carriers_b = n11 + n01;
  double sum = 0, weighted = 0;
  const auto log_weight = [&](Index k) {
    return choose(carriers_a, k) + choose(others, carriers_b - k) +
           static_cast<double>(k) * std::log(odds_ratio);
  };
  const double at_observed = log_weight(n11);
  for (Index k = std::max<Index>(0, carriers_b - others); k <= std::min(carriers_a, carriers_b); ++k) {
    const double weight = std::exp(log_weight(k) - at_observed);
    sum += weight;
    weighted += weight * static_cast<double>(k);
  }
  return weighted / sum;
}

class InteractionScreenAml : public testing::Test {
 protected:
  void SetUp() override {
    if (!aml::are_here()) GTEST_SKIP() << aml::why_skipped();
    io::ingest(io::recipe_for(aml::study()), folder_ / "cohort");
  }

  /// The 38 genes with at least 10 carriers, as reference/ has them.
  io::Results run(const std::string& own, const std::string& outcome = "") const {
    return run_alone("job = \"interaction_screen\"\ncohort = \"" + (folder_ / "cohort").string() +
                     "\"\noutput = \"" + (folder_ / "out").string() + "\"\n[features]\nmin_carriers = 10\n" +
                     outcome + "[interaction_screen]\n" + own);
  }

  void expect_interactions(const std::string& outcome, const std::string& model) const {
    const auto results = run("report = \"all\"\nlargest_set = 2\n", outcome);
    const Rows pairs(results, "pairs");
    const auto expected = reference("aml_interactions.json");
    ASSERT_GT(expected.size(), 20u);
    for (const auto& pair : expected) {
      const PairAt at(pairs, pair);
      const auto& fit = pair[model];
      const auto of = [&](const char* column) { return pairs.real(column, at.row); };
      // coxph stops by default where a step changes the likelihood by less than 1e-9 of it, which leaves up to 3e-6
      // standard errors (tests/oracle/pair_cox_aml.R)
      const double se = fit["se_ab"], tolerance = std::max(1e-6, 4e-6 * se);
      EXPECT_NEAR(of("log_hazard_a"), real(fit[at.turned ? "beta_b" : "beta_a"]), tolerance) << at.name;
      EXPECT_NEAR(of("log_hazard_b"), real(fit[at.turned ? "beta_a" : "beta_b"]), tolerance) << at.name;
      EXPECT_NEAR(of("log_hazard_ab"), real(fit["beta_ab"]), tolerance) << at.name;
      EXPECT_NEAR(of("se_ab"), se, 2e-6) << at.name;
      EXPECT_NEAR(of("lrt_chi2"), real(fit["lrt"]), 1e-6) << at.name;
      EXPECT_NEAR(std::pow(10, of("lrt_log10_p")), real(fit["p"]), 1e-6) << at.name;
      EXPECT_EQ(pairs.whole("n_analysed", at.row), 1540) << at.name;
      EXPECT_EQ(pairs.text("method", at.row), "cox, efron") << at.name;
    }
  }

  TemporaryFolder folder_;
};

TEST_F(InteractionScreenAml, EveryPairMatchesFisherTestAndBenjaminiHochberg) {
  const auto conditional = run("report = \"all\"\ntests = [\"fisher\"]\n"),
             sample = run("report = \"all\"\ntests = [\"fisher\"]\nodds_ratio = \"sample\"\n");
  const Rows pairs(conditional, "pairs"), sampled(sample, "pairs");
  const auto expected = reference("aml_comutation.json");
  ASSERT_EQ(expected.size(), 703u);  // 38 · 37 / 2
  ASSERT_EQ(pairs.size(), 703);
  for (const auto& pair : expected) {
    const PairAt at(pairs, pair), at_sampled(sampled, pair);
    EXPECT_EQ(pairs.whole("n11", at.row), pair["n11"].get<Index>()) << at.name;
    EXPECT_EQ(pairs.whole(at.turned ? "n01" : "n10", at.row), pair["n10"].get<Index>()) << at.name;
    EXPECT_EQ(pairs.whole(at.turned ? "n10" : "n01", at.row), pair["n01"].get<Index>()) << at.name;
    EXPECT_EQ(pairs.whole("n00", at.row), pair["n00"].get<Index>()) << at.name;
    EXPECT_EQ(pairs.whole("tested", at.row), 1540) << at.name;
    const double p = pair["p"];
    EXPECT_NEAR(pairs.real("log10_p", at.row), std::log10(p), 1e-9) << at.name;
    expect_relative(pairs.real("q", at.row), pair["q"], 1e-9, at.name);
    expect_relative(sampled.real("odds_ratio", at_sampled.row), real(pair["or_sample"]), 1e-9, at.name);
  }
}

TEST_F(InteractionScreenAml, EveryConditionalOddsRatioIsTheEstimateOfFisherTest) {
  const auto results = run("report = \"all\"\ntests = [\"fisher\"]\n");
  const Rows pairs(results, "pairs");
  for (const auto& pair : reference("aml_comutation.json")) {
    const PairAt at(pairs, pair);
    const double found = pairs.real("odds_ratio", at.row), expected = real(pair["or_cmle"]);
    if (!std::isfinite(expected) || expected == 0) {
      EXPECT_EQ(found, expected) << at.name;
      continue;
    }
    // fisher.test solves for the odds ratio, or for its inverse above 1, with uniroot's tol = .Machine$double.eps^0.25
    EXPECT_NEAR(found, expected, 1.2207e-4 * std::max(1.0, expected * expected)) << at.name;
    const Index n11 = pair["n11"], n10 = pair["n10"], n01 = pair["n01"], n00 = pair["n00"];
    expect_relative(mean_of_both(n11, n10, n01, n00, found), static_cast<double>(n11), 1e-9, at.name);
    EXPECT_LT(pairs.real("or_lower", at.row), found) << at.name;
    EXPECT_GT(pairs.real("or_upper", at.row), found) << at.name;
  }
}

TEST_F(InteractionScreenAml, EveryCrudeInteractionMatchesCoxph) {
  expect_interactions("[outcome]\nendpoint = \"OS\"\n", "crude");
}

TEST_F(InteractionScreenAml, EveryInteractionBesideAgeAndSexMatchesCoxph) {
  expect_interactions("[outcome]\nendpoint = \"OS\"\ncovariates = [\"AGE\", \"SEX\"]\n", "adjusted_age_sex");
}

TEST_F(InteractionScreenAml, TheScreenMissesNoStrongInteraction) {
  const auto results =
      run("check_screen = 703\n", "[outcome]\nendpoint = \"OS\"\ncovariates = [\"AGE\", \"SEX\"]\n");
  EXPECT_EQ(number(results, "screen_strong_pairs_passed"), number(results, "screen_strong_pairs"));
  EXPECT_EQ(number(results, "screen_pairs_beyond_checked"), number(results, "screen_pairs_beyond"));
  // every pair with five double carriers was asked, and has its p or is counted as not fitted
  EXPECT_EQ(number(results, "pairs"), 703);
  EXPECT_EQ(number(results, "interaction_tested") + number(results, "interaction_not_fitted") +
                number(results, "interaction_few_double_carriers"),
            703);
}

// Papaemmanuil 2016, N Engl J Med 374:2209: the three go together, and together they are worse than their sum
TEST_F(InteractionScreenAml, NPM1GoesTogetherWithDNMT3AAndFLT3ITDAndTheThreeMatterForOutcome) {
  const auto results = run("", "[outcome]\nendpoint = \"OS\"\ncovariates = [\"AGE\", \"SEX\"]\n");
  const Rows pairs(results, "pairs");
  for (const char* other : {"DNMT3A", "FLT3-ITD"}) {
    const PairAt at(pairs, {{"a", "NPM1"}, {"b", other}});
    EXPECT_LT(pairs.real("q", at.row), 1e-10) << at.name;
    EXPECT_GT(pairs.real("odds_ratio", at.row), 2) << at.name;
  }
  const Rows triples(results, "triples");
  const Index row = triples.find({{"feature_a", "NPM1"}, {"feature_b", "DNMT3A"}, {"feature_c", "FLT3-ITD"}});
  // tests/oracle/interaction_screen.R
  EXPECT_EQ(triples.whole("n111", row), 93);
  EXPECT_EQ(triples.whole("n110", row), 135);
  EXPECT_EQ(triples.whole("n101", row), 77);
  EXPECT_EQ(triples.whole("n011", row), 28);
  EXPECT_EQ(triples.whole("n000", row), 833);
  expect_relative(triples.real("log_hazard_abc", row), 1.0356305282731, 1e-9, "abc");
  expect_relative(triples.real("se_abc", row), 0.391188654144697, 1e-8, "abc");
  expect_relative(triples.real("log_hazard_ab", row), -0.254002677337593, 1e-8, "ab");
  expect_relative(triples.real("lrt_log10_p", row), -2.15429236015936, 1e-9, "likelihood ratio");
  expect_relative(triples.real("expected", row), 96.4582490824738, 1e-9, "expected");
  expect_relative(triples.real("log_ratio", row), -0.328219261924155, 1e-9, "log ratio");
  expect_relative(triples.real("se_log_ratio", row), 0.304381634231027, 1e-9, "log ratio");
  expect_relative(triples.real("g2", row), 1.14454492689608, 1e-8, "G2");
}

}  // namespace
}  // namespace chorale::jobs
