// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/dense_rank.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
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

}  // namespace

/// Sorts by a stretch of bits of the keys, equal ones as they stood.
void DenseRank::sort_by(int lowest_bit, int n_bits) {
  const std::uint64_t mask = (std::uint64_t{1} << n_bits) - 1;
  counts_.assign(mask + 1, 0);
  for (const std::uint64_t key : keys_) ++counts_[(key >> lowest_bit) & mask];
  std::int32_t sum = 0;
  for (std::int32_t& count : counts_) sum += std::exchange(count, sum);
  sorted_.resize(keys_.size());
  for (const std::uint64_t key : keys_)
    sorted_[static_cast<std::size_t>(counts_[(key >> lowest_bit) & mask]++)] = key;
  keys_.swap(sorted_);
}

/// Keys of each value's share of the range and its place; false where insertion would have much to do.
bool DenseRank::by_buckets(std::span<const double> values) {
  constexpr std::size_t much = 8;                // moves a value
  constexpr int near_bits = 13, most_bits = 19;  // what one sort by counts, and two, can do near the core
  const std::size_t n = values.size();
  place_bits_ = static_cast<int>(std::bit_width(n - 1));
  const int bucket_bits = place_bits_ <= near_bits ? place_bits_ : most_bits;
  double least = 0, greatest = 0;
  CHORALE_AT_LEVEL(value_bounds, values.data(), static_cast<Index>(n), least, greatest);
  // 2^32 parts of a bucket; the greatest value still lies in the last one
  const double n_buckets = std::ldexp(1.0, bucket_bits);
  const double scale = (n_buckets - 0.5) * 4294967296.0 / (greatest - least);
  if (!(scale > 0 && scale < 1e300)) return false;
  keys_.resize(n);
  CHORALE_AT_LEVEL(value_shares, values.data(), static_cast<Index>(n), least, scale, keys_.data());
  const int lost = std::max(0, 32 + bucket_bits + place_bits_ - 64);
  for (std::size_t i = 0; i < n; ++i) keys_[i] = keys_[i] >> lost << place_bits_ | i;
  const int bucket = 32 - lost + place_bits_, half = bucket_bits / 2;
  if (bucket_bits <= near_bits) {
    sort_by(bucket, bucket_bits);
  } else {
    sort_by(bucket, half);
    sort_by(bucket + half, bucket_bits - half);
  }
  std::size_t moves = 0;
  for (std::size_t k = 1; k < n; ++k) {
    const std::uint64_t key = keys_[k];
    if (keys_[k - 1] < key) continue;
    std::size_t to = k;
    for (; to > 0 && keys_[to - 1] > key; --to) keys_[to] = keys_[to - 1];
    keys_[to] = key;
    moves += k - to;
    if (moves > much * n) return false;
  }
  return true;
}

void DenseRank::by_digits(std::span<const double> values) {
  const std::size_t n = values.size();
  place_bits_ = 32;
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
  const int upper = place_bits_;
  const auto place_of = [mask = (std::uint64_t{1} << upper) - 1](std::uint64_t key) { return key & mask; };
  places_.resize(n);
  const auto take = [&](std::size_t i, std::int32_t distinct) {
    const std::size_t place = place_of(keys_[i]);
    places_[i] = static_cast<std::int32_t>(place);
    rank[place] = distinct;
  };
  // most often keys are in order as they stand
  std::int32_t last = 0;
  bool in_order = true;
  if (n > 0) take(0, 0);
  for (std::size_t i = 1; i < n; ++i) {
    if (keys_[i - 1] >> upper == keys_[i] >> upper) {
      const double before = values[place_of(keys_[i - 1])], value = values[place_of(keys_[i])];
      in_order &= before <= value;
      last += before < value;
    } else {
      ++last;
    }
    take(i, last);
  }
  if (in_order) return n == 0 ? 0 : last + 1;
  const auto less = [&](std::uint64_t a, std::uint64_t b) {
    return values[place_of(a)] < values[place_of(b)];
  };
  std::int32_t distinct = 0;
  for (std::size_t begin = 0, end = 0; begin < n; begin = end) {
    ++end;
    while (end < n && keys_[end] >> upper == keys_[begin] >> upper) ++end;
    if (end - begin > 1) {
      const auto first = keys_.begin() + static_cast<std::ptrdiff_t>(begin),
                 past = keys_.begin() + static_cast<std::ptrdiff_t>(end);
      if (!std::is_sorted(first, past, less)) std::stable_sort(first, past, less);
    }
    for (std::size_t i = begin; i < end; ++i) {
      distinct += i > begin && values[place_of(keys_[i])] != values[place_of(keys_[i - 1])];
      take(i, distinct);
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
