// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <map>
#include <string>

#include "io/pieces.hpp"
#include "kernels/multiplicity.hpp"
#include "kernels/pair_cox.hpp"
#include "tests/jobs/interaction_screen_runs.hpp"

namespace chorale::jobs {
namespace {

void expect_cells(const Rows& table, Index row, const std::vector<Index>& cells) {
  EXPECT_EQ(table.whole("n11", row), cells[3]) << row;
  EXPECT_EQ(table.whole("n10", row), cells[1]) << row;
  EXPECT_EQ(table.whole("n01", row), cells[2]) << row;
  EXPECT_EQ(table.whole("n00", row), cells[0]) << row;
}

TEST_F(InteractionScreenTest, CellsOfAPairAreACountOfThePatientsTestedForBoth) {
  const auto results = run(flagged, "report = \"all\"\nstratify = [\"TRIAL\"]\n");
  const Rows pairs(results, "pairs"), strata(results, "pair_strata");
  ASSERT_EQ(pairs.size(), 36);  // 9 · 8 / 2
  for (Index row = 0; row < pairs.size(); ++row) {
    const std::string a = pairs.text("feature_a", row), b = pairs.text("feature_b", row);
    ASSERT_LT(feature(a), feature(b));
    const auto cells = count({feature(a), feature(b)});
    expect_cells(pairs, row, cells);
    EXPECT_EQ(pairs.whole("tested", row), cells[0] + cells[1] + cells[2] + cells[3]);
    for (const std::int32_t trial : {0, 1}) {
      const Index own =
          strata.find({{"feature_a", a}, {"feature_b", b}, {"stratum", trial == 0 ? "X" : "Y"}});
      expect_cells(strata, own, count({feature(a), feature(b)}, [&](const auto& patient) {
                     return patient.trial == trial;
                   }));
    }
  }
}

TEST_F(InteractionScreenTest, FeaturesHaveTheirOwnCarriersAndTested) {
  const auto results = run(flagged, "");
  const Rows features(results, "features");
  ASSERT_EQ(features.size(), 9);
  for (Index f = 0; f < 9; ++f) {
    const auto cells = count({f});
    EXPECT_EQ(features.whole("carriers", f), cells[1]) << f;
    EXPECT_EQ(features.whole("tested", f), cells[0] + cells[1]) << f;
  }
}

/// The complete table as it lies on the disk, a row by the names of its two features.
class AllPairs {
 public:
  AllPairs(const std::filesystem::path& output, const Rows& features) : pieces_(output) {
    for (Index number = 0; number < pieces_.tables().at("all_pairs"); ++number) {
      const io::ResultTable piece = pieces_.read("all_pairs", number);
      const auto a = whole(piece, "feature_a"), b = whole(piece, "feature_b");
      for (std::size_t row = 0; row < a.size(); ++row)
        at_[{features.text("feature", a[row]), features.text("feature", b[row])}] = {pieces.size(), row};
      pieces.push_back(piece);
    }
  }
  std::size_t size() const { return at_.size(); }
  std::int64_t whole(const std::string& column, const std::string& a, const std::string& b) const {
    const auto [piece, row] = at_.at({a, b});
    return whole(pieces[piece], column)[row];
  }
  double real(const std::string& column, const std::string& a, const std::string& b) const {
    const auto [piece, row] = at_.at({a, b});
    return std::get<std::vector<double>>(pieces[piece].find(column)->values)[row];
  }
  std::vector<double> reals(const std::string& column) const {
    std::vector<double> all;
    for (const auto& piece : pieces) {
      const auto& own = std::get<std::vector<double>>(piece.find(column)->values);
      all.insert(all.end(), own.begin(), own.end());
    }
    return all;
  }
  std::vector<io::ResultTable> pieces;

 private:
  static std::vector<std::int64_t> whole(const io::ResultTable& piece, const std::string& column) {
    return std::visit(
        [](const auto& values) -> std::vector<std::int64_t> {
          if constexpr (std::is_integral_v<typename std::decay_t<decltype(values)>::value_type>)
            return {values.begin(), values.end()};
          else
            return {};
        },
        piece.find(column)->values);
  }

