// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "jobs/interaction_screen/design.hpp"
#include "jobs/interaction_screen/part.hpp"

namespace chorale::jobs::interaction {

/// p by its size: bins of a twentieth of a power of ten, the last one for everything below.
struct Tail {
  static constexpr Index n_bins = 400;
  static constexpr double width = 0.05;  ///< of log10 p
  static Index bin(double log10_p);
};

/// What the units of a stage count of one family of p. Refers to the sums of all ranks.
struct FamilyCounts {
  static constexpr Index n_numbers = 1 + PTally::n_bins + Tail::n_bins;
  std::int64_t n_tested = 0;
  std::span<const std::int64_t> bins;  ///< (PTally::n_bins)
  std::span<const std::int64_t> tail;  ///< (Tail::n_bins) of the kept p
};

/// The counts of the pairs stage: each test's family, that of the interaction, and how many pairs were drawn for the
/// check.
std::vector<std::int64_t> count_pairs(const Design& design, std::span<const Part> parts);
FamilyCounts family_counts(std::span<const std::int64_t> counts, std::size_t family);

/// First bin of the tail whose p could be reported, of a family that tells its tail.
///
///   q_(i) ≤ α needs p_(i) ≤ α · rank / n_tested, and the rank of a p is at most the number in its own bin and below
///
/// So a bin is needed if its lower edge lies below α (number + extra) / n_tested, or below the other bound that the config
/// reports by.
///
/// extra   how many p may join the family later
Index first_needed(const Design& design, std::int64_t n_tested, std::span<const std::int64_t> tail,
                   Index extra);
/// Of every test, then of the interaction, from the sums of the pairs stage; 0 where every p is kept.
std::vector<Index> first_needed(const Design& design, std::span<const std::int64_t> counts);

/// The counts of the details stage: the tail of the full fits' p.
std::vector<std::int64_t> count_details(const Design& design, std::span<const Part> parts);

/// Leaves out the p that cannot be reported, and joins the parts into one.
void condense_pairs(const Design& design, std::span<const std::int64_t> counts, std::vector<Part>& parts);
/// Leaves of the rows that cannot be reported what the tables of features need, and joins the parts into one.
void condense_details(const Design& design, std::span<const std::int64_t> pair_counts,
                      std::span<const std::int64_t> counts, std::vector<Part>& parts);
/// Joins parts of sets into one.
void condense_sets(const Design& design, std::vector<Part>& parts);

}  // namespace chorale::jobs::interaction
