// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <span>
#include <vector>

#include "jobs/interaction_screen/counts.hpp"
#include "jobs/interaction_screen/design.hpp"
#include "jobs/interaction_screen/part.hpp"

namespace chorale::jobs::interaction {

/// All pairs that one test was made on: how many, the p that were kept, and what they look like together.
struct Family {
  Index n_tested = 0;
  std::vector<std::int64_t> bins;
  std::vector<KeptP> kept;  ///< ordered by features
  std::vector<double>
      log10_q;  ///< (kept); of many pairs NaN above report_q, where the p that are not kept could tell
  double smallest = kernels::missing;  ///< log10 of the smallest p; NaN without any

  /// From the parts and the sums of their counts.
  static Family of_test(const Design& design, std::span<const std::int64_t> counts,
                        std::span<const Part> parts, std::size_t test);
  /// Interaction by the screen; `rows`, ordered by features, bring the p of the full fit where there is one.
  static Family of_interaction(const Design& design, std::span<const std::int64_t> counts,
                               std::span<const Part> parts, std::span<const LightRow> rows);

  /// Positions in `kept` of the pairs that the config reports.
  std::vector<Index> hits(const Config& config) const;
  /// Position of a pair in `kept`, -1 when its p was too large to keep.
  Index find(std::int32_t a, std::int32_t b) const;
  /// Median of the p in the histogram; NaN when it is empty.
  double median_p() const;
  /// The median's chi-square over that of uniform p: 1 where nothing is going on.
  double inflation() const;

 private:
  void take(const FamilyCounts& counts);
  void finish(const Design& design);
};

/// log10 p of a fit's likelihood ratio.
double lrt_log10_p(const PairRow& row);
LightRow light_of(const PairRow& row);

}  // namespace chorale::jobs::interaction
