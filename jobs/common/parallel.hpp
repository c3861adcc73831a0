// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <cstddef>
#include <exception>
#include <vector>

namespace chorale::jobs {

/// Calls body(i) for i = 0 … n - 1 on the threads of the rank, in any order; afterwards the first exception, by i, goes on.
template <class Body>
void in_parallel(std::size_t n, const Body& body) {
  std::vector<std::exception_ptr> errors(n);
#pragma omp parallel for schedule(dynamic)
  for (std::size_t i = 0; i < n; ++i) {
    try {
      body(i);
    } catch (...) {
      errors[i] = std::current_exception();
    }
  }
  for (const auto& error : errors)
    if (error) std::rethrow_exception(error);
}

}  // namespace chorale::jobs
