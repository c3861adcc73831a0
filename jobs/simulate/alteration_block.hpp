// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "kernels/draw.hpp"
#include "kernels/types.hpp"

namespace chorale::jobs {

/// Two alterations, by their places in the block, and the odds ratio between them.
struct LinkedPair {
  Index a = 0, b = 0;
  double odds_ratio = 1;
};

/// P(both) of two events with these margins and this odds ratio:
///   the root in range of (ψ − 1) p² − (1 + (a + b)(ψ − 1)) p + ψ a b = 0
/// Source   Plackett 1965, J Am Stat Assoc 60:516
double probability_of_both(double a, double b, double odds_ratio);

/// Which of an entity's named alterations a patient carries, with given frequencies and odds ratios.
///
///   x_j ~ Bernoulli(p_j(x_parents)),  logit p_j = α_j + Σ_k θ_jk x_k over the pairs (k, j) with k drawn before j
///
/// α_j and θ_jk solve E[p_j] = frequency_j and E[x_k p_j] = P(both of k and j), expectations taken over the exact joint
/// distribution of the parents. So every frequency and the odds ratio of every listed pair hold exactly in the
/// population, whatever else the alterations are linked to. A pair that is not listed is independent given those that
/// are: two friends of one alteration meet more often than chance, as they do in patients.
///
/// Shapes   frequency (n) in [0, 1]; pairs: a ≠ b, each pair once
/// Throws   ConfigError when no such distribution exists, or when too many alterations are linked at once
/// Cost     construction: 2^(linked alterations that later ones still refer to) per Newton step; draw: 5 ns each
/// Threads  draw is pure
/// Oracle   tests/jobs/simulate_alterations_test.cpp enumerates the joint distribution
class AlterationBlock {
 public:
  AlterationBlock(std::span<const double> frequency, std::span<const LinkedPair> pairs,
                  std::span<const std::string> names, const std::string& entity);

  Index size() const { return static_cast<Index>(nodes_.size()); }

  /// Sets carried[j] to 0 or 1; one uniform draw per alteration, whatever the outcome.
  void draw(kernels::Draws& draws, std::span<std::uint8_t> carried) const;

  /// P(x_j = 1 | the parents among `carried`).
  double probability(Index j, std::span<const std::uint8_t> carried) const;

 private:
  struct Node {
    std::vector<Index> parents;
    std::vector<double> probability;  ///< (2^parents), bit k is parent k
  };
  std::vector<Node> nodes_;
};

}  // namespace chorale::jobs
