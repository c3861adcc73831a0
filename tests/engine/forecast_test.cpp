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
  const Phase of{.name = "work", .shared_bytes = 100, .rank_bytes = 10, .root_bytes = 1};
  EXPECT_EQ(of.node_bytes(1), 100 + 10 + 1);
  EXPECT_EQ(of.node_bytes(4), 100 + 4 * 10 + 1);
}

TEST_F(ForecastTest, PhasesDoNotAddUp) {
  const Phase small{.name = "small", .shared_bytes = 100, .rank_bytes = 10};
  const Phase spread{.name = "spread", .rank_bytes = 20, .spread_bytes = 85};
  Forecast of{.phases = {small}};
  of.include({.phases = {spread}});
  EXPECT_EQ(of.fullest(1).name, "small");  // 110, and 20 + 85 = 105
  EXPECT_EQ(of.node_bytes(1), 110);
  EXPECT_EQ(of.fullest(2).name, "spread");  // 120, and 40 + 85
  EXPECT_EQ(of.node_bytes(2), 125);
  EXPECT_EQ(of.node_bytes(2, 5), 120);  // 40 + 85 / 5 = 57
}

TEST_F(ForecastTest, RanksWithoutAUnitHoldNone) {
  const Phase of{.name = "work", .rank_bytes = 10, .unit_bytes = 50, .n_units = 2};
  EXPECT_EQ(of.node_bytes(1), 10 + 50);
  EXPECT_EQ(of.node_bytes(3), 3 * 10 + 2 * 50);
}

TEST_F(ForecastTest, OfTravellingPartsARankHoldsOneOthersShareMore) {
  const Phase of{.name = "parts", .spread_bytes = 80, .travelling_bytes = 80};
  EXPECT_EQ(of.node_bytes(1), 80);             // nothing travels
  EXPECT_EQ(of.node_bytes(2), 80 + 2 * 20);    // each rank gives a quarter of all away
  EXPECT_EQ(of.node_bytes(2, 2), 40 + 2 * 5);  // four ranks, two of them here: a sixteenth each
}

TEST_F(ForecastTest, RanksHoldShardsUpToABound) {
  const Phase of{.name = "load", .shared_bytes = 100, .held_bytes = 70, .held_by_rank = 30};
  EXPECT_EQ(of.node_bytes(1), 100 + 30);
  EXPECT_EQ(of.node_bytes(2), 100 + 60);
  EXPECT_EQ(of.node_bytes(4), 100 + 70);
}

TEST_F(ForecastTest, WhomTheSelectionKeepsIsCounted) {
  const auto comm = solo_comm();
  const char* condition = "select.where=[{ field = \"SEX\", is = [\"Female\"] }]";
  PreparedJob some = job(condition);
  EXPECT_EQ(some.setup().expected_patients(), 45);  // 20 + 10 + 15: nobody has looked
  const auto loading = [&] {
    double bytes = 0;
    for (const Phase& phase : forecast(some, 1).phases)
      if (phase.name == "load for ages") bytes = phase.node_bytes(1);
    return bytes;
  };
  const double before = loading();
  count_patients(some, *comm);
  double n_patients = 0, n_variants = 0, n_carried = 0;
  const auto female = static_cast<std::int32_t>(0);
  for (std::size_t s = 0; s < cohort_.shards.size(); ++s) {
    const io::ShardData& shard = cohort_.shards[s];
    const auto sex = static_cast<std::size_t>(cohort_.catalogue.field_index("SEX"));
    Index of_shard = 0;
    for (std::size_t i = 0; i < shard.id.size(); ++i) {
      if (shard.clinical[sex].code[i] != female) continue;
      ++of_shard;
      n_variants += static_cast<double>(shard.variant.offset[i + 1] - shard.variant.offset[i]);
      n_carried += static_cast<double>(shard.alteration.offset[i + 1] - shard.alteration.offset[i]);
    }
    EXPECT_EQ(some.selected[s].n_patients, of_shard);
    n_patients += static_cast<double>(of_shard);
  }
  EXPECT_EQ(some.setup().expected_patients(), n_patients);
  EXPECT_EQ(some.setup().expected_variants(), n_variants);
  double found = 0;
  for (const auto& shard : some.selected) found += static_cast<double>(shard.n_alterations);
  EXPECT_EQ(found, n_carried);
  // an age less of each who leaves, in the cohort and in the slices, which are padded to 64 bytes
  EXPECT_NEAR(before - loading(), 2 * sizeof(double) * (45 - n_patients), 2 * 64);
}

TEST_F(ForecastTest, WithoutConditionsNobodyIsCounted) {
  const auto comm = solo_comm();
  PreparedJob all = job();
  std::filesystem::remove(folder_ / "cohort" / io::shard_file_name(0));  // would be missed
  count_patients(all, *comm);
  EXPECT_TRUE(all.selected.empty());
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
