// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "engine/runner.hpp"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <map>

#include <fmt/chrono.h>
#include <omp.h>
#include <pwd.h>
#include <unistd.h>

#include "engine/forecast.hpp"
#include "engine/load.hpp"
#include "engine/memory_watch.hpp"
#include "engine/output_folder.hpp"
#include "engine/signals.hpp"
#include "io/file.hpp"
#include "kernels/level.hpp"

namespace chorale::engine {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

std::string utc_now() {
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr)));
}

std::string user_name() {
  const passwd* entry = ::getpwuid(::getuid());
  return entry != nullptr ? entry->pw_name : std::to_string(::getuid());
}

Fingerprint fingerprint_of(const PreparedJob& job) {
  Fingerprint fingerprint{{"program version", CHORALE_VERSION},
                          {"instruction level", std::string(kernels::name_of(kernels::level()))},
                          {"cohort", job.catalogue.fingerprint()}};
  for (auto& pair : deciding_keys(job.config)) fingerprint.push_back(std::move(pair));
  for (auto& [key, value] : job.analysis->config())
    fingerprint.emplace_back(job.config.job + "." + key, value);
  return fingerprint;
}

/// Unit numbers and parts travel in one message.
std::string pack(const std::map<Index, std::string>& parts) {
  std::ostringstream out;
  boost::archive::binary_oarchive archive(out, boost::archive::no_header);
  const std::size_t n = parts.size();
  archive << n;
  for (const auto& [unit, part] : parts) archive << unit << part;
  return std::move(out).str();
}

void unpack(const std::string& bytes, std::map<Index, std::string>& parts) {
  std::istringstream in(bytes);
  boost::archive::binary_iarchive archive(in, boost::archive::no_header);
  std::size_t n = 0;
  archive >> n;
  for (std::size_t i = 0; i < n; ++i) {
    Index unit = 0;
    std::string part;
    archive >> unit >> part;
    parts.insert_or_assign(unit, std::move(part));
  }
}

/// The units of this run that this rank computes, one after another.
class Worker {
 public:
  /// On rank 0 `parts` holds what was resumed, and then the parts of every finished stage.
  Worker(const PreparedJob& job, Comm& comm, Checkpoint& checkpoint, Progress& progress,
         std::map<Index, std::string>& parts, MemoryWatch& memory)
      : job_(job),
        comm_(comm),
        checkpoint_(checkpoint),
        progress_(progress),
        parts_(parts),
        memory_(memory),
        stage_seconds_(job.plan.stages.size()),
        load_seconds_(job.plan.stages.size()) {}

  /// Units are dealt stage by stage from a shared counter; a signal anywhere empties the counter for all, and no
  /// further stage is opened.
  void work(const std::vector<Index>& todo) {
    const auto n_todo = static_cast<Index>(todo.size());
    const Index n_before = job_.plan.n_units() - n_todo;
    for (std::size_t s = 0; s < job_.plan.stages.size(); ++s) {
      std::vector<Index> units;
      for (const Index unit : todo)
        if (job_.plan.unit(unit).stage == static_cast<Index>(s)) units.push_back(unit);
      if (!units.empty()) {
        open(s);
        const auto n_units = static_cast<Index>(units.size());
        const auto counter = comm_.counter();
        for (Index next = counter->next(); next < n_units; next = counter->next()) {
          if (stop_requested()) {
            counter->next(n_units);
            break;
          }
          run_unit(units[static_cast<std::size_t>(next)], s);
          progress_.update(n_before + n_seen_ + next + 1);
        }
        n_seen_ += n_units;
      }
      std::int64_t n_made[] = {static_cast<std::int64_t>(fresh_.size())};
      comm_.sum(n_made);
      if (n_made[0] < static_cast<std::int64_t>(units.size())) return;
      close(s);
      std::int64_t stop[] = {stop_requested() ? 1 : 0};
      comm_.largest(stop);
      if (stop[0] != 0) return;
    }
  }

  Index n_computed() const { return n_computed_; }

  /// The job's setup with the briefs of all finished stages.
  Setup setup() const {
    Setup setup = job_.setup();
    setup.briefs = briefs_;
    return setup;
  }

  /// Seconds per stage, the slowest rank's; collective.
  std::vector<std::pair<std::string, double>> slowest() {
    std::vector<std::int64_t> nanoseconds;
    for (const auto* seconds : {&load_seconds_, &stage_seconds_})
      for (const double s : *seconds) nanoseconds.push_back(static_cast<std::int64_t>(s * 1e9));
    comm_.largest(nanoseconds);
    std::vector<std::pair<std::string, double>> all;
    const std::size_t n = job_.plan.stages.size();
    for (std::size_t s = 0; s < n; ++s) {
      const std::string& name = job_.plan.stages[s].name;
      if (job_.plan.stages[s].layout == Layout::replicated)
        all.emplace_back("load for " + name, static_cast<double>(nanoseconds[s]) * 1e-9);
      all.emplace_back(name, static_cast<double>(nanoseconds[n + s]) * 1e-9);
    }
    return all;
  }

