// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "jobs/interaction_screen/association.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/exact_conditional.hpp"
#include "kernels/fisher.hpp"
#include "kernels/mantel_haenszel.hpp"

namespace chorale::jobs::interaction {
namespace {

constexpr double missing = std::numeric_limits<double>::quiet_NaN();
const double log10_half = std::log10(0.5);

/// log10 of (10^x + 10^y) / 2.
double log10_mean(double x, double y) {
  const double most = std::max(x, y), least = std::min(x, y);
  if (std::isinf(most)) return most;
  return most + std::log10(0.5 * (1 + std::pow(10.0, least - most)));
}

/// P of one side from the two-sided P of a symmetric statistic: half of it, or what is left.
double one_sided(double log10_two_sided, bool on_this_side) {
  const double half = log10_two_sided + log10_half;
  return on_this_side ? half : std::log10(1 - std::pow(10.0, half));
}

kernels::FisherTest side_of(Alternative alternative) {
  switch (alternative) {
    case Alternative::co_occurrence:
      return kernels::FisherTest::greater;
    case Alternative::exclusivity:
      return kernels::FisherTest::less;
    default:
      return kernels::FisherTest::two_sided;
  }
}

/// The table one step farther in the direction of interest; all zeros when there is none.
kernels::TwoByTwo next_table(const kernels::TwoByTwo& cells, Alternative alternative) {
  const Index step = alternative == Alternative::co_occurrence ? 1 : -1;
  const kernels::TwoByTwo next{
      .n11 = cells.n11 + step, .n10 = cells.n10 - step, .n01 = cells.n01 - step, .n00 = cells.n00 + step};
  return std::min({next.n11, next.n10, next.n01, next.n00}) >= 0 ? next : kernels::TwoByTwo{};
}

/// Fisher's test of tables that lie side by side. One-sided mid-p: the mean of P(as far or farther) and P(farther), the
/// latter that of the next table.
void fisher(std::span<const kernels::TwoByTwo> cells, Alternative alternative, bool mid,
            std::span<double> log10_p) {
  if (!mid || alternative == Alternative::two_sided) {
    kernels::fisher_log10_p(cells, mid ? kernels::FisherTest::mid : side_of(alternative), log10_p);
    return;
  }
  std::vector<kernels::TwoByTwo> next;
  for (const auto& table : cells) next.push_back(next_table(table, alternative));
  std::vector<double> farther(next.size());
  kernels::fisher_log10_p(cells, side_of(alternative), log10_p);
  kernels::fisher_log10_p(next, side_of(alternative), farther);
  for (std::size_t i = 0; i < farther.size(); ++i)
    log10_p[i] =
        log10_mean(log10_p[i], next[i].total() == 0 ? -std::numeric_limits<double>::infinity() : farther[i]);
}

double cmh(std::span<const kernels::TwoByTwo> strata, Alternative alternative) {
  const auto result = kernels::mantel_haenszel(strata);
  if (alternative == Alternative::two_sided || std::isnan(result.log10_p_corrected))
    return result.log10_p_corrected;
  const bool together = result.odds_ratio.estimate > 1;
  return one_sided(result.log10_p_corrected, together == (alternative == Alternative::co_occurrence));
}

double exact(std::span<const kernels::TwoByTwo> strata, Alternative alternative) {
  const auto result = kernels::exact_conditional(strata);
  if (result.n_informative == 0) return missing;
  switch (alternative) {
    case Alternative::co_occurrence:
      return result.log10_p_greater;
    case Alternative::exclusivity:
      return result.log10_p_less;
    default:
      return result.log10_p;
  }
}

double of_burden(const kernels::BurdenTest& test, Alternative alternative) {
  switch (alternative) {
    case Alternative::co_occurrence:
      return test.log10_p_co_occurrence;
    case Alternative::exclusivity:
      return test.log10_p_exclusivity;
    default:
      return test.log10_p;
  }
}

/// The levels that a code of crossed groupings stands for.
std::string label_of(const std::vector<Grouping>& groupings, Index code) {
  std::string label;
  for (auto grouping = groupings.rbegin(); grouping != groupings.rend(); ++grouping) {
    const auto& own = grouping->labels[static_cast<std::size_t>(code % grouping->size())];
    label = label.empty() ? own : own + " × " + label;
    code /= grouping->size();
  }
  return label;
}

/// Strata that occur, in order: products of levels are mostly empty.
std::vector<std::int32_t> stratum_of(const Design& design, const engine::Cohort& cohort,
                                     std::vector<std::string>& labels) {
  if (design.strata.empty()) return {};
  Index n_codes = 0;
  std::vector<std::int32_t> code = crossed(cohort, design.strata, n_codes);
  std::vector<std::int32_t> place(static_cast<std::size_t>(n_codes), -1);
  for (const std::int32_t c : code)
    if (c >= 0) place[static_cast<std::size_t>(c)] = 0;
  for (std::size_t c = 0; c < place.size(); ++c) {
    if (place[c] < 0) continue;
    place[c] = static_cast<std::int32_t>(labels.size());
    labels.push_back(label_of(design.strata, static_cast<Index>(c)));
  }
  for (auto& c : code)
    if (c >= 0) c = place[static_cast<std::size_t>(c)];
  return code;
}

}  // namespace

bool says_nothing(const kernels::TwoByTwo& cells) {
  return cells.row1() == 0 || cells.row2() == 0 || cells.col1() == 0 || cells.col2() == 0;
}

Association::Association(const Design& design, const engine::Cohort& cohort, const TestedPatients& tested)
    : design_(design), stratum_(stratum_of(design, cohort, labels_)), groups_(cohort, tested, stratum_) {
  const bool asked = std::find(design.tests.begin(), design.tests.end(), Test::burden) != design.tests.end();
  if (asked && groups_.n_groups > 0)  // none: everyone's stratum is missing
    background_.emplace(kernels::burden_margins(cohort.rows(),
                                                {.code = groups_.code, .n_groups = groups_.n_groups},
                                                cohort.n_features(), groups_.tested));
}

std::vector<kernels::BurdenTest> Association::burden_tests(const CountedPairs& counted) const {
  std::vector<kernels::ObservedPair> observed;
  for (Index k = 0; k < counted.size(); ++k) {
    const auto i = static_cast<std::size_t>(k);
    // patients whose stratum is missing have no background, so they are not counted either
    Index n_both = counted.cells[i].n11;
    if (counted.n_strata > 0) {
      n_both = 0;
      for (const auto& stratum : counted.strata_of(k)) n_both += stratum.n11;
    }
    observed.push_back({.a = counted.pairs[i].a, .b = counted.pairs[i].b, .n_both = n_both});
  }
  std::vector<kernels::BurdenTest> tests(observed.size());
  if (!background_) return tests;
  kernels::burden_tests(*background_, observed, tests, design_.config.burden_model);
  return tests;
}

void Association::test(Test test, const CountedPairs& counted, std::span<double> log10_p) const {
  const Alternative alternative = design_.config.alternative;
  const Index n = counted.size();
  if (test == Test::burden) {
    const auto tests = burden_tests(counted);
    for (std::size_t i = 0; i < tests.size(); ++i)
      log10_p[i] = says_nothing(counted.cells[i]) || tests[i].n_tested == 0
                       ? missing
                       : of_burden(tests[i], alternative);
    return;
  }
  constexpr Index block = 1024;
  const Index n_blocks = (n + block - 1) / block;
#pragma omp parallel for schedule(dynamic)
  for (Index number = 0; number < n_blocks; ++number) {
    const Index first = number * block, end = std::min(n, first + block);
    const auto own = log10_p.subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(end - first));
    if (test == Test::fisher || test == Test::mid_p)
      fisher(std::span(counted.cells).subspan(static_cast<std::size_t>(first), own.size()), alternative,
             test == Test::mid_p, own);
    for (Index k = first; k < end; ++k) {
      double& p = log10_p[static_cast<std::size_t>(k)];
      if (says_nothing(counted.cells[static_cast<std::size_t>(k)]))
        p = missing;
      else if (test == Test::cmh)
        p = cmh(counted.strata_of(k), alternative);
      else if (test == Test::exact_conditional)
        p = exact(counted.strata_of(k), alternative);
    }
  }
}

}  // namespace chorale::jobs::interaction
