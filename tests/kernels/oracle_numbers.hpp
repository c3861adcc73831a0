// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace chorale::kernels {

/// What a script under tests/oracle printed into the JSON file beside it.
class OracleNumbers {
 public:
  explicit OracleNumbers(const std::string& name)
      : all_(nlohmann::json::parse(std::ifstream(CHORALE_SOURCE_DIR "/tests/oracle/" + name + ".json"))) {}

  std::vector<double> operator()(const std::string& key) const {
    return all_.at(key).get<std::vector<double>>();
  }

 private:
  nlohmann::json all_;
};

inline void expect_near(const std::vector<double>& found, const std::vector<double>& expected,
                        double tolerance, const std::string& what) {
  ASSERT_EQ(found.size(), expected.size()) << what;
  for (std::size_t k = 0; k < found.size(); ++k)
    EXPECT_NEAR(found[k], expected[k], tolerance) << what << " " << k;
}

}  // namespace chorale::kernels
