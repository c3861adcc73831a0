// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "io/results.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <sstream>

#include <nlohmann/json.hpp>

#include "io/file.hpp"
#include "kernels/error.hpp"
#include "tests/io/h5py.hpp"
#include "tests/io/message.hpp"
#include "tests/io/sample_results.hpp"
#include "tests/io/temporary_folder.hpp"

namespace chorale::io {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

/// One table with every kind of cell.
Results awkward_results() {
  ResultTable table{.name = "features", .caption = "A row is a feature.", .columns = {}};
  table.add("feature", "", "name", std::vector<std::string>{"NPM1", "a\tb\nc", ""});
  table.add("carriers", "patients", "patients who carry it", std::vector<std::int64_t>{3, missing_count, -1});
  table.add("z", "", "Wald statistic", std::vector<double>{0.1, std::nan(""), -infinity});
  return {.title = "A small result",
          .summary = {"First sentence.", "Second, with µ and ≥."},
          .tables = {table, {.name = "empty", .caption = "No row.", .columns = {}}},
          .settings = {{"ties", "efron"}, {"class set", "nonsilent"}},
          .numbers = {{"n", 3}, {"none", std::nan("")}}};
}

RunRecord sample_record() {
  return {.job = "mutation_landscape",
          .config = {{"seed", "7"}, {"select.where", "[{ field = \"AGE\" }]"}},
          .cohort = "cohorts/a",
          .cohort_name = "a",
          .cohort_fingerprint = "00ff",
          .version = "0.1.0",
          .level = "v3",
          .n_ranks = 2,
          .n_threads = 4,
          .user = "ada",
          .host = "node\xff",  // no UTF-8: hosts may call themselves anything
          .started = "2026-01-01T00:00:00Z",
          .finished = "2026-01-01T00:00:01Z",
          .n_units = 10,
          .n_units_resumed = 3,
          .n_units_computed = 7,
          .n_units_repeated = 1,
          .stage_seconds = {{"load", 0.5}, {"run", 0.25}},
          .rank_seconds = {{.name = "work", .mean = 2, .max = 3}, {.name = "idle", .mean = 0, .max = 0}},
          .peak_rss_bytes = 1e9,
          .peak_node_bytes = 3e9,
          .forecast_node_bytes = 2.9e9};
}

TEST(Results, TsvHasShortNumbersAndEmptyCellsForMissing) {
  const TemporaryFolder folder;
  write_results(folder.path(), awkward_results());
  EXPECT_EQ(read_text(folder / "features.tsv"),
            "feature\tcarriers\tz\n"
            "NPM1\t3\t0.1\n"
            "a b c\t\t\n"  // a tab or line break within a cell becomes a space
            "\t-1\t-inf\n");
  EXPECT_EQ(read_text(folder / "empty.tsv"), "");
}

TEST(Results, TsvNumbersReadBackEqual) {
  const TemporaryFolder folder;
  const std::vector<double> values{1.0 / 3, 1e-300, 5e-324, 1.7976931348623157e308, 123456789.12345679,
                                   -0.0,    1e22};
  ResultTable table{.name = "numbers", .caption = "", .columns = {}};
  table.add("x", "", "", values);
  write_results(folder.path(),
                {.title = "", .summary = {}, .tables = {table}, .settings = {}, .numbers = {}});
  std::istringstream in(read_text(folder / "numbers.tsv"));
  std::string line;
  std::getline(in, line);
  for (const double value : values) {
    ASSERT_TRUE(std::getline(in, line));
    EXPECT_EQ(std::strtod(line.c_str(), nullptr), value) << line;
    EXPECT_LE(std::count_if(line.begin(), line.end(), [](unsigned char c) { return std::isdigit(c) != 0; }),
              17 + 3);
  }
}

TEST(Results, RoundTripThroughHdf5KeepsEverything) {
  const TemporaryFolder folder;
  const Results sample = awkward_results();
  write_results(folder.path(), sample);
  const Results back = read_results(folder.path());
  EXPECT_EQ(back.title, sample.title);
  EXPECT_EQ(back.summary, sample.summary);
  EXPECT_EQ(back.settings, sample.settings);
  ASSERT_EQ(back.tables.size(), 2U);
  EXPECT_EQ(back.tables[0].name, "features");
  EXPECT_EQ(back.tables[0].caption, "A row is a feature.");
  ASSERT_EQ(back.tables[0].columns.size(), 3U);
  for (std::size_t c = 0; c < 3; ++c) {
    EXPECT_EQ(back.tables[0].columns[c].name, sample.tables[0].columns[c].name);
    EXPECT_EQ(back.tables[0].columns[c].unit, sample.tables[0].columns[c].unit);
    EXPECT_EQ(back.tables[0].columns[c].description, sample.tables[0].columns[c].description);
  }
  EXPECT_EQ(back.tables[0].columns[0].values, sample.tables[0].columns[0].values);  // the tab is kept here
  EXPECT_EQ(back.tables[0].columns[1].values, sample.tables[0].columns[1].values);
  const auto& z = std::get<std::vector<double>>(back.tables[0].columns[2].values);
  EXPECT_EQ(z[0], 0.1);
  EXPECT_TRUE(std::isnan(z[1]));
  EXPECT_EQ(z[2], -infinity);
  EXPECT_EQ(back.tables[1].name, "empty");
  EXPECT_EQ(back.tables[1].n_rows(), 0);
}

TEST(Results, EqualResultsGiveEqualBytes) {
  const TemporaryFolder here, there;
  write_results(here.path(), sample_results());
  write_results(there.path(), sample_results());
  for (const char* name : {"results.h5", "features.tsv", "survival.tsv", "attrition.tsv"})
    EXPECT_EQ(read_text(here / name), read_text(there / name)) << name;
}

TEST(Results, OpenInH5pyWithUnitsAndDescriptions) {
  const std::string python = python_with_h5py();
  if (python.empty()) GTEST_SKIP() << "no Python with h5py here";
  const TemporaryFolder folder;
  write_results(folder.path(), awkward_results());
  const auto lines = describe_hdf5(python, folder / "results.h5");
  const auto has = [&](const std::string& line) {
    return std::find(lines.begin(), lines.end(), line) != lines.end();
  };
  EXPECT_TRUE(has("title=A small result"));
  EXPECT_TRUE(has("/about/setting n=2 fletcher32=True : ties,class set"));
  EXPECT_TRUE(has("/features/z n=3 fletcher32=True description=Wald statistic unit= : 0.1,nan,-inf"));
  EXPECT_TRUE(
      has("/features/carriers n=3 fletcher32=True description=patients who carry it unit=patients"
          " : 3,-9223372036854775808,-1"));
}

TEST(Results, SummaryJsonIsForScripts) {
  const TemporaryFolder folder;
  write_results(folder.path(), awkward_results());
  const auto summary = nlohmann::ordered_json::parse(read_text(folder / "summary.json"));
  EXPECT_EQ(summary.at("title"), "A small result");
  EXPECT_EQ(summary.at("summary"), (std::vector<std::string>{"First sentence.", "Second, with µ and ≥."}));
  EXPECT_EQ(summary.at("settings").at("class set"), "nonsilent");
  EXPECT_EQ(summary.at("settings").begin().key(), "ties") << "in the job's order";
  EXPECT_EQ(summary.at("numbers").at("n"), 3.0);
  EXPECT_TRUE(summary.at("numbers").at("none").is_null()) << "JSON has no NaN";
}

TEST(Results, ColumnsOfDifferentLengthAreABug) {
  const TemporaryFolder folder;
  Results results = awkward_results();
  results.tables[0].add("short", "", "", std::vector<double>{1});
  const auto message = message_of<ShapeError>([&] { write_results(folder.path(), results); });
  EXPECT_NE(message.find("column has 1 rows, the first has 3"), std::string::npos) << message;
  EXPECT_NE(message.find("table features, column short"), std::string::npos) << message;
}

TEST(Results, NamesThatCannotStandAreABug) {
  for (const char* name : {"", "a/b", "about", "../up", ".", "a b"}) {
    const TemporaryFolder folder;
    Results results = awkward_results();
    results.tables[1].name = name;
    EXPECT_THROW(write_results(folder.path(), results), ShapeError) << name;
  }
  const TemporaryFolder folder;
  Results twice = awkward_results();
  twice.tables[1].name = "features";
  EXPECT_THROW(write_results(folder.path(), twice), ShapeError);
  Results column = awkward_results();
  column.tables[0].columns[2].name = "feature";
  EXPECT_THROW(write_results(folder.path(), column), ShapeError);
}

TEST(Results, MissingDamagedAndForeignFilesAreRefused) {
  const TemporaryFolder folder;
  EXPECT_THROW(read_results(folder.path()), StoreError);
  write_results(folder.path(), awkward_results());
  const std::string bytes = read_text(folder / "results.h5");
  write_file(folder / "results.h5", bytes.substr(0, bytes.size() / 2));
  EXPECT_THROW(read_results(folder.path()), StoreError);
  std::string foreign = bytes;
  foreign.replace(foreign.find("chorale-results"), 7, "another");
  write_file(folder / "results.h5", foreign);
  EXPECT_THROW(read_results(folder.path()), InputError);
}

TEST(Results, FindGivesTheColumnOrNull) {
  const Results results = awkward_results();
  EXPECT_EQ(results.tables[0].find("carriers")->unit, "patients");
  EXPECT_EQ(results.tables[0].find("nothing"), nullptr);
}

TEST(RunRecord, RoundTripKeepsEverything) {
  const TemporaryFolder folder;
  const RunRecord sample = sample_record();
  write_run_record(folder.path(), sample);
  const RunRecord back = read_run_record(folder.path());
  EXPECT_EQ(back.job, sample.job);
  EXPECT_EQ(back.config, sample.config);
  EXPECT_EQ(back.cohort, sample.cohort);
  EXPECT_EQ(back.cohort_name, sample.cohort_name);
  EXPECT_EQ(back.cohort_fingerprint, sample.cohort_fingerprint);
  EXPECT_EQ(back.version, sample.version);
  EXPECT_EQ(back.level, sample.level);
  EXPECT_EQ(back.n_ranks, 2);
  EXPECT_EQ(back.n_threads, 4);
  EXPECT_EQ(back.user, "ada");
  EXPECT_EQ(back.host, "node\xef\xbf\xbd");  // U+FFFD stands for the byte that was no UTF-8
  EXPECT_EQ(back.started, sample.started);
  EXPECT_EQ(back.finished, sample.finished);
  EXPECT_EQ(back.n_units, 10);
  EXPECT_EQ(back.n_units_resumed, 3);
  EXPECT_EQ(back.n_units_computed, 7);
  EXPECT_EQ(back.n_units_repeated, 1);
  EXPECT_EQ(back.stage_seconds, sample.stage_seconds);
  ASSERT_EQ(back.rank_seconds.size(), 2U);
  EXPECT_EQ(back.rank_seconds[0].name, "work");
  EXPECT_EQ(back.rank_seconds[0].max, 3);
  EXPECT_EQ(back.rank_seconds[0].imbalance(), 0.5);  // 3 / 2 - 1
  EXPECT_EQ(back.rank_seconds[1].imbalance(), 0);
  EXPECT_EQ(back.peak_rss_bytes, 1e9);
  EXPECT_EQ(back.peak_node_bytes, 3e9);
  EXPECT_EQ(back.forecast_node_bytes, 2.9e9);
}

TEST(RunRecord, DamageIsRefused) {
  const TemporaryFolder folder;
  write_run_record(folder.path(), sample_record());
  write_file(folder / "run.json", read_text(folder / "run.json").substr(0, 100));
  const auto message = message_of<InputError>([&] { read_run_record(folder.path()); });
  EXPECT_NE(message.find("run record is damaged"), std::string::npos) << message;
}

TEST(Done, IsTrueOnlyWhileEveryFileIsAsListed) {
  const TemporaryFolder folder;
  write_results(folder.path(), awkward_results());
  EXPECT_FALSE(is_done(folder.path()));
  write_done(folder.path());
  EXPECT_TRUE(is_done(folder.path()));

  const std::string tsv = read_text(folder / "features.tsv");
  write_file(folder / "features.tsv", tsv + "x");
  EXPECT_FALSE(is_done(folder.path()));
  write_file(folder / "features.tsv", tsv);
  EXPECT_TRUE(is_done(folder.path()));
  remove_file(folder / "features.tsv");
  EXPECT_FALSE(is_done(folder.path()));
}

TEST(Done, ListsEachFileByNameAndIsRemovedByTheNextWrite) {
  const TemporaryFolder folder;
  write_results(folder.path(), awkward_results());
  write_done(folder.path());
  std::istringstream in(read_text(folder / "DONE"));
  std::vector<std::string> names;
  for (std::string digest, name; in >> digest >> name;) names.push_back(name);
  EXPECT_EQ(names, (std::vector<std::string>{"empty.tsv", "features.tsv", "results.h5", "summary.json"}));
  write_results(folder.path(), awkward_results());
  EXPECT_FALSE(std::filesystem::exists(folder / "DONE"));
}

TEST(Done, AnEmptyOrCutListIsNotDone) {
  const TemporaryFolder folder;
  write_results(folder.path(), awkward_results());
  write_done(folder.path());
  const std::string list = read_text(folder / "DONE");
  write_file(folder / "DONE", "");
  EXPECT_FALSE(is_done(folder.path()));
  write_file(folder / "DONE", list.substr(0, 40));
  EXPECT_FALSE(is_done(folder.path()));
}

}  // namespace
}  // namespace chorale::io
