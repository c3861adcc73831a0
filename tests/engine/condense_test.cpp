// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include <algorithm>
#include <csignal>
#include <numeric>

#include <gtest/gtest.h>

#include "engine/analysis.hpp"
#include "engine/runner.hpp"
#include "engine/signals.hpp"
#include "io/config/value.hpp"
#include "io/file.hpp"
#include "tests/engine/drawn_cohort.hpp"
#include "tests/engine/tally_job.hpp"
#include "tests/io/temporary_folder.hpp"

namespace chorale::engine {
namespace {

namespace fs = std::filesystem;
using Words = std::vector<std::string>;

/// Three stages of numbers, the second one dealt with the first: a unit yields its number and the one ten above; the sum
/// of all ranks decides which of them travel, in one part.
class Sieve {
 public:
  static constexpr std::string_view name = "sieve";
  struct Config {
    Index units = 4;
  };
  struct Part {
    Index n_units = 1;
    std::vector<std::int64_t> numbers;
    std::vector<std::int64_t> briefs_known;  ///< to each unit when it ran

    template <class Archive>
    void serialize(Archive& archive, unsigned) {
      archive& n_units& numbers& briefs_known;
    }
  };
  static inline Index n_condensed = 0;  ///< parts that condense() was given

  static io::Schema<Config> schema() {
    io::Schema<Config> schema("sieve", "Numbers above their mean.");
    schema.field("units", &Config::units).at_least(1).help("units of each stage");
    return schema;
  }
  explicit Sieve(Config config) : config_(config) {}

  std::vector<Stage> stages(const Setup&) const {
    const Columns ages{.fields = {"AGE"}, .endpoint = {}, .alterations = false, .variants = false};
    const auto stage = [&](const char* title, bool joins) {
      return Stage{.name = title,
                   .layout = Layout::replicated,
                   .columns = ages,
                   .n_units = config_.units,
                   .joins_previous = joins};
    };
    return {stage("first", false), stage("beside", true), stage("after", false)};
  }

  Part run(const Setup& setup, const Cohort&, Unit unit) const {
    if (++TallyWatch::units_run == TallyWatch::signal_after) std::raise(SIGUSR1);
    const std::int64_t number = 100 * unit.stage + unit.index;
    return {.numbers = {number, number + 10},
            .briefs_known = {static_cast<std::int64_t>(setup.briefs.size())}};
  }

  std::vector<std::int64_t> count(const Setup&, Index, std::span<const Part> parts) const {
    std::vector<std::int64_t> sums(2);
    for (const Part& part : parts) {
      sums[0] += std::accumulate(part.numbers.begin(), part.numbers.end(), std::int64_t{0});
      sums[1] += static_cast<std::int64_t>(part.numbers.size());
    }
    return sums;
  }

  void condense(const Setup& setup, Index stage, std::vector<Part>& parts) const {
    n_condensed += static_cast<Index>(parts.size());
    if (parts.empty()) return;
    const std::vector<std::int64_t>& sums = setup.counts[static_cast<std::size_t>(stage)];
    Part all{.n_units = 0, .numbers = {}, .briefs_known = {}};
    for (const Part& part : parts) {
      all.n_units += part.n_units;
      for (const std::int64_t number : part.numbers)
        if (number * sums[1] > sums[0]) all.numbers.push_back(number);
      all.briefs_known.insert(all.briefs_known.end(), part.briefs_known.begin(), part.briefs_known.end());
    }
    parts.assign(1, all);
  }

  std::string brief(const Setup&, Index, std::span<const Part> parts) const {
    return std::to_string(parts.size()) + " part, " + std::to_string(parts.front().n_units) + " units";
  }

  io::Results finish(const Setup& setup, std::span<const Part> parts) const {
    io::Results results;
    results.title = "Sieve";
    std::vector<std::int64_t> stage, numbers, known, sums;
    for (std::size_t s = 0; s < parts.size(); ++s) {
      for (const std::int64_t number : parts[s].numbers) {
        stage.push_back(static_cast<std::int64_t>(s));
        numbers.push_back(number);
        known.push_back(parts[s].briefs_known.front());
        sums.push_back(setup.counts[s][0]);
      }
      const auto [least, most] = std::ranges::minmax(parts[s].briefs_known);
      results.numbers.emplace_back("units", static_cast<double>(parts[s].n_units));
      results.numbers.emplace_back("all alike", least == most ? 1 : 0);
    }
    results.summary.assign(setup.briefs.begin(), setup.briefs.end());
    io::ResultTable table{.name = "numbers", .caption = "Above the mean of their stage.", .columns = {}};
    table.add("stage", "", "", stage);
    table.add("number", "", "", numbers);
    table.add("briefs", "", "known to the stage", known);
    table.add("sum", "", "of the stage", sums);
    results.tables.push_back(std::move(table));
    return results;
  }

