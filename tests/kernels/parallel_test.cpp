// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/parallel.hpp"

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <vector>

namespace chorale::kernels {
namespace {

TEST(InParallel, CallsEachOnceOnAnyNumberOfThreads) {
  for (const int n_threads : {1, 2, 7}) {
    for (const std::size_t n : {0, 1, 5, 1000}) {
      std::vector<int> calls(n);
      in_parallel(n, n_threads, [&](std::size_t i) { ++calls[i]; });
      EXPECT_EQ(calls, std::vector<int>(n, 1));
    }
  }
}

TEST(InParallel, TheFirstExceptionByNumberGoesOnWhenAllHaveBeenCalled) {
  for (const int n_threads : {1, 3}) {
    std::vector<int> calls(50);
    try {
      in_parallel(calls.size(), n_threads, [&](std::size_t i) {
        ++calls[i];
        if (i % 20 == 13) throw std::runtime_error(std::to_string(i));
      });
      ADD_FAILURE() << "nothing thrown";
    } catch (const std::runtime_error& error) {
      EXPECT_EQ(std::string(error.what()), "13");
    }
    EXPECT_EQ(calls, std::vector<int>(50, 1));
  }
}

}  // namespace
}  // namespace chorale::kernels
