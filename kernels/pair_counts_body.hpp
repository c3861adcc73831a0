// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include "kernels/dispatch.hpp"
#include "kernels/types.hpp"

/// What kernels/pair_counts.cpp and its dense body in kernels/simd/pair_counts.cpp say to each other: plain
/// pointers.
namespace chorale::kernels {

inline constexpr Index word_step = 8;  ///< bit rows hold whole multiples of this many words: 64 bytes

/// One bit per patient, a row per feature; bits behind the last patient are zero.
struct BitRows {
  const std::uint64_t* word;  ///< at a multiple of 64 bytes
  Index stride;               ///< words from row to row, a multiple of word_step
  Index n_rows;
};

/// Where the counts go: count[r · pitch + c] += Σ popcount(row r AND column c).
struct CountBlock {
  std::int32_t* count;
  Index pitch;
  /// Only columns c < lead + r are wanted; blocks of four by four wholly beyond that are left alone.
  Index lead;
};

// clang-format off
/// `vpopcntdq`: the CPU counts the bits of whole vectors (AVX512_VPOPCNTDQ); only v4 makes use of it.
CHORALE_DECLARE_LEVELS(void add_and_counts(const BitRows& rows, const BitRows& columns, bool vpopcntdq,
                                           const CountBlock& out))
// clang-format on

/// add_and_counts() of the level in force, as fast as this CPU has it.
void count_both(const BitRows& rows, const BitRows& columns, const CountBlock& out);

/// Words that it gets through on one core.
double dense_words_per_ns();

}  // namespace chorale::kernels
