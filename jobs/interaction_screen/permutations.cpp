// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include <algorithm>
#include <tuple>

#include "jobs/interaction_screen/stages.hpp"

namespace chorale::jobs::interaction {
namespace {

std::vector<std::span<const std::int32_t>> carriers_of(const engine::Cohort& cohort) {
  std::vector<std::span<const std::int32_t>> carriers;
  for (Index f = 0; f < cohort.n_features(); ++f) carriers.push_back(cohort.carriers(f));
  return carriers;
}

bool before(const kernels::FeaturePair& x, const kernels::FeaturePair& y) {
  return std::tie(x.a, x.b) < std::tie(y.a, y.b);
}

std::vector<kernels::FeaturePair> pairs_with_carriers(const PairTiles& tiles, Index min_both) {
  std::vector<kernels::FeaturePair> pairs;
  for (Index number = 0; number < tiles.tiling().n_tiles(); ++number) {
    const CountedPairs counted = tiles.count(tiles.tiling().tile(number));
    for (std::size_t k = 0; k < counted.pairs.size(); ++k)
      if (counted.cells[k].n11 >= min_both) pairs.push_back(counted.pairs[k]);
  }
  std::sort(pairs.begin(), pairs.end(), before);
  return pairs;
}

/// Strata of the association crossed with those of the outcome.
std::vector<std::int32_t> outcome_strata(const engine::Cohort& cohort, const Association& association,
                                         const kernels::Timeline& timeline) {
  std::vector<std::int32_t> stratum(static_cast<std::size_t>(cohort.n_patients()), 0);
  const auto own = association.stratum();
  const auto n_outcome = static_cast<std::int32_t>(timeline.n_strata);
  for (std::size_t i = 0; i < stratum.size(); ++i) {
    const std::int32_t first = own.empty() ? 0 : own[i];
    stratum[i] = first < 0 || timeline.analysed[i] == 0 ? -1 : first * n_outcome + timeline.stratum[i];
  }
  return stratum;
}

}  // namespace

Permuted::Permuted(const Design& design, const engine::Cohort& cohort, const TestedPatients& tested,
                   const Association& of_association, const PairTiles& tiles, const OutcomeModel* outcome)
    : association(carriers_of(cohort),
                  {.code = of_association.groups().code, .n_groups = of_association.groups().n_groups},
                  of_association.groups().tested) {
  if (outcome == nullptr) return;
  residuals = outcome->residuals();
  pairs = pairs_with_carriers(tiles, design.config.min_both);
  const ExchangeGroups groups(cohort, tested,
                              outcome_strata(cohort, of_association, outcome->follow_up().model()));
  interaction.emplace(residuals.value, carriers_of(cohort),
                      kernels::Groups{.code = groups.code, .n_groups = groups.n_groups}, groups.tested, pairs,
                      design.config.min_both);
}

Part permute(const Frame& frame, engine::Unit unit, Index n_units) {
  const Permuted& permuted = *frame.permuted;
  const Index n = frame.design.config.permutations;
  const Index first = n * unit.index / n_units, end = n * (unit.index + 1) / n_units;
  const auto seed = static_cast<std::uint64_t>(frame.design.seed);
  Part part;
  part.association_extremes.resize(static_cast<std::size_t>(end - first));
  permuted.association.extremes(seed, first, part.association_extremes);
  if (permuted.interaction) {
    part.interaction_extremes.resize(static_cast<std::size_t>(end - first));
    permuted.interaction->extremes(seed, first, part.interaction_extremes);
  }
  if (unit.index > 0) return part;
  part.n_permuted_associations = permuted.association.n_tested();
  part.own_effects = permuted.residuals.features;
  if (permuted.interaction)
    for (const auto& pair : permuted.interaction->observed())
      part.n_permuted_interactions += pair.verdict == kernels::InteractionVerdict::tested ? 1 : 0;
  return part;
}

void add_permuted_statistics(const Permuted& permuted, std::span<PairRow> rows) {
  std::vector<kernels::FeaturePair> pairs;
  for (const PairRow& row : rows) pairs.push_back({.a = row.pair.a, .b = row.pair.b});
  std::vector<kernels::Association> found(pairs.size());
  permuted.association.observed(pairs, found);
  for (std::size_t k = 0; k < rows.size(); ++k) {
    rows[k].association_z = found[k].z;
    const auto at = std::lower_bound(permuted.pairs.begin(), permuted.pairs.end(), pairs[k], before);
    if (at == permuted.pairs.end() || before(pairs[k], *at)) continue;
    rows[k].interaction_z =
        permuted.interaction->observed()[static_cast<std::size_t>(at - permuted.pairs.begin())].z;
  }
}

}  // namespace chorale::jobs::interaction
