// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "jobs/interaction_screen/part.hpp"

#include <limits>

#include <gtest/gtest.h>

namespace chorale::jobs::interaction {
namespace {

TEST(InteractionScreenPart, CountsComeBackFromBytes) {
  const std::vector<std::int64_t> counts{0,     1,     127, 128,
                                         16383, 16384, 0,   std::numeric_limits<std::int64_t>::max()};
  EXPECT_EQ(to_counts(to_bytes(counts)), counts);
  EXPECT_TRUE(to_counts(to_bytes({})).empty());
}

TEST(InteractionScreenPart, SmallCountsTakeAByte) {
  // seven bits a byte: 127 fits one, 128 and 16383 = 2^14 - 1 take two, 16384 three
  EXPECT_EQ(to_bytes(std::vector<std::int64_t>(2000, 100)).size(), 2000U);
  EXPECT_EQ(to_bytes(std::vector<std::int64_t>{127, 128, 16383, 16384}).size(), 1U + 2 + 2 + 3);
}

}  // namespace
}  // namespace chorale::jobs::interaction
