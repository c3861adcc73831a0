// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <exception>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/comm.hpp"
#include "engine/progress.hpp"
#include "io/config/node.hpp"

namespace chorale::jobs {

/// Where commands write. Only the program itself knows of terminals.
struct Console {
  std::function<void(std::string_view)> out;  ///< what the user asked for; rank 0
  engine::ProgressSink progress;              ///< rank 0
};

/// Every command is collective and returns the exit code; errors are thrown.
struct Context {
  engine::Comm& comm;
  Console console;
  std::vector<std::string> overrides;  ///< --set key=value
};

int list_jobs(const Context& context);
int describe(const Context& context, const std::string& job, bool markdown);
int check(const Context& context, const std::filesystem::path& config, Index n_ranks);
int run(const Context& context, const std::filesystem::path& config, bool fresh);
/// Measures a model on a cohort: a run of the job "score". An empty `output` becomes results/score-MODEL-COHORT.
int apply_model(const Context& context, const std::filesystem::path& model,
                const std::filesystem::path& cohort, const std::filesystem::path& output, bool fresh);
int report(const Context& context, const std::filesystem::path& results);
int inspect(const Context& context, const std::filesystem::path& cohort, bool verify, bool features);
int ingest(const Context& context, const std::filesystem::path& recipe_or_study,
           const std::filesystem::path& out);
int simulate(const Context& context, const std::filesystem::path& spec, const std::filesystem::path& out,
             const std::string& as, bool overwrite);

/// An error that all ranks know of and that has been printed: they end together with this code.
struct Quit {
  int exit_code;
};

/// Runs the job of a config that every rank reads, or resumes it.
int run_job(const Context& context, const std::function<io::Node()>& read, bool fresh);

/// Runs `step`, which must not talk to other ranks, on every rank; when it fails anywhere one rank prints the error
/// and all throw Quit.
void together(const Context& context, const std::function<void()>& step);

/// What an exception that no layer foresaw means to the reader: text and exit code.
std::pair<std::string, int> unforeseen(const std::exception& error);

/// "error: …" with the rank's name where there are several.
std::string error_text(const engine::Comm& comm, const std::string& message);

}  // namespace chorale::jobs
