// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "engine/deal.hpp"

#include <algorithm>

namespace chorale::engine {

Deal::Deal(Index n_units, Index n_ranks) : Deal(std::span(&n_units, 1), n_ranks) {}

Deal::Deal(std::span<const Index> n_units, Index n_ranks) {
  for (const Index n : n_units) add(n, n_ranks);
}

void Deal::add(Index n_units, Index n_ranks) {
  constexpr Index rounds_ahead = 4;
  for (Index left = n_units; left > 0;) {
    const Index size = std::max<Index>(1, left / (rounds_ahead * n_ranks));
    for (Index rank = 0; rank < n_ranks && left > 0; ++rank, left -= size)
      begin_.push_back(begin_.back() + size);
  }
}

}  // namespace chorale::engine
