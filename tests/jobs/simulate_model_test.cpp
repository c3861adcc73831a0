// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <string>
#include <vector>

#include "jobs/simulate/model.hpp"
#include "jobs/simulate/shard_data.hpp"

namespace chorale::jobs {
namespace {

/// One disease with a constant hazard, so that events per year of follow-up estimate it.
constexpr const char* constant_hazard = R"(
genes = 2
follow_up_years = 20
sites = [{ name = "S", panels = ["P"] }]
panels = [{ name = "P", genes = ["A"] }]
[[entities]]
name = "X"
os_at_5_years = 0.4
efs_at_5_years = 0.25
alterations = [
  { name = "A", frequency = 0.4, hazard_ratio = 2 },
  { name = "B", frequency = 0.5, hazard_ratio = 0.8 },
]
interactions = [{ a = "A", b = "B", hazard_ratio = 1.5 }]
shifts = [{ alteration = "A", field = "AGE", by = 10 }]
[[fields]]
name = "AGE"
digits = 3
values = [{ mean = 60, sd = 5 }]
[[fields]]
name = "NEVER"
missing = 0
values = [{ mean = 1, sd = 1 }]
[[fields]]
name = "OFTEN"
missing = 0.3
values = [{ mean = 1, sd = 1 }]
)";

std::vector<SimulatedPatient> patients_of(const CohortModel& model, Index n) {
  std::vector<SimulatedPatient> patients(static_cast<std::size_t>(n));
  draw_patients(model, 0, patients);
  return patients;
}

class ConstantHazard : public ::testing::Test {
 protected:
  static const CohortModel& model() {
    static const CohortModel m(parse_simulate_spec(constant_hazard, "spec.toml"));
    return m;
  }
  static const std::vector<SimulatedPatient>& patients() {
    static const auto p = patients_of(model(), 100000);
    return p;
  }
  /// log(events / days) of those who carry A and B as asked, and its variance 1 / events.
  static std::pair<double, double> log_rate(int a, int b, SimulatedOutcome SimulatedPatient::*outcome) {
    double events = 0;
    double days = 0;
    for (const auto& patient : patients()) {
      if (patient.carried[0] != a || patient.carried[1] != b) continue;
      events += (patient.*outcome).event;
      // the day of the event is rounded up: half a day too long on average
      days += static_cast<double>((patient.*outcome).days) - 0.5;
    }
    return {std::log(events / days), 1 / events};
  }
  static double mean(Index field, int a) {
    double sum = 0;
    double n = 0;
    for (const auto& patient : patients())
      if (a < 0 || patient.carried[0] == a) sum += patient.values[static_cast<std::size_t>(field)], ++n;
    return sum / n;
  }
};

TEST_F(ConstantHazard, PlantedMainEffectsAndInteractionsAreThere) {
  for (const auto outcome : {&SimulatedPatient::os, &SimulatedPatient::efs}) {
    const auto [r00, v00] = log_rate(0, 0, outcome);
    const auto [r10, v10] = log_rate(1, 0, outcome);
    const auto [r01, v01] = log_rate(0, 1, outcome);
    const auto [r11, v11] = log_rate(1, 1, outcome);
    EXPECT_NEAR(r10 - r00, std::log(2), 5 * std::sqrt(v10 + v00));
    EXPECT_NEAR(r01 - r00, std::log(0.8), 5 * std::sqrt(v01 + v00));
    EXPECT_NEAR(r11 - r10 - r01 + r00, std::log(1.5), 5 * std::sqrt(v11 + v10 + v01 + v00));
  }
}

TEST_F(ConstantHazard, FiveYearSurvivalIsWhatTheSpecSays) {
  // nobody is censored before year 20, so the share alive after five years needs no Kaplan-Meier
  double alive = 0;
  double well = 0;
  for (const auto& patient : patients()) {
    alive += static_cast<double>(patient.os.days) > 5 * 365.25;
    well += static_cast<double>(patient.efs.days) > 5 * 365.25;
  }
  // five standard errors: 5 √(0.4 · 0.6 / 100000) = 0.008 here, and about as much from the 4096 calibration patients
  EXPECT_NEAR(alive / 100000, 0.4, 0.012);
  EXPECT_NEAR(well / 100000, 0.25, 0.012);
}

TEST_F(ConstantHazard, TimesAreWholeDaysWithTiesAndEfsNeverOutlivesOs) {
  std::set<Index> distinct;
  for (const auto& patient : patients()) {
    ASSERT_GE(patient.efs.days, 1);
    ASSERT_LE(patient.efs.days, patient.os.days);
    ASSERT_GE(patient.efs.event, patient.os.event);
    distinct.insert(patient.os.days);
  }
  // thirty years have 10958 days
  EXPECT_LE(distinct.size(), 10958u);
  EXPECT_GT(distinct.size(), 5000u);
}

TEST_F(ConstantHazard, CarriersAreOlderAndTheMeanAgeStays) {
  const Index age = model().catalogue().field_index("AGE");
  // 5 standard errors of a mean of ≥ 40000 ages with standard deviation 5 within a group: 0.13
  EXPECT_NEAR(mean(age, 1) - mean(age, 0), 10, 0.2);
  EXPECT_NEAR(mean(age, -1), 60, 0.13);
}

TEST_F(ConstantHazard, MissingSharesAreKept) {
  const auto share = [](const char* field) {
    const auto f = static_cast<std::size_t>(model().catalogue().field_index(field));
    const auto n = std::count_if(patients().begin(), patients().end(),
                                 [f](const auto& patient) { return std::isnan(patient.values[f]); });
    return static_cast<double>(n) / 100000;
  };
  EXPECT_EQ(share("NEVER"), 0);
  EXPECT_NEAR(share("OFTEN"), 0.3, 0.0073);  // 5 √(0.3 · 0.7 / 100000)
}

TEST_F(ConstantHazard, OnlyTestedGenesHaveVariants) {
  const Index a = model().catalogue().gene_index("A");
  for (const auto& patient : patients()) {
    // B is not on the panel; A is, and every carrier shows it
    ASSERT_EQ(patient.variants.size(), patient.carried[0]);
    for (const auto& variant : patient.variants) ASSERT_EQ(variant.gene, a);
  }
}

TEST_F(ConstantHazard, APatientDoesNotDependOnThoseBeside) {
  SimulatedPatient alone;
  for (const Index i : {Index{0}, Index{4711}, Index{99999}}) {
    model().draw(i, alone);
    const SimulatedPatient& among = patients()[static_cast<std::size_t>(i)];
    EXPECT_EQ(alone.carried, among.carried);
    EXPECT_EQ(alone.os.days, among.os.days);
    EXPECT_EQ(alone.values[0], among.values[0]);
  }
}

TEST(CohortModel, DefaultSpecReproducesItsFrequencies) {
  const SimulateSpec spec = load_simulate_spec(CHORALE_SOURCE_DIR "/jobs/simulate/default.toml");
  const CohortModel model(spec);
  const auto patients = patients_of(model, spec.patients);
  std::vector<double> n(spec.entities.size(), 0);
  std::vector<std::vector<double>> carriers(spec.entities.size());
  for (const auto& patient : patients) {
    auto& counts = carriers[static_cast<std::size_t>(patient.entity)];
    counts.resize(patient.carried.size(), 0);
    ++n[static_cast<std::size_t>(patient.entity)];
    for (std::size_t j = 0; j < counts.size(); ++j) counts[j] += patient.carried[j];
  }
  ASSERT_EQ(patients.size(), 100000u);
  double worst = 0;
  for (std::size_t e = 0; e < spec.entities.size(); ++e) {
    ASSERT_GT(n[e], 1000) << spec.entities[e].name;
    for (std::size_t j = 0; j < spec.entities[e].alterations.size(); ++j) {
      const double p = spec.entities[e].alterations[j].frequency;
      worst = std::max(worst, std::abs(carriers[e][j] / n[e] - p) / std::sqrt(p * (1 - p) / n[e]));
    }
  }
  // the largest of about 260 standard normal deviations: above 4.5 once in 600 seeds
  EXPECT_LT(worst, 4.5);
}

TEST(CohortModel, DefaultSpecReproducesItsOddsRatios) {
  const SimulateSpec spec = load_simulate_spec(CHORALE_SOURCE_DIR "/jobs/simulate/default.toml");
  const CohortModel model(spec);
  const auto patients = patients_of(model, spec.patients);
  double worst = 0;
  for (std::size_t e = 0; e < spec.entities.size(); ++e) {
    const auto place = [&](const std::string& name) {
      const auto& all = spec.entities[e].alterations;
      return static_cast<std::size_t>(
          std::find_if(all.begin(), all.end(), [&](const auto& a) { return a.name == name; }) - all.begin());
    };
    for (const PairSpec& pair : spec.entities[e].pairs) {
      double count[2][2] = {{0.5, 0.5}, {0.5, 0.5}};  // ½ added, as in Haldane's estimate of an odds ratio
      for (const auto& patient : patients)
        if (static_cast<std::size_t>(patient.entity) == e)
          ++count[patient.carried[place(pair.a)]][patient.carried[place(pair.b)]];
      const double log_odds = std::log(count[1][1] * count[0][0] / (count[1][0] * count[0][1]));
      const double variance = 1 / count[1][1] + 1 / count[1][0] + 1 / count[0][1] + 1 / count[0][0];
      // a handful of double carriers is no normal deviate
      if (count[1][1] < 10) continue;
      worst = std::max(worst, std::abs(log_odds - std::log(pair.odds_ratio)) / std::sqrt(variance));
    }
  }
  EXPECT_LT(worst, 4.5);
}

TEST(CohortModel, WithoutEffectsCarriersLiveAsLongAsOthers) {
  const SimulateSpec spec = load_simulate_spec(CHORALE_SOURCE_DIR "/jobs/simulate/null.toml");
  const CohortModel model(spec);
  for (const auto& patient : patients_of(model, 5000)) ASSERT_EQ(patient.log_hazard, 0);
}

TEST(CohortModel, SitesAndEntitiesHaveTheirShares) {
  const SimulateSpec spec = parse_simulate_spec(R"(
genes = 0
sites = [{ name = "BIG", count = 2, weight = 2 }, { name = "SMALL", entities = ["B"], unprofiled = 1 }]
entities = [{ name = "A", share = 3, group = "G" }, { name = "B", group = "G" }]
)",
                                                "spec.toml");
  const CohortModel model(spec);
  EXPECT_EQ(model.catalogue().sites, (std::vector<std::string>{"BIG-01", "BIG-02", "SMALL"}));
  std::vector<double> site(3, 0);
  std::vector<double> a_at_site(3, 0);
  for (const auto& patient : patients_of(model, 100000)) {
    site[static_cast<std::size_t>(patient.site)] += 1e-5;
    a_at_site[static_cast<std::size_t>(patient.site)] += patient.entity == 0 ? 1e-5 : 0;
    ASSERT_EQ(patient.panel, -1);
  }
  // weights 2, 2/2, 1; five standard errors 5 √(0.5 · 0.5 / 100000) = 0.008
  EXPECT_NEAR(site[0], 0.5, 0.008);
  EXPECT_NEAR(site[1], 0.25, 0.008);
  EXPECT_NEAR(a_at_site[0] / site[0], 0.75, 0.011);
  EXPECT_EQ(a_at_site[2], 0);
}

