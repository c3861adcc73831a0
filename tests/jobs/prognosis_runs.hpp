// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <string>

#include "tests/io/temporary_folder.hpp"
#include "tests/jobs/job_runs.hpp"
#include "tests/jobs/small_cohort.hpp"

namespace chorale::jobs {

/// A cohort written down patient by patient, and prognosis jobs on it.
struct PrognosisRuns {
  explicit PrognosisRuns(SmallCohort patients) : cohort(std::move(patients)) {
    cohort.write(folder / "cohort");
  }

  io::Results run(const std::string& outcome, const std::string& own,
                  const std::string& features = "") const {
    return run_alone("job = \"prognosis\"\ncohort = \"" + (folder / "cohort").string() + "\"\noutput = \"" +
                     (folder / "out").string() + "\"\nseed = 5\n[features]\n" + features +
                     "\n[outcome]\nendpoint = \"OS\"\n" + outcome + "\n[prognosis]\n" + own);
  }

  SmallCohort cohort;
  TemporaryFolder folder;
};

/// 400 patients without late entries, so that measures with censoring weights can be had.
inline SmallCohort prompt_patients() {
  SmallCohort cohort = drawn_patients();
  for (auto& patient : cohort.patients) patient.entry = 0;
  return cohort;
}

/// The same, everyone tested and nothing missing.
inline SmallCohort complete_patients() {
  SmallCohort cohort = prompt_patients();
  for (std::size_t i = 0; i < cohort.patients.size(); ++i) {
    auto& patient = cohort.patients[i];
    patient.panel = SmallCohort::exome;
    patient.no_value.clear();
    if (std::isnan(patient.flag)) patient.flag = 0;
    if (std::isnan(patient.age)) patient.age = 30 + static_cast<double>(i % 50);
    if (std::isnan(patient.weight)) patient.weight = 1;
    if (patient.trial < 0) patient.trial = 0;
    if (std::isnan(patient.time)) {
      patient.time = 100 + static_cast<double>(i);
      patient.event = 1;
    }
  }
  return cohort;
}

/// What stands in `own` when a test looks at the model of all patients alone.
inline const std::string no_replicates = "replicates = 0\n";

}  // namespace chorale::jobs
