// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "kernels/cox_rows.hpp"
#include "kernels/pair_cox.hpp"

namespace chorale::kernels {

/// The carriers of a feature as bits over the rows of a design, and those analysed who are never at risk.
struct PairFeature {
  std::vector<std::uint64_t> rows;
  std::vector<std::int32_t> idle;

  void set(const CoxRows& of, std::span<const std::int32_t> carriers);
};

/// Adds to counts over rows those who are never at risk.
void add_idle(const PairFeature& a, const PairFeature& b, Index n_analysed, PairCounts& counts);

/// Throw ShapeError unless the arguments of a pair kernel fit together.
void check_covariates(const CoxDesign& design, const CoxFit& covariates);
void check_pairs(const CoxDesign& design, CarrierLists carriers, std::span<const FeaturePair> pairs,
                 std::size_t n_results);
/// The part of it that concerns the pairs: both features are among n_lists, and there is a result for each pair.
void check_pair_places(Index n_lists, std::span<const FeaturePair> pairs, std::size_t n_results);

}  // namespace chorale::kernels
