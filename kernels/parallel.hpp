// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <cstddef>
#include <exception>
#include <vector>

#include <omp.h>

namespace chorale::kernels {

/// Calls body(i) for i = 0 … n - 1 on n_threads threads, in any order; afterwards the first exception, by i, goes on.
template <class Body>
void in_parallel(std::size_t n, int n_threads, const Body& body) {
  std::vector<std::exception_ptr> errors(n);
#pragma omp parallel for schedule(dynamic, 1) num_threads(n_threads)
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

/// On the threads of the rank.
template <class Body>
void in_parallel(std::size_t n, const Body& body) {
  in_parallel(n, omp_get_max_threads(), body);
}

}  // namespace chorale::kernels
