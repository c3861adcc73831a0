// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "engine/worker.hpp"

#include <ctime>
#include <utility>

#include <fmt/format.h>
#include <boost/serialization/map.hpp>
#include <boost/serialization/string.hpp>

#include "engine/archive.hpp"
#include "engine/deal.hpp"
#include "engine/load.hpp"
#include "engine/node_threads.hpp"
#include "engine/signals.hpp"

namespace chorale::engine {
namespace {

double cpu_seconds() {
  timespec now{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

}  // namespace

Worker::Worker(const PreparedJob& job, Comm& comm, Checkpoint& checkpoint, Progress& progress,
               std::map<Index, std::string>& parts, MemoryWatch& memory)
    : job_(job),
      comm_(comm),
      checkpoint_(checkpoint),
      progress_(progress),
      parts_(parts),
      memory_(memory),
      counter_(comm.counter(static_cast<Index>(job.plan.stages.size()))),
      stage_seconds_(job.plan.stages.size()),
      load_seconds_(job.plan.stages.size()) {}

void Worker::work(const std::vector<Index>& todo) {
  n_before_ = job_.plan.n_units() - static_cast<Index>(todo.size());
  const std::size_t n_stages = job_.plan.stages.size();
  for (std::size_t s = 0, end = 0; s < n_stages; s = end) {
    for (end = s + 1; end < n_stages && job_.plan.stages[end].joins_previous;) ++end;
    std::vector<Index> units;
    for (const Index unit : todo) {
      const auto stage = static_cast<std::size_t>(job_.plan.unit(unit).stage);
      if (s <= stage && stage < end) units.push_back(unit);
    }
    if (!units.empty()) {
      open(s);
      if (job_.plan.stages[s].layout == Layout::by_time)
        share(units);
      else
        deal(units, s);
      if (job_.plan.stages[s].layout == Layout::by_shard) end_reading();
      n_before_ += static_cast<Index>(units.size());
    }
    timed(times_.idle, [&] { comm_.barrier(); });
    std::int64_t n_made[] = {static_cast<std::int64_t>(fresh_.size())};
    timed(times_.communication, [&] { comm_.sum(n_made); });
    if (n_made[0] < static_cast<std::int64_t>(units.size())) return;
    for (std::size_t stage = s; stage < end; ++stage) close(stage);
    std::int64_t stop[] = {stop_requested() ? 1 : 0};
    timed(times_.communication, [&] { comm_.largest(stop); });
    if (stop[0] != 0) return;
  }
}

void Worker::deal(const std::vector<Index>& units, std::size_t stage) {
  const auto slot = static_cast<Index>(stage);
  std::vector<Index> n_units(job_.plan.stages.size());
  for (const Index unit : units) ++n_units[static_cast<std::size_t>(job_.plan.unit(unit).stage)];
  const Deal deal(n_units, comm_.size());
  const auto draw = [&] {
    return timed(times_.idle, [&] { return comm_.size() + counter_->next(1, slot); });
  };
  for (Index chunk = comm_.rank(); chunk < deal.n_chunks(); chunk = draw()) {
    for (Index next = deal.begin(chunk); next < deal.end(chunk); ++next) {
      if (stop_requested()) {
        counter_->next(deal.n_chunks(), slot);
        return;
      }
      run_unit(units[static_cast<std::size_t>(next)]);
      progress_.update(n_before_ + next + 1);
    }
  }
}

/// Units of a by_time stage: all ranks work on one at a time, and rank 0 keeps its part.
void Worker::share(const std::vector<Index>& units) {
  for (std::size_t next = 0; next < units.size(); ++next) {
    std::int64_t stop[] = {stop_requested() ? 1 : 0};
    timed(times_.communication, [&] { comm_.largest(stop); });
    if (stop[0] != 0) return;
    run_unit(units[next]);
    progress_.update(n_before_ + static_cast<Index>(next) + 1);
  }
}

Setup Worker::setup() const {
  Setup setup = job_.setup();
  setup.briefs = briefs_;
  setup.counts = counts_;
  return setup;
}

std::vector<std::pair<std::string, double>> Worker::slowest() {
  std::vector<std::int64_t> nanoseconds;
  for (const auto* seconds : {&load_seconds_, &stage_seconds_})
    for (const double s : *seconds) nanoseconds.push_back(static_cast<std::int64_t>(s * 1e9));
  comm_.largest(nanoseconds);
  std::vector<std::pair<std::string, double>> all;
  const std::size_t n = job_.plan.stages.size();
  for (std::size_t s = 0; s < n; ++s) {
    const std::string& name = job_.plan.stages[s].name;
    if (job_.plan.stages[s].layout != Layout::by_shard)
      all.emplace_back("load for " + name, static_cast<double>(nanoseconds[s]) * 1e-9);
    all.emplace_back(name, static_cast<double>(nanoseconds[n + s]) * 1e-9);
  }
  all.emplace_back("briefs", brief_seconds_);
  return all;
}

std::string Worker::units_text() const {
  std::string text = "stage\tunit\trank\tseconds\tcpu_seconds\tbytes\n";
  for (const UnitTime& time : unit_times_) {
    const Unit unit = job_.plan.unit(time.unit);
    text += fmt::format("{}\t{}\t{}\t{:.6f}\t{:.6f}\t{}\n",
                        job_.plan.stages[static_cast<std::size_t>(unit.stage)].name, unit.index, time.rank,
                        time.seconds, time.cpu_seconds, time.n_bytes);
  }
  return text;
}

Reading Worker::reading(std::size_t stage) const {
  return {job_.catalogue, *job_.selection, job_.features, job_.plan.stages[stage].columns};
}

void Worker::open(std::size_t stage) {
  const std::pair wanted{job_.plan.stages[stage].layout, job_.plan.stages[stage].columns};
  if (wanted.first == Layout::by_shard || in_memory_ == wanted) return;
  timed(load_seconds_[stage], [&] {
    memory_.look();
    replicated_ = {};  // memory goes back before more is taken
    by_time_ = {};
    give_back_freed_memory();
    if (wanted.first == Layout::replicated)
      replicated_ = load_replicated(reading(stage), comm_);
    else
      by_time_ = load_by_time(reading(stage), comm_);
    end_reading();
  });
  in_memory_ = wanted;
  times_.load += load_seconds_[stage];
}

/// What shards were read into goes back to the system before what is made of them grows.
void Worker::end_reading() {
  memory_.look();
  io::ShardReader::let_go_of_memory();
  give_back_freed_memory();
}

void Worker::run_unit(Index number) {
  const Unit unit = job_.plan.unit(number);
  const auto stage = static_cast<std::size_t>(unit.stage);
  Fresh made;
  UnitOutput output;
  timed(made.seconds, [&] {
    const double before = cpu_seconds();
    if (job_.plan.stages[stage].layout == Layout::by_time)
      output = job_.analysis->run_together(setup(), by_time_, unit);
    else if (job_.plan.stages[stage].layout == Layout::by_shard)
      output = job_.analysis->run(setup(), load_shard(reading(stage), unit.index), unit);
    else
      output = job_.analysis->run(setup(), replicated_, unit);
    made.cpu_seconds = cpu_seconds() - before;
  });
  stage_seconds_[stage] += made.seconds;
  times_.work += made.seconds;
  if (job_.plan.stages[stage].layout == Layout::by_time && !comm_.is_root()) return;  // rank 0 has the part
  timed(times_.checkpoint, [&] {
    // a part in the checkpoint says that its piece is there
    if (output.piece) io::write_piece(job_.config.output, unit.index, *output.piece);
    checkpoint_.append(number, output.part);
  });
  times_.n_units += 1;
  ++n_computed_;
  made.part = std::move(output.part);
  fresh_.emplace(number, std::move(made));
}

/// Where this rank keeps the stage's parts, resumed ones (on rank 0) among them.
std::vector<std::string*> Worker::made_parts(std::size_t stage) {
  std::vector<std::string*> places;
  const auto of_stage = [&](Index unit) { return job_.plan.unit(unit).stage == static_cast<Index>(stage); };
  for (auto& [unit, part] : parts_)
    if (of_stage(unit)) places.push_back(&part);
  for (auto& [unit, made] : fresh_)
    if (of_stage(unit)) places.push_back(&made.part);
  return places;
}

/// Leaves of this rank's parts what has to travel. Units whose parts were joined into another's keep an empty one.
void Worker::condense(std::size_t stage) {
  const std::vector<std::string*> places = made_parts(stage);
  std::vector<std::string> bytes;
  for (std::string* place : places) bytes.push_back(std::exchange(*place, {}));
  bytes = job_.analysis->condense(setup(), static_cast<Index>(stage), std::move(bytes),
                                  [&](std::vector<std::int64_t>& counts) {
                                    if (!counts.empty())
                                      timed(times_.communication, [&] { comm_.sum(counts); });
                                    counts_.push_back(counts);
                                    return setup();
                                  });
  for (std::size_t i = 0; i < bytes.size(); ++i) *places[i] = std::move(bytes[i]);
}

/// Shares the stage's parts out among the ranks that made any, each of which keeps one then.
void Worker::regroup(std::size_t stage) {
  const std::vector<std::string*> places = made_parts(stage);
  const double n_made[] = {static_cast<double>(places.size())};
  std::vector<std::size_t> ranks;
  std::size_t mine = 0;
  timed(times_.communication, [&] {
    const auto n = comm_.in_rank_order(n_made);
    for (std::size_t rank = 0; rank < n.size(); ++rank) {
      if (rank == static_cast<std::size_t>(comm_.rank())) mine = ranks.size();
      if (n[rank] > 0) ranks.push_back(rank);
    }
  });
  const auto exchange = [&](std::vector<std::string> to) {
    std::vector<std::string> by_rank(static_cast<std::size_t>(comm_.size()));
    for (std::size_t i = 0; i < to.size(); ++i) by_rank[ranks[i]] = std::move(to[i]);
    give_back_freed_memory();
    by_rank = timed(times_.communication, [&] { return comm_.exchange(std::move(by_rank)); });
    give_back_freed_memory();
    for (std::size_t i = 0; i < to.size(); ++i) to[i] = std::move(by_rank[ranks[i]]);
    return to;
  };
  if (places.empty()) {
    exchange({});
    return;
  }
  std::vector<std::string> parts;
  for (std::string* place : places) parts.push_back(std::exchange(*place, {}));
  *places.front() =
      job_.analysis->regroup(setup(), static_cast<Index>(stage), std::move(parts), static_cast<Index>(mine),
                             static_cast<Index>(ranks.size()), exchange);
}

/// Brings the stage's parts to rank 0, and the job's brief to all.
void Worker::close(std::size_t stage) {
  const double communicated = times_.communication;
  double seconds = 0;
  timed(seconds, [&] {
    condense(stage);
    if (job_.plan.stages[stage].shared_out) regroup(stage);
  });
  seconds -= times_.communication - communicated;
  times_.work += seconds;
  stage_seconds_[stage] += seconds;
  std::map<Index, Fresh> closed;
  for (auto& [unit, made] : fresh_)
    if (job_.plan.unit(unit).stage == static_cast<Index>(stage)) closed.emplace(unit, std::move(made));
  for (const auto& [unit, made] : closed) fresh_.erase(unit);
  const std::string bytes = to_archive(std::exchange(closed, {}));
  timed(times_.communication, [&] {
    auto gathered = comm_.gather(bytes);
    for (std::size_t rank = 0; rank < gathered.size(); ++rank)
      take_in(static_cast<Index>(rank), std::exchange(gathered[rank], {}));
  });
  std::string text = timed(brief_seconds_, [&] { return brief(stage); });
  timed(times_.idle, [&] { comm_.barrier(); });
  timed(times_.communication, [&] { comm_.broadcast(text); });
  briefs_.push_back(std::move(text));
}

void Worker::take_in(Index rank, std::string bytes) {
  for (auto& [unit, made] : from_archive<std::map<Index, Fresh>>(std::move(bytes))) {
    unit_times_.push_back({.unit = unit,
                           .rank = rank,
                           .seconds = made.seconds,
                           .cpu_seconds = made.cpu_seconds,
                           .n_bytes = made.part.size()});
    if (!parts_.insert_or_assign(unit, std::move(made.part)).second) ++n_repeated_;
  }
}

std::string Worker::brief(std::size_t stage) const {
  if (!comm_.is_root()) return {};
  const NodeThreads threads(comm_);
  std::vector<std::string> of_stage;
  for (const auto& [number, part] : parts_)
    if (job_.plan.unit(number).stage == static_cast<Index>(stage) && !part.empty()) of_stage.push_back(part);
  return job_.analysis->brief(setup(), static_cast<Index>(stage), of_stage);
}

}  // namespace chorale::engine
