// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/checkpoint.hpp"
#include "engine/load.hpp"
#include "engine/memory_watch.hpp"
#include "engine/progress.hpp"
#include "engine/rank_times.hpp"
#include "engine/runner.hpp"

namespace chorale::engine {

/// The units of this run that this rank computes, one after another. All members are collective but for const ones.
class Worker {
 public:
  /// On rank 0 `parts` holds what was resumed, and then the parts of every finished stage.
  Worker(const PreparedJob& job, Comm& comm, Checkpoint& checkpoint, Progress& progress,
         std::map<Index, std::string>& parts, MemoryWatch& memory);

  /// Stage by stage (or stages that join each other), the units of `todo` in the portions of Deal. A signal anywhere empties the counter for all, and no
  /// further stage is opened.
  void work(const std::vector<Index>& todo);

  Index n_computed() const { return n_computed_; }  ///< by this rank
  Index n_repeated() const {
    return n_repeated_;
  }  ///< on rank 0: parts of units that there was a part of before

  /// The job's setup with the briefs and counts of all finished stages.
  Setup setup() const;

  /// Seconds per stage, the slowest rank's; then those in which rank 0 made the briefs.
  std::vector<std::pair<std::string, double>> slowest();
  /// On rank 0, those of all ranks.
  std::vector<RankTimes> times() { return gather_times(times_, comm_); }
  /// On rank 0, the units of finished stages that this run computed, as text: a line per unit.
  std::string units_text() const;

 private:
  struct Fresh {
    std::string part;
    double seconds = 0, cpu_seconds = 0;

    template <class Archive>
    void serialize(Archive& archive, unsigned) {
      archive& part& seconds& cpu_seconds;
    }
  };

  Reading reading(std::size_t stage) const;
  void open(std::size_t stage);
  void end_reading();
  void deal(const std::vector<Index>& units, std::size_t stage);
  void share(const std::vector<Index>& units);
  void run_unit(Index number);
  void close(std::size_t stage);
  std::vector<std::string*> made_parts(std::size_t stage);
  void condense(std::size_t stage);
  void regroup(std::size_t stage);
  void take_in(Index rank, std::string bytes);
  std::string brief(std::size_t stage) const;

  const PreparedJob& job_;
  Comm& comm_;
  Checkpoint& checkpoint_;
  Progress& progress_;
  std::map<Index, std::string>& parts_;
  MemoryWatch& memory_;
  std::unique_ptr<Counter> counter_;  // a number for each stage
  std::map<Index, Fresh> fresh_;      // of the open stages, made by this rank
  std::vector<std::string> briefs_;
  std::vector<std::vector<std::int64_t>> counts_;
  Cohort replicated_;
  TimeSlice by_time_;
  std::optional<std::pair<Layout, Columns>> in_memory_;  // what replicated_ or by_time_ holds
  std::vector<double> stage_seconds_;
  std::vector<double> load_seconds_;
  double brief_seconds_ = 0;  // on rank 0
  RankTimes times_;
  std::vector<UnitTime> unit_times_;  // on rank 0
  Index n_before_ = 0;                // units finished or being worked on in other stages and runs
  Index n_computed_ = 0;
  Index n_repeated_ = 0;
};

}  // namespace chorale::engine
