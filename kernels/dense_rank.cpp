// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/dense_rank.hpp"

#include <algorithm>
#include <bit>
#include <string>

#include "kernels/error.hpp"

namespace chorale::kernels {
namespace {

constexpr int digit_bits = 11, n_digits = 3;
constexpr std::size_t n_values = std::size_t{1} << digit_bits;

/// Bits that ascend with the number: all turned round where it is negative, else the sign alone.
std::uint64_t ascending_bits(double value) {
  const auto bits = std::bit_cast<std::uint64_t>(value + 0.0);
  return bits ^ ((bits >> 63) != 0 ? ~std::uint64_t{0} : std::uint64_t{1} << 63);
}

std::size_t digit_of(std::uint64_t key, int digit) {
  return (key >> (32 + digit * digit_bits)) & (n_values - 1);
}

std::size_t place_of(std::uint64_t key) {
  return key & 0xffffffffU;
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
  for (std::size_t i = 0; i < n; ++i) keys_[i] = (ascending_bits(values[i]) >> 32 << 32) | i;
  constexpr std::size_t few = 256;
  if (n <= few) {
    std::sort(keys_.begin(), keys_.end());
  } else {
    counts_.assign(n_digits * n_values, 0);
    for (const std::uint64_t key : keys_) {
      for (int d = 0; d < n_digits; ++d) ++counts_[static_cast<std::size_t>(d) * n_values + digit_of(key, d)];
    }
    sorted_.resize(n);
    for (int d = 0; d < n_digits; ++d) {
      std::int32_t* count = counts_.data() + static_cast<std::size_t>(d) * n_values;
      if (static_cast<std::size_t>(count[digit_of(keys_[0], d)]) == n) continue;
      std::int32_t sum = 0;
      for (std::size_t v = 0; v < n_values; ++v) sum += std::exchange(count[v], sum);
      for (const std::uint64_t key : keys_)
        sorted_[static_cast<std::size_t>(count[digit_of(key, d)]++)] = key;
      keys_.swap(sorted_);
    }
  }
  const auto less = [&](std::uint64_t a, std::uint64_t b) {
    return values[place_of(a)] < values[place_of(b)];
  };
  std::int32_t distinct = 0;
  for (std::size_t begin = 0, end = 0; begin < n; begin = end) {
    while (end < n && keys_[end] >> 32 == keys_[begin] >> 32) ++end;
    if (end - begin > 1) {
      const auto first = keys_.begin() + static_cast<std::ptrdiff_t>(begin),
                 last = keys_.begin() + static_cast<std::ptrdiff_t>(end);
      if (!std::is_sorted(first, last, less)) std::sort(first, last, less);
    }
    for (std::size_t i = begin; i < end; ++i) {
      distinct += i > begin && values[place_of(keys_[i])] != values[place_of(keys_[i - 1])];
      rank[place_of(keys_[i])] = distinct;
    }
    ++distinct;
  }
  return distinct;
}

}  // namespace chorale::kernels
