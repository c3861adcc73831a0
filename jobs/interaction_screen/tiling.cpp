// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "jobs/interaction_screen/tiling.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "jobs/interaction_screen/falling.hpp"

namespace chorale::jobs::interaction {
namespace {

using kernels::PairTile;

std::size_t size(Index n) {
  return static_cast<std::size_t>(n);
}

/// Without the digits in which the logarithms of one machine differ from another's: all ranks must cut alike.
double rounded(double x) {
  return std::round(x * 0x1p20) * 0x1p-20;
}

/// P(X >= least) of a Poisson mean, looked up at its logarithm.
class PoissonTail {
 public:
  explicit PoissonTail(Index least) : none_asked_(least <= 0) {
    for (std::size_t k = 0; k < tail_.size(); ++k) {
      const double mean = std::exp(lowest + static_cast<double>(k) / per_unit);
      double term = std::exp(-mean), below = 0;
      for (Index x = 0; x < least; ++x) {
        below += term;
        term *= mean / static_cast<double>(x + 1);
      }
      tail_[k] = rounded(std::max(0.0, 1 - below));
    }
  }
  double operator()(double log_mean) const {
    if (none_asked_) return 1;
    const double place = (log_mean - lowest) * per_unit + 0.5;
    if (!(place > 0)) return 0;
    return tail_[std::min(static_cast<std::size_t>(place), tail_.size() - 1)];
  }

 private:
  static constexpr double lowest = -6, per_unit = 16;
  std::array<double, 192> tail_{};  // up to a mean of e^6
  bool none_asked_;
};

/// Costs of tiles, from a few of their pairs.
class Estimate {
 public:
  Estimate(std::span<const Index> carriers, Index n_patients, const TileCost& cost)
      : cost_(cost), tail_(cost.min_both) {
    const double half = std::log(static_cast<double>(std::max<Index>(1, n_patients))) / 2;
    for (const Index n : carriers) log_share_.push_back(rounded(std::log(static_cast<double>(n)) - half));
  }

  double operator()(const PairTile& tile) const {
    if (tile.n_pairs() == 0) return 0;
    const auto pairs = static_cast<double>(tile.n_pairs());
    const auto rows = static_cast<double>(tile.n_rows()), columns = static_cast<double>(tile.n_columns());
    const double asked = cost_.asked > 0 ? pairs * share_asked(tile) : 0;
    return cost_.pair * pairs + cost_.asked * asked +
           cost_.feature * (std::min(rows, asked) + std::min(columns, asked)) + cost_.row * rows;
  }

 private:
  /// In the middles of sixteen parts.
  double share_asked(const PairTile& tile) const {
    constexpr Index parts = 4;
    double sum = 0;
    for (Index i = 0; i < parts; ++i) {
      const double row = log_share_[size(tile.row_begin + tile.n_rows() * (2 * i + 1) / (2 * parts))];
      for (Index j = 0; j < parts; ++j)
        sum +=
            tail_(row + log_share_[size(tile.column_begin + tile.n_columns() * (2 * j + 1) / (2 * parts))]);
    }
    return sum / (parts * parts);
  }