 private:
  Config config_;
};
static_assert(Analysis<Sieve>);

class CondenseTest : public ::testing::Test {
 protected:
  CondenseTest() : cohort_(draw_cohort(folder_ / "cohort", {20, 10})) {
    TallyWatch::units_run = 0;
    TallyWatch::signal_after = 0;
    Sieve::n_condensed = 0;
    forget_stop();
  }
  ~CondenseTest() override { forget_stop(); }

  RunSummary run_it() const {
    const Words words{"cohort=\"" + (folder_ / "cohort").string() + "\"",
                      "output=\"" + out().string() + "\""};
    const auto comm = solo_comm();
    const auto job = prepare(io::parse_config("job = \"sieve\"\n", "job.toml", words), registry_, nullptr);
    return engine::run(job, *comm, {.fresh = false, .progress = {}});
  }
  fs::path out() const { return folder_ / "out"; }

  TemporaryFolder folder_;
  DrawnCohort cohort_;
  std::vector<AnalysisEntry> registry_{entry_of<Sieve>()};
};

using Numbers = std::vector<std::int64_t>;

const Numbers& column(const io::Results& results, const char* name) {
  return std::get<Numbers>(results.tables[0].find(name)->values);
}

TEST_F(CondenseTest, TheSumOfAllDecidesWhatTravelsInOnePart) {
  const auto summary = run_it();
  const io::Results& results = *summary.results;
  // first: 0 10 1 11 2 12 3 13, sum 52, mean 6.5; beside: 100 more each, sum 852; after: 200 more, sum 1652
  EXPECT_EQ(column(results, "number"), (Numbers{10, 11, 12, 13, 110, 111, 112, 113, 210, 211, 212, 213}));
  EXPECT_EQ(column(results, "stage"), (Numbers{0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2}));
  EXPECT_EQ(column(results, "sum"), (Numbers{52, 52, 52, 52, 852, 852, 852, 852, 1652, 1652, 1652, 1652}));
  EXPECT_EQ(results.summary, (Words{"1 part, 4 units", "1 part, 4 units", "1 part, 4 units"}));
  EXPECT_EQ(Sieve::n_condensed, 3 * 4) << "each part once, with those of its stage";
}

TEST_F(CondenseTest, AStageThatJoinsThePreviousOneRunsBeforeItsBrief) {
  const auto summary = run_it();
  // the second stage knows as little as the first; the third knows both briefs
  EXPECT_EQ(column(*summary.results, "briefs"), (Numbers{0, 0, 0, 0, 0, 0, 0, 0, 2, 2, 2, 2}));
  for (std::size_t k = 1; k < summary.results->numbers.size(); k += 2)
    EXPECT_EQ(summary.results->numbers[k].second, 1) << "all units of a stage know the same";
}

TEST_F(CondenseTest, AResumedRunCondensesWhatWasThereBefore) {
  run_it();
  const std::string expected = io::read_text(out() / "numbers.tsv") + io::read_text(out() / "results.h5");
  for (int stop_in = 1; stop_in < 12; ++stop_in) {
    fs::remove_all(out());
    TallyWatch::units_run = 0;
    TallyWatch::signal_after = stop_in;
    EXPECT_EQ(run_it().outcome, RunOutcome::interrupted);
    TallyWatch::signal_after = 0;
    forget_stop();
    EXPECT_EQ(run_it().record.n_units_resumed, stop_in);
    EXPECT_EQ(TallyWatch::units_run, 12) << "no unit is computed twice";
    EXPECT_EQ(io::read_text(out() / "numbers.tsv") + io::read_text(out() / "results.h5"), expected)
        << stop_in;
  }
}

}  // namespace
}  // namespace chorale::engine
