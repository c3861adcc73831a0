// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <span>
#include <vector>

#include "kernels/outcome_permutation.hpp"
#include "kernels/outcome_permutation_body.hpp"
#include "kernels/outcome_rows.hpp"

namespace chorale::kernels {

/// The tested pairs of one feature with those that have more carriers.
struct OutcomeGroup {
  std::int32_t feature = 0;
  std::vector<OutcomePair> pairs;
  std::vector<std::int32_t> members;
};

/// Where the sums of a feature's rows over the strata of a class of features stand, and behind them those of squares.
inline Index outcome_sum_of(const OutcomeRows& rows, std::int32_t feature, std::int32_t tested_class) {
  return (feature * rows.n_classes + tested_class) * 2 * outcome_lanes;
}

/// Every pair in the group of its rarer feature; `observed`, in the order of pairs, is filled.
///
/// Throws   ShapeError when a pair is no pair of features or stands twice
/// Threads  over groups
std::vector<OutcomeGroup> make_outcome_groups(const OutcomeRows& rows, std::span<const FeaturePair> pairs,
                                              Index min_both, std::span<Interaction> observed);

}  // namespace chorale::kernels
