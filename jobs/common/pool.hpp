// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <memory>
#include <mutex>
#include <vector>

namespace chorale::jobs {

/// Buffers that threads borrow, so that there are as many as were ever at work together and none is made twice.
template <class T>
class Pool {
 public:
  struct Return {
    Pool* pool;
    void operator()(T* idle) const {
      const std::lock_guard lock(pool->taken_);
      pool->idle_.emplace_back(idle);
    }
  };
  using Loan = std::unique_ptr<T, Return>;

  /// Goes back by itself.
  Loan borrow() {
    const std::lock_guard lock(taken_);
    if (idle_.empty()) return Loan(new T, Return{this});
    Loan loan(idle_.back().release(), Return{this});
    idle_.pop_back();
    return loan;
  }

 private:
  std::vector<std::unique_ptr<T>> idle_;
  std::mutex taken_;
};

}  // namespace chorale::jobs
