// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "jobs/simulate/simulate.hpp"
#include "tests/io/temporary_folder.hpp"
#include "tests/jobs/job_runs.hpp"

namespace chorale::jobs {
namespace {

TEST(PrognosisExample, RunsOnTheDefaultCohortAndFindsWhatIsPlanted) {
  const TemporaryFolder folder;
  const std::vector<std::string> fewer{"patients=12000", "genes=120"};
  const auto comm = engine::solo_comm();
  simulate(load_simulate_spec(CHORALE_SOURCE_DIR "/jobs/simulate/default.toml", fewer), *comm,
           folder / "cohort");
  const std::vector<std::string> settings{"cohort=" + (folder / "cohort").string(),
                                          "output=" + (folder / "out").string(), "prognosis.replicates=20"};
  const auto results =
      run_alone(io::load_config(CHORALE_SOURCE_DIR "/jobs/prognosis/example.toml", settings));

  // both are planted as strong effects in adult AML
  const Rows terms(results, "coefficients"), performance(results, "performance");
  EXPECT_GT(terms.real("log_hazard", terms.find({{"term", "AGE"}})), 0);
  EXPECT_GT(terms.real("log_hazard", terms.find({{"term", "TP53"}})), 0.2);
  EXPECT_GT(terms.real("selected", terms.find({{"term", "TP53"}})), 0.9);
  EXPECT_GT(performance.real("corrected", performance.find({{"measure", "harrell_c"}})), 0.6);
  EXPECT_TRUE(io::is_done(folder / "out"));
}

}  // namespace
}  // namespace chorale::jobs