  io::Pieces pieces_;
  std::map<std::pair<std::string, std::string>, std::pair<std::size_t, std::size_t>> at_;
};

void expect_same(double found, double expected, const std::string& where) {
  if (std::isnan(expected))
    EXPECT_TRUE(std::isnan(found)) << where << ": " << found;
  else if (std::isinf(expected) || expected == 0)
    EXPECT_EQ(found, expected) << where;
  else
    EXPECT_NEAR(found, expected, 1e-12 * std::abs(expected)) << where;
}

TEST_F(InteractionScreenTest, TheCompleteTableAgreesWithThePairTable) {
  const auto results =
      run(everything,
          "report = \"all\"\ncomplete_table = true\nmin_both = 8\nlargest_set = 2\nstratify = [\"TRIAL\"]\n"
          "tests = [\"mid_p\", \"cmh\", \"burden\"]\n");
  const Rows pairs(results, "pairs"), features(results, "features");
  const AllPairs all(folder_ / "out", features);
  ASSERT_EQ(all.size(), 36u);
  for (Index row = 0; row < pairs.size(); ++row) {
    const std::string a = pairs.text("feature_a", row), b = pairs.text("feature_b", row);
    const std::string where = a + " × " + b;
    for (const char* column : {"tested", "n11", "n10", "n01", "n00"})
      EXPECT_EQ(all.whole(column, a, b), pairs.whole(column, row)) << where << ", " << column;
    for (const char* column :
         {"odds_ratio", "or_lower", "or_upper", "log10_p", "cmh_log10_p", "burden_log10_p"})
      expect_same(all.real(column, a, b), pairs.real(column, row), where + ", " + column);
    expect_same(std::pow(10, all.real("log10_q", a, b)), pairs.real("q", row), where + ", q");
    expect_same(std::pow(10, all.real("cmh_log10_q", a, b)), pairs.real("cmh_q", row), where + ", cmh_q");
    // the complete table has the screen's fit, the pair table names its p beside the full fit
    expect_same(all.real("lrt_log10_p", a, b), pairs.real("screen_log10_p", row), where + ", screen");
  }
  for (Index row = 0; row < pairs.size(); ++row) {
    const std::string a = pairs.text("feature_a", row), b = pairs.text("feature_b", row);
    const auto verdict = all.whole("verdict", a, b);
    EXPECT_EQ(verdict == -1, pairs.whole("n11", row) < 8) << a << " × " << b;
    EXPECT_EQ(std::isnan(all.real("lrt_log10_p", a, b)), verdict != 0 && verdict != 4) << a << " × " << b;
  }
  auto log10_p = all.reals("lrt_log10_p");
  kernels::benjamini_hochberg(log10_p, log10_p);
  const auto log10_q = all.reals("lrt_log10_q");
  for (std::size_t k = 0; k < log10_q.size(); ++k) expect_same(log10_q[k], log10_p[k], "lrt_log10_q");
}

TEST_F(InteractionScreenTest, AFitIsThatOfThePatientsTestedForBothWithWeightsStrataAndLateEntry) {
  const auto results = run(everything, "report = \"all\"\nmin_both = 1\n");
  const Rows pairs(results, "pairs"), groups(results, "pair_groups");
  std::vector<double> entry, time, weight, age;
  std::vector<std::int8_t> event;
  std::vector<std::int32_t> trial;
  for (const auto& patient : cohort_.patients) {
    entry.push_back(patient.entry);
    time.push_back(patient.time);
    event.push_back(patient.event);
    weight.push_back(patient.weight);
    trial.push_back(patient.trial);
    age.push_back(patient.age);
  }
  const auto timeline = kernels::make_timeline(
      {.entry = entry, .time = time, .event = event, .weight = weight, .stratum = trial});
  int n_converged = 0;
  for (Index row = 0; row < pairs.size(); ++row) {
    const Index a = feature(pairs.text("feature_a", row)), b = feature(pairs.text("feature_b", row));
    std::vector<std::uint8_t> tested;
    std::vector<std::vector<std::int32_t>> carriers(2);
    Index n_analysed = 0, n_events = 0;
    for (std::size_t i = 0; i < cohort_.patients.size(); ++i) {
      const auto& patient = cohort_.patients[i];
      tested.push_back(cohort_.tested(a, patient) && cohort_.tested(b, patient) ? 1 : 0);
      if (cohort_.carries(a, patient)) carriers[0].push_back(static_cast<std::int32_t>(i));
      if (cohort_.carries(b, patient)) carriers[1].push_back(static_cast<std::int32_t>(i));
      const bool analysed = tested.back() != 0 && !std::isnan(patient.time) && patient.entry < patient.time &&
                            patient.trial >= 0 && !std::isnan(patient.weight) && !std::isnan(patient.age);
      n_analysed += analysed ? 1 : 0;
      n_events += analysed && patient.event == 1 ? 1 : 0;
    }
    EXPECT_EQ(pairs.whole("n_analysed", row), n_analysed);
    EXPECT_EQ(pairs.whole("events", row), n_events);
    const auto design =
        kernels::make_cox_design(timeline, {.values = age, .n_columns = 1, .offset = {}}, tested);
    const std::vector<std::span<const std::int32_t>> lists(carriers.begin(), carriers.end());
    const kernels::FeaturePair pair{0, 1};
    kernels::PairCoxFit fit;
    kernels::pair_cox_full(design, kernels::cox_fit(design), lists, {&pair, 1}, kernels::Ties::efron,
                           {&fit, 1});
    if (fit.verdict != kernels::PairVerdict::converged) continue;
    ++n_converged;
    EXPECT_EQ(pairs.text("method", row), "cox, efron");
    EXPECT_NEAR(pairs.real("log_hazard_a", row), fit.a, 1e-9);
    EXPECT_NEAR(pairs.real("log_hazard_b", row), fit.b, 1e-9);
    EXPECT_NEAR(pairs.real("log_hazard_ab", row), fit.ab, 1e-9);
    EXPECT_NEAR(pairs.real("se_ab", row), fit.se_ab, 1e-9);
    EXPECT_NEAR(pairs.real("lrt_chi2", row), fit.lrt_chi2, 1e-9);
  }
  EXPECT_GT(n_converged, 20);
}

TEST_F(InteractionScreenTest, AGroupWithoutEventsGetsFirthsEstimateAndSaysSo) {
  const auto results = run("[outcome]\nendpoint = \"OS\"\n", "report = \"all\"\n");
  const Rows pairs(results, "pairs"), groups(results, "pair_groups");
  const Index row = pairs.find({{"feature_a", "CEBPA"}, {"feature_b", "FLT3"}});
  EXPECT_GE(pairs.whole("n11", row), 5);
  EXPECT_EQ(
      groups.whole("events", groups.find({{"feature_a", "CEBPA"}, {"feature_b", "FLT3"}, {"group", "both"}})),
      0);
  EXPECT_EQ(pairs.text("method", row), "firth, as a group has no event");
  EXPECT_LT(pairs.real("log_hazard_ab", row), -1);
  EXPECT_TRUE(std::isfinite(pairs.real("se_ab", row)));
  EXPECT_LT(pairs.real("lrt_log10_p", row), -4);
}

TEST_F(InteractionScreenTest, FourGroupsAreThePatientsOfAPair) {
  const auto results = run("[outcome]\nendpoint = \"OS\"\n", "report = \"all\"\n");
  const Rows groups(results, "pair_groups");
  const std::map<std::string, std::size_t> cell{{"neither", 0}, {"a only", 1}, {"b only", 2}, {"both", 3}};
  const auto in_model = [](const auto& patient) {
    return !std::isnan(patient.time) && patient.entry < patient.time;
  };
  for (Index row = 0; row < groups.size(); ++row) {
    const std::vector<Index> both{feature(groups.text("feature_a", row)),
                                  feature(groups.text("feature_b", row))};
    const std::size_t group = cell.at(groups.text("group", row));
    EXPECT_EQ(groups.whole("n_analysed", row), count(both, in_model)[group]) << row;
    EXPECT_EQ(
        groups.whole("events", row),
        count(both, [&](const auto& patient) { return in_model(patient) && patient.event == 1; })[group])
        << row;
  }
}

/// "n101": the first and the third feature are carried.
std::string cell_name(std::size_t cell, std::size_t order) {
  std::string name = "n";
  for (std::size_t j = 0; j < order; ++j) name += (cell >> j & 1) != 0 ? '1' : '0';
  return name;
}

TEST_F(InteractionScreenTest, CellsOfTriplesAndSetsOfFourAreACountOfThePatientsTestedForAll) {
  const auto results = run(flagged, "largest_set = 4\nmin_carriers_of_set = 3\n");
  for (const std::size_t order : {3u, 4u}) {
    const Rows sets(results, order == 3 ? "triples" : "quadruples");
    Index n_expected = 0;
    for (std::uint32_t members = 0; members < 1u << 9; ++members) {
      if (std::popcount(members) != static_cast<int>(order)) continue;
      std::vector<Index> features;
      for (Index f = 0; f < 9; ++f)
        if ((members >> f & 1) != 0) features.push_back(f);
      n_expected += count(features).back() >= 3 ? 1 : 0;
    }
    EXPECT_GT(n_expected, 3);
    ASSERT_EQ(sets.size(), n_expected);
    EXPECT_EQ(number(results, order == 3 ? "triples_found" : "quadruples_found"),
              static_cast<double>(n_expected));
    for (Index row = 0; row < sets.size(); ++row) {
      std::vector<Index> features;
      for (std::size_t j = 0; j < order; ++j)
        features.push_back(feature(sets.text(std::string("feature_") + "abcd"[j], row)));
      const auto cells = count(features);
      Index n_tested = 0;
      for (std::size_t cell = 0; cell < cells.size(); ++cell) {
        EXPECT_EQ(sets.whole(cell_name(cell, order), row), cells[cell]) << row;
        n_tested += cells[cell];
      }
      EXPECT_EQ(sets.whole("tested", row), n_tested);
    }
  }
}

TEST_F(InteractionScreenTest, MostSetsKeepsThoseThatMostPatientsCarry) {
  const auto all = run(flagged, "min_carriers_of_set = 1\n"),
             few = run(flagged, "min_carriers_of_set = 1\nmost_sets = 7\n");
  const Rows every(all, "triples"), kept(few, "triples");
  ASSERT_EQ(kept.size(), 7);
  std::vector<Index> carriers, kept_carriers;
  for (Index row = 0; row < every.size(); ++row) carriers.push_back(every.whole("n111", row));
  for (Index row = 0; row < kept.size(); ++row) kept_carriers.push_back(kept.whole("n111", row));
  std::sort(carriers.rbegin(), carriers.rend());
  std::sort(kept_carriers.rbegin(), kept_carriers.rend());
  carriers.resize(7);
  EXPECT_EQ(kept_carriers, carriers);
  EXPECT_EQ(number(few, "triples_found"), number(all, "triples_found"));
}

TEST_F(InteractionScreenTest, AttritionNamesWhoLeavesTheOutcome) {
  const auto results = run(everything, "");
  const Rows ledger(results, "attrition");
  Index n_missing = 0;
  for (const auto& patient : cohort_.patients) n_missing += std::isnan(patient.time) ? 1 : 0;
  EXPECT_EQ(ledger.whole("left", ledger.find({{"reason", "time or status missing"}})), n_missing);
  EXPECT_NO_THROW(ledger.find({{"reason", "weight missing or 0"}}));
  EXPECT_NO_THROW(ledger.find({{"reason", "entry not before the end of follow-up"}}));
  EXPECT_NO_THROW(ledger.find({{"reason", "stratum missing"}}));
  EXPECT_NO_THROW(ledger.find({{"reason", "covariate missing"}}));
}

}  // namespace
}  // namespace chorale::jobs
