// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/dense_rank.hpp"

#include <algorithm>
#include <bit>
#include <string>

#include "kernels/error.hpp"

namespace chorale::kernels {
namespace {

constexpr int digit_bits = 11, n_digits = 6;
constexpr std::size_t n_values = std::size_t{1} << digit_bits;

/// Bits that ascend with the number: all turned round where it is negative, else the sign alone.
std::uint64_t ascending_bits(double value) {
  const auto bits = std::bit_cast<std::uint64_t>(value + 0.0);
  return bits ^ ((bits >> 63) != 0 ? ~std::uint64_t{0} : std::uint64_t{1} << 63);
}

std::size_t digit_of(std::uint64_t bits, int digit) {
  return (bits >> (digit * digit_bits)) & (n_values - 1);
}

}  // namespace

Index DenseRank::rank(std::span<const double> values, std::span<std::int32_t> rank) {
  if (values.size() != rank.size()) {
    throw ShapeError({.what = "ranks and values differ in number",
                      .found = std::to_string(rank.size()),
                      .expected = std::to_string(values.size())});
  }
  const std::size_t n = values.size();
  keys_.resize(n);
  for (std::size_t i = 0; i < n; ++i) keys_[i] = {ascending_bits(values[i]), static_cast<std::int32_t>(i)};
  constexpr std::size_t few = 256;
  if (n <= few) {
    std::sort(keys_.begin(), keys_.end(), [](const Key& a, const Key& b) { return a.bits < b.bits; });
  } else {
    counts_.assign(n_digits * n_values, 0);
    for (const Key& key : keys_) {
      for (int d = 0; d < n_digits; ++d)
        ++counts_[static_cast<std::size_t>(d) * n_values + digit_of(key.bits, d)];
    }
    sorted_.resize(n);
    for (int d = 0; d < n_digits; ++d) {
      std::int32_t* count = counts_.data() + static_cast<std::size_t>(d) * n_values;
      if (static_cast<std::size_t>(count[digit_of(keys_[0].bits, d)]) == n) continue;
      std::int32_t sum = 0;
      for (std::size_t v = 0; v < n_values; ++v) sum += std::exchange(count[v], sum);
      for (const Key& key : keys_) sorted_[static_cast<std::size_t>(count[digit_of(key.bits, d)]++)] = key;
      keys_.swap(sorted_);
    }
  }
  std::int32_t distinct = -1;
  for (std::size_t i = 0; i < n; ++i) {
    distinct += i == 0 || keys_[i].bits != keys_[i - 1].bits;
    rank[static_cast<std::size_t>(keys_[i].at)] = distinct;
  }
  return Index{distinct} + 1;
}

}  // namespace chorale::kernels
