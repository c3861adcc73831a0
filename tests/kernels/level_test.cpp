// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/level.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <string>

#include "kernels/error.hpp"

namespace chorale::kernels {
namespace {

std::string message_of(const std::string& name) {
  try {
    level_named(name);
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "";
}

TEST(Level, IsTheHighestAvailableUnlessTheEnvironmentSaysOtherwise) {
  const char* wish = std::getenv("CHORALE_LEVEL");
  EXPECT_EQ(name_of(level()),
            wish != nullptr && *wish != '\0' ? std::string(wish) : name_of(available_levels().back()));
}

TEST(Level, NamesAreReadBack) {
  for (const Level each : available_levels()) EXPECT_EQ(level_named(name_of(each)), each);
}

TEST(Level, ListIsSortedAndNotEmpty) {
  const auto levels = available_levels();
  EXPECT_FALSE(levels.empty());
  EXPECT_TRUE(std::is_sorted(levels.begin(), levels.end()));
}

TEST(Level, UnknownNameIsRefusedWithTheListOfLevels) {
  const std::string message = message_of("v9");
  EXPECT_NE(message.find("found v9"), std::string::npos) << message;
  for (const Level each : available_levels()) {
    EXPECT_NE(message.find(std::string(name_of(each))), std::string::npos) << message;
  }
}

TEST(Level, ALevelThatTheCpuLacksIsRefused) {
  const auto levels = available_levels();
  int n_refused = 0;
  for (const Level each : {Level::base, Level::v2, Level::v3, Level::v4}) {
    if (std::find(levels.begin(), levels.end(), each) != levels.end()) continue;
    EXPECT_THROW(force_level(each), ConfigError) << name_of(each);
    EXPECT_NE(message_of(std::string(name_of(each))), "");
    ++n_refused;
  }
  EXPECT_GE(n_refused, 1);  // base and v2 exclude one another
}

TEST(Level, ForcedLevelIsInForce) {
  const Level before = level();
  for (const Level each : available_levels()) {
    force_level(each);
    EXPECT_EQ(level(), each);
  }
  force_level(before);
}

}  // namespace
}  // namespace chorale::kernels
