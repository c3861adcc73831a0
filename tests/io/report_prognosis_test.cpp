// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include <gtest/gtest.h>

#include <cmath>

#include "io/report/charts.hpp"
#include "io/report/marks.hpp"
#include "io/report/measures.hpp"
#include "io/report/page.hpp"
#include "tests/io/picture.hpp"

namespace chorale::io {
namespace {

using namespace report;

constexpr auto prognosis_charts = {coefficient_chart, performance_chart, calibration_chart, left_out_chart,
                                   scheme_chart,      path_chart,        stability_chart};

/// The picture is of that table and of no other kind.
void expect_only(std::string (*own)(const ResultTable&), const ResultTable& table) {
  for (const auto& chart : prognosis_charts) EXPECT_EQ(chart(table) != "", chart == own);
  for (const auto& chart : {frequency_chart, survival_chart, forest_chart, volcano_chart, heat_map,
                            p_value_chart, landmark_chart})
    EXPECT_EQ(chart(table), "");
}

/// Without rows a table has no picture.
void expect_none_of_empty(ResultTable table) {
  for (ResultColumn& column : table.columns) std::visit([](auto& values) { values.clear(); }, column.values);
  for (const auto& chart : prognosis_charts) EXPECT_EQ(chart(table), "");
}

/// AGE in years (sd 10), GENE carried by half, RARE without bound, GONE follows from others.
ResultTable coefficients() {
  ResultTable table{.name = "coefficients", .caption = "Terms.", .columns = {}};
  table.add("term", "", "", Texts{"AGE", "RARE", "GENE", "GONE"});
  table.add("log_hazard", "", "", Reals{0.05, infinity, std::log(2.0), missing});
  table.add("se", "", "", Reals{0.01, missing, 0.1, missing});
  table.add("lower", "", "", Reals{0.03, missing, std::log(1.5), missing});
  table.add("upper", "", "", Reals{0.07, missing, std::log(3.0), missing});
  table.add("log10_p", "", "", Reals{-6, missing, -9, missing});
  table.add("boot_mean", "", "", Reals{0.051, std::log(7.0), std::log(2.1), missing});
  table.add("boot_lower", "", "", Reals{0.02, 1.2, std::log(1.4), missing});
  table.add("boot_upper", "", "", Reals{0.08, infinity, std::log(3.2), missing});
  table.add("selected", "", "", Reals{1, 1, 1, 0});
  table.add("mean", "", "", Reals{50, 0.01, 0.5, 0.2});
  table.add("sd", "", "", Reals{10, std::sqrt(0.0099), 0.5003, 0.4});
  return table;
}

TEST(CoefficientChart, HasBothIntervalsAndNumbersPerStandardDeviation) {
  const std::string chart = coefficient_chart(coefficients());
  // GENE per unit, as a 0/1 column: its variance 0.25 is 0.5 · 0.5
  EXPECT_TRUE(has(chart, ">2.00 (1.50–3.00)<")) << chart;
  EXPECT_TRUE(has(chart, ">2.10 (1.40–3.20)<"));
  // AGE per 10 years: exp(0.5) = 1.65; exp(0.3), exp(0.7) = 1.35, 2.01; bootstrap exp(0.51) = 1.67, exp(0.2), exp(0.8)
  EXPECT_TRUE(has(chart, ">AGE, per 10<"));
  EXPECT_TRUE(has(chart, ">1.65 (1.35–2.01)<"));
  EXPECT_TRUE(has(chart, ">1.67 (1.22–2.23)<"));
  EXPECT_LT(chart.find(">GENE<"), chart.find(">AGE, per 10<"));  // by p
  EXPECT_TRUE(has(chart, ">1.0e-9<"));
  EXPECT_FALSE(has(chart, "selected"));  // every term always is
  EXPECT_TRUE(has(chart, "3 of 3 terms, strongest first"));
  expect_finite(chart);
  expect_only(coefficient_chart, coefficients());
  expect_none_of_empty(coefficients());
}

TEST(CoefficientChart, ShowsWhatGrowsWithoutBoundLastAndAtTheEdge) {
  const std::string chart = coefficient_chart(coefficients());
  EXPECT_TRUE(has(chart, ">without bound, ∞<"));
  EXPECT_FALSE(has(chart, "7.00"));  // the mean over the replicates with a bound
  EXPECT_TRUE(has(chart, "The likelihood of 1 term grows without bound."));
  EXPECT_LT(chart.find(">AGE, per 10<"), chart.find(">RARE<"));
  EXPECT_FALSE(has(chart, ">GONE<"));
  // two arrows for RARE at the right edge, of its estimate and of its bootstrap limit
  EXPECT_EQ(n_times("<path class=\"fill s0\"", chart), 1U);
  EXPECT_EQ(n_times("<path class=\"fill s1\"", chart), 1U);
}

TEST(CoefficientChart, OfAllTermsIgnoresSamplesWithoutACarrier) {
  ResultTable table = coefficients();
  for (ResultColumn& column : table.columns)
    if (column.name == "selected") column.values = Reals{1, 0.9, 0.8, 0};
  const std::string chart = coefficient_chart(table);
  EXPECT_FALSE(has(chart, "selected"));
  EXPECT_LT(chart.find(">GENE<"), chart.find(">AGE, per 10<"));
}

TEST(CoefficientChart, OfPenalisedTermsHasTheBootstrapAndTheirShares) {
  ResultTable table = coefficients();
  for (const char* name : {"se", "lower", "upper", "log10_p"})
    for (ResultColumn& column : table.columns)
      if (column.name == name) column.values = Reals(4, missing);
  for (ResultColumn& column : table.columns) {
    if (column.name == "selected") column.values = Reals{0.9, 0.2, 1, 0};
    if (column.name == "log_hazard") column.values = Reals{0.05, 0, std::log(2.0), 0};
    if (column.name == "boot_upper") column.values = Reals{0.08, 1.3, std::log(3.2), 0};
  }
  const std::string chart = coefficient_chart(table);
  EXPECT_TRUE(has(chart, ">2.00 (1.40–3.20)<")) << chart;
  EXPECT_TRUE(has(chart, ">100 %<"));
  EXPECT_TRUE(has(chart, ">90 %<"));
  EXPECT_TRUE(has(chart, ">not chosen (3.32–3.67)<"));  // exp(1.2), exp(1.3)
  EXPECT_FALSE(has(chart, ">GONE<"));                   // never selected
  EXPECT_LT(chart.find(">GENE<"), chart.find(">AGE, per 10<"));
  EXPECT_LT(chart.find(">AGE, per 10<"), chart.find(">RARE<"));
  EXPECT_TRUE(has(chart, "most often selected first"));
  EXPECT_FALSE(has(chart, "s1"));  // one series
  expect_finite(chart);
}

TEST(CoefficientChart, WithoutReplicatesAndCappedAtTwenty) {
  ResultTable table{.name = "coefficients", .caption = "", .columns = {}};
  Texts term;
  Reals beta;
  for (int t = 0; t < 30; ++t) {
    term.push_back("T" + std::to_string(t));
    beta.push_back(0.01 * t);
  }
  table.add("term", "", "", term);
  table.add("log_hazard", "", "", beta);
  table.add("boot_lower", "", "", Reals(30, missing));
  table.add("boot_upper", "", "", Reals(30, missing));
  table.add("sd", "", "", Reals(30, 1.0));
  const std::string chart = coefficient_chart(table);
  EXPECT_TRUE(has(chart, "20 of 29 terms, strongest first"));  // the first is 0
  EXPECT_LT(chart.find(">T29"), chart.find(">T28"));           // without a rank, by |coefficient| · sd
  EXPECT_FALSE(has(chart, ">T9"));
  EXPECT_FALSE(has(chart, "bootstrap"));
  expect_finite(chart);
}

ResultTable performance() {
  ResultTable table{.name = "performance", .caption = "", .columns = {}};
  table.add("measure", "", "", Texts{"harrell_c", "auc", "brier", "calibration_slope", "uno_c"});
  table.add("horizon", "days", "", Reals{missing, 365.25, 1095.75, missing, 90});
  table.add("apparent", "", "", Reals{0.7, 0.75, 0.2, 1, missing});
  table.add("corrected", "", "", Reals{0.68, 0.72, 0.21, 0.9, missing});
  table.add("lower", "", "", Reals{0.66, 0.7, 0.2, 0.8, missing});
  table.add("upper", "", "", Reals{0.7, 0.76, 0.22, 1.5, missing});
  return table;
}

TEST(PerformanceChart, HasAnAxisForEachKindOfMeasure) {
  const std::string chart = performance_chart(performance());
  for (const char* words :
       {">Harrell&#39;s C<", ">AUC at 1 year<", ">Brier score at 3 years<", ">calibration slope<", ">0.700<",
        ">0.680 (0.660–0.700)<", ">0.900 (0.800–1.500)<", "Telling patients apart",
        "Error of predicted survival", "Slope: 1 is right"})
    EXPECT_TRUE(has(chart, words)) << words;
  EXPECT_FALSE(has(chart, "Uno"));                      // nothing is known of it
  EXPECT_EQ(n_times("<path class=\"fill", chart), 0U);  // the slope's axis grows to 1.5
  expect_finite(chart);
  expect_only(performance_chart, performance());
  expect_none_of_empty(performance());
}

TEST(PerformanceChart, SaysWhenThereAreNoReplicates) {
  ResultTable table = performance();
  for (ResultColumn& column : table.columns)
    if (column.name == "corrected" || column.name == "lower" || column.name == "upper")
      column.values = Reals(5, missing);
  const std::string chart = performance_chart(table);
  EXPECT_TRUE(has(chart, "without replicates nothing says by how much"));
  EXPECT_FALSE(has(chart, "corrected (interval)"));
  expect_finite(chart);
}

TEST(Measures, KeepTheNameOfWhatIsNotKnown) {
  EXPECT_EQ(measure_words("gini", missing), "gini");
  EXPECT_EQ(measure_words("gini", 10), "gini, 10 days");
  EXPECT_EQ(measure_words("integrated_brier", 1826.25), "integrated Brier score to 5 years");
  EXPECT_EQ(readable_time(365.25), "1 year");
  EXPECT_EQ(readable_time(100), "100 days");
}

ResultTable calibration() {
  ResultTable table{.name = "calibration", .caption = "", .columns = {}};
  table.add("horizon", "days", "", Reals{365.25, 365.25, 1095.75, 1095.75});
  table.add("group", "", "", Counts{1, 2, 1, 2});
  table.add("n", "patients", "", Counts{100, 1, 100, 101});
  table.add("predicted", "", "", Reals{0.4, 0.8, 0.2, 0.6});
  table.add("observed", "", "", Reals{0.35, 0.82, missing, 0.61});
  table.add("lower", "", "", Reals{0.3, missing, missing, 0.55});
  table.add("upper", "", "", Reals{0.4, missing, missing, 0.7});
  table.add("corrected", "", "", Reals{0.36, 0.81, missing, -0.01});
  return table;
}

TEST(CalibrationChart, HasASquareForEachHorizon) {
  const std::string chart = calibration_chart(calibration());
  EXPECT_TRUE(has(chart, "predicted 40.0 %, observed 35.0 % (30.0–40.0), corrected 36.0 %; 100 patients<"));
  EXPECT_TRUE(has(chart, "predicted 80.0 %, observed 82.0 %, corrected 81.0 %; 1 patient<")) << chart;
  EXPECT_TRUE(has(chart, ">at 1 year<"));
  EXPECT_TRUE(has(chart, ">at 3 years<"));
  EXPECT_EQ(n_times("<title>", chart), 3U);  // nobody is observed in one group
  EXPECT_EQ(n_times("class=\"interval s0\"", chart), 2U);
  // the side of a square is 860 / 3 - 64 = 222.7; the second one starts at 286.7 + 52; below 0 % is drawn at its foot
  EXPECT_TRUE(has(chart, "M472.3 286.7"));
  expect_finite(chart);
  expect_only(calibration_chart, calibration());
  expect_none_of_empty(calibration());
}

TEST(CalibrationChart, WithoutReplicatesHasNoCorrectedCurve) {
  ResultTable table = calibration();
  table.columns.back().values = Reals(4, missing);
  const std::string chart = calibration_chart(table);
  EXPECT_FALSE(has(chart, "optimism"));
  EXPECT_FALSE(has(chart, "class=\"curve"));
}

/// `n_levels` levels with a concordance and the ratio at two horizons; the first level is the smallest.
ResultTable left_out(int n_levels) {
  ResultTable table{.name = "left_out", .caption = "", .columns = {}};
  Texts level, measure;
  Counts n;
  Reals horizon, value, lower, upper;
  for (int l = 0; l < n_levels; ++l) {
    for (int m = 0; m < 3; ++m) {
      level.push_back("SITE" + std::to_string(l));
      n.push_back(100 + l);
      measure.push_back(m == 0 ? "harrell_c" : "observed_over_expected");
      horizon.push_back(m == 0 ? missing : 365.25 * m);
      value.push_back(l == 0 ? missing : m == 0 ? 0.6 : 1.25);
      lower.push_back(l == 0 ? missing : m == 0 ? 0.55 : 1.0);
      upper.push_back(l == 0 ? missing : m == 0 ? 0.65 : 60);
    }
  }
  table.add("level", "", "", level);
  table.add("n", "patients", "", n);
  table.add("measure", "", "", measure);
  table.add("horizon", "days", "", horizon);
  table.add("value", "", "", value);
  table.add("lower", "", "", lower);
  table.add("upper", "", "", upper);
  table.add("predicted", "", "", Reals(value.size(), 0.5));
  table.add("observed", "", "", Reals(value.size(), 0.4));
  return table;
}

TEST(LeftOutChart, ShowsConcordanceAndDeathsOfEveryLevelWithBoth) {
  const std::string chart = left_out_chart(left_out(3));
  EXPECT_FALSE(has(chart, ">SITE0<"));                      // no measure
  EXPECT_LT(chart.find(">SITE2<"), chart.find(">SITE1<"));  // largest first
  EXPECT_EQ(n_times(">0.600 (0.550–0.650)<", chart), 2U) << chart;
  EXPECT_TRUE(has(chart, "SITE1, by 2 years: observed over expected 1.25 (1.00–60.00)"));
  EXPECT_EQ(n_times("<path class=\"fill", chart), 4U);  // limits beyond the axis, two horizons each
  EXPECT_TRUE(has(chart, ">by 1 year<"));
  expect_finite(chart);
  expect_only(left_out_chart, left_out(3));
  expect_none_of_empty(left_out(3));
}

TEST(LeftOutChart, OfManyLevelsShowsTheLargestAtOneHorizon) {
  const std::string chart = left_out_chart(left_out(31));
  EXPECT_TRUE(has(chart, "The 25 largest of 30 levels."));
  EXPECT_FALSE(has(chart, ">by 1 year<"));
  EXPECT_TRUE(has(chart, ">by 2 years<"));
}

TEST(LeftOutChart, TakesWhatConcordanceThereIsOrNone) {
  ResultTable table = left_out(2);
  for (ResultColumn& column : table.columns)
    if (auto* words = std::get_if<Texts>(&column.values))
      for (auto& word : *words)
        if (word == "harrell_c") word = "uno_c";
  EXPECT_TRUE(has(left_out_chart(table), "Uno&#39;s C"));
  for (ResultColumn& column : table.columns)
    if (auto* words = std::get_if<Texts>(&column.values))
      for (auto& word : *words)
        if (word == "uno_c") word = "brier";
  const std::string chart = left_out_chart(table);
  EXPECT_FALSE(has(chart, "chance"));
  EXPECT_TRUE(has(chart, ">deaths, observed over expected<"));
  expect_finite(chart);
}

ResultTable schemes() {
  ResultTable table{.name = "schemes", .caption = "", .columns = {}};
  table.add("scheme", "", "", Texts{"ELN<", "ELN<", "ELN<", "IPSS"});
  table.add("predictor", "", "", Texts{"model", "risk groups", "model", "model"});
  table.add("measure", "", "", Texts{"harrell_c", "harrell_c", "uno_c", "harrell_c"});
  table.add("n", "patients", "", Counts{1411, 1411, 1411, 0});
  table.add("concordance", "", "", Reals{0.7, 0.68, 0.71, missing});
  table.add("scheme_concordance", "", "", Reals{0.64, 0.64, 0.65, missing});
  table.add("difference", "", "", Reals{0.06, 0.04, 0.06, missing});
  table.add("lower", "", "", Reals{0.04, 0.02, 0.04, missing});
  table.add("upper", "", "", Reals{0.08, 0.06, 0.08, missing});
  return table;
}

TEST(SchemeChart, PutsTheSchemeBelowWhatIsComparedWithIt) {
  const std::string chart = scheme_chart(schemes());
  EXPECT_TRUE(has(chart, ">ELN&lt;, 1,411 patients<")) << chart;
  EXPECT_LT(chart.find(">model<"), chart.find(">risk groups<"));
  EXPECT_LT(chart.find(">risk groups<"), chart.find(">ELN&lt;<"));
  EXPECT_TRUE(has(chart, ">0.060 (0.040–0.080)<"));
  EXPECT_EQ(n_times(">0.640<", chart), 1U);
  EXPECT_FALSE(has(chart, "0.710"));  // Uno's C stays in the table
  EXPECT_FALSE(has(chart, "IPSS"));
  expect_finite(chart);
  expect_only(scheme_chart, schemes());
  expect_none_of_empty(schemes());
}

ResultTable path(bool errors) {
  ResultTable table{.name = "path", .caption = "", .columns = {}};
  table.add("lambda", "", "", Reals{0.4, 0.2, 0.1, 0.05});
  table.add("n_terms", "", "", Counts{0, 2, 5, 9});
  table.add("criterion", "", errors ? "deviance per event" : "BIC", Reals{10, 9, 8.5, missing});
  table.add("criterion_se", "", "", Reals(4, errors ? 0.25 : missing));
  table.add("chosen", "", "", Counts{0, 0, 1, 0});
  return table;
}

TEST(PathChart, MarksTheChosenPenaltyAndCountsTerms) {
  const std::string chart = path_chart(path(true));
  EXPECT_TRUE(has(chart, "Marked: the chosen penalty 0.1, with 5 terms."));
  EXPECT_TRUE(has(chart, "λ 0.2: 2 terms, criterion 9 ± 0.25<")) << chart;
  EXPECT_TRUE(has(chart, ">deviance per event, with its standard error; lower is better<"));
  EXPECT_EQ(n_times("<circle", chart), 3U);  // the last has no criterion
  // strong penalties at the left: 0.4 at 72, 0.1 at 840, 0.2 half way between
  EXPECT_TRUE(has(chart, "cx=\"72.0\""));
  EXPECT_TRUE(has(chart, "cx=\"456.0\""));
  EXPECT_TRUE(has(chart, "<circle class=\"fill s1\" cx=\"840.0\""));
  expect_finite(chart);
  expect_only(path_chart, path(true));
  expect_none_of_empty(path(true));
}

TEST(PathChart, WithoutErrorsIsALine) {
  const std::string chart = path_chart(path(false));
  EXPECT_TRUE(has(chart, ">BIC; lower is better<"));
  EXPECT_TRUE(has(chart, "class=\"curve s0\""));
  EXPECT_FALSE(has(chart, "±"));
  expect_finite(chart);
}

ResultTable stability(int n_terms) {
  ResultTable table{.name = "stability", .caption = "", .columns = {}};
  Texts term;
  Reals frequency;
  Counts stable;
  for (int t = 0; t < n_terms; ++t) {
    term.push_back("T" + std::to_string(t));
    frequency.push_back(t == 0 ? 0 : 0.5 + 0.01 * t);
    stable.push_back(frequency.back() >= 0.75);
  }
  table.add("term", "", "", term);
  table.add("frequency", "", "", frequency);
  table.add("cutoff", "", "", Reals(term.size(), 0.75));
  table.add("stable", "", "", stable);
  return table;
}

TEST(StabilityChart, HasTheMostFrequentTermsAndTheCutoff) {
  const std::string chart = stability_chart(stability(41));
  // 0.5 + 0.01 · 25 = 0.75: terms 25 to 40 are stable, 16 of them; term 0 is never chosen
  EXPECT_TRUE(has(chart, "Stable: 16 of 41 terms. The 30 most frequent of 40 that were ever chosen."))
      << chart;
  EXPECT_TRUE(has(chart, ">stable from 75 %<"));
  EXPECT_EQ(n_times("<rect class=\"fill s0\"", chart), 16U);
  EXPECT_EQ(n_times("<rect class=\"fill faint\"", chart), 14U);
  EXPECT_LT(chart.find(">T40<"), chart.find(">T39<"));
  expect_finite(chart);
  expect_only(stability_chart, stability(41));
  expect_none_of_empty(stability(41));
}

TEST(SurvivalChart, NamesRiskGroupsAndStaysLight) {
  ResultTable table{.name = "group_survival", .caption = "", .columns = {}};
  Texts group;
  Reals time, at_risk, survival, events;
  for (int g = 1; g <= 4; ++g) {
    for (int k = 0; k < 4000; ++k) {
      group.push_back(std::to_string(g));
      time.push_back(k + 1);
      at_risk.push_back(25000 - 6 * k);
      survival.push_back(1 - 0.0002 * k);
      events.push_back(5);
    }
  }
  table.add("group", "", "", group);
  table.add("time", "days", "", time);
  table.add("at_risk", "patients", "", at_risk);
  table.add("survival", "", "", survival);
  table.add("lower", "", "", survival);
  table.add("upper", "", "", survival);
  table.add("events", "", "", events);
  const std::string chart = survival_chart(table);
  EXPECT_TRUE(has(chart, ">group 1<"));
  EXPECT_TRUE(has(chart, ">25,000<"));
  // 16,000 steps on 700 pixels: about 1,700 corners of 6 letters each for a curve and twice for its band
  EXPECT_LT(chart.size(), 300'000U);
}

TEST(Tables, LeaveOutColumnsWithoutAnyValueAndNameThem) {
  ResultTable table{.name = "t", .caption = "", .columns = {}};
  table.add("term", "", "", Texts{"A", "B"});
  table.add("se", "", "", Reals{missing, missing});
  table.add("n", "", "", Counts{missing_count, missing_count});
  table.add("note", "", "", Texts{"", ""});
  table.add("beta", "", "", Reals{missing, 1});
  const std::string html = html_table(table);
  EXPECT_TRUE(has(html, "Without a value here: se, n, note.")) << html;
  EXPECT_EQ(n_times("<th ", html), 2U);
  EXPECT_EQ(n_times("<td", html), 4U);
}

TEST(Tables, LongOnesWithoutPValuesStandBySelection) {
  ResultTable table{.name = "t", .caption = "", .columns = {}};
  Texts term;
  Reals selected;
  for (int i = 0; i < 50; ++i) {
    term.push_back("T" + std::to_string(i));
    selected.push_back(0.02 * i);
  }
  table.add("term", "", "", term);
  table.add("log10_p", "", "", Reals(50, missing));
  table.add("selected", "", "", selected);
  const std::string html = html_table(table);
  EXPECT_TRUE(has(html, "strongest first by selected"));
  EXPECT_LT(html.find(">T49<"), html.find(">T48<"));
}

TEST(Marks, EndInArrowsBeyondTheAxis) {
  const Axis x{.low = 0.5, .high = 2, .from = 0, .to = 100, .logarithmic = true};
  Svg svg(100, 20, "");
  draw_mark(svg, x, {.value = 1, .lower = 0, .upper = infinity}, 10, 1);
  EXPECT_EQ(n_times("<path", svg.str()), 2U);
  EXPECT_TRUE(has(svg.str(), "x1=\"0.0\" y1=\"10.0\" x2=\"100.0\""));
  EXPECT_TRUE(
      has(svg.str(), "<circle class=\"fill s1\" cx=\"50.0\""));  // log 1 is half way from log 1/2 to log 2
  EXPECT_EQ(ratio_words({.value = 1, .lower = 0, .upper = infinity}), "1.00 (0.00–∞)");
  EXPECT_EQ(ratio_words({.value = 1}), "1.00");
  EXPECT_EQ(share_words({}), "");
}

TEST(Axis, ShortLogarithmicOnesHaveRoundSteps) {
  const Axis axis{.low = 0.8, .high = 1.25, .from = 0, .to = 100, .logarithmic = true};
  const auto ticks = axis.ticks(6);
  ASSERT_EQ(ticks.size(), 5U);  // 0.45 / 6 = 0.075: steps of 0.1
  for (int k = 0; k < 5; ++k) EXPECT_NEAR(ticks[static_cast<std::size_t>(k)], 0.8 + 0.1 * k, 1e-12);
}

}  // namespace
}  // namespace chorale::io
