// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "kernels/draw.hpp"
#include "tests/io/temporary_folder.hpp"
#include "tests/jobs/job_runs.hpp"
#include "tests/jobs/small_cohort.hpp"

namespace chorale::jobs {
namespace {

constexpr double planted[] = {1.0, -1.0, 0.0};  // log hazards of the first genes; the others have none
constexpr double planted_per_year = 0.04;

/// Genes that a quarter carries each, age, and days that depend on them or on nothing; one in five is censored.
SmallCohort patients_of_a_law(Index n_patients, Index n_genes, bool effects, std::uint64_t seed) {
  SmallCohort cohort;
  for (Index g = 0; g < n_genes; ++g) cohort.genes.push_back("GENE" + std::to_string(100 + g));
  for (Index i = 0; i < n_patients; ++i) {
    kernels::Draws draws(seed, 0, static_cast<std::uint64_t>(i));
    SmallCohort::Patient p;
    double log_hazard = 0;
    for (Index g = 0; g < n_genes; ++g) {
      if (draws.uniform() >= 0.25) continue;
      p.carries.push_back(static_cast<std::int32_t>(g));
      if (g < 3) log_hazard += planted[g];
    }
    p.age = std::floor(30 + 60 * draws.uniform());
    log_hazard += planted_per_year * (p.age - 60);
    p.time = std::ceil(700 * draws.exponential() / (effects ? std::exp(log_hazard) : 1));
    p.event = draws.uniform() < 0.8;
    cohort.patients.push_back(p);
  }
  return cohort;
}

class PrognosisHonestTest : public testing::Test {
 protected:
  io::Results run(const SmallCohort& cohort, const std::string& own) const {
    cohort.write(folder_ / "cohort");
    return run_alone("job = \"prognosis\"\ncohort = \"" + (folder_ / "cohort").string() + "\"\noutput = \"" +
                     (folder_ / "out").string() +
                     "\"\n[outcome]\nendpoint = \"OS\"\ncovariates = [\"AGE\"]\n[prognosis]\n" + own);
  }

  TemporaryFolder folder_;
};

constexpr const char* concordance = "replicates = 200\nmeasures = [\"harrell_c\", \"uno_c\"]\n";

// 29 genes and age, about 240 deaths: a full model of noise has C ≈ 0.5 + 0.27 √(30 / 240) ≈ 0.6, of which the bootstrap
// takes off 1/√2 (a replicate's noise has twice the variance, half of which it shares with the patients)
TEST_F(PrognosisHonestTest, ModelOfNoiseIsWorthACoin) {
  const io::Results results = run(patients_of_a_law(300, 29, false, 1), concordance);
  const Rows table(results, "performance");

  for (const char* measure : {"harrell_c", "uno_c"}) {
    SCOPED_TRACE(measure);
    const Index row = table.find({{"measure", measure}});
    const double se = table.real("se", row);
    EXPECT_GT(table.real("apparent", row), 0.5 + 3 * se);
    EXPECT_NEAR(table.real("corrected", row), 0.5, 3 * se);
    EXPECT_NEAR(table.real("oob", row), 0.5, 3 * se);
    EXPECT_NEAR(table.real("est_632plus", row), 0.5, 3 * se);
    // a replicate's own C lies beyond the apparent one: moved by the optimism alone, its percentiles miss the estimate
    EXPECT_LT(table.real("lower", row), table.real("corrected", row));
    EXPECT_GT(table.real("upper", row), table.real("corrected", row));
  }
  EXPECT_NE(results.summary[1].find(" on patients whom a replicate's model has not seen"), std::string::npos)
      << results.summary[1];
}

TEST_F(PrognosisHonestTest, ElasticNetFindsNothingInNoise) {
  const SmallCohort noise = patients_of_a_law(300, 29, false, 2);
  const io::Results all_terms = run(noise, concordance);
  const Rows plain(all_terms, "performance");
  const io::Results net =
      run(noise, "selection = \"elastic_net\"\nreplicates = 50\nmeasures = [\"harrell_c\"]\n");

  EXPECT_LE(number(net, "n_terms"), 1);
  EXPECT_NEAR(number(net, "harrell_c_corrected"), 0.5,
              3 * plain.real("se", plain.find({{"measure", "harrell_c"}})));
}

TEST_F(PrognosisHonestTest, PlantedEffectsLieInTheIntervals) {
  const io::Results results = run(patients_of_a_law(800, 8, true, 3), concordance);
  const Rows table(results, "coefficients");

  const std::pair<const char*, double> truth[] = {
      {"GENE100", planted[0]}, {"GENE101", planted[1]}, {"AGE", planted_per_year}};
  for (const auto& [term, log_hazard] : truth) {
    SCOPED_TRACE(term);
    const Index row = table.find({{"term", term}});
    for (const std::string kind : {"", "boot_", "bca_"}) {
      const double lower = table.real(kind + "lower", row), upper = table.real(kind + "upper", row);
      EXPECT_LT(lower, log_hazard) << kind;
      EXPECT_GT(upper, log_hazard) << kind;
      EXPECT_GT(lower * upper, 0) << kind << " holds no effect too";
    }
  }
  EXPECT_LT(std::abs(table.real("log_hazard", table.find({{"term", "GENE102"}}))),
            3 * table.real("se", table.find({{"term", "GENE102"}})));
}

TEST_F(PrognosisHonestTest, RiskGroupsKeepToTheConfidence) {
  const io::Results results =
      run(patients_of_a_law(300, 4, true, 4), "replicates = 0\nconfidence = 0.9\nmeasures = []\n");
  const Rows groups(results, "groups");

  ASSERT_EQ(groups.size(), 4);
  // qnorm(0.95) = 1.6448536269514722
  EXPECT_NEAR(std::log(groups.real("hr_upper", 3) / groups.real("hazard_ratio", 3)),
              1.6448536269514722 * groups.real("se", 3), 1e-12);
  EXPECT_NEAR(std::log(groups.real("hazard_ratio", 3) / groups.real("hr_lower", 3)),
              1.6448536269514722 * groups.real("se", 3), 1e-12);
}

}  // namespace
}  // namespace chorale::jobs
