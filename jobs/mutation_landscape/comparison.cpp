// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include <algorithm>

#include "jobs/common/group_counts.hpp"
#include "jobs/mutation_landscape/stages.hpp"
#include "kernels/fisher.hpp"
#include "kernels/mantel_haenszel.hpp"

namespace chorale::jobs::landscape {
namespace {

using kernels::TwoByTwo;

/// Code of a patient in stratum s and first (0) or second (1) group: 2 s + group; without a stratum, s is the last.
std::vector<std::int32_t> cells(std::span<const std::int32_t> group, std::int32_t a, std::int32_t b,
                                std::span<const std::int32_t> stratum, Index n_strata) {
  std::vector<std::int32_t> cell(group.size(), -1);
  for (std::size_t i = 0; i < group.size(); ++i) {
    if (group[i] < 0 || (group[i] != a && b >= 0 && group[i] != b)) continue;
    const auto s = stratum[i] < 0 ? static_cast<std::int32_t>(n_strata) : stratum[i];
    cell[i] = 2 * s + (group[i] == a ? 0 : 1);
  }
  return cell;
}

/// One feature's tables: one per stratum, and last the patients without a stratum.
std::vector<TwoByTwo> tables(const GroupCounts& patients, Index feature) {
  const auto carriers = patients.carriers(feature);
  const auto tested = patients.tested(feature);
  std::vector<TwoByTwo> tables;
  for (std::size_t c = 0; c < tested.size(); c += 2)
    tables.push_back({.n11 = carriers[c],
                      .n10 = tested[c] - carriers[c],
                      .n01 = carriers[c + 1],
                      .n00 = tested[c + 1] - carriers[c + 1]});
  return tables;
}

TwoByTwo sum(std::span<const TwoByTwo> tables) {
  TwoByTwo total;
  for (const TwoByTwo& t : tables) {
    total.n11 += t.n11;
    total.n10 += t.n10;
    total.n01 += t.n01;
    total.n00 += t.n00;
  }
  return total;
}

void compare(std::span<const TwoByTwo> with_rest, double confidence, ComparisonRow& row) {
  const TwoByTwo pooled = sum(with_rest);
  row.a_carriers = pooled.n11;
  row.a_tested = pooled.row1();
  row.b_carriers = pooled.n01;
  row.b_tested = pooled.row2();
  row.log10_p = kernels::fisher_log10_p(pooled);
  const kernels::Ratio exact = kernels::fisher_odds_ratio(pooled, confidence);
  row.odds_ratio = exact.estimate;
  row.lower = exact.lower;
  row.upper = exact.upper;

  const auto strata = with_rest.first(with_rest.size() - 1);
  const kernels::MantelHaenszel mh = kernels::mantel_haenszel(strata, confidence);
  row.n_strata = static_cast<std::int32_t>(mh.n_informative);
  row.cmh_odds_ratio = mh.odds_ratio.estimate;
  row.cmh_lower = mh.odds_ratio.lower;
  row.cmh_upper = mh.odds_ratio.upper;
  row.cmh_chi2 = mh.chi2_corrected;
  row.cmh_log10_p = mh.log10_p_corrected;
  const kernels::Homogeneity bd = kernels::breslow_day(strata);
  row.bd_df = static_cast<std::int32_t>(bd.df);
  row.bd_chi2 = bd.chi2_tarone;
  row.bd_log10_p = bd.log10_p;
}

}  // namespace

Part compare_tile(const Design& design, const engine::Cohort& cohort, Index tile) {
  const Index first = tile * features_per_tile;
  const Index n = std::min(features_per_tile, cohort.n_features() - first);
  const auto group = design.grouping->codes(cohort);
  Index n_strata = 0;
  const auto stratum = crossed(cohort, design.comparison_strata, n_strata);
  Part part;
  for (const auto& [a, b] : design.compared) {
    const GroupCounts patients(cohort, cells(group, a, b, stratum, n_strata), 2 * (n_strata + 1));
    std::vector<ComparisonRow> rows(static_cast<std::size_t>(n));
#pragma omp parallel for schedule(dynamic, 4)
    for (Index k = 0; k < n; ++k) {
      ComparisonRow& row = rows[static_cast<std::size_t>(k)];
      row.feature = static_cast<std::int32_t>(first + k);
      row.group_a = a;
      row.group_b = b;
      compare(tables(patients, first + k), design.config.confidence, row);
    }
    part.comparison.insert(part.comparison.end(), rows.begin(), rows.end());
  }
  return part;
}

}  // namespace chorale::jobs::landscape
