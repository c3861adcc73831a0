// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "engine/comm.hpp"

#include <gtest/gtest.h>

namespace chorale::engine {
namespace {

TEST(SoloComm, IsRankZeroOfOne) {
  const auto comm = solo_comm();
  EXPECT_EQ(comm->rank(), 0);
  EXPECT_EQ(comm->size(), 1);
  EXPECT_EQ(comm->node_rank(), 0);
  EXPECT_EQ(comm->node_size(), 1);
  EXPECT_TRUE(comm->is_root());
  EXPECT_FALSE(comm->host().empty());
}

TEST(SoloComm, LeavesValuesAsTheyAre) {
  const auto comm = solo_comm();
  std::vector<std::int64_t> values{3, -1};
  comm->sum(values);
  comm->node_sum(values);
  comm->largest(values);
  EXPECT_EQ(values, (std::vector<std::int64_t>{3, -1}));
  std::string bytes("a\0b", 3);
  comm->broadcast(bytes);
  EXPECT_EQ(bytes, std::string("a\0b", 3));
  EXPECT_EQ(comm->gather(bytes), std::vector<std::string>{bytes});
  EXPECT_EQ(comm->in_rank_order(std::vector<double>{2, 1}), (std::vector<double>{2, 1}));
  EXPECT_EQ(comm->exchange({bytes}), std::vector<std::string>{bytes});
}

TEST(SoloComm, CountersStartAtZeroAndKnowNothingOfEachOther) {
  const auto comm = solo_comm();
  const auto one = comm->counter();
  EXPECT_EQ(one->next(), 0);
  EXPECT_EQ(one->next(5), 1);
  EXPECT_EQ(one->next(), 6);  // 1 + 5
  EXPECT_EQ(comm->counter()->next(), 0);
}

TEST(SoloComm, SharedMemoryIsZeroAndMayBeEmpty) {
  const auto comm = solo_comm();
  const auto block = comm->node_shared(100);
  ASSERT_EQ(block->bytes().size(), 100U);
  for (const std::byte byte : block->bytes()) EXPECT_EQ(byte, std::byte{0});
  EXPECT_TRUE(comm->node_shared(0)->bytes().empty());
}

}  // namespace
}  // namespace chorale::engine
