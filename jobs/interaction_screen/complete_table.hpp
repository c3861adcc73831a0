// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <cstdint>
#include <vector>

#include "io/pieces.hpp"
#include "io/results.hpp"
#include "jobs/interaction_screen/association.hpp"
#include "jobs/interaction_screen/design.hpp"
#include "kernels/pair_cox_screen.hpp"

namespace chorale::jobs::interaction {

/// One tile's pairs with everything that the pairs stage computes of them.
struct TileResult {
  CountedPairs counted;
  std::vector<std::vector<double>> log10_p;  // by test
  std::vector<kernels::PairScreen> screens;  // by pair; empty without outcome
  std::vector<double> screen_log10_p;        // by pair
};

/// A unit's piece of the table of every pair, tile after tile.
class CompleteTable {
 public:
  explicit CompleteTable(const Design& design) : design_(design), log10_p_(design.tests.size()) {}

  void add(const TileResult& tile);
  io::ResultTable table() &&;

 private:
  const Design& design_;
  std::vector<std::int32_t> a_, b_, tested_, n11_, n10_, n01_, n00_, verdict_;
  std::vector<double> odds_ratio_, lower_, upper_;
  std::vector<std::vector<double>> log10_p_;
  std::vector<double> log_hazard_a_, log_hazard_b_, log_hazard_ab_, se_ab_, lrt_chi2_, lrt_log10_p_;
};

/// Adds q, which needs the p of all pieces, beside each p.
void add_q(const Design& design, io::Pieces& pieces, Index n_pieces);

}  // namespace chorale::jobs::interaction
