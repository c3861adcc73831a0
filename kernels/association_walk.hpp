// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "kernels/draw_many.hpp"
#include "kernels/pair_counts.hpp"
#include "kernels/types.hpp"

namespace chorale::kernels {

/// Uniformly random subsets; keeps its bits between calls.
class SubsetDrawer {
 public:
  explicit SubsetDrawer(std::uint32_t largest) : bits_(largest / 64 + 1, 0) {}

  /// Writes n_drawn different ones of begin, …, begin + n - 1, in random order or rising; returns past the last.
  std::uint32_t* draw(IndexDraws& draws, std::uint32_t begin, std::uint32_t n, std::uint32_t n_drawn,
                      std::uint32_t* to);

 private:
  Words bits_;  ///< all zero between calls
};

/// Which features each patient has so far: a word of 64 features of every patient, then the next 64.
class PatientBits {
 public:
  PatientBits(Index n_patients, Index n_features);

  /// Back to no feature.
  void clear();

  /// For each of the first n_features, and up to a whole word, how many of the patients have it; valid until the
  /// next call.
  const std::int32_t* count(std::span<const std::uint32_t> patients, Index n_features);
  void add(std::span<const std::uint32_t> patients, Index feature);

 private:
  std::size_t n_patients_;
  Words bits_;  ///< (n_words, n_patients)
  std::vector<std::int32_t> n_both_;
};

}  // namespace chorale::kernels
