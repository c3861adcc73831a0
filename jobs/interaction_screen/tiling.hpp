// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <span>
#include <vector>

#include "kernels/pair_counts.hpp"

namespace chorale::jobs::interaction {

/// What the parts of a tile are expected to take, seconds on one core.
struct TileCost {
  double pair = 0;     ///< counting and testing association
  double asked = 0;    ///< asking a pair about outcome, beyond that
  double feature = 0;  ///< making what pairs share of a feature that is asked about
  double row = 0;      ///< walking a row's patients, however few columns there are
  Index min_both = 0;  ///< pairs with so many double carriers are asked about outcome
};

/// The triangle of all pairs, cut into tiles and these shared out among units by what they are expected to take, which
/// falls slowly from the first unit to the last (falling.hpp).
///
///   cost(tile) = pair · pairs + asked · A + feature · (min(rows, A) + min(columns, A)) + row · rows,
///   A = Σ_pairs P(X >= min_both), X Poisson with the mean c_r c_c / n of two features that know nothing of each other
///
/// From the blocks of the order on, a tile is halved, by rows or by columns, whichever leaves less to do, until it takes no
/// more than a unit should. So tiles are near to square where pairs are asked about outcome and share what is made of
/// their features, and flat where only counting matters; neighbours stay together. A function of the carriers alone.
class Tiling {
 public:
  static constexpr Index grain =
      4;  ///< rows and columns are multiples of it, counted from their block's first

  /// carriers by the order's ranks, falling; most_cells bounds a tile
  Tiling(const kernels::PairOrder& order, std::span<const Index> carriers, Index n_patients,
         const TileCost& cost, Index n_units, Index most_cells);

  Index n_tiles() const { return static_cast<Index>(tiles_.size()); }
  const kernels::PairTile& tile(Index number) const { return tiles_[static_cast<std::size_t>(number)]; }
  /// Tiles begin(unit) <= number < end(unit); none where tiles are longer than units should be.
  Index begin(Index unit) const { return first_[static_cast<std::size_t>(unit)]; }
  Index end(Index unit) const { return first_[static_cast<std::size_t>(unit) + 1]; }

 private:
  std::vector<kernels::PairTile> tiles_;
  std::vector<Index> first_;  // (n_units + 1)
};

}  // namespace chorale::jobs::interaction
