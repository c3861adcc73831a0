// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "engine/forecast.hpp"
#include "jobs/commands/site.hpp"

namespace chorale::jobs {

/// What the user fixed; 0 and empty: as the forecast and the site say.
struct Wishes {
  Index nodes = 0, ranks_per_node = 0, threads = 0;
  std::string time;  ///< as sbatch takes it: minutes, H:M:S, D-H, …
};

/// What a batch job asks for.
struct Layout {
  Index nodes = 1, ranks_per_node = 1, threads = 1;
  Index megabytes = 0;  ///< on each node; 0: all that it has
  std::string time;
  Index warning_seconds = 120;  ///< USR1 so long before the limit
};

using ForecastOf = std::function<engine::Forecast(Index threads)>;

/// As many ranks on a node as its cores and its memory hold, each with its share of the cores; half as much memory again
/// as forecast, three times the time and ten minutes; a warning that leaves the longest unit time to end. No forecast:
/// the cohort is not there yet, so the job gets the nodes' memory and the site's longest time.
/// Throws   ConfigError when nobody says how many cores a node has, or the job does not fit the nodes' memory
Layout lay_out(const Site& site, const Wishes& wishes, const std::optional<ForecastOf>& forecast);

/// Seconds of a time limit as sbatch reads it. Throws ConfigError.
Index seconds_of(const std::string& time);

/// One folder that a batch job fills; a job array has several.
struct Element {
  std::string output;
  std::vector<std::string> arguments;  ///< of the program, beyond the step's own
};

/// A batch job: ingest, run or report.
struct Step {
  std::string name;      ///< "run"
  std::string job_name;  ///< as squeue shows it
  std::string about;     ///< for the reader of the script
  std::vector<std::string> command;
  std::vector<Element> elements;
  std::string verify;  ///< shell words that are silent and return 0 when $output is complete
  std::string notes;   ///< folder of scripts and logs
  bool on_ranks = false;
  bool array = false;
};

/// The whole script: options, the step's own lines, and slurm/batch.sh.
std::string batch_text(const Step& step, const Layout& layout, const Site& site);

}  // namespace chorale::jobs
