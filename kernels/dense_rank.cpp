// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/dense_rank.hpp"

#include <algorithm>
#include <bit>
#include <string>
#include <utility>

#include "kernels/dense_rank_body.hpp"
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

/// Sorts keys of the lower 32 bits of each value's share and its place, bucket by bucket; false where one holds many.
bool DenseRank::by_buckets(std::span<const double> values) {
  constexpr std::int32_t many = 48;
  constexpr std::size_t most_buckets = std::size_t{1} << 19;
  const std::size_t n = values.size();
  const std::size_t n_buckets = std::min(std::bit_ceil(n), most_buckets);
  double least = 0, greatest = 0;
  CHORALE_AT_LEVEL(value_bounds, values.data(), static_cast<Index>(n), least, greatest);
  // 2^32 parts of a bucket; the greatest value still lies in the last one
  const double scale = (static_cast<double>(n_buckets) - 0.5) * 4294967296.0 / (greatest - least);
  if (!(scale > 0 && scale < 1e300)) return false;
  sorted_.resize(n);
  CHORALE_AT_LEVEL(value_shares, values.data(), static_cast<Index>(n), least, scale, sorted_.data());
  counts_.assign(n_buckets, 0);
  for (const std::uint64_t share : sorted_) ++counts_[share >> 32];
  std::int32_t sum = 0, fullest = 0;
  for (std::int32_t& count : counts_) {
    fullest = std::max(fullest, count);
    sum += std::exchange(count, sum);
  }
  if (fullest > many) return false;
  keys_.resize(n);
  for (std::size_t i = 0; i < n; ++i)
    keys_[static_cast<std::size_t>(counts_[sorted_[i] >> 32]++)] = sorted_[i] << 32 | i;
  // counts_ now says where each bucket ends
  std::int32_t begin = 0;
  for (const std::int32_t end : counts_) {
    for (std::int32_t k = begin + 1; k < end; ++k) {
      const std::uint64_t key = keys_[static_cast<std::size_t>(k)];
      std::int32_t to = k;
      for (; to > begin && keys_[static_cast<std::size_t>(to - 1)] > key; --to)
        keys_[static_cast<std::size_t>(to)] = keys_[static_cast<std::size_t>(to - 1)];
      keys_[static_cast<std::size_t>(to)] = key;
    }
    begin = end;
  }
  return true;
}

void DenseRank::by_digits(std::span<const double> values) {
  const std::size_t n = values.size();
  keys_.resize(n);
  for (std::size_t i = 0; i < n; ++i) keys_[i] = (ascending_bits(values[i]) >> 32 << 32) | i;
  constexpr std::size_t few = 256;
  if (n <= few) {
    std::sort(keys_.begin(), keys_.end());
    return;
  }
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
    for (const std::uint64_t key : keys_) sorted_[static_cast<std::size_t>(count[digit_of(key, d)]++)] = key;
    keys_.swap(sorted_);
  }
}

/// Ranks by the order of the keys, once runs of equal upper parts are sorted by value.
Index DenseRank::number(std::span<const double> values, std::span<std::int32_t> rank) {
  const std::size_t n = values.size();
  const auto less = [&](std::uint64_t a, std::uint64_t b) {
    return values[place_of(a)] < values[place_of(b)];
  };
  places_.resize(n);
  std::int32_t distinct = 0;
  for (std::size_t begin = 0, end = 0; begin < n; begin = end) {
    ++end;
    while (end < n && keys_[end] >> 32 == keys_[begin] >> 32) ++end;
    if (end - begin > 1) {
      const auto first = keys_.begin() + static_cast<std::ptrdiff_t>(begin),
                 last = keys_.begin() + static_cast<std::ptrdiff_t>(end);
      if (!std::is_sorted(first, last, less)) std::stable_sort(first, last, less);
    }
    for (std::size_t i = begin; i < end; ++i) {
      const std::size_t place = place_of(keys_[i]);
      distinct += i > begin && values[place] != values[place_of(keys_[i - 1])];
      rank[place] = distinct;
      places_[i] = static_cast<std::int32_t>(place);
    }
    ++distinct;
  }
  return distinct;
}

Index DenseRank::rank(std::span<const double> values, std::span<std::int32_t> rank) {
  if (values.size() != rank.size()) {
    throw ShapeError({.what = "ranks and values differ in number",
                      .found = std::to_string(rank.size()),
                      .expected = std::to_string(values.size())});
  }
  constexpr std::size_t few = 64;
  if (values.size() <= few || !by_buckets(values)) by_digits(values);
  return number(values, rank);
}

}  // namespace chorale::kernels
