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

TEST(MutationLandscapeExample, RunsOnTheDefaultCohortAndLooksFamiliar) {
  const TemporaryFolder folder;
  const std::vector<std::string> fewer{"patients=6000", "genes=150"};
  const auto comm = engine::solo_comm();
  simulate(load_simulate_spec(CHORALE_SOURCE_DIR "/jobs/simulate/default.toml", fewer), *comm,
           folder / "cohort");
  const std::vector<std::string> places{"cohort=" + (folder / "cohort").string(),
                                        "output=" + (folder / "out").string()};
  const auto results =
      run_alone(io::load_config(CHORALE_SOURCE_DIR "/jobs/mutation_landscape/example.toml", places));

  const Rows features(results, "features");
  const Index npm1 = features.find({{"feature", "NPM1"}, {"group", "AML"}});
  // planted at 28 % of adult AML; about 1,000 such patients give a standard error of 1.4 %
  EXPECT_NEAR(features.real("frequency", npm1), 0.28, 0.06);
  const Index tp53 = features.find({{"feature", "TP53"}, {"group", "all"}});
  EXPECT_GT(features.real("adj_log_hazard", tp53), 0.3);  // adverse in every entity that lists it
  EXPECT_LT(features.real("adj_log10_p", tp53), -3);
  EXPECT_TRUE(io::is_done(folder / "out"));
}

}  // namespace
}  // namespace chorale::jobs
