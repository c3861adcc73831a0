// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include <algorithm>

#include "jobs/mutation_landscape/stages.hpp"
#include "kernels/fisher.hpp"
#include "kernels/mantel_haenszel.hpp"

namespace chorale::jobs::landscape {
namespace {

using kernels::TwoByTwo;

/// Patients of two groups, cross-classified by stratum and panel, so that features need no pass over patients.
class Sides {
 public:
  Sides(const engine::Setup& setup, const engine::Cohort& cohort, std::vector<std::int32_t> side,
        std::span<const std::int32_t> stratum, Index n_strata)
      : side_(std::move(side)), stratum_(stratum), n_cells_(2 * (n_strata + 1)) {
    const auto n_panels = static_cast<Index>(setup.catalogue.panels.size());
    everyone_.assign(static_cast<std::size_t>(n_cells_), 0);
    on_panel_.assign(io::n_profiles, std::vector<Index>(static_cast<std::size_t>(n_cells_ * n_panels), 0));
    for (std::size_t i = 0; i < side_.size(); ++i) {
      if (side_[i] < 0) continue;
      ++everyone_[cell(i)];
      for (int p = 0; p < io::n_profiles; ++p)
        if (const auto panel = cohort.panel(static_cast<io::Profile>(p))[i]; panel >= 0)
          ++on_panel_[static_cast<std::size_t>(p)][static_cast<std::size_t>(panel * n_cells_) + cell(i)];
    }
  }

  /// Tables of one feature: one per stratum, and last the patients without a stratum.
  std::vector<TwoByTwo> tables(const engine::Cohort& cohort, Index feature) const {
    std::vector<Index> tested(static_cast<std::size_t>(n_cells_), 0), carriers(tested);
    const int profile = cohort.profile_of(feature);
    if (profile < 0) tested = everyone_;
    const auto holds = cohort.panels_testing(feature);
    for (std::size_t panel = 0; panel < holds.size(); ++panel)
      for (std::size_t c = 0; holds[panel] != 0 && c < tested.size(); ++c)
        tested[c] += on_panel_[static_cast<std::size_t>(profile)][panel * tested.size() + c];
    for (const std::int32_t i : cohort.untested(feature)) {
      if (side_[static_cast<std::size_t>(i)] < 0) continue;
      if (profile >= 0) {
        const auto panel = cohort.panel(static_cast<io::Profile>(profile))[static_cast<std::size_t>(i)];
        if (panel < 0 || holds[static_cast<std::size_t>(panel)] == 0) continue;
      }
      --tested[cell(static_cast<std::size_t>(i))];
    }
    for (const std::int32_t i : cohort.carriers(feature))
      if (side_[static_cast<std::size_t>(i)] >= 0) ++carriers[cell(static_cast<std::size_t>(i))];
    std::vector<TwoByTwo> tables;
    for (std::size_t c = 0; c < tested.size(); c += 2)
      tables.push_back({.n11 = carriers[c],
                        .n10 = tested[c] - carriers[c],
                        .n01 = carriers[c + 1],
                        .n00 = tested[c + 1] - carriers[c + 1]});
    return tables;
  }

 private:
  /// Patients without a stratum share the last one.
  std::size_t cell(std::size_t patient) const {
    const Index stratum = stratum_[patient] < 0 ? n_cells_ / 2 - 1 : stratum_[patient];
    return static_cast<std::size_t>(2 * stratum + side_[patient]);
  }

  std::vector<std::int32_t> side_;  // 0 first group, 1 second, -1 neither
  std::span<const std::int32_t> stratum_;
  Index n_cells_;
  std::vector<Index> everyone_;               // per cell
  std::vector<std::vector<Index>> on_panel_;  // per profile: panel × cell
};

std::vector<std::int32_t> sides(std::span<const std::int32_t> group, std::int32_t a, std::int32_t b) {
  std::vector<std::int32_t> side;
  side.reserve(group.size());
  for (const std::int32_t code : group)
    side.push_back(code < 0 ? -1 : code == a ? 0 : b < 0 || code == b ? 1 : -1);
  return side;
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

Part compare_tile(const Design& design, const engine::Setup& setup, const engine::Cohort& cohort, Index tile) {
  const Index first = tile * features_per_tile;
  const Index n = std::min(features_per_tile, cohort.n_features() - first);
  const auto group = design.grouping->codes(cohort);
  Index n_strata = 0;
  const auto stratum = crossed(cohort, design.comparison_strata, n_strata);
  Part part;
  for (const auto& [a, b] : design.compared) {
    const Sides patients(setup, cohort, sides(group, a, b), stratum, n_strata);
    std::vector<ComparisonRow> rows(static_cast<std::size_t>(n));
#pragma omp parallel for schedule(dynamic, 4)
    for (Index k = 0; k < n; ++k) {
      ComparisonRow& row = rows[static_cast<std::size_t>(k)];
      row.feature = static_cast<std::int32_t>(first + k);
      row.group_a = a;
      row.group_b = b;
      compare(patients.tables(cohort, first + k), design.config.confidence, row);
    }
    part.comparison.insert(part.comparison.end(), rows.begin(), rows.end());
  }
  return part;
}

}  // namespace chorale::jobs::landscape
