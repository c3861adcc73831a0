// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include <algorithm>
#include <cmath>
#include <numbers>

#include "jobs/common/group_counts.hpp"
#include "jobs/interaction_screen/complete_table.hpp"
#include "jobs/interaction_screen/stages.hpp"
#include "kernels/draw.hpp"
#include "kernels/tail.hpp"

namespace chorale::jobs::interaction {
namespace {

/// Pairs whose screened p is computed whatever its size: they show whether p is uniform where nothing is going on.
constexpr double calibration_pairs = 10'000;

/// Streams of this job's draws.
enum Stream : std::uint32_t { check_stream = 201, calibration_stream = 202 };

/// True for about `wanted` of all pairs, always the same ones.
bool drawn(const Design& design, Stream stream, kernels::FeaturePair pair, double wanted) {
  const auto all = static_cast<double>(design.n_pairs());
  return wanted >= all ||
         kernels::draw_uniform(design.seed, stream, pair.a * design.n_features + pair.b, 0) * all < wanted;
}

void tally(PTally& tally, double keep_log10_p, kernels::FeaturePair pair, double log10_p, bool in_histogram) {
  if (std::isnan(log10_p)) return;
  ++tally.n_tested;
  tally.smallest = std::fmin(tally.smallest, log10_p);
  if (in_histogram) {
    const auto bin =
        static_cast<Index>(std::exp(log10_p * std::numbers::ln10) * static_cast<double>(PTally::n_bins));
    ++tally.bins[static_cast<std::size_t>(std::min(bin, PTally::n_bins - 1))];
  }
  if (log10_p <= keep_log10_p) tally.kept.push_back({.a = pair.a, .b = pair.b, .log10_p = log10_p});
}

PTally empty_tally() {
  return {.n_tested = 0, .bins = std::vector<std::int64_t>(PTally::n_bins), .kept = {}};
}

void test_tile(const Frame& frame, TileResult& tile, PairsPart& part) {
  const Design& design = frame.design;
  for (const auto& cells : tile.counted.cells) {
    part.n_untested += cells.total() == 0 ? 1 : 0;
    part.n_uninformative += cells.total() > 0 && says_nothing(cells) ? 1 : 0;
  }
  const double keep_log10_p = design.keep_log10_p();
  for (std::size_t t = 0; t < design.tests.size(); ++t) {
    auto& log10_p = tile.log10_p.emplace_back(tile.counted.pairs.size());
    frame.association.test(design.tests[t], tile.counted, log10_p);
    for (std::size_t k = 0; k < log10_p.size(); ++k)
      tally(part.tests[t], keep_log10_p, tile.counted.pairs[k], log10_p[k], true);
  }
}

void screen_tile(const Frame& frame, TileResult& tile, PairsPart& part) {
  const Design& design = frame.design;
  std::vector<kernels::FeaturePair> drawn_pairs, others;
  std::vector<std::size_t> drawn_places, other_places;
  for (std::size_t k = 0; k < tile.counted.pairs.size(); ++k) {
    const auto pair = tile.counted.pairs[k];
    if (tile.counted.cells[k].n11 < design.config.min_both) {
      ++part.n_rare;
      continue;
    }
    const bool for_histogram = drawn(design, calibration_stream, pair, calibration_pairs);
    (for_histogram ? drawn_pairs : others).push_back(pair);
    (for_histogram ? drawn_places : other_places).push_back(k);
  }
  tile.screens.resize(tile.counted.pairs.size());
  tile.screen_log10_p.assign(tile.counted.pairs.size(), kernels::missing);
  const double bound = screened_up_to(design), keep_log10_p = std::log10(bound);
  const double screen_log10_p = std::log10(design.config.screen_p);
  const auto screen = [&](const std::vector<kernels::FeaturePair>& pairs,
                          const std::vector<std::size_t>& places, double pass_below_p, bool for_histogram) {
    std::vector<kernels::PairScreen> screens(pairs.size());
    frame.outcome->screen(pairs, screens, {.pass_below_p = pass_below_p});
    for (std::size_t k = 0; k < pairs.size(); ++k) {
      const bool proven = screens[k].verdict == kernels::PairVerdict::below_bound;
      const double log10_p = kernels::chi_square_log10_upper(screens[k].lrt_chi2, 1);
      if (!std::isnan(log10_p)) {
        tally(part.interaction, keep_log10_p, pairs[k], log10_p, for_histogram);
      } else if (proven) {
        ++part.interaction.n_tested;
        ++part.n_proven;
      } else {
        ++part.n_not_fitted;
      }
      if ((proven || log10_p > screen_log10_p) &&
          drawn(design, check_stream, pairs[k], static_cast<double>(design.config.check_screen)))
        part.checked.push_back(pairs[k]);
      tile.screens[places[k]] = screens[k];
      tile.screen_log10_p[places[k]] = log10_p;
    }
  };
  screen(drawn_pairs, drawn_places, 1, true);
  screen(others, other_places, bound, false);
}

/// Who carries and who is tested, and who leaves: once for the cohort.
void describe_cohort(const Frame& frame, Part& part) {
  const GroupCounts everyone(
      frame.cohort, std::vector<std::int32_t>(static_cast<std::size_t>(frame.cohort.n_patients())), 1);
  for (Index f = 0; f < frame.design.n_features; ++f) {
    part.carriers.push_back(everyone.carriers(f).front());
    part.tested.push_back(everyone.tested(f).front());
  }
  const auto& by_carriers = frame.tiles.order().feature;
  const auto n = std::min(by_carriers.size(), static_cast<std::size_t>(frame.design.config.matrix_features));
  part.most_frequent.assign(by_carriers.begin(), by_carriers.begin() + static_cast<std::ptrdiff_t>(n));
  part.strata_labels = frame.association.stratum_labels();
  part.ledger = frame.cohort.ledger();
  if (!frame.outcome) return;
  const auto lines = frame.outcome->follow_up().ledger().lines;
  part.ledger.lines.insert(part.ledger.lines.end(), lines.begin(), lines.end());
}

}  // namespace

double screened_up_to(const Design& design) {
  const Config& config = design.config;
  if (config.complete_table || static_cast<double>(design.n_pairs()) <= calibration_pairs) return 1;
  return std::max(config.screen_p, config.report == Report::p ? config.report_p : config.report_q);
}

Part screen_pairs(const Frame& frame, engine::Unit unit) {
  const Design& design = frame.design;
  Part part;
  part.pairs.tests.assign(design.tests.size(), empty_tally());
  part.pairs.interaction = empty_tally();
  if (unit.index == 0) describe_cohort(frame, part);
  CompleteTable complete(design);
  const Tiling& tiling = frame.tiles.tiling();
  for (Index number = tiling.begin(unit.index); number < tiling.end(unit.index); ++number) {
    TileResult tile{.counted = frame.tiles.count(tiling.tile(number)),
                    .log10_p = {},
                    .screens = {},
                    .screen_log10_p = {}};
    part.pairs.n_pairs += tile.counted.size();
    test_tile(frame, tile, part.pairs);
    if (frame.outcome) screen_tile(frame, tile, part.pairs);
    if (design.config.complete_table) complete.add(tile);
  }
  if (design.config.complete_table) part.piece = std::move(complete).table();
  return part;
}

}  // namespace chorale::jobs::interaction
