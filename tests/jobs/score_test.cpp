// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "io/checksum.hpp"
#include "io/file.hpp"
#include "io/model_file.hpp"
#include "jobs/commands/commands.hpp"
#include "tests/io/message.hpp"
#include "tests/io/sample_model.hpp"
#include "tests/io/temporary_folder.hpp"
#include "tests/jobs/job_runs.hpp"
#include "tests/jobs/small_cohort.hpp"

namespace chorale::jobs {
namespace {

namespace fs = std::filesystem;

std::string quoted(const fs::path& path) {
  return '"' + path.string() + '"';
}

/// The patients of drawn_patients, all under observation from the start.
SmallCohort without_late_entries() {
  SmallCohort cohort = drawn_patients();
  for (auto& p : cohort.patients) p.entry = 0;
  return cohort;
}

class Score : public testing::Test {
 protected:
  /// The job "score" with model.json of this folder on the cohort in COHORT.
  io::Results score(const std::string& outcome, const std::string& own = "",
                    const std::string& features = R"(fields = ["FLAG"])") {
    return run_alone(text(outcome, own, features));
  }
  std::string text(const std::string& outcome, const std::string& own = "",
                   const std::string& features = R"(fields = ["FLAG"])") const {
    return "job = \"score\"\ncohort = " + quoted(folder / "cohort") +
           "\noutput = " + quoted(folder / "score") + "\n[features]\n" + features +
           "\n[outcome]\nendpoint = \"OS\"\n" + outcome +
           "\n[score]\nmodel = " + quoted(folder / "model.json") + "\n" + own + "\n";
  }
  void write(const io::ModelFile& model) const { io::write_file(folder / "model.json", io::to_text(model)); }

