// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include <algorithm>
#include <cmath>
#include <limits>

#include "jobs/interaction_screen/stages.hpp"
#include "kernels/fisher.hpp"
#include "kernels/tail.hpp"

namespace chorale::jobs::interaction {
namespace {

/// n11 n00 / (n10 n01) with Woolf's interval (1955): its logarithm is about normal with variance Σ 1/n.
kernels::Ratio sample_ratio(const kernels::TwoByTwo& cells, double z) {
  double variance = 0;
  for (const Index n : {cells.n11, cells.n10, cells.n01, cells.n00}) variance += 1 / static_cast<double>(n);
  const double estimate = kernels::sample_odds_ratio(cells);
  if (std::isinf(variance)) return {estimate, 0, std::numeric_limits<double>::infinity()};
  const double factor = std::exp(z * std::sqrt(variance));
  return {estimate, estimate / factor, estimate * factor};
}

}  // namespace

std::vector<kernels::Ratio> odds_ratios(const Config& config, std::span<const kernels::TwoByTwo> cells) {
  constexpr std::size_t block = 1024;
  const double z = kernels::normal_quantile(0.5 + config.confidence / 2);
  std::vector<kernels::Ratio> ratios(cells.size());
#pragma omp parallel for schedule(dynamic)
  for (std::size_t first = 0; first < cells.size(); first += block) {
    const std::size_t n = std::min(block, cells.size() - first);
    const auto own = cells.subspan(first, n);
    if (config.odds_ratio == OddsRatio::conditional)
      kernels::fisher_odds_ratio(own, config.confidence, std::span(ratios).subspan(first, n));
    for (std::size_t k = 0; k < n; ++k) {
      if (config.odds_ratio == OddsRatio::sample) ratios[first + k] = sample_ratio(own[k], z);
      if (says_nothing(own[k])) ratios[first + k] = {kernels::missing, kernels::missing, kernels::missing};
    }
  }
  return ratios;
}

}  // namespace chorale::jobs::interaction
