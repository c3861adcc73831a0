// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
//
// Which tests are made, what they say together, and which pairs are reported.
#include <map>
#include <set>

#include "tests/jobs/interaction_screen_runs.hpp"

namespace chorale::jobs {
namespace {

class InteractionScreenReport : public InteractionScreenTest {};

/// log10 p by pair, "A × B".
std::map<std::string, double> by_pair(const io::Results& results, const std::string& column) {
  const Rows pairs(results, "pairs");
  std::map<std::string, double> values;
  for (Index row = 0; row < pairs.size(); ++row)
    values[pairs.text("feature_a", row) + " × " + pairs.text("feature_b", row)] = pairs.real(column, row);
  return values;
}

std::vector<std::string> names(const io::Results& results) {
  const Rows pairs(results, "pairs");
  std::vector<std::string> names;
  for (Index row = 0; row < pairs.size(); ++row)
    names.push_back(pairs.text("feature_a", row) + " × " + pairs.text("feature_b", row));
  return names;
}

/// Benjamini and Hochberg's rule word by word: the smallest p · m / rank among the p at least as large.
std::map<std::string, double> q_of(const std::map<std::string, double>& log10_p) {
  std::vector<std::pair<double, std::string>> sorted;
  for (const auto& [name, value] : log10_p)
    if (!std::isnan(value)) sorted.emplace_back(value, name);
  std::sort(sorted.begin(), sorted.end());
  std::map<std::string, double> q;
  double least = 1;
  const auto m = static_cast<double>(sorted.size());
  for (std::size_t k = sorted.size(); k > 0; --k) {
    least = std::min(least, std::pow(10, sorted[k - 1].first) * m / static_cast<double>(k));
    q[sorted[k - 1].second] = least;
  }
  return q;
}

/// The three alternatives of one test, as probabilities.
struct Sides {
  std::map<std::string, double> two_sided, together, apart;
};

class EachTest : public InteractionScreenTest, public testing::WithParamInterface<const char*> {
 protected:
  Sides sides() const {
    const auto of = [&](const std::string& alternative) {
      auto p =
          by_pair(run(flagged, "report = \"all\"\nlargest_set = 2\nstratify = [\"TRIAL\"]\ntests = [\"" +
                                   std::string(GetParam()) + "\"]\nalternative = \"" + alternative + "\"\n"),
                  "log10_p");
      for (auto& [name, value] : p) value = std::pow(10, value);
      return p;
    };
    return {of("two_sided"), of("co_occurrence"), of("exclusivity")};
  }
};

INSTANTIATE_TEST_SUITE_P(InteractionScreen, EachTest,
                         testing::Values("fisher", "mid_p", "cmh", "exact_conditional", "burden"),
                         [](const auto& test) { return std::string(test.param); });

TEST_P(EachTest, CountsItsPairsAndCorrectsForThem) {
  const auto results = run(
      flagged, "report = \"all\"\nstratify = [\"TRIAL\"]\ntests = [\"" + std::string(GetParam()) + "\"]\n");
  const auto log10_p = by_pair(results, "log10_p"), q = by_pair(results, "q");
  const auto expected_q = q_of(log10_p);
  ASSERT_EQ(expected_q.size(), 36u);
  for (const auto& [name, value] : expected_q) EXPECT_NEAR(q.at(name), value, 1e-12) << name;
  const Rows tests(results, "tests"), histogram(results, "p_histogram");
  ASSERT_EQ(tests.size(), 1);
  EXPECT_EQ(tests.text("test", 0), GetParam());
  EXPECT_EQ(tests.whole("n_tested", 0), 36);
  EXPECT_EQ(tests.whole("n_in_histogram", 0), 36);
  EXPECT_EQ(tests.whole("n_q", 0),
            std::count_if(q.begin(), q.end(), [](const auto& pair) { return pair.second <= 0.05; }));
  Index n = 0;
  for (Index bar = 0; bar < histogram.size(); ++bar) {
    const double lower = histogram.real("p_lower", bar), upper = histogram.real("p_upper", bar);
    const auto expected = std::count_if(log10_p.begin(), log10_p.end(), [&](const auto& pair) {
      const double p = std::pow(10, pair.second);
      return p >= lower && (p < upper || upper == 1);
    });
    EXPECT_EQ(histogram.whole("n", bar), expected) << lower;
    n += histogram.whole("n", bar);
  }
  EXPECT_EQ(n, 36);
}

TEST_P(EachTest, OneSideIsSmallWhereThePairLeansThatWay) {
  const Sides p = sides();
  const std::string test = GetParam();
  for (const auto& [name, together] : p.together) {
    const double apart = p.apart.at(name), two_sided = p.two_sided.at(name);
    const double sum = together + apart;
    if (test == "mid_p" || test == "cmh")
      EXPECT_NEAR(sum, 1, 1e-9) << name;  // the observed table counts half on either side
    else
      EXPECT_GT(sum, 1) << name;  // it counts on both sides
    if (test == "cmh") {
      EXPECT_NEAR(2 * std::min(together, apart), two_sided, 1e-9) << name;
    } else if (test != "mid_p") {
      EXPECT_GE(two_sided, std::min(together, apart) - 1e-12) << name;
    }
  }
  EXPECT_LT(p.together.at("FLT3 × NPM1"), 0.001);  // drawn so
  EXPECT_GT(p.apart.at("FLT3 × NPM1"), 0.999);
}

TEST_F(InteractionScreenReport, FishersSidesOverlapInTheObservedTable) {
  const auto p = [&](const std::string& test, const std::string& alternative) {
    auto values = by_pair(run(flagged, "report = \"all\"\nlargest_set = 2\ntests = [\"" + test +
                                           "\"]\nalternative = \"" + alternative + "\"\n"),
                          "log10_p");
    for (auto& [name, value] : values) value = std::pow(10, value);
    return values;
  };
  const auto together = p("fisher", "co_occurrence"), apart = p("fisher", "exclusivity"),
             mid_together = p("mid_p", "co_occurrence"), mid_apart = p("mid_p", "exclusivity");
  for (const auto& [name, value] : together) {
    const double observed = value + apart.at(name) - 1;  // the probability of the table itself
    EXPECT_NEAR(mid_together.at(name), value - observed / 2, 1e-9) << name;
    EXPECT_NEAR(mid_apart.at(name), apart.at(name) - observed / 2, 1e-9) << name;
  }
}

TEST_F(InteractionScreenReport, OddsRatiosAreConditionalOrSampled) {
  const auto conditional = run(flagged, "report = \"all\"\n"),
             sample = run(flagged, "report = \"all\"\nodds_ratio = \"sample\"\nconfidence = 0.9\n");
  const Rows pairs(sample, "pairs"), exact(conditional, "pairs");
  for (Index row = 0; row < pairs.size(); ++row) {
    double log_ratio = 0, variance = 0;
    for (const auto& [column, sign] : {std::pair{"n11", 1.0}, {"n00", 1.0}, {"n10", -1.0}, {"n01", -1.0}}) {
      const auto n = static_cast<double>(pairs.whole(column, row));
      log_ratio += sign * std::log(n);
      variance += 1 / n;
    }
    EXPECT_NEAR(std::log(pairs.real("odds_ratio", row)), log_ratio, 1e-12) << row;
    if (std::isinf(variance)) continue;
    // R: qnorm(0.95)
    const double half_width = 1.64485362695147 * std::sqrt(variance);
    EXPECT_NEAR(std::log(pairs.real("or_lower", row)), log_ratio - half_width, 1e-12) << row;
    EXPECT_NEAR(std::log(pairs.real("or_upper", row)), log_ratio + half_width, 1e-12) << row;
    // the conditional estimate lies nearer 1
    const double shrunk = std::log(exact.real("odds_ratio", row));
    EXPECT_LT(std::abs(shrunk), std::abs(log_ratio)) << row;
    EXPECT_LT(std::abs(shrunk - log_ratio), 0.05) << row;
  }
}

TEST_F(InteractionScreenReport, AllPairsStandInTheOrderOfTheirP) {
  const auto results = run(flagged, "report = \"all\"\n");
  const Rows pairs(results, "pairs");
  for (Index row = 1; row < pairs.size(); ++row)
    EXPECT_GE(pairs.real("log10_p", row), pairs.real("log10_p", row - 1)) << row;
}

TEST_F(InteractionScreenReport, ByQByPAndTopKeepTheFirstRowsOfAllPairs) {
  const auto all = run(flagged, "report = \"all\"\n");
  const auto order = names(all);
  const auto log10_p = by_pair(all, "log10_p"), q = by_pair(all, "q");
  const auto first_of = [&](const auto& keep) {
    std::vector<std::string> kept;
    std::copy_if(order.begin(), order.end(), std::back_inserter(kept), keep);
    return kept;
  };
  const auto by_q = first_of([&](const auto&name) { return q.at(name) <= 0.3; }),
             by_p = first_of([&](const auto&name) { return std::pow(10, log10_p.at(name)) <= 0.2; });
  EXPECT_GT(by_q.size(), 0u);
  EXPECT_GT(by_p.size(), by_q.size());
  EXPECT_EQ(names(run(flagged, "report_q = 0.3\n")), by_q);
  EXPECT_EQ(names(run(flagged, "report = \"p\"\nreport_p = 0.2\n")), by_p);
  EXPECT_EQ(names(run(flagged, "report = \"top\"\nreport_top = 7\n")),
            std::vector<std::string>(order.begin(), order.begin() + 7));
  EXPECT_EQ(names(run(flagged, "report = \"top\"\nreport_top = 1000\n")), order);
}

TEST_F(InteractionScreenReport, APairIsReportedForItsInteractionToo) {
  const auto all = run(everything, "report = \"all\"\n"), some = run(everything, "report_q = 0.1\n");
  const auto q = by_pair(all, "q"), lrt_q = by_pair(all, "lrt_q");
  const auto expected_q = q_of(by_pair(all, "lrt_log10_p"));
  std::set<std::string> expected;
  for (const auto& [name, value] : q)
    if (value <= 0.1 || lrt_q.at(name) <= 0.1) expected.insert(name);
  const auto found = names(some);
  EXPECT_EQ(std::set<std::string>(found.begin(), found.end()), expected);
  EXPECT_LE(lrt_q.at("CEBPA × FLT3"), 0.1);
  EXPECT_GT(q.at("CEBPA × FLT3"), 0.1) << "reported for its outcome alone";
  for (const auto& [name, value] : expected_q) EXPECT_NEAR(lrt_q.at(name), value, 1e-12) << name;
  // the same numbers whatever is reported
  const auto some_q = by_pair(some, "q"), some_p = by_pair(some, "lrt_log10_p");
  for (const auto& name : found) {
    EXPECT_EQ(some_q.at(name), q.at(name)) << name;
    EXPECT_EQ(some_p.at(name), by_pair(all, "lrt_log10_p").at(name)) << name;
  }
}

TEST_F(InteractionScreenReport, SummaryCountsWhatTheTablesShow) {
  const auto results = run(everything, "report = \"all\"\nmin_both = 8\n");
  const Rows pairs(results, "pairs");
  Index n_few = 0, n_tested = 0;
  for (Index row = 0; row < pairs.size(); ++row) {
    n_few += pairs.whole("n11", row) < 8 ? 1 : 0;
    n_tested += std::isnan(pairs.real("lrt_log10_p", row)) ? 0 : 1;
    if (pairs.whole("n11", row) < 8) {
      EXPECT_EQ(pairs.text("method", row), "not asked: fewer than min_both carry both");
    }
  }
  EXPECT_GT(n_few, 0);
  EXPECT_EQ(number(results, "pairs"), 36);
  EXPECT_EQ(number(results, "pairs_reported"), 36);
  EXPECT_EQ(number(results, "interaction_few_double_carriers"), static_cast<double>(n_few));
  EXPECT_EQ(number(results, "interaction_tested"), static_cast<double>(n_tested));
  EXPECT_EQ(number(results, "interaction_tested") + number(results, "interaction_not_fitted"),
            static_cast<double>(36 - n_few));
}

}  // namespace
}  // namespace chorale::jobs
