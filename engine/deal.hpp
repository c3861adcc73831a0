// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <span>
#include <vector>

#include "kernels/types.hpp"

namespace chorale::engine {

/// In which portions the units of a stage are dealt to the ranks: guided self-scheduling in rounds.
///
///   size of a round's chunks = max(1, remaining / (4 · ranks)),   one round = one chunk for each rank
///
/// Large chunks first, so that short units do not make a stage a queue at the counter; single units last, so that no
/// rank ends much later than another. Chunk r of the first round is rank r's without asking; from then on ranks draw
/// chunk numbers from the counter. A value: the same on every rank, for the counter deals numbers alone.
/// Source   Hummel, Schonberg, Flynn 1992, Commun ACM 35(8):90 (factoring)
class Deal {
 public:
  Deal(Index n_units, Index n_ranks);
  /// Of stages dealt as one: the rounds of each follow those of the one before, for units of stages differ in length.
  Deal(std::span<const Index> n_units, Index n_ranks);

  Index n_chunks() const { return static_cast<Index>(begin_.size()) - 1; }
  /// Units begin <= u < end of a chunk; empty beyond the last one.
  Index begin(Index chunk) const { return begin_[at(chunk)]; }
  Index end(Index chunk) const { return begin_[at(chunk + 1)]; }

 private:
  void add(Index n_units, Index n_ranks);
  std::size_t at(Index chunk) const {
    return static_cast<std::size_t>(chunk < n_chunks() ? chunk : n_chunks());
  }

  std::vector<Index> begin_{0};
};

}  // namespace chorale::engine
