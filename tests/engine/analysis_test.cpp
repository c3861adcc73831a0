// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "engine/analysis.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "engine/runner.hpp"
#include "engine/signals.hpp"
#include "io/config/value.hpp"
#include "io/file.hpp"
#include "kernels/error.hpp"
#include "tests/engine/drawn_cohort.hpp"
#include "tests/engine/pieces_job.hpp"
#include "tests/io/h5py.hpp"
#include "tests/io/message.hpp"
#include "tests/io/temporary_folder.hpp"

namespace chorale::engine {
namespace {

namespace fs = std::filesystem;
using Words = std::vector<std::string>;

class AnalysisTest : public ::testing::Test {
 protected:
  AnalysisTest() : cohort_(draw_cohort(folder_ / "cohort", {20, 10, 15})) {
    TallyWatch::units_run = 0;
    TallyWatch::signal_after = 0;
    forget_stop();
    for (const auto& shard : cohort_.shards)
      for (const double age : shard.clinical[0].number)
        if (!std::isnan(age)) ages_.push_back(age);
  }
  ~AnalysisTest() override { forget_stop(); }

  RunSummary run_it(const Words& overrides = {}, bool fresh = false) const {
    Words all{"cohort=\"" + (folder_ / "cohort").string() + "\"", "output=\"" + out().string() + "\""};
    all.insert(all.end(), overrides.begin(), overrides.end());
    const auto comm = solo_comm();
    const auto job = prepare(io::parse_config("job = \"shares\"\n", "job.toml", all), registry_, nullptr);
    return engine::run(job, *comm, {.fresh = fresh, .progress = {}});
  }
  /// The first stage is done, the second has not begun.
  void interrupt_after_pieces() const {
    TallyWatch::signal_after = 3;
    ASSERT_EQ(run_it().outcome, RunOutcome::interrupted);
    TallyWatch::signal_after = 0;
    forget_stop();
  }
  fs::path out() const { return folder_ / "out"; }
  std::string bytes() const {
    std::string all = io::read_text(out() / "heard.tsv") + io::read_text(out() / "results.h5");
    for (const char* piece : {"ages-00000.h5", "ages-00001.h5", "ages-00002.h5"})
      all += io::read_text(out() / "pieces" / piece);
    return all;
  }
  double sum() const { return std::accumulate(ages_.begin(), ages_.end(), 0.0); }

