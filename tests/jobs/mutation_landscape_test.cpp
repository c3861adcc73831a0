// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "io/shard.hpp"
#include "tests/io/temporary_folder.hpp"
#include "tests/jobs/job_runs.hpp"

namespace chorale::jobs {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

/// Eight patients of two sites. The small panel holds FLT3 and NPM1 only, the exome also TP53; patient 8 was never
/// profiled; TP53's value is missing for patient 2 although the exome holds it.
///
///   patient  site  sex     age  panel  carries      OS days, event
///   1        A     Female  10   exome  FLT3, NPM1    10, 1
///   2        A     Male    30   exome  NPM1          20, 1
///   3        A     Female  50   exome  TP53          30, 0
///   4        A     Male    70   small  NPM1          40, 1
///   5        B     Female  15   small  FLT3          50, 1
///   6        B     Male    40   exome  –             60, 0
///   7        B     Female  60   small  NPM1          70, 1
///   8        B     Male    80   none   –             80, 0
class MutationLandscapeByHand : public testing::Test {
 protected:
  void SetUp() override {
    io::Catalogue c;
    c.name = "by hand";
    c.sites = {"A", "B"};
    c.fields = {{.name = "AGE",
                 .kind = io::FieldKind::number,
                 .unit = "years",
                 .description = "",
                 .levels = {},
                 .source = ""},
                {.name = "SEX",
                 .kind = io::FieldKind::category,
                 .unit = "",
                 .description = "",
                 .levels = {"Female", "Male"},
                 .source = ""}};
    c.endpoints = {{.name = "OS", .description = "", .source = ""}};
    c.genes = {"FLT3", "NPM1", "TP53"};
    for (const char* gene : {"FLT3", "NPM1", "TP53"})
      c.features.push_back({.name = gene, .gene = gene, .partner = ""});
    c.panels = {{.name = "EXOME", .whole_exome = true, .genes = {}},
                {.name = "SMALL", .whole_exome = false, .genes = {0, 1}}};
    c.class_set = "nonsilent";
    c.classes = {"Missense_Mutation"};
    c.variant_classes = {"Missense_Mutation", "Silent"};

    io::ShardData d;
    d.id = {"1", "2", "3", "4", "5", "6", "7", "8"};
    d.site = {0, 0, 0, 0, 1, 1, 1, 1};
    d.clinical = {{.number = {10, 30, 50, 70, 15, 40, 60, 80}, .code = {}, .bound = {}},
                  {.number = {}, .code = {0, 1, 0, 1, 0, 1, 0, 1}, .bound = {}}};
    d.survival = {{.entry = std::vector<double>(8, 0),
                   .time = {10, 20, 30, 40, 50, 60, 70, 80},
                   .event = {1, 1, 0, 1, 1, 0, 1, 0}}};
    d.alteration = {.offset = {0, 2, 3, 4, 5, 6, 6, 7, 7}, .value = {0, 1, 1, 2, 1, 0, 1}};
    d.untested = {.offset = {0, 0, 1, 1, 1, 1, 1, 1, 1}, .value = {2}};
    d.variant = {.offset = {0, 3, 4, 5, 6, 7, 7, 8, 8},
                 .gene = {0, 1, 1, 1, 2, 1, 0, 1},
                 .variant_class = {0, 0, 1, 0, 0, 0, 0, 0},
                 .protein_change = {0, 2, -1, 2, 1, 2, 0, 2},
                 .vaf = {0.5F, 0.25F, 0.125F, 0.5F, 0.75F, static_cast<float>(nan), 0.25F, 0.75F},
                 .protein_changes = {"p.D835Y", "p.R175H", "p.W288fs"}};
    d.panel[0] = {0, 0, 0, 1, 1, 0, 1, -1};
    d.panel[1].assign(8, -1);
    d.panel[2].assign(8, -1);
    c.shards = {io::write_shard(folder_.path(), 0, c, d)};
    io::save_catalogue(c, folder_.path());
  }

  io::Results run(const std::string& more = "") const {
    return run_alone("job = \"mutation_landscape\"\ncohort = \"" + folder_.path().string() +
                     "\"\noutput = \"" + (folder_ / "out").string() + "\"\n" + more);
  }