TEST(ProteinChange, IsWrittenAsPeopleWriteIt) {
  const std::vector<std::string> hotspots{"p.R882H"};
  EXPECT_EQ(ProteinChange::hotspot(0).text(hotspots), "p.R882H");
  // residues ACDEFGHIKLMNPQRSTVWY: 0 is A, 14 is R, 19 is Y
  EXPECT_EQ(ProteinChange::made_up(VariantClass::missense, 14, 882, 0).text(hotspots), "p.R882A");
  EXPECT_EQ(ProteinChange::made_up(VariantClass::nonsense, 19, 60000, 0).text(hotspots), "p.Y60000*");
  EXPECT_EQ(ProteinChange::made_up(VariantClass::frame_shift_ins, 0, 7, 11).text(hotspots), "p.A7fs*12");
  EXPECT_EQ(ProteinChange::made_up(VariantClass::splice_site, 0, 125, 0).text(hotspots), "p.X125_splice");
  EXPECT_EQ(ProteinChange::made_up(VariantClass::silent, 9, 30, 0).text(hotspots), "p.L30=");
  EXPECT_EQ(ProteinChange::made_up(VariantClass::in_frame_del, 8, 45, 0).text(hotspots), "p.K45del");
  EXPECT_EQ(ProteinChange::made_up(VariantClass::in_frame_ins, 8, 45, 0).text(hotspots), "p.K45dup");
}

TEST(ProteinChange, NotationImpliesTheClass) {
  EXPECT_EQ(class_of_notation("p.W288Cfs*12"), VariantClass::frame_shift_ins);
  EXPECT_EQ(class_of_notation("p.R882H"), VariantClass::missense);
  EXPECT_EQ(class_of_notation("p.R693*"), VariantClass::nonsense);
  EXPECT_EQ(class_of_notation("p.F594_D600dup"), VariantClass::in_frame_ins);
  EXPECT_EQ(class_of_notation("p.I836del"), VariantClass::in_frame_del);
  EXPECT_EQ(class_of_notation("p.X125_splice"), VariantClass::splice_site);
}

}  // namespace
}  // namespace chorale::jobs
