// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <span>

#include "kernels/types.hpp"

/// Sums of different lengths, put side by side in the lanes of vectors: those of about one length go
/// together.
namespace chorale::kernels {

/// Four classes to each doubling, from 0 for 1 term; below 160 for counts up to 2^40.
inline std::uint8_t length_class(double n_terms) {
  return static_cast<std::uint8_t>(
      (std::bit_cast<std::uint64_t>(n_terms) - std::bit_cast<std::uint64_t>(1.0)) >> 50);
}

/// Numbers 0 … keys.size() - 1 by rising key, equal keys in their own order.
/// begin[k]   how many have a key below k
template <std::size_t n_keys>
void order_by_key(std::span<const std::uint8_t> keys, std::array<std::int32_t, n_keys + 1>& begin,
                  std::int32_t* order) {
  std::array<std::int32_t, n_keys> place{};
  for (const std::uint8_t key : keys) ++place[key];
  std::int32_t n_before = 0;
  for (std::size_t k = 0; k < n_keys; ++k) {
    begin[k] = n_before;
    n_before += place[k];
    place[k] = begin[k];
  }
  begin[n_keys] = n_before;
  std::int32_t i = 0;
  for (const std::uint8_t key : keys) order[place[key]++] = i++;
}

}  // namespace chorale::kernels
