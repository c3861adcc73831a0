// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "engine/runner.hpp"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <map>

#include <omp.h>

#include "engine/forecast.hpp"
#include "engine/memory_watch.hpp"
#include "engine/node_threads.hpp"
#include "engine/output_folder.hpp"
#include "engine/signals.hpp"
#include "engine/worker.hpp"
#include "io/file.hpp"
#include "kernels/level.hpp"

namespace chorale::engine {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

Fingerprint fingerprint_of(const PreparedJob& job, const std::string& cohort) {
  Fingerprint fingerprint{{"program version", CHORALE_VERSION},
                          {"instruction level", std::string(kernels::name_of(kernels::level()))},
                          {"cohort", cohort}};
  for (auto& pair : deciding_keys(job.config)) fingerprint.push_back(std::move(pair));
  for (auto& [key, value] : job.analysis->config())
    fingerprint.emplace_back(job.config.job + "." + key, value);
  return fingerprint;
}

/// What rank 0 finds in the output folder, told to everyone.
struct Start {
  bool was_done = false;
  std::vector<Index> todo;
};

Start tell(Comm& comm, bool was_done, const std::map<Index, std::string>& resumed, const Plan& plan) {
  std::string bytes;
  if (comm.is_root()) {
    bytes = was_done ? "d" : "t";
    bytes.resize(1 + static_cast<std::size_t>(plan.n_units()), 'n');
    for (const auto& [unit, part] : resumed)
      if (unit < plan.n_units()) bytes[1 + static_cast<std::size_t>(unit)] = 'y';
  }
  comm.broadcast(bytes);
  Start start{.was_done = bytes[0] == 'd', .todo = {}};
  for (Index unit = 0; unit < plan.n_units(); ++unit)
    if (bytes[1 + static_cast<std::size_t>(unit)] == 'n') start.todo.push_back(unit);
  return start;
}

io::RunRecord record_of(const PreparedJob& job, const std::string& cohort_fingerprint, const Comm& comm,
                        int n_threads) {
  io::RunRecord record;
  record.job = job.config.job;
  record.config = all_keys(job.config);
  for (auto& [key, value] : job.analysis->config())
    record.config.emplace_back(job.config.job + "." + key, value);
  record.cohort = job.config.cohort;
  record.cohort_name = job.catalogue.name;
  record.cohort_fingerprint = cohort_fingerprint;
  record.version = CHORALE_VERSION;
  record.level = kernels::name_of(kernels::level());
  record.n_ranks = comm.size();
  record.n_threads = n_threads;
  record.user = user_name();
  record.host = comm.host();
  record.started = utc_now();
  record.n_units = job.plan.n_units();
  return record;
}

std::vector<std::string> in_order(std::map<Index, std::string> parts) {
  std::vector<std::string> ordered;
  for (auto& [unit, part] : parts)
    if (!part.empty()) ordered.push_back(std::move(part));  // empty: joined into another
  return ordered;
}

/// Equal bytes need equal instruction levels, and nodes may differ.
void require_one_level(Comm& comm) {
  const auto mine = static_cast<std::int64_t>(kernels::level());
  std::int64_t range[] = {mine, -mine};
  comm.largest(range);
  const auto highest = range[0], lowest = -range[1];
  if (highest == lowest) return;
  const auto name = [](std::int64_t level) {
    return std::string(kernels::name_of(static_cast<kernels::Level>(level)));
  };
  throw ConfigError({.what = "ranks run at different instruction levels",
                     .found = name(lowest) + " to " + name(highest),
                     .expected = "the same on every node",
                     .in = "CHORALE_LEVEL or the CPUs",
                     .remedy = "set CHORALE_LEVEL=" + name(lowest) + " for all ranks"});
}

/// Makes the output folder this run's own. True when it holds this very run, complete.
bool take_over(const std::filesystem::path& output, const Fingerprint& fingerprint, bool fresh) {
  require_output(output, fresh);
  if (fresh) {  // results go first: they must never stand beside another run's fingerprint
    remove_results(output);
    io::remove_pieces(output);
    Checkpoint::forget(output);
  }
  Checkpoint::agree(output, fingerprint);
  if (io::is_done(output)) return true;
  remove_results(output);
  io::remove_unfinished_pieces(output);
  return false;
}

}  // namespace

int threads_per_rank(const RunConfig& config, const Comm& comm) {
  if (config.threads > 0) return static_cast<int>(config.threads);
  if (std::getenv("OMP_NUM_THREADS") != nullptr) return omp_get_max_threads();
  return std::max(1, omp_get_num_procs() / comm.node_size());
}

