// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <span>
#include <vector>

#include "kernels/types.hpp"

namespace chorale::kernels {

/// Quantiles as R's default, type 7: linear between order statistics.
///
///   h = (n - 1) · p,   quantile = x_(⌊h⌋) + (h - ⌊h⌋) · (x_(⌊h⌋+1) - x_(⌊h⌋)),   x_(0) ≤ … ≤ x_(n-1)
///
/// Missing values (NaN) are left out; if none is left every quantile is NaN. `values` is only read.
///
/// Shapes   values (n), probabilities (k) each in [0, 1], returns (k)
/// Throws   ShapeError when a probability lies outside [0, 1]
/// Cost     one copy and one partial sort per probability, in time proportional to n
/// Threads  pure; the answer does not depend on the order of values
/// Source   Hyndman and Fan 1996, Am Stat 50:361, definition 7
/// Oracle   R stats::quantile, tests/oracle/quantile.R
std::vector<double> quantiles(std::span<const double> values, std::span<const double> probabilities);
std::vector<double> quantiles(std::span<const float> values, std::span<const double> probabilities);

/// How often each distinct value occurred: what shards or ranks can add up, and then ask for exact quantiles.
///
/// Variant allele frequencies come with few digits, so the distinct values stay few while the counts grow.
/// Adding and merging are exact and may happen in any order.
class ValueCounts {
 public:
  /// Counts the values; NaN are left out.
  void add(std::span<const float> values);

  /// Counts `n` more of one value.
  void add(float value, Index n);

  void merge(const ValueCounts& other);

  Index total() const;

  /// As quantiles(): type 7 over all values counted so far; NaN when there are none.
  std::vector<double> quantiles(std::span<const double> probabilities) const;

  /// Distinct values, rising, and how often each occurred.
  std::span<const float> values() const { return values_; }
  std::span<const Index> counts() const { return counts_; }

  /// For storing in a part, and taking it out again.
  template <class Archive>
  void serialize(Archive& archive, unsigned) {
    archive& values_& counts_;
  }

 private:
  void merge(std::span<const float> values, std::span<const Index> counts);

  std::vector<float> values_;
  std::vector<Index> counts_;
};

}  // namespace chorale::kernels
