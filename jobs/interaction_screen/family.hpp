// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <span>
#include <vector>

#include "jobs/interaction_screen/design.hpp"
#include "jobs/interaction_screen/part.hpp"

namespace chorale::jobs::interaction {

/// All pairs that one test was made on: how many, the p that were kept, and what they look like together.
struct Family {
  Index n_tested = 0;
  std::vector<std::int64_t> bins;
  std::vector<KeptP> kept;      ///< ordered by features, where asked for
  std::vector<double> log10_q;  ///< (kept)

  /// in_order  whether find() will be asked, which needs `kept` ordered by features
  static Family of_test(std::span<const Part> parts, std::size_t test, bool in_order = true);
  /// Interaction by the screen; `rows` bring the p of the full fit where there is one.
  static Family of_interaction(std::span<const Part> parts, std::span<const PairRow> rows);

  /// Positions in `kept` of the pairs that the config reports.
  std::vector<Index> hits(const Config& config) const;
  /// Position of a pair in `kept`, -1 when its p was too large to keep.
  Index find(std::int32_t a, std::int32_t b) const;
  /// Median of the p in the histogram; NaN when it is empty.
  double median_p() const;
  /// The median's chi-square over that of uniform p: 1 where nothing is going on.
  double inflation() const;

 private:
  void add(const PTally& tally);
  void finish();
};

/// log10 p of a fit's likelihood ratio.
double lrt_log10_p(const PairRow& row);

}  // namespace chorale::jobs::interaction
