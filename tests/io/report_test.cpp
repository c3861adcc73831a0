// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <regex>

#include "io/file.hpp"
#include "io/pieces.hpp"
#include "io/report/charts.hpp"
#include "io/report/page.hpp"
#include "io/report/svg.hpp"
#include "kernels/error.hpp"
#include "tests/io/picture.hpp"
#include "tests/io/sample_results.hpp"
#include "tests/io/temporary_folder.hpp"

namespace chorale::io {
namespace {

using namespace report;

const ResultTable& table_named(const Results& results, const std::string& name) {
  for (const ResultTable& table : results.tables)
    if (table.name == name) return table;
  throw std::runtime_error("no table " + name);
}

constexpr auto all_charts = {frequency_chart, survival_chart, forest_chart,  volcano_chart,
                             heat_map,        p_value_chart,  landmark_chart};

RunRecord sample_record() {
  return {.job = "mutation_landscape",
          .config = {{"seed", "7"}},
          .cohort = "cohorts/x",
          .cohort_name = "<script>",
          .cohort_fingerprint = "00ff",
          .version = "0.1.0",
          .level = "v3",
          .user = "ada",
          .host = "n1",
          .started = "then",
          .finished = "now",
          .stage_seconds = {{"load", 1.5}}};
}

std::string sample_page() {
  const TemporaryFolder folder;
  ResultTable piece{.name = "all_pairs", .caption = "Every <pair>.", .columns = {}};
  piece.add("n11", "patients", "", std::vector<std::int64_t>(700));
  piece.add("log10_p", "", "", std::vector<double>(700));
  for (Index number : {0, 1}) write_piece(folder.path(), number, piece);
  write_results(folder.path(), sample_results());
  write_run_record(folder.path(), sample_record());
  write_report(folder.path());
  return read_text(folder / "report.html");
}

TEST(Report, IsTheSameFromWhatWasWrittenAndFromWhatIsReadBack) {
  const TemporaryFolder folder;
  const Results results = sample_results();
  const RunRecord run = sample_record();
  write_results(folder.path(), results);
  write_run_record(folder.path(), run);
  write_report(folder.path(), results, run);
  const std::string held = read_text(folder / "report.html");
  write_report(folder.path());
  EXPECT_EQ(held, read_text(folder / "report.html"));
}

TEST(Report, HoldsEverySectionAndTheRunRecord) {
  const std::string page = sample_page();
  for (const char* part : {"<h1>Mutation landscape</h1>", "NPM1 leads.", "id=\"attrition\"",
                           "id=\"features\"", "id=\"survival\"", "id=\"settings\"", "id=\"run\"", "nonsilent",
                           "load 1.5 s", "seed = 7", "outcome missing"}) {
    EXPECT_TRUE(has(page, part)) << part;
  }
}

TEST(Report, SaysWhereTablesInPiecesLie) {
  const std::string page = sample_page();
  EXPECT_TRUE(has(page, "href=\"#complete\""));
  EXPECT_TRUE(has(page, "Every &lt;pair&gt;. The complete table, 1,400 rows, is in"));  // two pieces of 700
  EXPECT_TRUE(has(page, "<code>/all_pairs</code>, with the columns n11, log10_p."));
}

TEST(Report, FetchesNothing) {
  const std::string page = sample_page();
  EXPECT_FALSE(has(page, "http:"));
  EXPECT_FALSE(has(page, "https:"));
  EXPECT_FALSE(has(page, "src="));
  EXPECT_FALSE(has(page, "@import"));
  EXPECT_FALSE(has(page, "url("));
}

TEST(Report, WordsOfTheDataNeverBecomeMarkup) {
  const std::string page = sample_page();
  EXPECT_EQ(n_times("<script>", page), 1U);  // the page's own; the cohort calls itself <script>
  EXPECT_FALSE(has(page, "<b>&\"x\""));      // a feature of the sample
  EXPECT_TRUE(has(page, "&lt;b&gt;&amp;&quot;x&quot;"));
}

TEST(Report, EveryElementIsClosed) {
  const std::string page = sample_page();
  std::vector<std::string> open;
  const std::regex tag("<(/?)([a-zA-Z0-9]+)([^>]*)>");
  const std::string body = page.substr(0, page.find("<script>")) + page.substr(page.find("</script>") + 9);
  for (std::sregex_iterator at(body.begin(), body.end(), tag), end; at != end; ++at) {
    const std::string name = (*at)[2], rest = (*at)[3];
    if (name == "meta" || rest.ends_with("/")) continue;
    if ((*at)[1].length() == 0) {
      open.push_back(name);
    } else {
      ASSERT_FALSE(open.empty()) << name;
      ASSERT_EQ(open.back(), name);
      open.pop_back();
    }
  }
  EXPECT_TRUE(open.empty());
}

TEST(Report, NeedsTheResultAndTheRecord) {
  const TemporaryFolder folder;
  EXPECT_THROW(write_report(folder.path()), StoreError);
  write_results(folder.path(), sample_results());
  EXPECT_THROW(write_report(folder.path()), StoreError);  // no run.json
  EXPECT_FALSE(std::filesystem::exists(folder / "report.html"));
}

TEST(Charts, AreChosenByColumns) {
  const Results sample = sample_results();
  const ResultTable &features = table_named(sample, "features"), &survival = table_named(sample, "survival"),
                    &attrition = table_named(sample, "attrition");
  EXPECT_TRUE(has(frequency_chart(features), "<svg"));
  EXPECT_TRUE(has(forest_chart(features), "<svg"));
  EXPECT_EQ(survival_chart(features), "");
  EXPECT_EQ(volcano_chart(features), "");  // no odds ratio
  EXPECT_TRUE(has(survival_chart(survival), "<svg"));
  for (const auto& chart : all_charts) EXPECT_EQ(chart(attrition), "");
}

TEST(Charts, OfEmptyTablesAreNone) {
  Results sample = sample_results();
  for (ResultTable& table : sample.tables) {
    for (ResultColumn& column : table.columns)
      std::visit([](auto& values) { values.clear(); }, column.values);
    for (const auto& chart : all_charts) EXPECT_EQ(chart(table), "");
    EXPECT_TRUE(has(html_table(table), "No row."));
  }
}

TEST(Charts, BarsStandInOrderOfFrequencyAndSayTheirNumbers) {
  const std::string chart = frequency_chart(table_named(sample_results(), "features"));
  EXPECT_TRUE(has(chart, "NPM1, all: 30.0 % (300 of 1,000 tested)"));
  EXPECT_LT(chart.find(">NPM1<"), chart.find(">TP53<"));
  EXPECT_TRUE(has(chart, "The 3 most frequent of 3 features"));
}

TEST(Charts, ForestLeavesOutWhatHasNoEstimateAndShowsTheInterval) {
  const std::string chart = forest_chart(table_named(sample_results(), "features"));
  // exp(0.9) = 2.46; exp(0.9 ± 1.96 · 0.15) = 1.83, 3.30
  EXPECT_TRUE(has(chart, "2.46 (1.83–3.30)")) << chart;
  EXPECT_TRUE(has(chart, "The 2 strongest of 2 estimates"));
  EXPECT_LT(chart.find(">TP53<"), chart.find(">NPM1<"));
}

TEST(Charts, SurvivalCountsThoseAtRiskAtTheNextListedTime) {
  // 2,000 days are 5.5 years, one tick a year: at 1 year (365.25 days) adults are counted at day 2,000, children at 400
  const std::string chart = survival_chart(table_named(sample_results(), "survival"));
  EXPECT_TRUE(has(chart, ">years<"));
  EXPECT_TRUE(has(chart, ">800<"));  // adults at the start
  EXPECT_TRUE(has(chart, ">20<"));   // adults at 1 year and later
  EXPECT_TRUE(has(chart, ">90<"));   // children at 1 year
  EXPECT_TRUE(has(chart, ">0<"));    // children from 2 years on
}

TEST(Charts, LandmarksAndFeatureCurvesStayTables) {
  ResultTable landmarks = table_named(sample_results(), "survival");
  std::erase_if(landmarks.columns, [](const ResultColumn& column) { return column.name == "events"; });
  EXPECT_EQ(survival_chart(landmarks), "");
}

TEST(Charts, VolcanoKeepsInfiniteRatiosAtTheEdgeAndCountsHits) {
  ResultTable table{.name = "comparison", .caption = "", .columns = {}};
  const double infinity = std::numeric_limits<double>::infinity();
  table.add("feature", "", "", std::vector<std::string>{"A", "B", "C", "D"});
  table.add("odds_ratio", "", "", std::vector<double>{2, infinity, 0, std::nan("")});
  table.add("log10_p", "", "", std::vector<double>{-10, -400, -1, -1});
  table.add("q", "", "", std::vector<double>{1e-9, 0, 0.2, 1});
  const std::string chart = volcano_chart(table);
  EXPECT_TRUE(has(chart, "3 comparisons; coloured: 2 with q &lt; 0.05")) << chart;
  EXPECT_TRUE(has(chart, "p 1.0e-400"));
  EXPECT_FALSE(has(chart, "nan"));
  EXPECT_FALSE(has(chart, "inf"));
}

TEST(Tables, LongOnesShowTheStrongestAndSaySo) {
  ResultTable table{.name = "long", .caption = "Many rows.", .columns = {}};
  std::vector<std::int64_t> row;
  std::vector<double> p;
  for (int i = 0; i < 1234; ++i) {
    row.push_back(i);
    p.push_back(i % 2 == 0 ? std::nan("") : -i);
  }
  table.add("row", "", "", row);
  table.add("log10_p", "log10", "", p);
  const std::string html = html_table(table);
  EXPECT_TRUE(has(html, "20 of 1,234 rows, strongest first by log10_p"));
  EXPECT_TRUE(has(html, "<a href=\"long.tsv\">"));
  EXPECT_LT(html.find("data-v=\"1233\""), html.find("data-v=\"1231\""));
  EXPECT_EQ(n_times("<tr>", html), 1U + 20U);
}

TEST(Readable, NumbersAreShort) {
  EXPECT_EQ(readable(0.123456), "0.1235");
  EXPECT_EQ(readable(1234567.8), "1,234,568");
  EXPECT_EQ(readable(1e-9), "1.00e-09");
  EXPECT_EQ(readable(std::nan("")), "");
  EXPECT_EQ(readable_count(0), "0");
  EXPECT_EQ(readable_count(999), "999");
  EXPECT_EQ(readable_count(-1000), "-1,000");
  EXPECT_EQ(readable_count(1000000), "1,000,000");
  EXPECT_EQ(counted(1, "pair"), "1 pair");
  EXPECT_EQ(counted(1234, "pair"), "1,234 pairs");
}

TEST(Readable, TinyPValuesKeepMantissaAndExponent) {
  EXPECT_EQ(readable_p(std::log10(0.05)), "0.05");
  EXPECT_EQ(readable_p(std::log10(2.5e-9)), "2.5e-9");
  EXPECT_EQ(readable_p(-1000.3), "5.0e-1001");            // 10^0.7 = 5.01
  EXPECT_EQ(readable_p(std::log10(9.97) - 5), "1.0e-4");  // rounds up over the decade
  EXPECT_EQ(readable_p(-std::numeric_limits<double>::infinity()), "0");
}

TEST(Escaped, ReplacesWhatIsNoText) {
  EXPECT_EQ(escaped("a<b>&\"'"), "a&lt;b&gt;&amp;&quot;&#39;");
  EXPECT_EQ(escaped("µ≥"), "µ≥");
  EXPECT_EQ(escaped("\xff"), "\xef\xbf\xbd");
  EXPECT_EQ(escaped("\xe2\x89"), "\xef\xbf\xbd\xef\xbf\xbd");  // cut off in the middle of a letter
  EXPECT_EQ(escaped("\xc0\xbc"), "\xef\xbf\xbd\xef\xbf\xbd");  // "<" in an overlong form
  EXPECT_EQ(escaped(std::string_view("\x01", 1)), "\xef\xbf\xbd");
}

TEST(Shortened, CountsLettersNotBytes) {
  EXPECT_EQ(shortened("µµµ", 3), "µµµ");
  EXPECT_EQ(shortened("µµµµ", 3), "µµ…");
  EXPECT_EQ(n_letters("µ≥a"), 3U);
}

TEST(Axis, TicksAreRoundAndWithin) {
  const Axis axis{.low = 0, .high = 11.5, .from = 0, .to = 115};
  EXPECT_EQ(axis.ticks(6), (std::vector<double>{0, 2, 4, 6, 8, 10}));
  EXPECT_EQ(axis.at(11.5), 115);
  const Axis ratio{.low = 0.4, .high = 3, .from = 0, .to = 1, .logarithmic = true};
  EXPECT_EQ(ratio.ticks(6), (std::vector<double>{0.5, 1, 2}));
}

}  // namespace
}  // namespace chorale::io
