// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
//
// Cohorts that leave something nothing to say: a clear error, or a clear line in the tables; no cell is empty without
// its reason.
#include "kernels/error.hpp"
#include "tests/io/message.hpp"
#include "tests/jobs/interaction_screen_runs.hpp"

namespace chorale::jobs {
namespace {

constexpr const char* survival = "[outcome]\nendpoint = \"OS\"\n";
constexpr const char* all_and_sets =
    "report = \"all\"\nlargest_set = 4\nmin_carriers_of_set = 1\nmin_both = 1\n";

bool is_missing(const io::ResultColumn& column, std::size_t row) {
  if (const auto* reals = std::get_if<std::vector<double>>(&column.values)) return std::isnan((*reals)[row]);
  if (const auto* whole = std::get_if<std::vector<std::int64_t>>(&column.values))
    return (*whole)[row] == io::missing_count;
  return false;
}

/// The reason stands in the column's description, or in the row: `note` for association, `method` for outcome, whose
/// columns come second.
void expect_reasons(const io::Results& results) {
  for (const auto& table : results.tables) {
    const auto text = [&](const char* name, std::size_t row) {
      const auto* column = table.find(name);
      return column == nullptr ? std::string() : std::get<std::vector<std::string>>(column->values)[row];
    };
    bool outcome = false;
    for (const auto& column : table.columns) {
      outcome = outcome || column.name == "n_analysed" || column.name.starts_with("log_hazard_a");
      if (column.description.find("empty") != std::string::npos) continue;
      for (std::size_t row = 0; row < static_cast<std::size_t>(table.n_rows()); ++row) {
        if (!is_missing(column, row)) continue;
        const std::string reason = text(outcome ? "method" : "note", row);
        EXPECT_TRUE(outcome ? reason.starts_with("not ") : !reason.empty())
            << table.name << ", " << column.name << ", row " << row << ": empty, reason \"" << reason << '"';
      }
    }
  }
}

class InteractionScreenLimits : public InteractionScreenTest {
 protected:
  void SetUp() override {}  // each test writes its own patients