  TemporaryFolder folder_;
  DrawnCohort cohort_;
  std::vector<double> ages_;  // known ones
  std::vector<AnalysisEntry> registry_{entry_of<Shares>()};
};

TEST_F(AnalysisTest, LaterStagesHearTheBriefOfEarlierOnes) {
  const auto summary = run_it();
  const std::string said = "the sum is " + std::to_string(sum());
  EXPECT_EQ(summary.results->title, said);
  EXPECT_EQ(std::get<Words>(summary.results->tables[0].find("text")->values),
            (Words{"", "", "", said, said, said}));
  EXPECT_EQ(summary.results->numbers[0].second, 2) << "every stage has its brief";
}

TEST_F(AnalysisTest, AResumedRunHearsTheSameBriefAndKeepsItsPieces) {
  run_it();
  const std::string expected = bytes();
  for (int stop_in = 1; stop_in < 6; ++stop_in) {
    fs::remove_all(out());
    TallyWatch::units_run = 0;
    TallyWatch::signal_after = stop_in;
    EXPECT_EQ(run_it().outcome, RunOutcome::interrupted);
    TallyWatch::signal_after = 0;
    forget_stop();
    EXPECT_EQ(run_it().record.n_units_resumed, stop_in);
    EXPECT_EQ(TallyWatch::units_run, 6) << "no unit is computed twice";
    EXPECT_EQ(bytes(), expected) << stop_in;
  }
}

TEST_F(AnalysisTest, PiecesAreOneTableForWhoeverOpensTheResults) {
  run_it();
  const std::string python = python_with_h5py();
  if (python.empty()) GTEST_SKIP() << "no Python with h5py here";
  // from another working directory: the pieces are found beside the file, not beside the reader
  const auto text = output_of("cd / && " + python + " " CHORALE_SOURCE_DIR "/tests/io/describe_hdf5.py " +
                              (out() / "results.h5").string());
  ASSERT_TRUE(text.has_value());
  const auto has = [&](const std::string& line) { return text->find(line) != std::string::npos; };
  const std::string n = "n=" + std::to_string(ages_.size());
  EXPECT_TRUE(has("/ages/age " + n)) << *text;
  EXPECT_TRUE(has("description=at diagnosis unit=years : " + io::shortest(ages_[0]))) << *text;
  EXPECT_TRUE(has("/ages/share " + n)) << *text;
  EXPECT_TRUE(has("/ages/patient " + n)) << *text;
  const auto added =
      output_of("cd / && " + python + " -c \"import h5py; f = h5py.File('" + (out() / "results.h5").string() +
                "'); print(f['ages/patient'].dtype, round(sum(f['ages/age'][:])), "
                "round(sum(f['ages/share'][:]), 12))\"");
  EXPECT_EQ(added.value_or(""), "int32 " + std::to_string(std::lround(sum())) + " 1.0\n");
}

TEST_F(AnalysisTest, ATableInPiecesIsNotReadWithTheOthers) {
  run_it();
  const auto results = io::read_results(out());
  ASSERT_EQ(results.tables.size(), 1u);
  EXPECT_EQ(results.tables[0].name, "heard");
  EXPECT_EQ(run_it().outcome, RunOutcome::was_done);
}

TEST_F(AnalysisTest, DoneNamesEveryPieceAndADamagedOneIsMadeAgain) {
  run_it();
  const std::string expected = bytes(), done = io::read_text(out() / "DONE");
  for (const char* name : {"pieces/ages-00000.h5", "pieces/ages-00001.h5", "pieces/ages-00002.h5"})
    EXPECT_NE(done.find(name), std::string::npos) << done;
  io::write_file(out() / "pieces/ages-00001.h5", std::string_view("something else"));
  EXPECT_EQ(run_it().outcome, RunOutcome::done);
  EXPECT_EQ(bytes(), expected);
}

TEST_F(AnalysisTest, AMissingPieceThatTheCheckpointCountsOnIsRefusedWithItsRemedy) {
  for (const char* lost : {"ages-00000.h5", "ages-00001.h5", "ages-00002.h5", "."}) {
    fs::remove_all(out());
    TallyWatch::units_run = 0;
    interrupt_after_pieces();
    fs::remove_all(std::string(lost) == "." ? out() / "pieces" : out() / "pieces" / lost);
    const std::string message = message_of<StoreError>([&] { run_it(); });
    EXPECT_NE(message.find("a piece of a table is missing"), std::string::npos) << lost << ": " << message;
    EXPECT_NE(message.find(std::string(lost) == "." ? "ages-00000.h5" : lost), std::string::npos) << message;
    EXPECT_NE(message.find("--fresh"), std::string::npos) << message;
    EXPECT_FALSE(fs::exists(out() / "DONE"));
    EXPECT_EQ(run_it({}, true).outcome, RunOutcome::done);
  }
}

TEST_F(AnalysisTest, FreshRemovesThePiecesOfTheRunBefore) {
  run_it();
  EXPECT_EQ(run_it({"shares.tiles=2"}, true).outcome, RunOutcome::done);
  EXPECT_FALSE(fs::exists(out() / "pieces/ages-00002.h5"));
  EXPECT_EQ(io::Pieces(out()).tables().at("ages"), 2);
}

TEST_F(AnalysisTest, WhatAKilledProcessWasWritingDoesNotStay) {
  interrupt_after_pieces();
  const fs::path half = out() / "pieces" / "ages-00001.h5.part-17";
  io::write_file(half, std::string_view("half a piece"));
  EXPECT_EQ(run_it().outcome, RunOutcome::done);
  EXPECT_FALSE(fs::exists(half));
}

}  // namespace
}  // namespace chorale::engine
