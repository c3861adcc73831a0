// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <regex>
#include <string>
#include <vector>

namespace chorale::io {

using Counts = std::vector<std::int64_t>;
using Reals = std::vector<double>;
using Texts = std::vector<std::string>;

inline const double missing = std::nan(""), infinity = std::numeric_limits<double>::infinity();

inline std::size_t n_times(const std::string& part, const std::string& text) {
  std::size_t n = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + part.size())) ++n;
  return n;
}

inline bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

/// No number of the picture went astray.
inline void expect_finite(const std::string& chart) {
  EXPECT_FALSE(std::regex_search(chart, std::regex("\\b(nan|inf)\\b"))) << chart;
}

}  // namespace chorale::io
