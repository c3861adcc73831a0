// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "engine/runner.hpp"

#include <cmath>
#include <fstream>

#include <gtest/gtest.h>

#include "engine/output_folder.hpp"
#include "engine/signals.hpp"
#include "io/file.hpp"
#include "kernels/error.hpp"
#include "tests/engine/drawn_cohort.hpp"
#include "tests/engine/tally_job.hpp"
#include "tests/io/message.hpp"
#include "tests/io/temporary_folder.hpp"

namespace chorale::engine {
namespace {

namespace fs = std::filesystem;
using Counts = std::vector<std::int64_t>;
using Words = std::vector<std::string>;

class RunnerTest : public ::testing::Test {
 protected:
  RunnerTest() : cohort_(draw_cohort(folder_ / "cohort", {20, 10, 15})) {
    TallyWatch::units_run = 0;
    TallyWatch::signal_after = 0;
    TallyWatch::throw_after = 0;
    forget_stop();
  }
  ~RunnerTest() override { forget_stop(); }

  PreparedJob job(const Words& overrides = {}, Comm* comm = nullptr) const {
    Words all{"cohort=\"" + (folder_ / "cohort").string() + "\"", "output=\"" + out().string() + "\""};
    all.insert(all.end(), overrides.begin(), overrides.end());
    return prepare(io::parse_config("job = \"tally\"\n", "job.toml", all), registry_, comm);
  }
  RunSummary run_it(const Words& overrides = {}, bool fresh = false) const {
    const auto comm = solo_comm();
    return engine::run(job(overrides), *comm, {.fresh = fresh, .progress = {}});
  }
  std::string refusal(const Words& overrides) const {
    return message_of<ConfigError>([&] { job(overrides); });
  }
  fs::path out() const { return folder_ / "out"; }
  std::string table_bytes() const {
    return io::read_text(out() / "tally.tsv") + io::read_text(out() / "results.h5");
  }

