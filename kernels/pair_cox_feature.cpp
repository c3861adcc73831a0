// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/pair_cox_feature.hpp"

#include <algorithm>
#include <iterator>
#include <string>

#include "kernels/error.hpp"

namespace chorale::kernels {

void PairFeature::set(const CoxRows& of, std::span<const std::int32_t> carriers) {
  rows.assign(static_cast<std::size_t>((of.n_rows + 63) / 64), 0);
  idle.clear();
  const auto never_at_risk = static_cast<std::int32_t>(2 * of.efron.n_times());
  for (const std::int32_t carrier : carriers) {
    const auto patient = static_cast<std::size_t>(carrier);
    const std::int32_t row = of.row_of[patient];
    if (row >= 0) rows[static_cast<std::size_t>(row / 64)] |= std::uint64_t{1} << (row % 64);
    if (of.efron.place()[patient] == never_at_risk) idle.push_back(carrier);
  }
}

void add_idle(const PairFeature& a, const PairFeature& b, Index n_analysed, PairCounts& counts) {
  std::vector<std::int32_t> of_both;
  std::set_intersection(a.idle.begin(), a.idle.end(), b.idle.begin(), b.idle.end(),
                        std::back_inserter(of_both));
  const auto n_both = static_cast<Index>(of_both.size());
  counts.n[both] += n_both;
  counts.n[only_a] += static_cast<Index>(a.idle.size()) - n_both;
  counts.n[only_b] += static_cast<Index>(b.idle.size()) - n_both;
  counts.n[neither] = n_analysed - counts.n[only_a] - counts.n[only_b] - counts.n[both];
}

void check_covariates(const CoxDesign& design, const CoxFit& covariates) {
  if (static_cast<Index>(covariates.beta.size()) != design.n_columns) {
    throw ShapeError({.what = "the covariates' fit belongs to another design",
                      .found = std::to_string(covariates.beta.size()) + " coefficients",
                      .expected = std::to_string(design.n_columns)});
  }
}

void check_pairs(const CoxDesign& design, CarrierLists carriers, std::span<const FeaturePair> pairs,
                 std::size_t n_results) {
  check_carriers(design.n_patients, carriers, carriers.size());
  check_pair_places(static_cast<Index>(carriers.size()), pairs, n_results);
}

void check_pair_places(Index n_lists, std::span<const FeaturePair> pairs, std::size_t n_results) {
  if (pairs.size() != n_results) {
    throw ShapeError({.what = "pairs and results differ in number",
                      .found = std::to_string(n_results) + " results",
                      .expected = std::to_string(pairs.size())});
  }
  const auto n_features = static_cast<std::int32_t>(n_lists);
  for (const FeaturePair& pair : pairs) {
    if (pair.a >= 0 && pair.b >= 0 && pair.a < n_features && pair.b < n_features && pair.a != pair.b)
      continue;
    throw ShapeError({.what = "a pair does not name two features",
                      .found = std::to_string(pair.a) + " and " + std::to_string(pair.b),
                      .expected = "two of 0 to " + std::to_string(n_features - 1)});
  }
}

}  // namespace chorale::kernels
