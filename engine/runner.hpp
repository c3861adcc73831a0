// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/analysis.hpp"
#include "engine/checkpoint.hpp"
#include "engine/comm.hpp"
#include "engine/progress.hpp"
#include "engine/selection.hpp"
#include "io/results.hpp"

namespace chorale::engine {

/// A job that is ready to run: config read, cohort opened, features and units resolved. The same on every rank.
struct PreparedJob {
  JobConfig config;
  io::Catalogue catalogue;
  FeatureSet features;
  std::unique_ptr<AnyAnalysis> analysis;
  std::unique_ptr<Selection> selection;
  Plan plan;
  std::vector<io::ShardEntry> selected;  ///< see Setup

  Setup setup() const {
    return {.catalogue = catalogue, .config = config, .features = features, .selected = selected};
  }
};

/// Reads and checks everything a run needs but the patients. Without `comm`, features stay as the dictionary gives
/// them and the forecast is for all patients; with it, count_patients().
/// Throws   ConfigError, InputError, StoreError
PreparedJob prepare(const io::Node& root, const std::vector<AnalysisEntry>& registry, Comm* comm);

/// What only the patients can tell before a run: whom [select] keeps, for the forecast, and which features have
/// min_carriers. Reads nothing where neither is asked for. Collective.
/// Throws   ConfigError when no feature has enough carriers, StoreError
void count_patients(PreparedJob& job, Comm& comm);

struct RunOptions {
  bool fresh = false;     ///< forget what the output folder holds
  ProgressSink progress;  ///< used on rank 0
  std::function<void(std::string_view)> notice =
      {};  ///< what the user should know though the run goes on; rank 0
};

enum class RunOutcome {
  done,
  was_done,    ///< the output was complete, and of this very run: nothing was computed
  interrupted  ///< a signal came: parts are in the checkpoint, run again to resume
};

struct RunSummary {
  RunOutcome outcome = RunOutcome::done;
  Index n_units = 0;
  Index n_done = 0;                    ///< units finished, resumed ones included
  std::optional<io::Results> results;  ///< on rank 0, when done
  io::RunRecord record;                ///< on rank 0
};

/// Deals the units to the ranks, keeps their parts, finishes and writes results, run record, report and DONE.
/// Collective. Equal configs and cohorts give equal result tables for any number of ranks, threads and restarts.
RunSummary run(const PreparedJob& job, Comm& comm, const RunOptions& options);

/// Threads a rank uses: as configured, or the cores of the node divided by its ranks.
int threads_per_rank(const RunConfig& config, const Comm& comm);

}  // namespace chorale::engine
