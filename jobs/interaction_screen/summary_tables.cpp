// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "jobs/interaction_screen/tables.hpp"

namespace chorale::jobs::interaction {
namespace {

std::size_t size(Index n) {
  return static_cast<std::size_t>(n);
}

/// What the pair table says of one feature.
struct FeatureSummary {
  std::int64_t n_together = 0, n_apart = 0, n_interactions = 0;
  Index strongest = -1, strongest_interaction = -1;  // light rows
};

bool stronger(double log10_p, double than) {
  return !std::isnan(log10_p) && (std::isnan(than) || log10_p < than);
}

std::vector<FeatureSummary> summaries(const Design& design, const Findings& findings) {
  std::vector<FeatureSummary> all(size(design.n_features));
  const double bound = std::log10(design.config.report_q);
  const auto association = [&](Index r) {
    return r < 0 ? kernels::missing : findings.light[size(r)].log10_p;
  };
  const auto interaction = [&](Index r) {
    return r < 0 ? kernels::missing : findings.light[size(r)].lrt_log10_p;
  };
  for (Index r = 0; r < static_cast<Index>(findings.light.size()); ++r) {
    const LightRow& row = findings.light[size(r)];
    for (const std::int32_t feature : {row.a, row.b}) {
      FeatureSummary& of = all[size(feature)];
      if (findings.light_q[size(r)] <= bound) ++(row.together ? of.n_together : of.n_apart);
      if (findings.light_lrt_q[size(r)] <= bound) ++of.n_interactions;
      if (stronger(association(r), association(of.strongest))) of.strongest = r;
      if (stronger(interaction(r), interaction(of.strongest_interaction))) of.strongest_interaction = r;
    }
  }
  return all;
}

/// The tests of association, then interaction, each with its family of p.
struct NamedFamily {
  std::string name, title;
  const Family* family;
};

std::vector<NamedFamily> families(const Design& design, const Findings& findings) {
  std::vector<NamedFamily> all;
  for (std::size_t t = 0; t < design.tests.size(); ++t)
    all.push_back(
        {std::string(name_of(design.tests[t])), std::string(title_of(design.tests[t])), &findings.tests[t]});
  if (design.with_outcome)
    all.push_back({"interaction", "likelihood ratio of the interaction (screen)", &findings.interaction});
  return all;
}

std::int64_t n_below(const std::vector<double>& log10, double bound) {
  return std::count_if(log10.begin(), log10.end(), [&](double x) { return x <= bound; });
}

}  // namespace

io::ResultTable feature_table(const Design& design, const engine::Setup& setup, const Findings& findings) {
  std::vector<Index> features(size(design.n_features));
  std::iota(features.begin(), features.end(), Index{0});
  const auto of = summaries(design, findings);
  const auto partner = [&](Index feature, Index r) -> std::string {
    if (r < 0) return {};
    const LightRow& pair = findings.light[size(r)];
    return setup.features.features[size(pair.a == feature ? pair.b : pair.a)].name;
  };
  io::ResultTable table{
      .name = "features", .caption = "Each feature, and the pairs that it is part of.", .columns = {}};
  add_column(table, "feature", "", "gene, alteration or field", features,
             [&](Index f) { return setup.features.features[size(f)].name; });
  add_column(table, "kind", "", "where it comes from", features,
             [&](Index f) { return setup.features.features[size(f)].kind; });
  add_column(table, "carriers", "patients", "who carry it", features,
             [&](Index f) { return findings.carriers[size(f)]; });
  add_column(table, "tested", "patients", "who were tested for it", features,
             [&](Index f) { return findings.tested[size(f)]; });
  add_column(table, "n_together", "pairs", "go together with it at q ≤ report_q", features,
             [&](Index f) { return of[size(f)].n_together; });
  add_column(table, "n_apart", "pairs", "avoid it at q ≤ report_q", features,
             [&](Index f) { return of[size(f)].n_apart; });
  add_column(table, "strongest_partner", "", "smallest p of association; empty when none is known", features,
             [&](Index f) { return partner(f, of[size(f)].strongest); });
  add_column(table, "log10_p", "", "its log10 p; empty when none is known", features, [&](Index f) {
    const Index r = of[size(f)].strongest;
    return r < 0 ? kernels::missing : findings.light[size(r)].log10_p;
  });
  if (!design.with_outcome) return table;
  add_column(table, "n_interactions", "pairs", "change outcome beyond the sum of their parts at q ≤ report_q",
             features, [&](Index f) { return of[size(f)].n_interactions; });
  add_column(table, "strongest_interaction", "", "smallest p of interaction", features,
             [&](Index f) { return partner(f, of[size(f)].strongest_interaction); });
  add_column(table, "lrt_log10_p", "", "its log10 p; empty when none is known", features, [&](Index f) {
    const Index r = of[size(f)].strongest_interaction;
    return r < 0 ? kernels::missing : findings.light[size(r)].lrt_log10_p;
  });
  return table;
}

io::ResultTable matrix_table(const Design& design, const engine::Setup& setup, const Findings& findings) {
  std::vector<Index> rows;
  for (std::size_t r = 0; r < findings.rows.size(); ++r)
    if ((findings.rows[r].pair.flags & by_matrix) != 0) rows.push_back(static_cast<Index>(r));
  const auto row = [&](Index r) -> const PairRow& { return findings.rows[size(r)]; };
  io::ResultTable table{
      .name = "matrix", .caption = "Pairs of the most frequent features, for a heat map.", .columns = {}};
  add_column(table, "row", "", "first feature", rows,
             [&](Index r) { return setup.features.features[size(row(r).pair.a)].name; });
  add_column(table, "column", "", "second feature", rows,
             [&](Index r) { return setup.features.features[size(row(r).pair.b)].name; });
  add_column(table, "n11", "patients", "carry both", rows, [&](Index r) { return row(r).cells.n11; });
  add_column(table, "log2_odds_ratio", "", "above 0: go together; below: avoid each other", rows,
             [&](Index r) { return std::log2(row(r).odds_ratio.estimate); });
  add_column(table, "log10_p", "", "log10 p of association", rows,
             [&](Index r) { return row(r).log10_p.front(); });
  add_column(table, "q", "", "its q; empty where p is too large to tell", rows,
             [&](Index r) { return std::pow(10.0, findings.log10_q[size(r)]); });
  add_column(table, "note", "", "why association cannot be tested", rows,
             [&](Index r) { return association_note(design, row(r)); });
  if (!design.with_outcome) return table;
  add_column(table, "log_hazard_ab", "log hazard", "interaction", rows,
             [&](Index r) { return row(r).fit.ab; });
  add_column(table, "lrt_log10_p", "", "log10 p of interaction", rows,
             [&](Index r) { return lrt_log10_p(row(r)); });
  add_column(table, "method", "", "how the interaction was estimated, or why it was not", rows,
             [&](Index r) { return method_of(design, row(r)); });
  return table;
}

io::ResultTable test_table(const Design& design, const Findings& findings) {
  const auto all = families(design, findings);
  io::ResultTable table{.name = "tests",
                        .caption =
                            "What was tested how often. Inflation compares the median p with that of uniform "
                            "p: 1 where nothing is "
                            "going on. Tests of counts have discrete p, and may lie on either side of it.",
                        .columns = {}};
  add_column(table, "test", "", "name in the config", all, [](const NamedFamily& of) { return of.name; });
  add_column(table, "title", "", "as a reader calls it", all, [](const NamedFamily& of) { return of.title; });
  add_column(table, "n_tested", "pairs", "number that q and Bonferroni correct for", all,
             [](const NamedFamily& of) { return of.family->n_tested; });
  add_column(table, "n_q", "pairs", "with q ≤ report_q", all, [&](const NamedFamily& of) {
    return n_below(of.family->log10_q, std::log10(design.config.report_q));
  });
  add_column(table, "n_bonferroni", "pairs", "with p ≤ report_q / n_tested", all, [&](const NamedFamily& of) {
    const double bound =
        std::log10(design.config.report_q / std::max(1.0, static_cast<double>(of.family->n_tested)));
    return static_cast<std::int64_t>(std::count_if(of.family->kept.begin(), of.family->kept.end(),
                                                   [&](const KeptP& p) { return p.log10_p <= bound; }));
  });
  add_column(table, "smallest_log10_p", "", "of all pairs; empty without any", all,
             [](const NamedFamily& of) { return of.family->smallest; });
  add_column(table, "n_in_histogram", "pairs", "whose p make the histogram: all, or drawn at random", all,
             [](const NamedFamily& of) {
               return std::accumulate(of.family->bins.begin(), of.family->bins.end(), std::int64_t{0});
             });
  add_column(table, "median_p", "", "of these; empty without any", all,
             [](const NamedFamily& of) { return of.family->median_p(); });
  add_column(table, "inflation", "", "chi-square of the median p over 0.4549; empty without any", all,
             [](const NamedFamily& of) { return of.family->inflation(); });
  return table;
}

io::ResultTable histogram_table(const Design& design, const Findings& findings) {
  constexpr Index n_bars = 20;
  struct Bar {
    NamedFamily of;
    Index bar;
  };
  std::vector<Bar> bars;
  for (const auto& of : families(design, findings))
    for (Index bar = 0; bar < n_bars; ++bar) bars.push_back({of, bar});
  const auto sum = [](const Bar& bar, Index begin, Index end) {
    std::int64_t n = 0;
    for (Index i = begin; i < std::min(end, static_cast<Index>(bar.of.family->bins.size())); ++i)
      n += bar.of.family->bins[size(i)];
    return n;
  };
  constexpr Index width = PTally::n_bins / n_bars;
  io::ResultTable table{.name = "p_histogram",
                        .caption = "How many pairs have which p; flat where nothing is going on.",
                        .columns = {}};
  add_column(table, "test", "", "name in the config", bars, [](const Bar& bar) { return bar.of.name; });
  add_column(table, "p_lower", "", "from", bars,
             [](const Bar& bar) { return static_cast<double>(bar.bar) / n_bars; });
  add_column(table, "p_upper", "", "to", bars,
             [](const Bar& bar) { return static_cast<double>(bar.bar + 1) / n_bars; });
  add_column(table, "n", "pairs", "with p between", bars,
             [&](const Bar& bar) { return sum(bar, bar.bar * width, (bar.bar + 1) * width); });
  add_column(table, "expected", "pairs", "if p were uniform", bars,
             [&](const Bar& bar) { return static_cast<double>(sum(bar, 0, PTally::n_bins)) / n_bars; });
  return table;
}

}  // namespace chorale::jobs::interaction