  TemporaryFolder folder_;
};

TEST_F(MutationLandscapeByHand, DenominatorsHoldOnlyTheTested) {
  const auto results = run();
  const Rows features(results, "features");
  const Index flt3 = features.find({{"feature", "FLT3"}}), npm1 = features.find({{"feature", "NPM1"}}),
              tp53 = features.find({{"feature", "TP53"}});
  EXPECT_EQ(features.whole("carriers", flt3), 2);
  EXPECT_EQ(features.whole("tested", flt3), 7);  // all but the patient never profiled
  EXPECT_EQ(features.whole("carriers", npm1), 4);
  EXPECT_EQ(features.whole("tested", npm1), 7);
  EXPECT_EQ(features.whole("carriers", tp53), 1);
  EXPECT_EQ(features.whole("tested", tp53), 3);  // four on the exome, one of them without a value
  EXPECT_DOUBLE_EQ(features.real("frequency", tp53), 1.0 / 3);
}

TEST_F(MutationLandscapeByHand, GroupsByCutPointsSplitTheCounts) {
  const auto results = run("[mutation_landscape]\ngroup = \"AGE\"\ngroup_cuts = [18]");
  const Rows features(results, "features");
  const Index young = features.find({{"feature", "FLT3"}, {"group", "<18"}}),
              old = features.find({{"feature", "FLT3"}, {"group", "≥18"}});
  EXPECT_EQ(features.whole("carriers", young), 2);
  EXPECT_EQ(features.whole("tested", young), 2);
  EXPECT_EQ(features.whole("carriers", old), 0);
  EXPECT_EQ(features.whole("tested", old), 5);
  const Rows comparison(results, "comparison");
  const Index row = comparison.find({{"feature", "FLT3"}, {"group_a", "<18"}, {"group_b", "≥18"}});
  // 2 of 2 against 0 of 5: one of C(7, 2) = 21 equally likely tables is as extreme
  EXPECT_NEAR(comparison.real("log10_p", row), std::log10(1.0 / 21), 1e-12);
  EXPECT_EQ(comparison.real("or_upper", row), std::numeric_limits<double>::infinity());
}

TEST_F(MutationLandscapeByHand, CrudeFitOfOneGeneMatchesItsPartialLikelihood) {
  const auto results = run("[outcome]\nendpoint = \"OS\"");
  const Rows features(results, "features");
  const Index row = features.find({{"feature", "NPM1"}, {"group", "all"}});
  EXPECT_EQ(features.whole("n_analysed", row), 7);
  EXPECT_EQ(features.whole("events", row), 5);
  EXPECT_EQ(features.whole("carrier_events", row), 4);
  // deaths at 10, 20, 40, 50, 70 among 7, 6, 4, 3, 1 at risk, of whom 4, 3, 2, 1, 1 carry NPM1
  EXPECT_NEAR(features.real("loglik_null", row), -std::log(7.0 * 6 * 4 * 3 * 1), 1e-12);
  const double hazard = std::exp(features.real("log_hazard", row));
  const double loglik = 4 * std::log(hazard) - std::log(4 * hazard + 3) - std::log(3 * hazard + 3) -
                        std::log(2 * hazard + 2) - std::log(hazard + 2) - std::log(hazard);
  EXPECT_NEAR(features.real("loglik", row), loglik, 1e-12);
  // at the maximum the score is zero: 4 - Σ carriers' share of the risk
  const double share = 4 * hazard / (4 * hazard + 3) + 2 * hazard / (hazard + 1) + hazard / (hazard + 2) + 1;
  EXPECT_NEAR(share, 4, 1e-9);
}

TEST_F(MutationLandscapeByHand, AFeatureWithoutEventsSaysSo) {
  const auto results = run("[outcome]\nendpoint = \"OS\"");
  const Rows features(results, "features");
  const Index row = features.find({{"feature", "TP53"}, {"group", "all"}});
  EXPECT_TRUE(std::isnan(features.real("log_hazard", row)));
  EXPECT_FALSE(features.text("note", row).empty());
}

TEST_F(MutationLandscapeByHand, VariantsClassesFractionsAndChangesAreCounted) {
  const auto results = run();
  const Rows classes(results, "variant_classes"), fractions(results, "allele_fractions"),
      changes(results, "protein_changes"), burden(results, "burden");
  EXPECT_EQ(classes.whole("variants", classes.find({{"gene", "NPM1"}, {"class", "Silent"}})), 1);
  EXPECT_EQ(classes.whole("patients", classes.find({{"gene", "NPM1"}, {"class", "Missense_Mutation"}})), 4);
  const Index npm1 = fractions.find({{"gene", "NPM1"}});
  EXPECT_EQ(fractions.whole("variants", npm1),
            3);  // 0.25, 0.5, 0.75; the silent one and the missing one leave
  EXPECT_EQ(fractions.real("lower_quartile", npm1), 0.375);
  EXPECT_EQ(fractions.real("median", npm1), 0.5);
  EXPECT_EQ(changes.text("protein_change", 0), "p.W288fs");
  EXPECT_EQ(changes.whole("patients", 0), 4);
  // altered genes of the seven profiled: 2 1 1 1 1 0 1
  EXPECT_EQ(burden.whole("patients", 0), 7);
  EXPECT_EQ(burden.real("mean", 0), 1.0);
  EXPECT_EQ(burden.real("median", 0), 1.0);
  EXPECT_EQ(burden.whole("largest", 0), 2);
}

TEST_F(MutationLandscapeByHand, SilentVariantsCountWhereTheConfigSaysSo) {
  const auto results = run("[features]\nclasses = \"all\"");
  const Rows features(results, "features");
  EXPECT_EQ(features.whole("carriers", features.find({{"feature", "NPM1"}})),
            4);  // its silent carrier carries anyway
  bool printed = false;
  for (const auto& [name, value] : results.settings)
    printed = printed || value.find("Silent") != std::string::npos;
  EXPECT_TRUE(printed);
}

TEST_F(MutationLandscapeByHand, SelectionAndMissingOutcomeShowInTheLedger) {
  const auto results =
      run("[select]\nwhere = [ { field = \"AGE\", at_least = 18 } ]\n[outcome]\nendpoint = "
          "\"OS\"\ncovariates = [\"SEX\"]");
  const Rows ledger(results, "attrition");
  EXPECT_EQ(ledger.whole("remaining", 0), 8);
  const Index row = ledger.find({{"reason", "AGE at least 18: does not hold"}});
  EXPECT_EQ(ledger.whole("left", row), 2);
  EXPECT_EQ(ledger.whole("remaining", ledger.size() - 1), 6);
  EXPECT_EQ(Rows(results, "features").whole("tested", 1), 5);
}

void expect_config_error(const std::function<void()>& call, const std::string& what) {
  try {
    call();
    FAIL() << "no error: " << what;
  } catch (const ConfigError& error) {
    EXPECT_NE(std::string(error.what()).find(what), std::string::npos) << error.what();
  }
}

TEST_F(MutationLandscapeByHand, ConfigsThatDoNotFitAreRefused) {
  expect_config_error([&] { run("[mutation_landscape]\ngroup = \"SEXX\""); }, "did you mean SEX?");
  expect_config_error([&] { run("[mutation_landscape]\ngroup = \"SEX\"\ngroup_cuts = [1]"); },
                      "a category has no cut points");
  expect_config_error([&] { run("[mutation_landscape]\ngroup = \"AGE\"\ngroup_cuts = [60, 18]"); },
                      "cut points do not ascend");
  expect_config_error([&] { run("[mutation_landscape]\ngroup = \"SEX\"\ncompare = [\"Male\"]"); },
                      "a comparison has two groups");
  expect_config_error([&] { run("[mutation_landscape]\ngroup = \"SEX\"\ncompare = [\"Male\", \"Mal\"]"); },
                      "did you mean \"Male\"?");
  expect_config_error([&] { run("[mutation_landscape]\ngroup = \"SEX\"\ncompare = [\"Male\", \"Male\"]"); },
                      "compared with itself");
  expect_config_error([&] { run("[mutation_landscape]\ncompare = [\"Male\", \"Female\"]"); },
                      "a comparison needs groups");
  expect_config_error([&] { run("[outcome]\nendpoint = \"PFS\""); }, "no such endpoint");
  expect_config_error([&] { run("[outcome]\ncovariates = [\"AGE\"]"); },
                      "covariates, strata and weights need an outcome");
  expect_config_error([&] { run("[features]\nmin_carriers = 5"); }, "no feature has enough carriers");
}

}  // namespace
}  // namespace chorale::jobs