  TemporaryFolder folder;
};

/// Numbers are equal, or both missing.
void expect_near(double found, double expected, const std::string& what) {
  if (std::isnan(expected))
    EXPECT_TRUE(std::isnan(found)) << what;
  else
    EXPECT_NEAR(found, expected, 1e-12) << what;
}

void expect_equal_columns(const io::Results& found, const io::Results& expected, const std::string& table,
                          const std::vector<std::pair<std::string, std::string>>& columns) {
  const Rows here(found, table), there(expected, table);
  ASSERT_EQ(here.size(), there.size()) << table;
  EXPECT_GT(here.size(), 0) << table;
  for (Index row = 0; row < here.size(); ++row)
    for (const auto& [own, other] : columns)
      expect_near(here.real(own, row), there.real(other, row), table + "." + own);
}

struct Setting {
  std::string name, outcome, prognosis;
};

class ScoreAtHome : public Score, public testing::WithParamInterface<Setting> {};

TEST_P(ScoreAtHome, MeasuresAreTheApparentOnes) {
  without_late_entries().write(folder / "cohort");
  const auto& setting = GetParam();
  const bool strata = setting.outcome.find("strata") != std::string::npos;
  const std::string covariates =
      strata ? R"(covariates = ["AGE", "WEIGHT"])" : R"(covariates = ["AGE", "TRIAL", "WEIGHT"])";
  const io::Results home = run_alone(
      "job = \"prognosis\"\ncohort = " + quoted(folder / "cohort") + "\noutput = " + quoted(folder / "home") +
      "\n[features]\nfields = [\"FLAG\"]\n[outcome]\nendpoint = \"OS\"\n" + covariates + "\n" +
      setting.outcome + "\n[prognosis]\nhorizons = [100, 250.5, 400]\n" + "replicates = 0\n" +
      setting.prognosis + "\n");
  fs::copy_file(folder / "home/model.json", folder / "model.json");
  const io::Results here = score(setting.outcome);

  EXPECT_EQ(number(here, "n_analysed"), number(home, "n_analysed"));
  EXPECT_EQ(number(here, "n_events"), number(home, "n_events"));
  expect_equal_columns(here, home, "performance",
                       {{"value", "apparent"}, {"model_apparent", "apparent"}, {"se", "se"}});
  EXPECT_EQ(Rows(here, "performance").size(), 10);  // two C's, three AUC's and Brier scores, integral, slope
  expect_equal_columns(
      here, home, "calibration",
      {{"horizon", "horizon"}, {"predicted", "predicted"}, {"observed", "observed"}, {"se", "se"}});
  expect_equal_columns(here, home, "groups",
                       {{"from", "from"}, {"median", "median"}, {"log_hazard", "log_hazard"}, {"se", "se"}});
  expect_equal_columns(here, home, "group_survival", {{"time", "time"}, {"survival", "survival"}});
}

INSTANTIATE_TEST_SUITE_P(
    Settings, ScoreAtHome,
    testing::Values(Setting{"complete_case", "", ""},
                    Setting{"fill", "", "missing = \"fill\"\nuntested = \"fill\""},
                    Setting{"indicator", "", "missing = \"indicator\"\nuntested = \"indicator\""},
                    Setting{"strata", "strata = [\"TRIAL\"]", "missing = \"fill\"\nuntested = \"indicator\""},
                    Setting{"log10", "ties = \"breslow\"",
                            "log10 = [\"AGE\", \"WEIGHT\"]\nmissing = \"fill\"\nuntested = \"fill\""},
                    Setting{"weight", "weight = \"WEIGHT\"", "missing = \"fill\"\nuntested = \"fill\""},
                    Setting{"elastic_net", "",
                            "selection = \"elastic_net\"\ntuning = \"aic\"\nmissing = "
                            "\"indicator\"\nuntested = \"indicator\""},
                    Setting{"elastic_net_refitted", "strata = [\"TRIAL\"]",
                            "selection = \"elastic_net\"\ntuning = \"aic\"\nrefit = true\nmissing = "
                            "\"fill\"\nuntested = \"fill\""}),
    [](const auto& of) { return of.param.name; });

/// The sample model, with one site here, on six patients of two trials:
///
///   patient  trial  age      weight   NPM1      OS days, event   η
///   0        X      60       1        carried    60, 1           6 − 0 − 0.5 = 5.5
///   1        X      70       10       not        90, 0           7 − 2       = 5
///   2        Y      missing  1        untested  120, 1           6 + 0.25    = 6.25
///   3        Y      50       0.1      not        70, 1           5 + 2       = 7
///   4        Y      55       missing  not        30, 1           leaves: nothing stands for the weight
///   5        X      40       1        not       200, 0           4           = 4
class ScoreByHand : public Score {
 protected:
  void SetUp() override {
    SmallCohort cohort{.genes = {"FLT3", "NPM1"}, .small_panel = {0}, .patients = {}};
    const auto add = [&](std::int32_t trial, double age, double weight, bool npm1, double time, int event) {
      SmallCohort::Patient p;
      p.trial = trial;
      p.age = age;
      p.weight = weight;
      if (npm1) p.carries = {1};
      p.time = time;
      p.event = static_cast<std::int8_t>(event);
      cohort.patients.push_back(p);
    };
    add(0, 60, 1, true, 60, 1);
    add(0, 70, 10, false, 90, 0);
    add(1, nan, 1, false, 120, 1);
    cohort.patients.back().panel = SmallCohort::small;
    add(1, 50, 0.1, false, 70, 1);
    add(1, 55, nan, false, 30, 1);
    add(0, 40, 1, false, 200, 0);
    cohort.write(folder / "cohort");
    write(io::sample_model());
  }
  io::Results run(const std::string& own = "") { return score(R"(strata = ["TRIAL"])", own); }

