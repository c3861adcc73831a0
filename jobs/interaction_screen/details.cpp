// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "jobs/interaction_screen/stages.hpp"
#include "kernels/exact_conditional.hpp"
#include "kernels/mantel_haenszel.hpp"
#include "kernels/tail.hpp"

namespace chorale::jobs::interaction {
namespace {

void describe_association(const Frame& frame, std::span<const kernels::FeaturePair> pairs,
                          std::span<PairRow> rows) {
  const Design& design = frame.design;
  const CountedPairs counted = PairWalk(frame.cohort, frame.tested, frame.association).count(pairs);
  for (const Test test : design.tests) {
    std::vector<double> log10_p(pairs.size());
    frame.association.test(test, counted, log10_p);
    for (std::size_t k = 0; k < rows.size(); ++k) rows[k].log10_p.push_back(log10_p[k]);
    if (test != Test::burden) continue;
    const auto tests = frame.association.burden_tests(counted);
    for (std::size_t k = 0; k < rows.size(); ++k)
      if (tests[k].n_tested > 0) rows[k].burden_expected = tests[k].expected;
  }
  const auto ratios = odds_ratios(design.config, counted.cells);
  for (std::size_t k = 0; k < rows.size(); ++k) {
    PairRow& row = rows[k];
    row.cells = counted.cells[k];
    row.odds_ratio = ratios[k];
    const auto strata = counted.strata_of(static_cast<Index>(k));
    if (strata.empty()) continue;
    row.strata.assign(strata.begin(), strata.end());
    row.cmh_odds_ratio = kernels::mantel_haenszel(strata, design.config.confidence).odds_ratio;
    row.exact_odds_ratio = kernels::exact_conditional(strata, design.config.confidence).odds_ratio;
    row.homogeneity_log10_p = kernels::breslow_day(strata).log10_p;
  }
}

void describe_outcome(const Frame& frame, std::span<PairRow> rows) {
  std::vector<kernels::FeaturePair> pairs;
  std::vector<std::size_t> places;
  for (std::size_t k = 0; k < rows.size(); ++k) {
    rows[k].asked = rows[k].cells.n11 >= frame.design.config.min_both;
    if (!rows[k].asked) continue;
    pairs.push_back({.a = rows[k].pair.a, .b = rows[k].pair.b});
    places.push_back(k);
  }
  std::vector<kernels::PairScreen> screens(pairs.size());
  std::vector<kernels::PairCoxFit> fits(pairs.size());
  std::vector<PairCurves> curves(pairs.size());
  frame.outcome->screen(pairs, screens, {});
  frame.outcome->fit(pairs, fits);
  frame.outcome->curves(pairs, curves);
  for (std::size_t k = 0; k < pairs.size(); ++k) {
    PairRow& row = rows[places[k]];
    row.screen_log10_p = kernels::chi_square_log10_upper(screens[k].lrt_chi2, 1);
    row.reri = kernels::pair_cox_reri(fits[k], frame.design.config.confidence);
    row.fit = std::move(fits[k]);
    row.curves = std::move(curves[k]);
  }
}

}  // namespace

Part describe_pairs(const Frame& frame, std::span<const ChosenPair> chosen, engine::Unit unit,
                    Index n_units) {
  const Range own =
      Design::falling_share(static_cast<Index>(chosen.size()), unit.index, n_units, Design::pairs_together);
  Part part;
  if (own.begin == own.end) return part;
  std::vector<kernels::FeaturePair> pairs;
  for (Index k = own.begin; k < own.end; ++k) {
    const ChosenPair& pair = chosen[static_cast<std::size_t>(k)];
    pairs.push_back({.a = pair.a, .b = pair.b});
    part.rows.emplace_back().pair = pair;
  }
  describe_association(frame, pairs, part.rows);
  if (frame.outcome) describe_outcome(frame, part.rows);
  if (frame.permuted) add_permuted_statistics(*frame.permuted, part.rows);
  return part;
}

}  // namespace chorale::jobs::interaction
