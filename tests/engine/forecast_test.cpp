// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "engine/forecast.hpp"

#include <cstdlib>
#include <vector>

#include <gtest/gtest.h>

#include "engine/memory_watch.hpp"
#include "kernels/error.hpp"
#include "tests/engine/drawn_cohort.hpp"
#include "tests/engine/tally_job.hpp"
#include "tests/io/message.hpp"
#include "tests/io/temporary_folder.hpp"

namespace chorale::engine {
namespace {

/// A variable of the environment for the length of a test.
class Variable {
 public:
  Variable(const char* name, const char* value) : name_(name) { ::setenv(name, value, 1); }
  ~Variable() { ::unsetenv(name_); }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;

 private:
  const char* name_;
};

class ForecastTest : public ::testing::Test {
 protected:
  ForecastTest() : cohort_(draw_cohort(folder_ / "cohort", {20, 10, 15})) {}
  PreparedJob job(const std::string& override_text = "seed=1") const {
    return prepare(io::parse_config("job = \"tally\"\n", "job.toml",
                                    std::vector<std::string>{
                                        "cohort=\"" + (folder_ / "cohort").string() + "\"",
                                        "output=\"" + (folder_ / "out").string() + "\"", override_text}),
                   registry_, nullptr);
  }
  TemporaryFolder folder_;
  DrawnCohort cohort_;
  std::vector<AnalysisEntry> registry_{entry_of<Tally>()};
};

TEST_F(ForecastTest, ANodeHoldsTheCohortOnceAndEachRankItsOwn) {
  const Forecast of{.shared_bytes = 100, .rank_bytes = 10, .root_bytes = 1};
  EXPECT_EQ(of.node_bytes(1), 100 + 10 + 1);
  EXPECT_EQ(of.node_bytes(4), 100 + 4 * 10 + 1);
}

TEST_F(ForecastTest, UnitsComeFromThePlan) {
  const Forecast of = forecast(job("tally.tiles=7"), 1);
  EXPECT_EQ(of.n_units, 3 + 7);  // shards, tiles
  EXPECT_EQ(of.most_units, 7);
}

TEST_F(ForecastTest, TheNodeOffersWhatSlurmGave) {
  const Variable given("SLURM_MEM_PER_NODE", "3");
  const NodeMemory memory = node_memory();
  EXPECT_EQ(memory.bytes, 3 * 1048576.0);
  EXPECT_EQ(memory.source, "SLURM_MEM_PER_NODE");
}

TEST_F(ForecastTest, MemoryByCpuCountsTheCpusOfTheNode) {
  const Variable given("SLURM_MEM_PER_CPU", "2"), cpus("SLURM_CPUS_ON_NODE", "3");
  EXPECT_EQ(node_memory().bytes, 6 * 1048576.0);
}

TEST_F(ForecastTest, WithoutSlurmTheMachineSaysWhatIsFree) {
  const NodeMemory memory = node_memory();
  EXPECT_GT(memory.bytes, 1e6);
  EXPECT_LT(memory.bytes, 1e15);
  EXPECT_FALSE(memory.source.empty());
}

TEST_F(ForecastTest, AJobThatWillNotFitIsRefusedWithBothNumbers) {
  const Variable given("SLURM_MEM_PER_NODE", "5");
  const auto comm = solo_comm();
  const PreparedJob prepared = job();
  const std::string message =
      message_of<ConfigError>([&] { engine::run(prepared, *comm, {.fresh = false, .progress = {}}); });
  EXPECT_NE(message.find("does not fit into the memory of a node"), std::string::npos) << message;
  EXPECT_NE(message.find(bytes_text(forecast(prepared, 1).node_bytes(1)) + " needed"), std::string::npos)
      << message;
  EXPECT_NE(message.find("at most 5 MB (SLURM_MEM_PER_NODE)"), std::string::npos) << message;
  EXPECT_FALSE(std::filesystem::exists(folder_ / "out"));
}

TEST_F(ForecastTest, WhoKnowsBetterRunsAllTheSame) {
  const Variable given("SLURM_MEM_PER_NODE", "5");
  const auto comm = solo_comm();
  const RunSummary summary =
      engine::run(job("run.refuse_by_memory=false"), *comm, {.fresh = false, .progress = {}});
  EXPECT_EQ(summary.outcome, RunOutcome::done);
  EXPECT_GT(summary.record.forecast_node_bytes, 5e6);
}

TEST(MemoryWatch, SeesAPeakThatIsOver) {
  const auto comm = solo_comm();
  MemoryWatch watch;
  watch.look();
  const double before = watch.peak(*comm).node_bytes;
  { const std::vector<char> large(200'000'000, 1); }
  watch.look();
  const MemoryWatch::Peak peak = watch.peak(*comm);
  // a program alone: a rank is a node; half, because earlier tests may have left free pages to use again
  EXPECT_GT(peak.node_bytes, before + 1e8);
  EXPECT_GE(peak.rank_bytes, peak.node_bytes * 0.9);
}

}  // namespace
}  // namespace chorale::engine
