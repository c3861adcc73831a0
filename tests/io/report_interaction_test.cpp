// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include <gtest/gtest.h>

#include <cmath>

#include "io/report/charts.hpp"
#include "tests/io/picture.hpp"

namespace chorale::io {
namespace {

using namespace report;

/// A, B, C and <D>: A and C go together, A and B never, nobody was tested for C and <D>.
ResultTable matrix(bool with_outcome) {
  ResultTable table{.name = "matrix", .caption = "Pairs.", .columns = {}};
  table.add("row", "", "", Texts{"A", "A", "A", "B", "B", "C"});
  table.add("column", "", "", Texts{"B", "C", "<D>", "C", "<D>", "<D>"});
  table.add("n11", "", "", Counts{0, 40, 3, 9, 10, 0});
  table.add("log2_odds_ratio", "", "", Reals{-infinity, 2, 0.01, -1, infinity, missing});
  table.add("log10_p", "", "", Reals{-5, -12, -0.01, -0.7, -0.9, missing});
  table.add("q", "", "", Reals{0.01, 1e-9, 1, 0.9, 0.5, missing});
  if (!with_outcome) return table;
  table.add("log_hazard_ab", "", "", Reals{missing, 0.7, missing, -20, 0, missing});
  table.add("lrt_log10_p", "", "", Reals{missing, -4, missing, -1, 0, missing});
  return table;
}

TEST(HeatMap, SaysTheNumbersOfBothTriangles) {
  const std::string chart = heat_map(matrix(true));
  EXPECT_TRUE(has(chart, "A × C, both in 40: odds ratio 4, p 1.0e-12, q 1.00e-09")) << chart;
  EXPECT_TRUE(has(chart, "A × B, both in 0: odds ratio 0, p 1.0e-5, q 0.01"));
  EXPECT_TRUE(has(chart, "B × &lt;D&gt;, both in 10: odds ratio ∞"));
  // exp(0.7) = 2.014
  EXPECT_TRUE(has(chart, "A × C, both in 40: hazard ratio of the interaction 2.014, p 1.0e-4"));
  EXPECT_TRUE(has(chart, "Signs: q &lt; 0.05 below, p &lt; 0.001 above"));
  EXPECT_EQ(n_times("<title>", chart), 5U + 3U);  // cells with a number
  expect_finite(chart);
}

TEST(HeatMap, ColoursClampAndFadeToNothingAtOne) {
  const std::string chart = heat_map(matrix(true));
  EXPECT_TRUE(has(chart, "class=\"minus h9\""));  // odds ratio 0; hazard exp(-20)
  EXPECT_TRUE(has(chart, "class=\"plus h9\""));   // odds ratio infinite
  // log2 ratio 2 of 4: 4.5 of 9 shades; log hazard 0.7 of 1.5: 4.2
  EXPECT_TRUE(has(chart, "<path class=\"plus h5\""));
  EXPECT_TRUE(has(chart, "<path class=\"plus h4\""));
  EXPECT_FALSE(has(chart, "<path class=\"plus h0\""));
  EXPECT_TRUE(has(chart, "<path class=\"absent\""));
}

TEST(HeatMap, SignsTellApartWithoutColour) {
  const std::string chart = heat_map(matrix(true));
  std::smatch found;
  // A × C in both triangles: plus, a level and an upright stroke each
  ASSERT_TRUE(std::regex_search(chart, found, std::regex("<path class=\"sign\" d=\"([^\"]*)\"")));
  EXPECT_EQ(n_times("h", found[1]), 2U);
  EXPECT_EQ(n_times("v", found[1]), 2U);
  // A × B, on the darkest colour: minus
  ASSERT_TRUE(std::regex_search(chart, found, std::regex("<path class=\"sign light\" d=\"([^\"]*)\"")));
  EXPECT_EQ(n_times("h", found[1]), 1U);
  EXPECT_EQ(n_times("v", found[1]), 0U);
}

TEST(HeatMap, HasOneTriangleWithoutOutcome) {
  for (const bool empty_columns : {false, true}) {
    ResultTable table = matrix(false);
    if (empty_columns) {
      table.add("log_hazard_ab", "", "", Reals(6, missing));
      table.add("lrt_log10_p", "", "", Reals(6, missing));
    }
    const std::string chart = heat_map(table);
    EXPECT_TRUE(has(chart, "below the diagonal"));
    EXPECT_FALSE(has(chart, "above the diagonal"));
    EXPECT_FALSE(has(chart, " above."));
    expect_finite(chart);
  }
}

TEST(HeatMap, OfOneFeatureIsNoneAndOfTwoIsOneCell) {
  ResultTable table{.name = "matrix", .caption = "", .columns = {}};
  table.add("row", "", "", Texts{"A"});
  table.add("column", "", "", Texts{"A"});
  table.add("log2_odds_ratio", "", "", Reals{1});
  EXPECT_EQ(heat_map(table), "");
  table.columns[1].values = Texts{"B"};
  const std::string chart = heat_map(table);
  EXPECT_EQ(n_times("<title>", chart), 1U);
  EXPECT_TRUE(has(chart, ">A</text>"));
  EXPECT_TRUE(has(chart, ">B</text>"));
  expect_finite(chart);
}

TEST(HeatMap, StaysLightWithManyFeatures) {
  ResultTable table{.name = "matrix", .caption = "", .columns = {}};
  Texts row, column;
  Reals ratio, p;
  for (int i = 0; i < 502; ++i) {
    for (int j = i + 1; j < 502; ++j) {
      row.push_back("G" + std::to_string(i));
      column.push_back("G" + std::to_string(j));
      ratio.push_back(i % 10 == j % 10 ? 3 : -1);
      p.push_back(i % 10 == j % 10 ? -8 : -0.1);
    }
  }
  table.add("row", "", "", row);
  table.add("column", "", "", column);
  table.add("log2_odds_ratio", "", "", ratio);
  table.add("log10_p", "", "", p);
  const std::string chart = heat_map(table);
  EXPECT_TRUE(has(chart, "The first 500 of 502 features"));
  EXPECT_EQ(n_times("<title>", chart), 6000U);
  EXPECT_LT(chart.size(), 3'000'000U);
  EXPECT_LT(n_times("</text>", chart), 300U);  // names of every fourth feature, twice, and the legend
}

TEST(OrderBySimilarity, PutsBlocksTogether) {
  // 0, 3 and 4 are alike, so are 1 and 2; 4 is nearer to 2 than the others of its block
  const Reals s{0,  0,  0,  .9, .8,  //
                0,  0,  .7, 0,  0,   //
                0,  .7, 0,  0,  .3,  //
                .9, 0,  0,  0,  .6,  //
                .8, 0,  .3, .6, 0};
  EXPECT_EQ(order_by_similarity(s, 5), (std::vector<std::size_t>{3, 0, 4, 2, 1}));
  EXPECT_EQ(order_by_similarity({}, 0), std::vector<std::size_t>{});
  EXPECT_EQ(order_by_similarity({0}, 1), std::vector<std::size_t>{0});
  EXPECT_EQ(order_by_similarity(Reals(9, 0.0), 3), (std::vector<std::size_t>{0, 1, 2}));
}

TEST(PValueChart, HasAPictureAndALinePerTest) {
  ResultTable table{.name = "p_histogram", .caption = "", .columns = {}};
  table.add("test", "", "", Texts{"fisher", "fisher", "a<b", "a<b", "none", "none"});
  table.add("p_lower", "", "", Reals{0, 0.5, 0, 0.5, 0, 0.5});
  table.add("p_upper", "", "", Reals{0.5, 1, 0.5, 1, 0.5, 1});
  table.add("n", "", "", Counts{1500, 500, 1, 3, 0, 0});
  table.add("expected", "", "", Reals{1000, 1000, 2, 2, 0, 0});
  const std::string chart = p_value_chart(table);
  EXPECT_TRUE(has(chart, "fisher, p from 0 to 0.5: 1,500, expected 1,000")) << chart;
  EXPECT_TRUE(has(chart, ">2,000 p-values<"));
  EXPECT_TRUE(has(chart, "a&lt;b"));
  EXPECT_FALSE(has(chart, ">none<"));  // nothing was tested
  EXPECT_EQ(n_times("class=\"whisker\"", chart), 4U);
  expect_finite(chart);
}

ResultTable pair_groups() {
  ResultTable table{.name = "pair_groups", .caption = "", .columns = {}};
  table.add("feature_a", "", "", Texts{"A", "A", "A", "A", "B", "B"});
  table.add("feature_b", "", "", Texts{"B", "B", "B", "B", "C", "C"});
  table.add("group", "", "", Texts{"neither", "a only", "b only", "both", "neither", "both"});
  table.add("n_analysed", "", "", Counts{1000, 50, 40, 3, 9, 0});
  table.add("events", "", "", Counts{300, 20, 10, 0, 1, 0});
  table.add("median", "", "", Reals{800, 400, infinity, missing, missing, missing});
  table.add("survival_365.25", "", "", Reals{0.8, 0.6, 0.7, 1, 0.9, missing});
  table.add("survival_365.25_lower", "", "", Reals{0.7, 0.5, 0.6, missing, 0.8, missing});
  table.add("survival_365.25_upper", "", "", Reals{0.9, 0.7, 0.8, missing, 1, missing});
  table.add("survival_100", "", "", Reals(6, missing));
  table.add("survival_100_lower", "", "", Reals(6, missing));
  table.add("survival_100_upper", "", "", Reals(6, missing));
  return table;
}

TEST(LandmarkChart, NamesGroupsByTheirFeatureAndSaysTheNumbers) {
  const std::string chart = landmark_chart(pair_groups());
  EXPECT_TRUE(
      has(chart, "A only: 60.0 % alive at 1 year (50.0–70.0); 50 patients, 20 events, median 400 days"))
      << chart;
  EXPECT_TRUE(has(chart, "both: 100.0 % alive at 1 year; 3 patients, 0 events<"));
  EXPECT_TRUE(has(chart, ">at 100 days<"));
  EXPECT_TRUE(has(chart, "the first 2 of 2 pairs"));
  EXPECT_EQ(n_times("<circle", chart), 5U);  // one group has no estimate
  expect_finite(chart);
}

TEST(LandmarkChart, NeedsPairsAndLandmarks) {
  ResultTable table = pair_groups();
  table.columns[1].name = "partner";
  EXPECT_EQ(landmark_chart(table), "");
  table = pair_groups();
  std::erase_if(table.columns, [](const ResultColumn& c) { return c.name.ends_with("_lower"); });
  EXPECT_EQ(landmark_chart(table), "");
}

ResultTable triples() {
  ResultTable table{.name = "triples", .caption = "", .columns = {}};
  table.add("feature_a", "", "", Texts{"A", "B"});
  table.add("feature_b", "", "", Texts{"B", "C"});
  table.add("feature_c", "", "", Texts{"C", "D"});
  table.add("log_ratio", "", "", Reals{std::log(4.0), missing});
  table.add("log10_p", "", "", Reals{-3, missing});
  table.add("log_hazard_ab", "", "", Reals{5, 5});
  table.add("se_ab", "", "", Reals{1, 1});
  table.add("log_hazard_abc", "", "", Reals{std::log(2.0), 0});
  table.add("se_abc", "", "", Reals{0.1, 0.2});
  table.add("lrt_log10_p", "", "", Reals{-6, -infinity});
  table.add("lrt_q", "", "", Reals{1e-4, missing});
  return table;
}

TEST(VolcanoChart, ShowsAssociationAndOutcomeOfSets) {
  const std::string chart = volcano_chart(triples());
  EXPECT_EQ(n_times("<figure>", chart), 2U);
  EXPECT_TRUE(has(chart, "A × B × C: ratio of odds ratios 4, p 0.001")) << chart;
  EXPECT_TRUE(has(chart, "A × B × C: hazard ratio of the interaction 2, p 1.0e-6"));
  EXPECT_TRUE(has(chart, "1 comparison; coloured: 1 with q &lt; 0.05"));
  expect_finite(chart);
}

TEST(ForestChart, TakesTheHighestInteractionOfSets) {
  const std::string chart = forest_chart(triples());
  // log 2 ± 1.96 · 0.1: 2.00 (1.64–2.43); the pairs within would say exp(5) = 148
  EXPECT_TRUE(has(chart, "2.00 (1.64–2.43)")) << chart;
  EXPECT_FALSE(has(chart, "148"));
  EXPECT_TRUE(has(chart, ">A × B × C<"));
}

TEST(VolcanoChart, NamesDoNotLieOnEachOther) {
  ResultTable table{.name = "pairs", .caption = "", .columns = {}};
  Texts a, b;
  Reals ratio, p;
  for (int i = 0; i < 40; ++i) {
    a.push_back("GENE" + std::to_string(i));
    b.push_back("OTHER");
    ratio.push_back(4 + 0.02 * (i % 7));
    p.push_back(-20 - 0.3 * (i % 11));
  }
  table.add("feature_a", "", "", a);
  table.add("feature_b", "", "", b);
  table.add("odds_ratio", "", "", ratio);
  table.add("log10_p", "", "", p);
  const std::string chart = volcano_chart(table);
  struct Box {
    double from, to, line;
  };
  std::vector<Box> boxes;
  const std::regex name("<text class=\"small( end)?\" x=\"([^\"]+)\" y=\"([^\"]+)\">(GENE[^<]*)<");
  for (std::sregex_iterator at(chart.begin(), chart.end(), name), end; at != end; ++at) {
    const double x = std::stod((*at)[2]), length = 6 * static_cast<double>((*at)[4].length() - 1);
    const bool leftwards = (*at)[1].length() > 0;
    boxes.push_back({leftwards ? x - length : x, leftwards ? x : x + length, std::stod((*at)[3])});
  }
  EXPECT_GE(boxes.size(), 2U);
  for (std::size_t i = 0; i < boxes.size(); ++i)
    for (std::size_t j = 0; j < i; ++j)
      EXPECT_FALSE(std::abs(boxes[i].line - boxes[j].line) < 10 && boxes[i].from < boxes[j].to &&
                   boxes[j].from < boxes[i].to);
}

}  // namespace
}  // namespace chorale::io
