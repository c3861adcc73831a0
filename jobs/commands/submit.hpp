// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "jobs/commands/batch_script.hpp"
#include "jobs/commands/commands.hpp"

namespace chorale::jobs {

struct SubmitOptions {
  std::filesystem::path config;
  std::filesystem::path site;  ///< empty: see load_site()
  Wishes wishes;
  std::string partition, account;   ///< instead of the site's
  std::string after;                ///< job that has to end well before
  std::string ingest;               ///< recipe or study folder that becomes the cohort first
  std::vector<std::string> sweeps;  ///< "key=[value, value]": one element of a job array for each combination
  bool report = false;              ///< write the report again afterwards, in a job of its own
  bool dry_run = false;
};

/// Writes batch scripts for a job config, from its own forecast, and gives them to sbatch.
int submit(const Context& context, const SubmitOptions& options);

}  // namespace chorale::jobs