  TemporaryFolder folder_;
  DrawnCohort cohort_;
  std::vector<AnalysisEntry> registry_{entry_of<Tally>()};
};

// 3 shards and 3 tiles
constexpr int n_units = 6;

TEST_F(RunnerTest, FinishGetsThePartsInUnitOrder) {
  const RunSummary summary = run_it();
  EXPECT_EQ(summary.outcome, RunOutcome::done);
  EXPECT_EQ(summary.n_units, n_units);
  EXPECT_EQ(summary.n_done, n_units);
  ASSERT_TRUE(summary.results.has_value());
  const io::ResultTable& table = summary.results->tables[0];
  EXPECT_EQ(std::get<Counts>(table.find("stage")->values), (Counts{0, 0, 0, 1, 1, 1}));
  EXPECT_EQ(std::get<Counts>(table.find("unit")->values), (Counts{0, 1, 2, 0, 1, 2}));
  const auto& carried = std::get<Counts>(table.find("carried")->values);
  for (std::size_t s = 0; s < 3; ++s)
    EXPECT_EQ(carried[s], static_cast<std::int64_t>(cohort_.shards[s].alteration.value.size())) << s;
  double ages = 0, expected = 0;
  for (const double sum : std::get<std::vector<double>>(table.find("age_sum")->values)) ages += sum;
  for (const auto& shard : cohort_.shards)
    for (const double age : shard.clinical[0].number) expected += std::isnan(age) ? 0 : age;
  EXPECT_DOUBLE_EQ(ages, expected);
}

TEST_F(RunnerTest, AFinishedFolderHoldsResultsRecordReportAndDone) {
  run_it();
  for (const char* name : {"tally.tsv", "results.h5", "summary.json", "run.json", "report.html", "DONE"})
    EXPECT_TRUE(fs::exists(out() / name)) << name;
  EXPECT_TRUE(io::is_done(out()));
  for (const auto& path : list_folder(run_folder(out())))
    EXPECT_NE(path.extension(), ".parts") << "parts are of no more use";
  const io::RunRecord record = io::read_run_record(out());
  EXPECT_EQ(record.job, "tally");
  EXPECT_EQ(record.n_units, n_units);
  EXPECT_EQ(record.n_units_resumed, 0);
  EXPECT_EQ(record.n_ranks, 1);
  EXPECT_EQ(record.cohort_fingerprint, cohort_.catalogue.fingerprint());
}

TEST_F(RunnerTest, AnInterruptedRunResumesWhereItStoppedAndEndsInTheSameBytes) {
  run_it();
  const std::string expected = table_bytes();
  for (int stop_in = 1; stop_in <= n_units; ++stop_in) {
    fs::remove_all(out());
    TallyWatch::units_run = 0;
    TallyWatch::signal_after = stop_in;
    const RunSummary first = run_it();
    TallyWatch::signal_after = 0;
    forget_stop();
    EXPECT_EQ(first.n_done, stop_in) << "the unit at hand is finished, no other begun";
    if (stop_in < n_units) {
      EXPECT_EQ(first.outcome, RunOutcome::interrupted);
      EXPECT_FALSE(fs::exists(out() / "DONE"));
      const RunSummary second = run_it();
      EXPECT_EQ(second.outcome, RunOutcome::done);
      EXPECT_EQ(second.record.n_units_resumed, stop_in);
    } else {
      EXPECT_EQ(first.outcome, RunOutcome::done) << "nothing was left to interrupt";
    }
    EXPECT_EQ(TallyWatch::units_run, n_units) << "no unit is computed twice";
    EXPECT_EQ(table_bytes(), expected);
  }
}

TEST_F(RunnerTest, ARunCanBeInterruptedAgainAndAgain) {
  run_it();
  const std::string expected = table_bytes();
  fs::remove_all(out());
  TallyWatch::units_run = 0;
  for (int unit = 1; unit < n_units; ++unit) {
    TallyWatch::signal_after = unit;
    EXPECT_EQ(run_it().outcome, RunOutcome::interrupted);
    forget_stop();
  }
  EXPECT_EQ(run_it().outcome, RunOutcome::done);
  EXPECT_EQ(TallyWatch::units_run, n_units);
  EXPECT_EQ(table_bytes(), expected);
}

TEST_F(RunnerTest, AUnitThatFailsLeavesTheOthersInTheCheckpoint) {
  TallyWatch::throw_after = 3;
  EXPECT_THROW(run_it(), std::runtime_error);
  EXPECT_FALSE(fs::exists(out() / "DONE"));
  TallyWatch::throw_after = 0;
  EXPECT_EQ(run_it().record.n_units_resumed, 2);
}

TEST_F(RunnerTest, AFinishedRunIsNotComputedAgain) {
  run_it();
  const std::string expected = table_bytes();
  const RunSummary again = run_it();
  EXPECT_EQ(again.outcome, RunOutcome::was_done);
  EXPECT_EQ(TallyWatch::units_run, n_units);
  ASSERT_TRUE(again.results.has_value());
  EXPECT_EQ(again.results->title, "Tally");
  EXPECT_EQ(table_bytes(), expected);
}

TEST_F(RunnerTest, FreshComputesAgain) {
  run_it();
  EXPECT_EQ(run_it({}, true).outcome, RunOutcome::done);
  EXPECT_EQ(TallyWatch::units_run, 2 * n_units);
}

TEST_F(RunnerTest, FreshForgetsAnInterruptedRunToo) {
  TallyWatch::signal_after = 2;
  run_it();
  forget_stop();
  TallyWatch::signal_after = 0;
  EXPECT_EQ(run_it({}, true).record.n_units_resumed, 0);
}

TEST_F(RunnerTest, AResultThatWasChangedIsMadeAgain) {
  run_it();
  const std::string expected = table_bytes();
  io::write_file(out() / "tally.tsv", std::string_view("something else"));
  EXPECT_EQ(run_it().outcome, RunOutcome::done);
  EXPECT_EQ(table_bytes(), expected);
}

TEST_F(RunnerTest, ALogInTheOutputFolderMayGrow) {
  fs::create_directories(out());
  io::write_file(out() / "slurm-17.out", std::string_view("starting\n"));
  run_it();
  std::ofstream(out() / "slurm-17.out", std::ios::app) << "ended\n";
  EXPECT_EQ(run_it().outcome, RunOutcome::was_done);
}

TEST_F(RunnerTest, AnyKeyThatDecidesTheAnswerIsRefusedByName) {
  run_it();
  const auto refused = [&](const Words& overrides) {
    return message_of<ConfigError>([&] { run_it(overrides); });
  };
  EXPECT_NE(refused({"tally.scale=2"}).find("differs in: tally.scale (found 1, expected 2)"),
            std::string::npos);
  EXPECT_NE(refused({"seed=5"}).find("differs in: seed"), std::string::npos);
  EXPECT_NE(refused({"features.fields=[\"FLAG\"]"}).find("differs in: features.fields"), std::string::npos);
  EXPECT_EQ(run_it({"run.threads=2", "run.checkpoint_seconds=0"}).outcome, RunOutcome::was_done)
      << "how is not what";
  EXPECT_EQ(run_it({"tally.scale=2"}, true).outcome, RunOutcome::done);
}

TEST_F(RunnerTest, AnotherCohortIsRefused) {
  run_it();
  draw_cohort(folder_ / "cohort", {20, 10, 16});
  EXPECT_NE(message_of<ConfigError>([&] { run_it(); }).find("differs in: cohort"), std::string::npos);
}

TEST_F(RunnerTest, ResultsWithoutTheirRunAreNotTakenForThisOne) {
  run_it();
  fs::remove_all(run_folder(out()));
  EXPECT_NE(message_of<ConfigError>([&] { run_it({"tally.scale=2"}); }).find("nothing says of which run"),
            std::string::npos);
}

TEST_F(RunnerTest, NoRunStartsInTheOutputOfAnother) {
  const OutputLock other(out());
  EXPECT_THROW(run_it(), StoreError);
}

TEST_F(RunnerTest, TheCohortFolderIsNoOutput) {
  const std::string before = io::read_text(folder_ / "cohort" / "cohort.json");
  for (const bool fresh : {false, true})
    EXPECT_THROW(run_it({"output=\"" + (folder_ / "cohort").string() + "\""}, fresh), ConfigError);
  EXPECT_EQ(io::read_text(folder_ / "cohort" / "cohort.json"), before);
}

TEST_F(RunnerTest, UnknownJobAndEndpointAreRefusedWithTheNearest) {
  const std::string name = refusal({"job=tallly"});
  EXPECT_NE(name.find("did you mean \"tally\"?"), std::string::npos) << name;
  const std::string endpoint = refusal({"outcome.endpoint=OSS"});
  EXPECT_NE(endpoint.find("the cohort has no such endpoint (found OSS, expected one of OS)"),
            std::string::npos)
      << endpoint;
}

TEST_F(RunnerTest, TooFewCarriersLeaveAFeatureOutAndNoneLeftIsRefused) {
  const auto comm = solo_comm();
  Counts carriers(7);
  for (const auto& shard : cohort_.shards)
    for (const auto f : shard.alteration.value) ++carriers[static_cast<std::size_t>(f)];
  const auto most = *std::max_element(carriers.begin(), carriers.end());
  const PreparedJob few = job({"features.min_carriers=" + std::to_string(most)}, comm.get());
  EXPECT_EQ(few.features.size(), std::count(carriers.begin(), carriers.end(), most));
  const std::string message = message_of<ConfigError>(
      [&] { job({"features.min_carriers=" + std::to_string(most + 1)}, comm.get()); });
  EXPECT_NE(message.find("no feature has enough carriers (found at most " + std::to_string(most)),
            std::string::npos)
      << message;
}

TEST_F(RunnerTest, ThreadsAreTheConfiguredOrTheNodesShare) {
  const auto comm = solo_comm();
  EXPECT_EQ(threads_per_rank({.threads = 3}, *comm), 3);
  EXPECT_GE(threads_per_rank({}, *comm), 1);
}

}  // namespace
}  // namespace chorale::engine
