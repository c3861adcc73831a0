// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include <algorithm>

#include "jobs/interaction_screen/association.hpp"

namespace chorale::jobs::interaction {
namespace {

std::size_t size(Index n) {
  return static_cast<std::size_t>(n);
}

kernels::TwoByTwo turned(const kernels::TwoByTwo& table) {
  return {.n11 = table.n11, .n10 = table.n01, .n01 = table.n10, .n00 = table.n00};
}

}  // namespace

PairTiles::PairTiles(const Design& design, const engine::Cohort& cohort, const TestedPatients& tested,
                     const Association& association, Index n_units)
    : tested_(&tested) {
  for (Index f = 0; f < cohort.n_features(); ++f) carriers_.push_back(cohort.carriers(f));
  order_ = kernels::pair_order(carriers_, cohort.n_patients());
  std::vector<Index> n_carriers;
  for (const std::int32_t feature : order_.feature)
    n_carriers.push_back(static_cast<Index>(carriers_[size(feature)].size()));
  tiling_.emplace(order_, n_carriers, cohort.n_patients(), design.tile_cost(), n_units, design.most_cells());
  strata_.push_back(pack({}, 0));
  const kernels::Groups groups{.code = association.stratum(), .n_groups = association.n_strata()};
  for (std::int32_t s = 0; s < association.n_strata(); ++s) strata_.push_back(pack(groups, s));
}

std::unique_ptr<PairTiles::Stratum> PairTiles::pack(const kernels::Groups& groups, std::int32_t group) const {
  auto stratum = std::make_unique<Stratum>();
  const auto n_patients = static_cast<Index>(tested_->panels().of_patient.size());
  stratum->carriers = kernels::make_pair_lists(order_, carriers_, n_patients, groups, group);
  if (tested_->anyone_untested())
    stratum->untested = kernels::make_pair_lists(order_, tested_->untested(), n_patients, groups, group);
  stratum->counter = std::make_unique<kernels::PairCounter>(stratum->carriers);
  stratum->tables = std::make_unique<kernels::PairTables>(stratum->carriers, tested_->panels(),
                                                          stratum->untested ? &*stratum->untested : nullptr);
  return stratum;
}

CountedPairs PairTiles::count(const kernels::PairTile& tile) const {
  const Index n_strata = static_cast<Index>(strata_.size()) - 1;
  CountedPairs counted;
  counted.n_strata = n_strata;
  counted.pairs.reserve(size(tile.n_pairs()));
  counted.cells.reserve(size(tile.n_pairs()));
  counted.strata.resize(size(tile.n_pairs() * n_strata));

  if (static_cast<Index>(n11_.size()) < tile.n_cells()) {
    n11_.resize(size(tile.n_cells()));
    tables_.resize(n11_.size());
  }
  const auto n11 = std::span(n11_).first(size(tile.n_cells()));
  const auto tables = std::span(tables_).first(n11.size());
  for (Index s = 0; s <= n_strata; ++s) {
    strata_[size(s)]->counter->count(tile, n11);
    strata_[size(s)]->tables->fill(tile, n11, tables);
    Index k = 0;
    for (Index row = 0; row < tile.n_rows(); ++row) {
      const std::int32_t r = order_.feature[size(tile.row_begin + row)];
      for (Index column = 0; column < tile.n_pairs_of(row); ++column, ++k) {
        const std::int32_t c = order_.feature[size(tile.column_begin + column)];
        const kernels::TwoByTwo& table = tables[size(row * tile.n_columns() + column)];
        const kernels::TwoByTwo cells = r < c ? table : turned(table);
        if (s > 0) {
          counted.strata[size(k * n_strata + s - 1)] = cells;
        } else {
          counted.pairs.push_back({.a = std::min(r, c), .b = std::max(r, c)});
          counted.cells.push_back(cells);
        }
      }
    }
  }
  return counted;
}

PairWalk::PairWalk(const engine::Cohort& cohort, const TestedPatients& tested, const Association& association)
    : cohort_(cohort), tested_(tested), association_(association) {}

CountedPairs PairWalk::count(std::span<const kernels::FeaturePair> pairs) {
  CountedPairs counted;
  counted.n_strata = association_.n_strata();
  for (const auto& pair : pairs) add(pair, counted);
  return counted;
}

const std::vector<Index>& PairWalk::n_tested(Index set, Index other) {
  const auto [at, is_new] = n_tested_.try_emplace({std::min(set, other), std::max(set, other)});
  std::vector<Index>& n = at->second;
  if (!is_new) return n;
  n.resize(size(1 + association_.n_strata()));
  const auto first = tested_.mask(set), second = tested_.mask(other);
  const auto stratum = association_.stratum();
  for (std::size_t i = 0; i < first.size(); ++i) {
    if ((first[i] & second[i]) == 0) continue;
    ++n.front();
    if (!stratum.empty() && stratum[i] >= 0) ++n[1 + size(stratum[i])];
  }
  return n;
}

void PairWalk::add(kernels::FeaturePair pair, CountedPairs& counted) {
  const Index set_a = tested_.set_of(pair.a), set_b = tested_.set_of(pair.b);
  const auto of_a = tested_.mask(set_a), of_b = tested_.mask(set_b);
  const auto stratum = association_.stratum();
  std::vector<kernels::TwoByTwo> tables;
  for (const Index n : n_tested(set_a, set_b)) tables.push_back({.n11 = 0, .n10 = 0, .n01 = 0, .n00 = n});
  const auto in_tables = [&](std::size_t patient, auto use) {
    use(tables.front());
    if (!stratum.empty() && stratum[patient] >= 0) use(tables[1 + size(stratum[patient])]);
  };
  const auto move_to = [&](Index kernels::TwoByTwo::*cell, std::int32_t patient) {
    in_tables(size(patient), [&](kernels::TwoByTwo& table) { --table.n00, ++(table.*cell); });
  };
  const auto a = cohort_.carriers(pair.a), b = cohort_.carriers(pair.b);
  auto next_a = a.begin(), next_b = b.begin();
  while (next_a != a.end() || next_b != b.end()) {
    if (next_b == b.end() || (next_a != a.end() && *next_a < *next_b)) {
      if (of_b[size(*next_a)] != 0) move_to(&kernels::TwoByTwo::n10, *next_a);
      ++next_a;
    } else if (next_a == a.end() || *next_b < *next_a) {
      if (of_a[size(*next_b)] != 0) move_to(&kernels::TwoByTwo::n01, *next_b);
      ++next_b;
    } else {
      move_to(&kernels::TwoByTwo::n11, *next_a);
      ++next_a, ++next_b;
    }
  }
  counted.pairs.push_back(pair);
  counted.cells.push_back(tables.front());
  counted.strata.insert(counted.strata.end(), tables.begin() + 1, tables.end());
}

}  // namespace chorale::jobs::interaction
