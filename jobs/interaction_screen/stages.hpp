// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "jobs/interaction_screen/association.hpp"
#include "jobs/interaction_screen/design.hpp"
#include "jobs/interaction_screen/outcome.hpp"
#include "jobs/interaction_screen/part.hpp"
#include "kernels/association_permutation.hpp"
#include "kernels/item_sets.hpp"
#include "kernels/outcome_permutation.hpp"
#include "kernels/set_tables.hpp"

namespace chorale::jobs::interaction {

/// The families of statistics that maxT permutes.
struct Permuted {
  kernels::AssociationPermutation association;
  Residuals residuals;
  std::vector<kernels::FeaturePair> pairs;  ///< asked about outcome, by features
  std::optional<kernels::OutcomePermutation> interaction;

  Permuted(const Design& design, const engine::Cohort& cohort, const TestedPatients& tested,
           const Association& association, const PairTiles& tiles, const OutcomeModel* outcome);
};

/// What all units of a rank share, made once: a function of the cohort and the config alone.
struct Frame {
  Design design;
  const engine::Cohort& cohort;
  TestedPatients tested;
  Association association;
  PairTiles tiles;
  kernels::SetTables set_tables;
  std::optional<OutcomeModel> outcome;
  std::optional<Permuted> permuted;  ///< when there are permutations

  Frame(const Design& design, const engine::Setup& setup, const engine::Cohort& cohort);

  // made when a unit first asks, and kept for the units after it; a rank runs one unit at a time
  const kernels::ItemSetFinder& finder(int order) const;
  const std::vector<ChosenPair>& chosen_pairs(const engine::Setup& setup) const;
  const std::vector<FoundSet>& chosen_sets(const engine::Setup& setup) const;

 private:
  mutable std::map<int, kernels::ItemSetFinder> finders_;
  mutable std::optional<std::vector<ChosenPair>> chosen_pairs_;
  mutable std::optional<std::vector<FoundSet>> chosen_sets_;
};

/// Counts, tests and screens every pair of the unit's tiles.
Part screen_pairs(const Frame& frame, engine::Unit unit);

/// Which pairs the details stage looks at, chosen from all that the pairs stage kept.
std::vector<ChosenPair> choose_pairs(const Design& design, std::span<const std::int64_t> counts,
                                     std::span<const Part> parts);

/// Everything about the unit's share of the chosen pairs.
Part describe_pairs(const Frame& frame, std::span<const ChosenPair> chosen, engine::Unit unit, Index n_units);

/// Triples and sets of four that enough patients carry.
Part find_sets(const Frame& frame, engine::Unit unit, Index n_units);
/// How sets are ordered: small ones first, then by falling carriers; equal numbers by features.
bool carried_more(const FoundSet& x, const FoundSet& y);
/// The sets that most patients carry, at most most_sets of each order.
std::vector<FoundSet> choose_sets(const Design& design, std::span<const Part> parts);
/// The unit's share of the chosen sets: against what lower interactions explain, and their outcome.
Part fit_sets(const Frame& frame, std::span<const FoundSet> chosen, engine::Unit unit, Index n_units);

/// The unit's share of the permutations.
Part permute(const Frame& frame, engine::Unit unit, Index n_units);
/// Adds the statistics that maxT compares.
void add_permuted_statistics(const Permuted& permuted, std::span<PairRow> rows);

/// The odds ratios that the config asks for; NaN where says_nothing(). Threads over pairs.
std::vector<kernels::Ratio> odds_ratios(const Config& config, std::span<const kernels::TwoByTwo> cells);

/// Largest p of the screen up to which every pair has its p; beyond it a pair may be proven to lie there, no more.
double screened_up_to(const Design& design);

}  // namespace chorale::jobs::interaction
