// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/association_permutation.hpp"

#include <algorithm>
#include <cmath>

namespace chorale::kernels::reference {

Association association(CarrierLists carriers, const Groups& strata, std::span<const std::uint8_t> tested,
                        const FeaturePair& pair, double min_expected) {
  const auto carries = [&](std::int32_t feature, std::int32_t patient) {
    const auto list = carriers[static_cast<std::size_t>(feature)];
    return std::find(list.begin(), list.end(), patient) != list.end();
  };
  const auto is_tested = [&](Index stratum, std::int32_t feature) {
    return tested.empty() ||
           tested[static_cast<std::size_t>(stratum) * carriers.size() + static_cast<std::size_t>(feature)] !=
               0;
  };
  double observed = 0, variance = 0, expected[2][2] = {{0, 0}, {0, 0}};
  for (Index s = 0; s < strata.n_groups; ++s) {
    if (!is_tested(s, pair.a) || !is_tested(s, pair.b)) continue;
    double n = 0, n_a[2] = {0, 0}, n_b[2] = {0, 0};  // without, with
    for (std::size_t i = 0; i < strata.code.size(); ++i) {
      if (strata.code[i] != s) continue;
      const bool a = carries(pair.a, static_cast<std::int32_t>(i));
      const bool b = carries(pair.b, static_cast<std::int32_t>(i));
      ++n, ++n_a[a], ++n_b[b];
      observed += a && b;
    }
    if (n == 0) continue;
    for (int a : {0, 1}) {
      for (int b : {0, 1}) expected[a][b] += n_a[a] * n_b[b] / n;
    }
    if (n > 1) variance += n_a[0] * n_a[1] * n_b[0] * n_b[1] / (n * n * (n - 1));
  }
  if (variance == 0) return {};
  const double least = std::min({expected[0][0], expected[0][1], expected[1][0], expected[1][1]});
  if (least < min_expected) return {.verdict = AssociationVerdict::few_expected};
  return {AssociationVerdict::tested, (observed - expected[1][1]) / std::sqrt(variance)};
}

}  // namespace chorale::kernels::reference