RunSummary run(const PreparedJob& job, Comm& comm, const RunOptions& options) {
  const auto begun = Clock::now();
  const std::filesystem::path output = job.config.output;
  const std::string cohort = job.catalogue.fingerprint();
  const Fingerprint fingerprint = fingerprint_of(job, cohort);
  const int n_threads = threads_per_rank(job.config.run, comm);
  omp_set_num_threads(n_threads);
  watch_signals();
  require_one_level(comm);
  if (job.config.run.refuse_by_memory) require_room(job, comm, n_threads);

  RunSummary summary;
  summary.n_units = job.plan.n_units();
  summary.record = record_of(job, cohort, comm, n_threads);
  std::unique_ptr<OutputLock> lock;
  std::map<Index, std::string> parts;
  bool was_done = false;
  if (comm.is_root()) {
    lock = std::make_unique<OutputLock>(output);
    was_done = take_over(output, fingerprint, options.fresh);
    if (!was_done) {
      Checkpoint::Loaded loaded = Checkpoint::load(output, fingerprint);
      parts = std::move(loaded.parts);
      summary.record.n_units_repeated = loaded.n_repeated;
      if (options.notice)
        for (const std::string& notice : loaded.notices) options.notice(notice);
    }
  }
  comm.barrier();
  const Start start = tell(comm, was_done, parts, job.plan);
  if (start.was_done) {
    summary.outcome = RunOutcome::was_done;
    summary.n_done = summary.n_units;
    if (comm.is_root()) {
      summary.results = io::read_results(output);
      summary.record = io::read_run_record(output);
    }
    return summary;
  }
  summary.record.n_units_resumed = job.plan.n_units() - static_cast<Index>(start.todo.size());

  Progress progress(comm.is_root() ? options.progress : ProgressSink{}, job.config.job, job.plan.n_units(),
                    summary.record.n_units_resumed);
  Checkpoint checkpoint(output, fingerprint, comm.rank(), job.config.run.checkpoint_seconds);
  MemoryWatch memory;
  memory.look();
  give_back_freed_memory();  // of what the cohort's catalogue was read from
  Worker worker(job, comm, checkpoint, progress, parts, memory);
  worker.work(start.todo);
  std::int64_t n_computed[] = {worker.n_computed()};
  comm.sum(n_computed);
  summary.n_done = summary.record.n_units_resumed + n_computed[0];
  summary.record.n_units_computed = n_computed[0];
  summary.record.n_units_repeated += worker.n_repeated();
  summary.record.stage_seconds = worker.slowest();
  const std::vector<RankTimes> times = worker.times();
  if (comm.is_root()) {
    summary.record.rank_seconds = shares(times);
    io::write_file(run_folder(output) / "ranks.tsv", ranks_text(times));
    io::write_file(run_folder(output) / "units.tsv", worker.units_text());
  }
  if (summary.n_done < summary.n_units) {
    checkpoint.sync();
    comm.barrier();
    summary.outcome = RunOutcome::interrupted;
    return summary;
  }

  if (comm.is_root()) {
    progress.finish();
    const NodeThreads threads(comm);
    const auto finishing = Clock::now();
    io::Pieces pieces(output);
    job.analysis->complete(worker.setup(), pieces);
    summary.results = job.analysis->finish(worker.setup(), in_order(std::move(parts)));
    summary.record.stage_seconds.emplace_back("finish", seconds_since(finishing));
    const auto writing = Clock::now();
    note_results(output, *summary.results);
    io::write_results(output, *summary.results);
    summary.record.stage_seconds.emplace_back("write", seconds_since(writing));
  }
  comm.barrier();
  memory.look();
  const MemoryWatch::Peak peak = memory.peak(comm);
  summary.record.peak_rss_bytes = peak.rank_bytes;
  summary.record.peak_node_bytes = peak.node_bytes;
  summary.record.forecast_node_bytes = forecast(job, n_threads).node_bytes(comm.node_size(), n_nodes(comm));
  if (comm.is_root()) {
    const NodeThreads threads(comm);
    summary.record.stage_seconds.emplace_back("total", seconds_since(begun));
    summary.record.finished = utc_now();
    io::write_run_record(output, summary.record);
    io::write_report(output, *summary.results, summary.record);
    io::write_done(output);
    Checkpoint::clear(output);
  }
  comm.barrier();
  return summary;
}

}  // namespace chorale::engine