  /// What is said when the model is changed so.
  template <class Kind>
  std::string refusal(const std::function<void(io::ModelFile&)>& change,
                      const std::string& outcome = R"(strata = ["TRIAL"])", const std::string& own = "",
                      const std::string& features = "") {
    io::ModelFile model = io::sample_model();
    change(model);
    write(model);
    return message_of<Kind>([&] { score(outcome, own, features); });
  }
  /// … when the cohort's headers are.
  template <class Kind>
  std::string refusal_of_cohort(const std::function<void(io::Catalogue&)>& change) {
    const io::Catalogue before = io::load_catalogue(folder / "cohort");
    io::Catalogue catalogue = before;
    change(catalogue);
    io::save_catalogue(catalogue, folder / "cohort");
    const std::string said = message_of<Kind>([&] { run(); });
    io::save_catalogue(before, folder / "cohort");
    return said;
  }
};

void expect_said(const std::string& said, std::initializer_list<const char*> parts) {
  for (const char* part : parts) EXPECT_NE(said.find(part), std::string::npos) << part << " in: " << said;
}

TEST_F(ScoreByHand, PredictionsAreTheModels) {
  const io::Results results = run("patients = true");
  const Rows rows(results, "patients");
  const std::vector<Index> patient{0, 1, 2, 3, 5},
      group{2, 2, 3, 3, 1};  // cuts at 5 and 6, which open their groups
  const std::vector<double> eta{5.5, 5, 6.25, 7, 4};
  // at day 75: X has gathered 0.1 (day 50), Y nothing (its first death is on day 80); at day 150: 0.3 and 0.2
  const std::vector<double> at_75{0.1, 0.1, 0, 0, 0.1}, at_150{0.3, 0.3, 0.2, 0.2, 0.3};
  ASSERT_EQ(rows.size(), 5);
  for (Index row = 0; row < 5; ++row) {
    const auto i = static_cast<std::size_t>(row);
    EXPECT_EQ(rows.whole("row", row), patient[i]);
    EXPECT_EQ(rows.whole("group", row), group[i]);
    EXPECT_NEAR(rows.real("linear_predictor", row), eta[i], 1e-10);  // multiples of 2^-36
    EXPECT_NEAR(rows.real("survival_75", row), std::exp(-at_75[i] * std::exp(eta[i] - 6)), 1e-10);
    EXPECT_NEAR(rows.real("survival_150", row), std::exp(-at_150[i] * std::exp(eta[i] - 6)), 1e-10);
  }
  EXPECT_FALSE(fs::exists(folder / "score/patients.tsv"));

  const Rows terms(results, "terms");
  const Index untested = terms.find({{"term", "NPM1 untested"}});
  EXPECT_EQ(terms.whole("missing", untested), 1);
  EXPECT_EQ(terms.whole("missing", terms.find({{"term", "AGE"}})), 1);
  EXPECT_EQ(terms.whole("missing", terms.find({{"term", "log10(WEIGHT)"}})), 0);
  const Rows attrition(results, "attrition");
  EXPECT_EQ(attrition.whole("left", attrition.find({{"reason", "WEIGHT missing, or not above 0"}})), 1);
  EXPECT_EQ(attrition.whole("remaining", attrition.size() - 1), 5);
}

TEST_F(ScoreByHand, PatientsAreNotKeptUnlessAskedFor) {
  const io::Results results = run();
  EXPECT_THROW(Rows(results, "patients"), std::runtime_error);
}

TEST_F(ScoreByHand, DeathsAgainstThoseExpected) {
  const io::Results of_overall = run();
  const Rows overall(of_overall, "overall");
  // by day 75 patients 0 (day 60) and 3 (day 70) died; hazards by then or by the end: 0.1 for the three of X
  EXPECT_EQ(overall.real("deaths", 0), 2);
  const double x = std::exp(-0.5) + std::exp(-1.0) + std::exp(-2.0);
  EXPECT_NEAR(overall.real("expected_deaths", 0), 0.1 * x, 1e-10);
  // by day 150 also patient 2; X: 0.1 until days 60 and 90, 0.3 for patient 5; Y: 0.2 for patient 2, 0 until day 70
  EXPECT_EQ(overall.real("deaths", 1), 3);
  const double expected =
      0.1 * (std::exp(-0.5) + std::exp(-1.0)) + 0.3 * std::exp(-2.0) + 0.2 * std::exp(0.25);
  EXPECT_NEAR(overall.real("expected_deaths", 1), expected, 1e-10);
  EXPECT_NEAR(overall.real("deaths_over_expected", 1), 3 / expected, 1e-9);
  EXPECT_NEAR(overall.real("deaths_lower", 1), 3 / expected * std::exp(-1.959963984540054 / std::sqrt(3.0)),
              1e-9);
  // day 75: Kaplan-Meier 4/5 · 3/4 over days 60 and 70
  EXPECT_NEAR(overall.real("observed", 0), 0.6, 1e-15);
  const double predicted = (std::exp(-0.1 * std::exp(-0.5)) + std::exp(-0.1 * std::exp(-1.0)) + 1 + 1 +
                            std::exp(-0.1 * std::exp(-2.0))) /
                           5;
  EXPECT_NEAR(overall.real("predicted", 0), predicted, 1e-11);
  EXPECT_NEAR(overall.real("observed_over_expected", 0), 0.4 / (1 - predicted), 1e-9);
}

TEST_F(ScoreByHand, MeasuresStandBesideTheModels) {
  const io::Results of_performance = run(R"(measures = ["harrell_c", "brier", "auc"])");
  const Rows performance(of_performance, "performance");
  const Index c = performance.find({{"measure", "harrell_c"}});
  EXPECT_EQ(performance.real("model_apparent", c), 0.7);
  EXPECT_EQ(performance.real("model_corrected", c), 0.68);
  // pairs within a trial: X 0 > 1 and 0 > 5 are right; Y 3 > 2 is right
  EXPECT_EQ(performance.real("value", c), 1);
  const Index auc = performance.find({{"measure", "auc"}});
  EXPECT_EQ(performance.text("note", auc), "not measured where the model was made");
  const Index brier = performance.find({{"measure", "brier"}});  // the first is at day 75
  EXPECT_EQ(performance.real("model_apparent", brier), 0.2);
  EXPECT_TRUE(std::isnan(performance.real("model_apparent", brier + 1)));
}

TEST_F(ScoreByHand, MeasuresAndHorizonsAreTheModelsUnlessNamed) {
  const io::Results of_models = run();
  const Rows models(of_models, "performance");
  ASSERT_EQ(models.size(), 3);  // harrell_c, and brier at 75 and 150
  EXPECT_EQ(models.real("horizon", 2), 150);
  const io::Results of_own = run("measures = [\"brier\"]\nhorizons = [100]");
  const Rows own(of_own, "performance");
  ASSERT_EQ(own.size(), 1);
  EXPECT_EQ(own.real("horizon", 0), 100);
}

TEST_F(ScoreByHand, LevelsAreMeasuredOneByOne) {
  const io::Results of_levels = run(R"(by = "TRIAL")");
  const Rows levels(of_levels, "levels");
  const Index x = levels.find({{"level", "X"}, {"measure", "observed_over_expected"}});
  EXPECT_EQ(levels.whole("n", x), 3);
  EXPECT_EQ(levels.whole("events", x), 1);
  EXPECT_NEAR(levels.real("observed", x), 2.0 / 3, 1e-15);  // one of three died by day 75
  const double predicted =
      (std::exp(-0.1 * std::exp(-0.5)) + std::exp(-0.1 * std::exp(-1.0)) + std::exp(-0.1 * std::exp(-2.0))) /
      3;
  EXPECT_NEAR(levels.real("value", x), (1.0 / 3) / (1 - predicted), 1e-9);
  EXPECT_EQ(levels.whole("n", levels.find({{"level", "Y"}})), 2);
}

TEST_F(ScoreByHand, GroupsThatNobodyIsIn) {
  io::ModelFile model = io::sample_model();
  model.group_cuts = {0, 6, 100};
  write(model);
  const io::Results results = run();
  const Rows groups(results, "groups");
  ASSERT_EQ(groups.size(), 4);
  EXPECT_EQ(groups.text("note", 0), "nobody is in this group");
  EXPECT_EQ(groups.text("note", 1), "the others are compared with this group");
  EXPECT_EQ(groups.whole("patients", 1), 3);
  EXPECT_EQ(groups.whole("patients", 2), 2);
  EXPECT_EQ(groups.text("note", 3), "nobody is in this group");
  model.group_cuts = {100};
  write(model);
  EXPECT_TRUE(std::isnan(number(run(), "group_logrank_chi2")));
}

TEST_F(ScoreByHand, AStratumWithoutDeathsIsTold) {
  io::ModelFile model = io::sample_model();
  model.baselines[1].time.clear();
  model.baselines[1].cumulative.clear();
  write(model);
  const io::Results results = run();
  expect_said(results.summary.at(1), {"nobody die in TRIAL=Y"});
}

TEST_F(ScoreByHand, FieldsMustBeThereAndOfTheModelsKindAndUnit) {
  expect_said(refusal<InputError>([](auto& m) { m.variables[0].name = "AGES"; }),
              {"lacks fields of the model", "no AGES", "the cohort has AGE"});
  expect_said(refusal<InputError>([](auto& m) {
                m.variables[0].name = "BLASTS";
                m.variables[1].name = "KARNOFSKY";
              }),
              {"no BLASTS, no KARNOFSKY", "ingest them under these names"});
  expect_said(refusal<InputError>([](auto& m) { m.variables[0].name = "TRIAL"; }),
              {"another kind", "TRIAL, a category", "expected a number"});
  expect_said(refusal<InputError>([](auto& m) { m.variables[2].name = "AGES"; }), {"no AGES"});
  expect_said(refusal<InputError>([](auto& m) {
                m.variables[0].name = "FLAG";
                m.variables[2].name = "AGE";
              }),
              {"another kind", "AGE, a number", "expected a category"});
  write(io::sample_model());
  expect_said(refusal_of_cohort<InputError>([](auto& c) { c.fields[0].unit = "months"; }),
              {"another unit", "AGE in months", "expected years"});
}

TEST_F(ScoreByHand, FeaturesAndClassesMustBeTheModels) {
  expect_said(refusal<InputError>([](auto& m) { m.variables[3].name = "TP53"; }),
              {"lacks features of the model", "no TP53"});
  expect_said(refusal<InputError>([](auto&) {}, R"(strata = ["TRIAL"])", "", R"(include = ["FLT3"])"),
              {"no NPM1"});
  expect_said(refusal<ConfigError>([](auto& m) {
                m.class_set = "truncating";
                m.classes = {"Nonsense_Mutation"};
              }),
              {"other variant classes", "it differs in Missense_Mutation", "expected set truncating",
               "features.classes = \"truncating\""});
  // a set of another name that makes the same carriers of the variants here
  EXPECT_EQ(refusal<ConfigError>([](auto& m) {
              m.class_set = "mine";
              m.classes = {"Missense_Mutation", "Nonsense_Mutation"};
            }),
            "");
  EXPECT_EQ(refusal<ConfigError>([](auto& m) { m.class_set = "all"; }), "");
}

TEST_F(ScoreByHand, LevelsAndStrataMustBeKnown) {
  expect_said(refusal<InputError>([](auto& m) {
                m.variables[2].levels = {"B", "C"};
              }),
              {"levels that the model does not know", "A (5 patients)", "one of B, C", "SITE"});
  expect_said(refusal<InputError>([](auto& m) { m.baselines[1].stratum = "TRIAL=Z"; }),
              {"no baseline hazard for", "TRIAL=Y (2 patients)", "one of TRIAL=X; TRIAL=Z"});
  expect_said(refusal<ConfigError>([](auto&) {}, ""), {"its own strata", "found none", "expected TRIAL"});
}

TEST_F(ScoreByHand, LevelsThatNobodyWhoTakesPartHasAreNoMatter) {
  // the dictionary lists Y, which the model does not know, but [select] leaves X alone
  io::ModelFile model = io::sample_model();
  model.baselines.pop_back();
  write(model);
  const io::Results results =
      run_alone(text(R"(strata = ["TRIAL"])") + "[select]\nwhere = [{ field = \"TRIAL\", is = [\"X\"] }]\n");
  EXPECT_EQ(number(results, "n_analysed"), 3);
}

TEST_F(ScoreByHand, TheConfigMustFit) {
  expect_said(refusal<ConfigError>([](auto&) {}, "strata = [\"TRIAL\"]\ncovariates = [\"AGE\"]"),
              {"brings its covariates", "found AGE"});
  expect_said(refusal<ConfigError>([](auto& m) { m.horizons.clear(); }), {"no horizon is given"});
  expect_said(refusal<ConfigError>([](auto&) {}, R"(strata = ["TRIAL"])", "horizons = [200, 100]"),
              {"values do not ascend", "score.horizons"});
  expect_said(refusal<ConfigError>([](auto&) {}, R"(strata = ["TRIAL"])", R"(by = "TRAIL")"),
              {"score.by", "did you mean TRIAL"});
  expect_said(message_of<ConfigError>([&] {
                run_alone("job = \"score\"\ncohort = " + quoted(folder / "cohort") +
                          "\noutput = " + quoted(folder / "score") +
                          "\n[score]\nmodel = " + quoted(folder / "model.json") + "\n");
              }),
              {"measured by an outcome", "that of the model, OS"});
  expect_said(message_of<ConfigError>([&] {
                run_alone("job = \"score\"\ncohort = " + quoted(folder / "cohort") +
                          "\noutput = " + quoted(folder / "score") + "\n[outcome]\nendpoint = \"OS\"\n");
              }),
              {"no model is named", "score.model"});
  expect_said(message_of<StoreError>([&] {
                fs::remove(folder / "model.json");
                run();
              }),
              {"model.json"});
}

TEST_F(ScoreByHand, NobodyLeftOrNoEvents) {
  expect_said(refusal<InputError>([](auto& m) {
                m.variables[1] = {
                    .name = "FLAG", .kind = io::ModelFile::Kind::log10, .unit = "", .levels = {}};
              }),
              {"no patient is left", "6 FLAG missing, or not above 0"});
}

TEST_F(ScoreByHand, AnotherModelIsAnotherRun) {
  run();
  io::ModelFile model = io::sample_model();
  model.terms[0].coefficient = 0.2;
  write(model);
  const auto comm = engine::solo_comm();
  const auto job =
      engine::prepare(io::parse_config(text(R"(strata = ["TRIAL"])"), "test.toml"), registry(), nullptr);
  const auto rerun = [&] { engine::run(job, *comm, {.fresh = false, .progress = {}}); };
  expect_said(message_of<Error>(rerun), {"score.model_sha256"});
  const std::string sha = io::sha256_of_file(folder / "model.json");
  EXPECT_EQ(number(run("model_sha256 = \"" + sha + "\""), "n_analysed"), 5);
  expect_said(message_of<InputError>([&] { run("model_sha256 = \"00ff\""); }),
              {"its SHA-256 differs", sha.c_str(), "expected 00ff"});
}

TEST_F(ScoreByHand, TheExampleRuns) {
  const std::vector<std::string> overrides{
      "cohort=" + quoted(folder / "cohort"), "output=" + quoted(folder / "score"),
      "score.model=" + quoted(folder / "model.json"), R"(outcome.strata=["TRIAL"])"};
  const io::Results results =
      run_alone(io::load_config(fs::path(CHORALE_SOURCE_DIR) / "jobs/score/example.toml", overrides));
  EXPECT_EQ(number(results, "n_analysed"), 5);
  EXPECT_TRUE(fs::exists(folder / "score/DONE"));
}

TEST_F(ScoreByHand, TheCommandWritesTheJob) {
  const auto comm = engine::solo_comm();
  std::string said;
  const Context context{.comm = *comm,
                        .console = {.out = [&](std::string_view text) { said += text; }, .progress = {}},
                        .overrides = {"score.by=TRIAL"}};
  const fs::path before = fs::current_path();
  fs::current_path(folder.path());
  const int code = apply_model(context, "model.json", "cohort", "", false);
  fs::current_path(before);
  EXPECT_EQ(code, 0);
  expect_said(said, {"Model of home on small", "5 patients with 3 events"});
  const io::Results by_command = io::read_results(folder / "results/score-home-small");
  const io::Results by_job = run(R"(by = "TRIAL")");
  ASSERT_EQ(by_command.tables.size(), by_job.tables.size());
  for (std::size_t t = 0; t < by_job.tables.size(); ++t) {
    EXPECT_EQ(by_command.tables[t].name, by_job.tables[t].name);
    EXPECT_EQ(by_command.tables[t].n_rows(), by_job.tables[t].n_rows());
  }
  EXPECT_EQ(Rows(by_command, "performance").real("value", 0), Rows(by_job, "performance").real("value", 0));
}

TEST_F(ScoreByHand, TheCommandFindsFeaturesAmongFieldsAndLeavesTheRestToTheJob) {
  const auto comm = engine::solo_comm();
  const Context context{
      .comm = *comm, .console = {.out = [](std::string_view) {}, .progress = {}}, .overrides = {}};
  const auto apply = [&] {
    return apply_model(context, folder / "model.json", folder / "cohort", folder / "out", true);
  };
  io::ModelFile model = io::sample_model();
  model.variables[3].name = "FLAG";
  write(model);
  EXPECT_EQ(apply(), 0);
  const io::Results of_terms = io::read_results(folder / "out");
  const Rows terms(of_terms, "terms");
  EXPECT_EQ(terms.text("variable", 3), "FLAG");

  // errors end together: one rank speaks, and the code says whose turn it is
  const auto code = [&](const std::function<void(io::ModelFile&)>& change) {
    io::ModelFile changed = io::sample_model();
    change(changed);
    write(changed);
    testing::internal::CaptureStderr();
    int exit_code = 0;
    try {
      apply();
    } catch (const Quit& quit) {
      exit_code = quit.exit_code;
    }
    return std::pair(exit_code, testing::internal::GetCapturedStderr());
  };
  const auto [missing, no_tp53] = code([](auto& m) { m.variables[3].name = "TP53"; });
  EXPECT_EQ(missing, 3);
  expect_said(no_tp53, {"lacks features of the model", "no TP53"});
  const auto [endpoint, no_efs] = code([](auto& m) { m.endpoint = "EFS"; });
  EXPECT_EQ(endpoint, 2);
  expect_said(no_efs, {"no such endpoint", "EFS", "one of OS"});
  io::write_file(folder / "model.json",
                 std::string_view("{ \"format\": \"chorale-model\", \"version\": 1 }"));
  testing::internal::CaptureStderr();
  EXPECT_THROW(apply(), Quit);
  expect_said(testing::internal::GetCapturedStderr(), {"the model is not complete", "model.json"});
}

}  // namespace
}  // namespace chorale::jobs