  io::Results run(const std::string& shared_tables, const std::string& own) {
    std::filesystem::remove_all(folder_ / "cohort");
    cohort_.write(folder_ / "cohort");
    return InteractionScreenTest::run(shared_tables, own);
  }
  std::string refusal(const std::string& shared_tables, const std::string& own = "") {
    return message_of<ConfigError>([&] { run(shared_tables, own); });
  }
  void expect_refused(const std::string& shared_tables, const std::string& own, const std::string& what) {
    const std::string said = refusal(shared_tables, own);
    EXPECT_NE(said.find(what), std::string::npos) << said;
  }
};

TEST_F(InteractionScreenLimits, AnOrdinaryCohortLeavesNoCellEmptyWithoutItsReason) {
  expect_reasons(run(everything,
                     "report = \"all\"\nlargest_set = 4\nmin_carriers_of_set = 1\nmin_both = 1\n"
                     "stratify = [\"TRIAL\"]\ntests = [\"fisher\", \"mid_p\", \"cmh\", "
                     "\"exact_conditional\", \"burden\"]\npermutations = 20\n"));
  expect_reasons(run(survival, ""));
}

TEST_F(InteractionScreenLimits, ConfigsThatDoNotFitAreRefused) {
  expect_refused("[features]\nmin_carriers = 401\n", "", "no feature has enough carriers");
  expect_refused("[features]\ninclude = [\"NPM1\"]\n", "", "a pair needs two features");
  expect_refused("", "tests = [\"cmh\"]\n", "a stratified test needs strata");
  expect_refused("", "tests = []\n", "no test of association is chosen");
  expect_refused("", "tests = [\"chisq\"]\n", "fisher");
  expect_refused("", "stratify = [\"TRAIL\"]\n", "did you mean TRIAL?");
  expect_refused("", "largest_set = 5\n", "largest_set");
  expect_refused("", "report = \"some\"\n", "report");
  expect_refused("[outcome]\nweight = \"WEIGHT\"\n", "", "need an outcome");
}

TEST_F(InteractionScreenLimits, OnlyOneFeatureWithEnoughCarriersMakesNoPair) {
  for (auto& patient : cohort_.patients) std::erase_if(patient.carries, [](auto gene) { return gene != 4; });
  expect_refused("[features]\nmin_carriers = 1\n", "", "a pair needs two features");
}

TEST_F(InteractionScreenLimits, AFeatureThatEveryoneCarriesCannotBeTestedAndSaysSo) {
  for (auto& patient : cohort_.patients) {
    if (patient.panel == SmallCohort::none) continue;
    std::erase(patient.no_value, 0);
    if (!cohort_.carries(0, patient)) patient.carries.insert(patient.carries.begin(), 0);
  }
  const auto results = run(survival, all_and_sets);
  expect_reasons(results);
  const Rows pairs(results, "pairs");
  const Index row = pairs.find({{"feature_a", "CEBPA"}, {"feature_b", "NPM1"}});
  EXPECT_EQ(pairs.text("note", row), "carried by everyone tested for both");
  EXPECT_EQ(pairs.whole("n01", row) + pairs.whole("n00", row), 0);
  EXPECT_EQ(number(results, "pairs_without_variation"), 7);
  EXPECT_NE(pairs.text("method", row).find("not estimated: "), std::string::npos);
}

TEST_F(InteractionScreenLimits, AFeatureThatNobodyCarriesCannotBeTestedAndSaysSo) {
  for (auto& patient : cohort_.patients) std::erase(patient.carries, 0);
  const auto results = run(survival, all_and_sets);
  expect_reasons(results);
  const Rows pairs(results, "pairs"), features(results, "features");
  const Index row = pairs.find({{"feature_a", "CEBPA"}, {"feature_b", "NPM1"}});
  EXPECT_EQ(pairs.text("note", row), "carried by nobody tested for both");
  EXPECT_EQ(pairs.text("method", row), "not asked: nobody carries both");
  EXPECT_EQ(features.whole("carriers", 0), 0);
  EXPECT_EQ(number(results, "pairs_without_variation"), 7);
  EXPECT_EQ(Rows(results, "tests").whole("n_tested", 0), 21);  // 7 · 6 / 2
}

TEST_F(InteractionScreenLimits, APairThatNobodyIsTestedForTogetherSaysSo) {
  bool even = false;
  for (auto& patient : cohort_.patients) {
    even = !even;
    const std::int32_t gap = even ? 0 : 1;
    std::erase(patient.carries, gap);
    std::erase(patient.no_value, gap);
    if (patient.panel == SmallCohort::none) continue;
    patient.no_value.insert(std::lower_bound(patient.no_value.begin(), patient.no_value.end(), gap), gap);
  }
  const auto results = run(survival, all_and_sets);
  expect_reasons(results);
  const Rows pairs(results, "pairs");
  const Index row = pairs.find({{"feature_a", "CEBPA"}, {"feature_b", "DNMT3A"}});
  EXPECT_EQ(pairs.whole("tested", row), 0);
  EXPECT_EQ(pairs.text("note", row), "nobody tested for both");
  EXPECT_EQ(number(results, "pairs_nobody_tested_for_both"), 1);
}

TEST_F(InteractionScreenLimits, StrataInWhichNothingVariesSayThatNothingIsCompared) {
  // CEBPA in one trial only, and there by everyone
  for (auto& patient : cohort_.patients) {
    std::erase(patient.carries, 0);
    std::erase(patient.no_value, 0);
    if (patient.panel != SmallCohort::none && patient.trial == 0)
      patient.carries.insert(patient.carries.begin(), 0);
  }
  const auto results = run(survival,
                           "report = \"all\"\nmin_both = 1\nstratify = [\"TRIAL\"]\ntests = [\"cmh\", "
                           "\"exact_conditional\", \"burden\", \"fisher\"]\n");
  expect_reasons(results);
  const Rows pairs(results, "pairs");
  const Index row = pairs.find({{"feature_a", "CEBPA"}, {"feature_b", "NPM1"}});
  EXPECT_TRUE(std::isnan(pairs.real("log10_p", row)));
  EXPECT_FALSE(std::isnan(pairs.real("fisher_log10_p", row)));
  EXPECT_NE(pairs.text("note", row), "");
}

TEST_F(InteractionScreenLimits, EveryStratumMissingSaysSo) {
  for (auto& patient : cohort_.patients) patient.trial = -1;
  expect_reasons(run("[outcome]\nendpoint = \"OS\"\nstrata = [\"TRIAL\"]\n",
                     "report = \"all\"\nmin_both = 1\nstratify = [\"TRIAL\"]\ntests = [\"cmh\", "
                     "\"exact_conditional\", \"burden\", \"fisher\"]\npermutations = 5\n"));
}

TEST_F(InteractionScreenLimits, AStratumWithoutEventsSaysNothingAboutHazards) {
  for (auto& patient : cohort_.patients) {
    patient.trial = std::max(patient.trial, 0);
    if (patient.trial == 1) patient.event = std::min<std::int8_t>(patient.event, 0);
  }
  const auto both = run("[outcome]\nendpoint = \"OS\"\nstrata = [\"TRIAL\"]\n", all_and_sets);
  expect_reasons(both);
  for (auto& patient : cohort_.patients)
    if (patient.trial == 1) patient.time = nan, patient.event = -1;
  const auto first = run("[outcome]\nendpoint = \"OS\"\n", all_and_sets);
  const Rows with(both, "pairs"), without(first, "pairs");
  const Index row = with.find({{"feature_a", "FLT3"}, {"feature_b", "NPM1"}});
  EXPECT_NEAR(with.real("log_hazard_ab", row), without.real("log_hazard_ab", row), 1e-9);
  EXPECT_NEAR(with.real("lrt_chi2", row), without.real("lrt_chi2", row), 1e-9);
}

TEST_F(InteractionScreenLimits, AllTimesEqualIsOneTie) {
  for (auto& patient : cohort_.patients) {
    if (!std::isnan(patient.time)) patient.time = 100;
    patient.entry = 0;
  }
  const auto results = run(survival, all_and_sets);
  expect_reasons(results);
  const Rows pairs(results, "pairs");
  const Index row = pairs.find({{"feature_a", "FLT3"}, {"feature_b", "NPM1"}});
  EXPECT_EQ(pairs.text("method", row), "cox, efron");
}

TEST_F(InteractionScreenLimits, WithoutEventsNothingIsSaidAboutHazards) {
  for (auto& patient : cohort_.patients) patient.event = std::min<std::int8_t>(patient.event, 0);
  const auto results = run(survival, all_and_sets);
  expect_reasons(results);
  const Rows pairs(results, "pairs"), triples(results, "triples");
  for (Index row = 0; row < pairs.size(); ++row)
    EXPECT_TRUE(pairs.text("method", row).starts_with("not ")) << pairs.text("method", row);
  for (Index row = 0; row < triples.size(); ++row)
    EXPECT_TRUE(triples.text("method", row).starts_with("not estimated: ")) << triples.text("method", row);
  EXPECT_EQ(number(results, "interaction_tested"), 0);
}

TEST_F(InteractionScreenLimits, WithoutAnyOutcomeNobodyIsAnalysed) {
  for (auto& patient : cohort_.patients) patient.time = nan, patient.event = -1;
  const auto results = run("[outcome]\nendpoint = \"OS\"\ncovariates = [\"AGE\"]\n", all_and_sets);
  expect_reasons(results);
  EXPECT_EQ(Rows(results, "pair_groups").whole("n_analysed", 0), 0);
}

TEST_F(InteractionScreenLimits, OnePatientIsACohort) {
  cohort_.patients = {{.carries = {0, 1, 2, 4}, .no_value = {3}, .panel = SmallCohort::exome, .event = 1}};
  const auto results =
      run(everything, std::string(all_and_sets) + "complete_table = true\npermutations = 5\n");
  expect_reasons(results);
  const Rows pairs(results, "pairs");
  EXPECT_EQ(pairs.whole("n11", pairs.find({{"feature_a", "CEBPA"}, {"feature_b", "NPM1"}})), 1);
  for (Index row = 0; row < pairs.size(); ++row) EXPECT_NE(pairs.text("note", row), "") << row;
}

TEST_F(InteractionScreenLimits, ThousandsOfFeaturesMayBeThinnedByMinCarriersBeforeAllPairsAreAskedFor) {
  // 4,000 genes make 8 million pairs, too many for one text table; those that anyone carries make 28
  for (int gene = 8; gene < 4000; ++gene) cohort_.genes.push_back("Z" + std::to_string(10000 + gene));
  expect_refused("", "report = \"all\"\n", "too many pairs for one text table");
  const auto results = run("[features]\nmin_carriers = 1\n", "report = \"all\"\n");
  EXPECT_EQ(Rows(results, "pairs").size(), 28);
}

}  // namespace
}  // namespace chorale::jobs
