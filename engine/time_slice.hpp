// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <span>
#include <vector>

#include "engine/cohort.hpp"
#include "engine/comm.hpp"
#include "engine/slice.hpp"

namespace chorale::engine {

/// Where follow-up is cut into blocks of time: block b has the patients with at[b - 1] <= exit < at[b].
struct TimeCuts {
  std::vector<double> at;  ///< ascending

  Index n_blocks() const { return static_cast<Index>(at.size()) + 1; }
  Index block_of(double exit) const;
  /// Blocks of a rank: first <= b < first of the next rank. Contiguous, so that a rank has a range of times.
  Index first_block(Index rank, Index n_ranks) const { return n_blocks() * rank / n_ranks; }
};

/// What a rank holds of a by_time stage: its blocks of time, each with all selected patients whose follow-up ends in it.
/// Who has no known end is in a block by the number of the shard. Blocks and the order of their patients are functions of
/// the cohort, not of ranks, so that what is computed block by block and summed in block order has the same bytes for any
/// number of ranks.
class TimeSlice {
 public:
  TimeSlice() = default;
  TimeSlice(Comm& comm, Index n_blocks, Index first_block, std::vector<Cohort> blocks, Ledger ledger)
      : comm_(&comm),
        n_blocks_(n_blocks),
        first_block_(first_block),
        blocks_(std::move(blocks)),
        ledger_(std::move(ledger)) {}

  Index n_blocks() const { return n_blocks_; }        ///< of all ranks
  Index first_block() const { return first_block_; }  ///< of this rank
  std::span<const Cohort> blocks() const { return blocks_; }
  const Ledger& ledger() const { return ledger_; }  ///< who left, of the whole cohort

  /// Numbers of all blocks, in block order, from those of this rank's; collective, and the same on all ranks. Every block
  /// gives equally many.
  std::vector<double> of_all(std::span<const double> mine) const { return comm_->in_rank_order(mine); }

 private:
  Comm* comm_ = nullptr;
  Index n_blocks_ = 0, first_block_ = 0;
  std::vector<Cohort> blocks_;
  Ledger ledger_;
};

/// Blocks of time of a large cohort: more ranks than this have nothing to hold.
inline constexpr Index most_time_blocks = 64;

/// Cuts at quantiles of the exits of all selected patients, so that blocks are about equal; collective. No cut separates
/// times that could count as tied: those next to it differ by more than 1.5e-8 of the largest.
TimeCuts cut_times(const Reading& reading, Comm& comm, Index most_blocks = most_time_blocks);

/// All selected patients, each on one rank; collective. Ranks read the shards in turn, one each a round, and send every
/// patient to where they belong. A rank holds its share, one shard, and for each block while it is packed a copy.
/// Throws   ConfigError when there is no endpoint
TimeSlice load_by_time(const Reading& reading, Comm& comm, Index most_blocks = most_time_blocks);

}  // namespace chorale::engine
