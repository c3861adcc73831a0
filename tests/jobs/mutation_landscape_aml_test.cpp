// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
//
// 1,540 real patients with acute myeloid leukaemia, from the study folder to the result tables, against R.
#include <gtest/gtest.h>

#include <cmath>

#include "io/study/ingest.hpp"
#include "tests/aml.hpp"
#include "tests/io/temporary_folder.hpp"
#include "tests/jobs/job_runs.hpp"

namespace chorale::jobs {
namespace {

using aml::reference;

constexpr double days_per_month = 30.4375;

class MutationLandscapeAml : public testing::Test {
 protected:
  void SetUp() override {
    if (!aml::are_here()) GTEST_SKIP() << aml::why_skipped();
    io::ingest(io::recipe_for(aml::study()), folder_ / "cohort");
  }

  io::Results run(const std::string& more) const {
    return run_alone("job = \"mutation_landscape\"\ncohort = \"" + (folder_ / "cohort").string() +
                     "\"\noutput = \"" + (folder_ / "out").string() + "\"\n" + more);
  }

  TemporaryFolder folder_;
};

void expect_relative(double found, double expected, double tolerance, const std::string& what) {
  EXPECT_NEAR(found, expected, tolerance * std::abs(expected)) << what;
}

void expect_genes(const io::Results& results, const std::string& ties) {
  const Rows features(results, "features");
  const auto genes = reference("aml_genes.json")["genes"];
  ASSERT_EQ(genes.size(), 38u);
  for (const auto& gene : genes) {
    const std::string name = gene["gene"];
    const Index row = features.find({{"feature", name}, {"group", "all"}});
    EXPECT_EQ(features.whole("carriers", row), gene["mutated"].get<Index>()) << name;
    EXPECT_EQ(features.whole("tested", row), gene["tested"].get<Index>()) << name;
    const auto& fit = gene[ties];
    // coxph stops at a relative change of 1e-9 in the likelihood: coefficients and their errors are good to 1e-6 or so
    expect_relative(features.real("log_hazard", row), fit["beta"], 1e-6, name);
    expect_relative(features.real("se", row), fit["se"], 1e-6, name);
    expect_relative(features.real("loglik_null", row), fit["loglik"][0], 1e-11, name);
    expect_relative(features.real("loglik", row), fit["loglik"][1], 1e-11, name);
    expect_relative(features.real("logrank_chi2", row), gene["logrank_chi2"], 1e-9, name);
  }
}

TEST_F(MutationLandscapeAml, EveryGeneMatchesCoxphWithEfronTiesAndSurvdiff) {
  expect_genes(run("[outcome]\nendpoint = \"OS\""), "efron");
}

TEST_F(MutationLandscapeAml, EveryGeneMatchesCoxphWithBreslowTies) {
  expect_genes(run("[outcome]\nendpoint = \"OS\"\nties = \"breslow\""), "breslow");
}

TEST_F(MutationLandscapeAml, EveryCurveByElnGroupMatchesSurvfit) {
  const auto results = run("[outcome]\nendpoint = \"OS\"\n[mutation_landscape]\ngroup = \"ELN_2011\"");
  const auto km = reference("aml_km.json");
  const Rows landmarks(results, "landmarks"), groups(results, "groups"), curve(results, "survival");
  const auto group_of = [](const nlohmann::json& row) { return row["stratum"].get<std::string>().substr(9); };
  for (const auto& point : km["at"]) {
    const std::string group = group_of(point);
    Index row = landmarks.find({{"group", group}});
    while (std::abs(landmarks.real("time", row) - point["time"].get<double>() * days_per_month) > 1e-6) ++row;
    EXPECT_EQ(landmarks.text("group", row), group);
    EXPECT_EQ(landmarks.real("at_risk", row), point["at_risk"].get<double>());
    expect_relative(landmarks.real("survival", row), point["surv"], 1e-10, group);
    expect_relative(landmarks.real("se", row), point["se"], 1e-9, group);
    expect_relative(landmarks.real("lower", row), point["lower"], 1e-9, group);
    expect_relative(landmarks.real("upper", row), point["upper"], 1e-9, group);
  }
  for (const auto& median : km["median"]) {
    const std::string group = group_of(median);
    const Index row = groups.find({{"group", group}});
    EXPECT_EQ(groups.whole("patients", row), median["records"].get<Index>());
    EXPECT_EQ(groups.whole("events", row), median["events"].get<Index>());
    expect_relative(groups.real("median", row), median["median"].get<double>() * days_per_month, 1e-7, group);
    expect_relative(groups.real("median_lower", row), median["lower"].get<double>() * days_per_month, 1e-7,
                    group);
    if (median["upper"].is_null())
      EXPECT_TRUE(std::isnan(groups.real("median_upper", row))) << group;
    else
      expect_relative(groups.real("median_upper", row), median["upper"].get<double>() * days_per_month, 1e-7,
                      group);
  }
  const Rows test(results, "group_logrank");
  expect_relative(test.real("chi2", 0), km["logrank"]["chisq"], 1e-9, "log-rank");
  EXPECT_EQ(test.whole("df", 0), km["logrank"]["df"].get<Index>());
  // the curve holds every landmark, or an event on that very day
  const Index first = curve.find({{"group", "Adverse"}});
  Index at = first;
  while (curve.real("time", at) < 365.25 - 1e-6) ++at;
  EXPECT_NEAR(curve.real("survival", at), 0.480130012581, 1e-11);
}

// survival 3.5.3, tests/oracle/mutation_landscape.R, "adjusted for AGE and SEX, strata TRIAL"
TEST_F(MutationLandscapeAml, AdjustedFitsMatchCoxphWithStrata) {
  const auto results =
      run("[outcome]\nendpoint = \"OS\"\ncovariates = [\"AGE\", \"SEX\"]\nstrata = [\"TRIAL\"]");
  const Rows features(results, "features");
  const struct {
    const char* gene;
    double beta, se, loglik;
  } expected[] = {{"NPM1", -0.241796835796039, 0.0774706571906857, -5212.98491198319},
                  {"TP53", 1.24158589337046, 0.113967891608126, -5173.43780504124},
                  {"FLT3-ITD", 0.373947535682351, 0.0775068870199901, -5207.11249254476}};
  for (const auto& e : expected) {
    const Index row = features.find({{"feature", e.gene}, {"group", "all"}});
    expect_relative(features.real("adj_log_hazard", row), e.beta, 1e-9, e.gene);
    expect_relative(features.real("adj_se", row), e.se, 1e-9, e.gene);
    expect_relative(features.real("adj_loglik_null", row), -5260.16382800576, 1e-12, e.gene);
    expect_relative(features.real("adj_loglik_covariates", row), -5218.03547052521, 1e-12, e.gene);
    expect_relative(features.real("adj_loglik", row), e.loglik, 1e-12, e.gene);
  }
}

// survival 3.5.3, tests/oracle/mutation_landscape.R, "T_8_21, missing where karyotype is"
TEST_F(MutationLandscapeAml, AFieldIsAFeatureOfThoseWithAValue) {
  const auto results =
      run("[features]\nfields = [\"T_8_21\"]\ninclude = [\"T_8_21\"]\n[outcome]\nendpoint = \"OS\"");
  const Rows features(results, "features");
  ASSERT_EQ(features.size(), 1);
  EXPECT_EQ(features.whole("tested", 0), 1419);
  EXPECT_EQ(features.whole("n_analysed", 0), 1419);
  expect_relative(features.real("log_hazard", 0), -0.365580996366622, 1e-9, "T_8_21");
  expect_relative(features.real("se", 0), 0.186054823082781, 1e-9, "T_8_21");
  expect_relative(features.real("loglik_null", 0), -5590.31172757602, 1e-12, "T_8_21");
  expect_relative(features.real("loglik", 0), -5588.14574160843, 1e-12, "T_8_21");
}

// stats 4.2.2, tests/oracle/mutation_landscape.R, "ELN Favorable against Adverse, strata TRIAL"
TEST_F(MutationLandscapeAml, ComparedGroupsMatchFisherAndMantelhaenTests) {
  const auto results =
      run("[mutation_landscape]\ngroup = \"ELN_2011\"\ncompare = [\"Favorable\", \"Adverse\"]\nstratify = "
          "[\"TRIAL\"]");
  const Rows comparison(results, "comparison");
  const struct {
    const char* gene;
    double fisher_p, odds_ratio, lower, upper, chi2, p;
  } expected[] = {{"NPM1", 2.36102330347636e-39, 44.7475839226657, 18.657243001136, 107.322730737553,
                   150.907995169868, 1.09773486824047e-34},
                  {"TP53", 1.97498558367405e-30, 0.0192362381875174, 0.00601254311068734, 0.0615434854760817,
                   117.232127039409, 2.55361309811267e-27},
                  {"ASXL1", 0.0291810995643156, 0.354841487484528, 0.140620100217085, 0.895408843016419,
                   4.13248823938637, 0.0420674532247345}};
  for (const auto& e : expected) {
    const Index row = comparison.find({{"feature", e.gene}});
    EXPECT_NEAR(comparison.real("log10_p", row), std::log10(e.fisher_p), 1e-9) << e.gene;
    expect_relative(comparison.real("cmh_odds_ratio", row), e.odds_ratio, 1e-9, e.gene);
    expect_relative(comparison.real("cmh_lower", row), e.lower, 1e-9, e.gene);
    expect_relative(comparison.real("cmh_upper", row), e.upper, 1e-9, e.gene);
    expect_relative(comparison.real("cmh_chi2", row), e.chi2, 1e-9, e.gene);
    EXPECT_NEAR(comparison.real("cmh_log10_p", row), std::log10(e.p), 1e-9) << e.gene;
  }
}

TEST_F(MutationLandscapeAml, AnyCategoricalFieldCanBeTheGroup) {
  for (const char* field : {"TRIAL", "ELN_2011", "SEX", "AML_TYPE", "CENTER", "SITE", "PANEL", "T_8_21"})
    EXPECT_NO_THROW(
        run(std::string("[outcome]\nendpoint = \"OS\"\n[mutation_landscape]\ngroup = \"") + field + "\""))
        << field;
}

}  // namespace
}  // namespace chorale::jobs
