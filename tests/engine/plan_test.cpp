// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "engine/plan.hpp"

#include <gtest/gtest.h>

namespace chorale::engine {
namespace {

Stage stage(const std::string& name, Layout layout, Index n_units, double seconds) {
  return {.name = name, .layout = layout, .columns = {}, .n_units = n_units, .seconds_per_unit = seconds};
}

TEST(Plan, NumbersUnitsStageByStageAndGivesEveryShardOne) {
  io::Catalogue catalogue;
  catalogue.shards.resize(3);
  // what a job says of a by_shard stage's units does not count: there are as many as shards
  const Plan plan({stage("counts", Layout::by_shard, 99, 2.0), stage("nothing", Layout::replicated, 0, 1.0),
                   stage("tiles", Layout::replicated, 2, 0.5)},
                  catalogue);
  EXPECT_EQ(plan.n_units(), 3 + 0 + 2);
  EXPECT_DOUBLE_EQ(plan.seconds(), 3 * 2.0 + 2 * 0.5);
  const std::vector<std::pair<Index, Index>> expected{{0, 0}, {0, 1}, {0, 2}, {2, 0}, {2, 1}};
  for (Index number = 0; number < plan.n_units(); ++number) {
    const Unit unit = plan.unit(number);
    EXPECT_EQ(unit.stage, expected[static_cast<std::size_t>(number)].first) << number;
    EXPECT_EQ(unit.index, expected[static_cast<std::size_t>(number)].second) << number;
  }
}

TEST(Plan, WithoutStagesThereIsNothingToDo) {
  EXPECT_EQ(Plan().n_units(), 0);
}

}  // namespace
}  // namespace chorale::engine
