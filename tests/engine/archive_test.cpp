// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "engine/archive.hpp"

#include <numeric>
#include <vector>

#include <gtest/gtest.h>
#include <boost/serialization/string.hpp>
#include <boost/serialization/vector.hpp>

namespace chorale::engine {
namespace {

TEST(Archive, ComesBack) {
  const std::vector<std::string> value{"one", "", std::string("t\0wo", 4)};
  EXPECT_EQ(from_archive<std::vector<std::string>>(to_archive(value)), value);
}

TEST(Archive, TakesNoMoreThanItNeeds) {
  std::vector<double> value(100'000);
  std::iota(value.begin(), value.end(), 0.0);
  const std::string bytes = to_archive(value);
  EXPECT_GE(bytes.size(), value.size() * sizeof(double));
  EXPECT_LE(bytes.capacity(), bytes.size() + 64);
  EXPECT_EQ(from_archive<std::vector<double>>(bytes), value);
}

}  // namespace
}  // namespace chorale::engine
