// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "io/results.hpp"
#include "kernels/types.hpp"

namespace chorale::engine {

/// The attrition ledger: how many patients there were, and for each reason how many left, in order.
/// Ledgers over disjoint patients add up line by line.
struct Ledger {
  struct Line {
    std::string step;    ///< "select", "outcome"
    std::string reason;  ///< "AGE at least 18: no value"
    Index n_left = 0;

    template <class Archive>
    void serialize(Archive& archive, unsigned) {
      archive& step& reason& n_left;
    }
  };
  Index n_start = 0;
  std::vector<Line> lines;

  void leave(std::string step, std::string reason, Index n_left) {
    lines.push_back({std::move(step), std::move(reason), n_left});
  }
  Index n_remaining() const;
  /// Adds the counts of a ledger with the same lines; an empty ledger takes the other's lines.
  void add(const Ledger& other);
  /// Adds the counts of ledgers with the same lines that others hold: sum() makes its numbers the sums over all of them.
  void add_up(const std::function<void(std::span<std::int64_t>)>& sum);
  /// attrition.tsv: step, reason, patients that left, patients that remain.
  io::ResultTable table() const;

  template <class Archive>
  void serialize(Archive& archive, unsigned) {
    archive& n_start& lines;
  }
};

}  // namespace chorale::engine
