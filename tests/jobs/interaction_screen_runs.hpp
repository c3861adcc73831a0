// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "tests/io/temporary_folder.hpp"
#include "tests/jobs/job_runs.hpp"
#include "tests/jobs/small_cohort.hpp"

namespace chorale::jobs {

inline constexpr const char* flagged = "[features]\nfields = [\"FLAG\"]\n";
inline constexpr const char* everything =
    "[features]\nfields = [\"FLAG\"]\n[outcome]\nendpoint = \"OS\"\ncovariates = [\"AGE\"]\nstrata = "
    "[\"TRIAL\"]\nweight = \"WEIGHT\"\n";

/// Runs of the interaction screen on the drawn patients, or on those of a test.
class InteractionScreenTest : public testing::Test {
 protected:
  void SetUp() override { cohort_.write(folder_ / "cohort"); }

  io::Results run(const std::string& shared_tables, const std::string& own) const {
    return run_alone("job = \"interaction_screen\"\ncohort = \"" + (folder_ / "cohort").string() +
                     "\"\noutput = \"" + (folder_ / "out").string() + "\"\n" + shared_tables +
                     "[interaction_screen]\n" + own);
  }

  Index feature(const std::string& name) const {
    const auto at = std::find(cohort_.genes.begin(), cohort_.genes.end(), name);
    return at - cohort_.genes.begin();  // FLAG follows the genes
  }

  /// Patients tested for all features, by what they carry: bit j is set where feature j is carried.
  template <class Use>
  std::vector<Index> count(const std::vector<Index>& features, Use use) const {
    std::vector<Index> cells(std::size_t{1} << features.size());
    for (const auto& patient : cohort_.patients) {
      std::size_t cell = 0;
      bool tested = use(patient);
      for (std::size_t j = 0; j < features.size(); ++j) {
        tested = tested && cohort_.tested(features[j], patient);
        cell |= static_cast<std::size_t>(cohort_.carries(features[j], patient)) << j;
      }
      if (tested) ++cells[cell];
    }
    return cells;
  }
  std::vector<Index> count(const std::vector<Index>& features) const {
    return count(features, [](const auto&) { return true; });
  }

  TemporaryFolder folder_;
  SmallCohort cohort_ = drawn_patients();
};

}  // namespace chorale::jobs