 private:
  Reading reading(std::size_t stage) const {
    return {job_.catalogue, *job_.selection, job_.features, job_.plan.stages[stage].columns};
  }

  void open(std::size_t stage) {
    if (job_.plan.stages[stage].layout != Layout::replicated) return;
    if (in_memory_ && *in_memory_ == job_.plan.stages[stage].columns) return;
    const auto start = Clock::now();
    memory_.look();
    replicated_ = {};  // the node's memory goes back before more is taken
    replicated_ = load_replicated(reading(stage), comm_);
    memory_.look();
    in_memory_ = job_.plan.stages[stage].columns;
    load_seconds_[stage] = seconds_since(start);
  }

  void run_unit(Index number, std::size_t stage) {
    const Unit unit = job_.plan.unit(number);
    const auto start = Clock::now();
    UnitOutput output;
    if (job_.plan.stages[stage].layout == Layout::by_shard)
      output = job_.analysis->run(setup(), load_shard(reading(stage), unit.index), unit);
    else
      output = job_.analysis->run(setup(), replicated_, unit);
    // a part in the checkpoint says that its piece is there
    if (output.piece) io::write_piece(job_.config.output, unit.index, *output.piece);
    stage_seconds_[stage] += seconds_since(start);
    checkpoint_.append(number, output.part);
    ++n_computed_;
    fresh_.emplace(number, std::move(output.part));
  }

  /// Brings the stage's parts to rank 0, and the job's brief to all.
  void close(std::size_t stage) {
    const auto gathered = comm_.gather(pack(fresh_));
    fresh_.clear();
    std::string brief;
    if (comm_.is_root()) {
      for (const auto& bytes : gathered) unpack(bytes, parts_);
      std::vector<std::string> of_stage;
      for (const auto& [number, part] : parts_)
        if (job_.plan.unit(number).stage == static_cast<Index>(stage)) of_stage.push_back(part);
      brief = job_.analysis->brief(setup(), static_cast<Index>(stage), of_stage);
    }
    comm_.broadcast(brief);
    briefs_.push_back(std::move(brief));
  }

  const PreparedJob& job_;
  Comm& comm_;
  Checkpoint& checkpoint_;
  Progress& progress_;
  std::map<Index, std::string>& parts_;
  MemoryWatch& memory_;
  std::map<Index, std::string> fresh_;  // of the open stage, made by this rank
  std::vector<std::string> briefs_;
  Cohort replicated_;
  std::optional<Columns> in_memory_;  // what replicated_ holds
  std::vector<double> stage_seconds_;
  std::vector<double> load_seconds_;
  Index n_seen_ = 0;
  Index n_computed_ = 0;
};

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

io::RunRecord record_of(const PreparedJob& job, const Comm& comm, int n_threads) {
  io::RunRecord record;
  record.job = job.config.job;
  record.config = all_keys(job.config);
  for (auto& [key, value] : job.analysis->config())
    record.config.emplace_back(job.config.job + "." + key, value);
  record.cohort = job.config.cohort;
  record.cohort_name = job.catalogue.name;
  record.cohort_fingerprint = job.catalogue.fingerprint();
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
  for (auto& [unit, part] : parts) ordered.push_back(std::move(part));
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
  const Fingerprint fingerprint = fingerprint_of(job);
  const int n_threads = threads_per_rank(job.config.run, comm);
  omp_set_num_threads(n_threads);
  watch_signals();
  require_one_level(comm);
  if (job.config.run.refuse_by_memory) require_room(job, comm, n_threads);

  RunSummary summary;
  summary.n_units = job.plan.n_units();
  summary.record = record_of(job, comm, n_threads);
  std::unique_ptr<OutputLock> lock;
  std::map<Index, std::string> parts;
  bool was_done = false;
  if (comm.is_root()) {
    lock = std::make_unique<OutputLock>(output);
    was_done = take_over(output, fingerprint, options.fresh);
    if (!was_done) parts = Checkpoint::load(output, fingerprint);
  }
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
  Worker worker(job, comm, checkpoint, progress, parts, memory);
  worker.work(start.todo);
  std::int64_t n_computed[] = {worker.n_computed()};
  comm.sum(n_computed);
  summary.n_done = summary.record.n_units_resumed + n_computed[0];
  summary.record.stage_seconds = worker.slowest();
  if (summary.n_done < summary.n_units) {
    checkpoint.sync();
    comm.barrier();
    summary.outcome = RunOutcome::interrupted;
    return summary;
  }

  if (comm.is_root()) {
    progress.finish();
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
  memory.look();
  const MemoryWatch::Peak peak = memory.peak(comm);
  summary.record.peak_rss_bytes = peak.rank_bytes;
  summary.record.peak_node_bytes = peak.node_bytes;
  summary.record.forecast_node_bytes = forecast(job, n_threads).node_bytes(comm.node_size());
  if (comm.is_root()) {
    summary.record.stage_seconds.emplace_back("total", seconds_since(begun));
    summary.record.finished = utc_now();
    io::write_run_record(output, summary.record);
    io::write_report(output);
    io::write_done(output);
    Checkpoint::clear(output);
  }
  comm.barrier();
  return summary;
}

}  // namespace chorale::engine
