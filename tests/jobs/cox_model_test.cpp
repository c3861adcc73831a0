// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "engine/load.hpp"
#include "kernels/error.hpp"
#include "tests/io/temporary_folder.hpp"
#include "tests/jobs/job_runs.hpp"
#include "tests/jobs/small_cohort.hpp"

namespace chorale::jobs {
namespace {

SmallCohort observed_from_the_start() {
  SmallCohort cohort = drawn_patients();
  for (auto& patient : cohort.patients) patient.entry = 0;
  return cohort;
}

class CoxModelOnDrawnPatients : public testing::Test {
 protected:
  io::Results run(const std::string& patients, const std::string& outcome = "strata = [\"TRIAL\"]") const {
    return run_alone("job = \"cox_model\"\ncohort = \"" + (folder_ / "cohort").string() + "\"\noutput = \"" +
                     (folder_ / ("out-" + patients)).string() +
                     "\"\n[outcome]\nendpoint = \"OS\"\ncovariates = [\"AGE\", \"FLAG\"]\n" + outcome +
                     "\n[cox_model]\npatients = \"" + patients + "\"\n");
  }
  TemporaryFolder folder_;
};

TEST_F(CoxModelOnDrawnPatients, ByTimeIsReplicated) {
  observed_from_the_start().write(folder_ / "cohort");
  for (const char* outcome : {"", "strata = [\"TRIAL\"]", "weight = \"WEIGHT\"\nties = \"breslow\"",
                              "weight = \"WEIGHT\"\nstrata = [\"TRIAL\", \"PANEL\"]"}) {
    const auto by_time = run("by_time", outcome), replicated = run("replicated", outcome);
    for (const char* name : {"patients", "events", "loglik_null", "loglik", "score_chi2", "df"}) {
      const double expected = number(replicated, name);
      EXPECT_NEAR(number(by_time, name), expected, 1e-10 * (1 + std::abs(expected))) << name << outcome;
    }
    const Rows ours(by_time, "coefficients"), theirs(replicated, "coefficients");
    ASSERT_EQ(ours.size(), 2);
    ASSERT_EQ(theirs.size(), 2);
    for (Index row = 0; row < 2; ++row)
      for (const char* column : {"log_hazard", "se", "lower", "upper", "z", "log10_p"})
        EXPECT_NEAR(ours.real(column, row), theirs.real(column, row), 1e-10) << column << outcome;
    const Rows left(by_time, "attrition"), expected(replicated, "attrition");
    ASSERT_EQ(left.size(), expected.size());
    for (Index row = 0; row < left.size(); ++row) {
      EXPECT_EQ(left.text("reason", row), expected.text("reason", row));
      EXPECT_EQ(left.whole("left", row), expected.whole("left", row)) << left.text("reason", row);
    }
  }
}

TEST_F(CoxModelOnDrawnPatients, RefusesWhoEntersLateByTimeAlone) {
  drawn_patients().write(folder_ / "cohort");
  EXPECT_THROW(run("by_time"), InputError);
  EXPECT_GT(number(run("replicated"), "events"), 0);
}

TEST_F(CoxModelOnDrawnPatients, NeedsCovariatesAndEvents) {
  SmallCohort cohort = observed_from_the_start();
  for (auto& patient : cohort.patients) patient.event = 0;
  cohort.write(folder_ / "cohort");
  EXPECT_THROW(run("by_time"), InputError);
  EXPECT_THROW(
      run_alone("job = \"cox_model\"\ncohort = \"" + (folder_ / "cohort").string() + "\"\noutput = \"" +
                (folder_ / "out").string() + "\"\n[outcome]\nendpoint = \"OS\"\n"),
      ConfigError);
}

/// Patients with the same end are in one block, and blocks follow each other in time.
TEST_F(CoxModelOnDrawnPatients, BlocksHoldRangesOfTimeAndEveryPatientOnce) {
  observed_from_the_start().write(folder_ / "cohort");
  const auto config =
      io::parse_config("job = \"cox_model\"\ncohort = \"" + (folder_ / "cohort").string() +
                           "\"\noutput = \"x\"\n[outcome]\nendpoint = \"OS\"\ncovariates = [\"AGE\"]\n",
                       "test.toml");
  const auto comm = engine::solo_comm();
  const auto job = engine::prepare(config, registry(), comm.get());
  engine::Columns columns{.fields = {"AGE"}, .endpoint = "OS", .alterations = true, .variants = false};
  const engine::Reading reading{job.catalogue, *job.selection, job.features, columns};
  const engine::Cohort all = engine::load_replicated(reading, *comm);
  double ages = 0;
  for (const double age : all.numbers("AGE")) ages += std::isnan(age) ? 0 : age;
  std::size_t carried = 0;
  for (Index f = 0; f < all.n_features(); ++f) carried += all.carriers(f).size() + all.untested(f).size();

  const engine::TimeSlice slice = engine::load_by_time(reading, *comm, 7);
  EXPECT_EQ(slice.n_blocks(), 7);
  ASSERT_EQ(slice.blocks().size(), 7U);
  Index n = 0, most = 0;
  double before = -1, ages_of_blocks = 0;
  std::size_t carried_of_blocks = 0;
  for (const engine::Cohort& block : slice.blocks()) {
    double last = before;
    for (const double time : block.survival().time) {
      if (std::isnan(time)) continue;
      EXPECT_GT(time, before);
      last = std::max(last, time);
    }
    before = last;
    n += block.n_patients();
    most = std::max(most, block.n_patients());
    for (const double age : block.numbers("AGE")) ages_of_blocks += std::isnan(age) ? 0 : age;
    for (Index f = 0; f < block.n_features(); ++f)
      carried_of_blocks += block.carriers(f).size() + block.untested(f).size();
  }
  EXPECT_EQ(n, all.n_patients());
  EXPECT_LT(most, 2 * n / 7);
  EXPECT_EQ(ages_of_blocks, ages);  // whole numbers
  EXPECT_EQ(carried_of_blocks, carried);
  EXPECT_EQ(slice.ledger().n_start, all.n_patients());
}

}  // namespace
}  // namespace chorale::jobs
