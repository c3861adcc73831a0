// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "kernels/types.hpp"

namespace chorale::kernels {

/// Ranks of numbers from 0, ascending, equal numbers sharing one; keeps its arrays between calls.
class DenseRank {
 public:
  /// Returns how many distinct values there are. Values must not be NaN or infinite; -0 equals 0.
  ///
  /// Shapes   rank as long as values
  /// Cost     buckets of equal width, one or two values in most, then insertion: 6 ns a value; where values are so uneven
  ///          that some buckets hold many, three counting sorts by the upper 32 bits, 7 ns
  Index rank(std::span<const double> values, std::span<std::int32_t> rank);

  /// Places of the values last ranked, ascending by value, equal ones by place.
  std::span<const std::int32_t> sorted() const { return places_; }

 private:
  void sort_by(int lowest_bit, int n_bits);
  bool by_buckets(std::span<const double> values);
  void by_digits(std::span<const double> values);
  Index number(std::span<const double> values, std::span<std::int32_t> rank);

  std::vector<std::uint64_t> keys_,
      sorted_;  ///< the value's upper part above, its place in the lower place_bits_
  int place_bits_ = 32;
  std::vector<std::int32_t> counts_, places_;
};

}  // namespace chorale::kernels
