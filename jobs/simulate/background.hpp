// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <cstdint>
#include <vector>

#include "jobs/simulate/spec.hpp"
#include "kernels/draw.hpp"
#include "kernels/types.hpp"

namespace chorale::jobs {

/// Passenger genes, as many as asked for, drawn at the cost of their hits.
///
///   f_g    = highest · (lowest / highest)^((g + ½) / n)                 log-uniform, the frequent ones first
///   hits   ~ Poisson(B · Σ_g μ_g), each on gene g with probability μ_g / Σ μ,   B ~ Gamma(a) / a, or 1
///   μ_g    = a ((1 − f_g)^(−1/a) − 1), or −log(1 − f_g) without B, times e^(spread · z − spread²/2), z per entity and gene
///
/// so that P(at least one hit) = 1 − E[e^(−μB)] = f_g exactly (spread 0), and genes are independent given the burden B.
/// A gene may be hit twice.
///
/// Cost     30 ns per hit (Walker's alias table), nothing per gene
/// Threads  pure
class BackgroundGenes {
 public:
  BackgroundGenes(const SimulateSpec& spec, Index n_genes);

  Index size() const { return n_genes_; }
  double frequency(Index entity, Index gene) const;

  /// The patient's relative burden; 1 when burden_shape is 0.
  double draw_burden(kernels::Draws& draws) const;
  /// Calls take(gene) for each hit.
  template <class Take>
  void draw_hits(kernels::Draws& draws, Index entity, double burden, Take take) const {
    if (n_genes_ == 0) return;
    const Table& table = tables_[static_cast<std::size_t>(entity)];
    for (Index n_left = draws.poisson(burden * table.total); n_left > 0; --n_left) {
      // one draw serves both choices: its whole part picks the cell, its fraction stays or leaves
      const double place = draws.uniform() * static_cast<double>(n_genes_);
      const auto cell = static_cast<std::size_t>(place);
      const double fraction = place - static_cast<double>(cell);
      take(fraction < table.keep[cell] ? static_cast<Index>(cell) : Index{table.other[cell]});
    }
  }

 private:
  struct Table {
    std::vector<double> rate;  ///< μ_g
    double total = 0;
    std::vector<double> keep;         ///< alias table: stay in the cell with this probability,
    std::vector<std::int32_t> other;  ///< otherwise go there
  };
  Index n_genes_;
  double burden_shape_;
  std::vector<Table> tables_;  ///< one per entity
};

}  // namespace chorale::jobs
