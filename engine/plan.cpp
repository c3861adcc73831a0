// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "engine/plan.hpp"

namespace chorale::engine {

double Setup::expected_patients() const {
  double n = 0;
  for (const auto& shard : expected()) n += static_cast<double>(shard.n_patients);
  return n;
}

double Setup::expected_variants() const {
  double n = 0;
  for (const auto& shard : expected()) n += static_cast<double>(shard.n_variants);
  return n;
}

Plan::Plan(std::vector<Stage> all, const io::Catalogue& catalogue) : stages(std::move(all)) {
  for (Stage& stage : stages)
    if (stage.layout == Layout::by_shard) stage.n_units = static_cast<Index>(catalogue.shards.size());
}

Index Plan::n_units() const {
  Index n = 0;
  for (const Stage& stage : stages) n += stage.n_units;
  return n;
}

Unit Plan::unit(Index number) const {
  Unit unit{.stage = 0, .index = number};
  while (unit.index >= stages[static_cast<std::size_t>(unit.stage)].n_units)
    unit.index -= stages[static_cast<std::size_t>(unit.stage++)].n_units;
  return unit;
}

double Plan::seconds() const {
  double seconds = 0;
  for (const Stage& stage : stages) seconds += static_cast<double>(stage.n_units) * stage.seconds_per_unit;
  return seconds;
}

}  // namespace chorale::engine