  TileCost cost_;
  PoissonTail tail_;
  std::vector<double> log_share_;  // by rank: log(carriers / √patients)
};

/// On the diagonal rows up to the first column have no pairs, nor have columns from the last row on; nothing is left where
/// there are none.
PairTile trimmed(PairTile tile) {
  tile.row_begin = std::min(tile.row_end, std::max(tile.row_begin, tile.column_begin + 1));
  tile.column_end = std::max(tile.column_begin, std::min(tile.column_end, tile.row_end - 1));
  return tile;
}

/// The middle, a multiple of the grain from `begin` on.
Index middle(Index begin, Index end) {
  return begin + std::max((end - begin) / (2 * Tiling::grain), Index{1}) * Tiling::grain;
}

std::array<PairTile, 2> halved_by_rows(const PairTile& tile) {
  std::array<PairTile, 2> halves{tile, tile};
  halves[0].row_end = halves[1].row_begin = middle(tile.row_begin, tile.row_end);
  return {trimmed(halves[0]), trimmed(halves[1])};
}

std::array<PairTile, 2> halved_by_columns(const PairTile& tile) {
  std::array<PairTile, 2> halves{tile, tile};
  halves[0].column_end = halves[1].column_begin = middle(tile.column_begin, tile.column_end);
  return {trimmed(halves[0]), trimmed(halves[1])};
}

struct Cut {
  const Estimate& estimate;
  double all, per_unit;  ///< expected of all units, and of one on average; 0 where only cells bound a tile
  Index most_cells;
  double& done;  ///< by the tiles so far
  std::vector<PairTile>& tiles;
  std::vector<double>& seconds;

  void into_tiles(const PairTile& tile, double cost) const {
    if (tile.n_pairs() == 0) return;
    const bool by_rows = tile.n_rows() > Tiling::grain, by_columns = tile.n_columns() > Tiling::grain;
    if ((is_short(cost) && tile.n_cells() <= most_cells) || (!by_rows && !by_columns)) {
      tiles.push_back(tile);
      seconds.push_back(cost);
      done += cost;
      return;
    }
    std::array<PairTile, 2> best;
    std::array<double, 2> costs{};
    bool any = false;
    const auto consider = [&](const std::array<PairTile, 2>& halves) {
      const std::array<double, 2> own{estimate(halves[0]), estimate(halves[1])};
      if (any && own[0] + own[1] >= costs[0] + costs[1]) return;
      best = halves, costs = own, any = true;
    };
    // the longer side first: it is kept where both are the same
    const bool rows_first = tile.n_rows() >= tile.n_columns();
    if (by_rows && rows_first) consider(halved_by_rows(tile));
    if (by_columns) consider(halved_by_columns(tile));
    if (by_rows && !rows_first) consider(halved_by_rows(tile));
    for (std::size_t k = 0; k < 2; ++k) into_tiles(best[k], costs[k]);
  }

  /// No more than the unit takes that the tile will be in.
  bool is_short(double cost) const {
    return per_unit == 0 || cost <= per_unit * relative_length(units_up_to(std::min(1.0, done / all)));
  }
};

}  // namespace

Tiling::Tiling(const kernels::PairOrder& order, std::span<const Index> carriers, Index n_patients,
               const TileCost& cost, Index n_units, Index most_cells) {
  const Estimate estimate(carriers, n_patients, cost);
  std::vector<double> seconds;
  const auto cut_all = [&](double all, Index cells) {
    tiles_.clear();
    seconds.clear();
    double done = 0;
    const Cut cut{estimate, all, all / static_cast<double>(n_units), cells, done, tiles_, seconds};
    for (Index r = 0; r < order.n_blocks(); ++r) {
      for (Index c = 0; c <= r; ++c) {
        const PairTile whole = trimmed({order.block_begin[size(r)], order.block_begin[size(r + 1)],
                                        order.block_begin[size(c)], order.block_begin[size(c + 1)]});
        cut.into_tiles(whole, estimate(whole));
      }
    }
    return done;
  };
  constexpr Index coarse = 1 << 14;  // cells, for the sum of all costs
  const double total = cut_all(cut_all(0, coarse), most_cells);

  first_.assign(size(n_units) + 1, n_tiles());
  double before = 0;
  Index next = 0;  // unit whose first tile is to be found
  for (Index number = 0; number < n_tiles(); ++number) {
    const double centre = (before + seconds[size(number)] / 2) / total;
    const auto unit =
        std::min(n_units - 1, static_cast<Index>(units_up_to(centre) * static_cast<double>(n_units)));
    for (; next <= unit; ++next) first_[size(next)] = number;
    before += seconds[size(number)];
  }
}

}  // namespace chorale::jobs::interaction
