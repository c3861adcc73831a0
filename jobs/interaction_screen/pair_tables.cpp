// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include <algorithm>
#include <cmath>
#include <functional>

#include "jobs/interaction_screen/tables.hpp"
#include "kernels/tail.hpp"

namespace chorale::jobs::interaction {
namespace {

std::size_t size(Index n) {
  return static_cast<std::size_t>(n);
}

/// Rows of the pair table, with what every column is made from.
struct Reported {
  const Design& design;
  const engine::Setup& setup;
  const Findings& findings;

  const std::string& name(std::int32_t feature) const { return setup.features.features[size(feature)].name; }
};

void add_features(io::ResultTable& table, const Reported& of, const std::vector<Index>& rows) {
  const auto& all = of.findings.rows;
  add_column(table, "feature_a", "", "first feature", rows,
             [&](Index r) { return of.name(all[size(r)].pair.a); });
  add_column(table, "feature_b", "", "second feature", rows,
             [&](Index r) { return of.name(all[size(r)].pair.b); });
}

void add_association(io::ResultTable& table, const Reported& of, const std::vector<Index>& rows) {
  const auto& all = of.findings.rows;
  const auto cell = [&](const char* name, const char* description, Index kernels::TwoByTwo::*member) {
    add_column(table, name, "patients", description, rows,
               [&](Index r) { return all[size(r)].cells.*member; });
  };
  const auto real = [&](const std::string& name, const std::string& unit, const std::string& description,
                        const std::function<double(const PairRow&)>& value) {
    add_column(table, name, unit, description, rows, [&](Index r) { return value(all[size(r)]); });
  };
  const auto ratio = [&](const std::string& prefix, const std::string& what,
                         kernels::Ratio PairRow::*member) {
    real(prefix + "odds_ratio", "", what, [=](const PairRow& row) { return (row.*member).estimate; });
    real(prefix + "or_lower", "", "lower confidence limit",
         [=](const PairRow& row) { return (row.*member).lower; });
    real(prefix + "or_upper", "", "upper confidence limit",
         [=](const PairRow& row) { return (row.*member).upper; });
  };
  add_column(table, "tested", "patients", "tested for both", rows,
             [&](Index r) { return all[size(r)].cells.total(); });
  cell("n11", "carry both", &kernels::TwoByTwo::n11);
  cell("n10", "carry a only", &kernels::TwoByTwo::n10);
  cell("n01", "carry b only", &kernels::TwoByTwo::n01);
  cell("n00", "carry neither", &kernels::TwoByTwo::n00);
  ratio("",
        of.design.config.odds_ratio == OddsRatio::conditional
            ? "conditional maximum-likelihood odds ratio, exact interval"
            : "n11 n00 / (n10 n01), Woolf's interval",
        &PairRow::odds_ratio);
  real("log10_p", "", "log10 p, " + std::string(title_of(of.design.tests.front())),
       [](const PairRow& row) { return row.log10_p.front(); });
  add_column(table, "q", "", "Benjamini-Hochberg over all pairs tested; empty where p is too large to tell",
             rows, [&](Index r) { return std::pow(10.0, of.findings.log10_q[size(r)]); });
  if (!of.findings.max_t_p.empty()) {
    real("max_t_z", "", "Cochran-Mantel-Haenszel statistic that permutations compare",
         [](const PairRow& row) { return row.association_z; });
    add_column(table, "max_t_p", "", "adjusted for all pairs by permutation (maxT)", rows,
               [&](Index r) { return of.findings.max_t_p[size(r)]; });
  }
  for (std::size_t t = 1; t < of.design.tests.size(); ++t) {
    const std::string prefix(name_of(of.design.tests[t]));
    const Family& family = of.findings.tests[t];
    real(prefix + "_log10_p", "", "log10 p, " + std::string(title_of(of.design.tests[t])),
         [t](const PairRow& row) { return row.log10_p[t]; });
    real(prefix + "_q", "", "its q", [&family](const PairRow& row) {
      const Index k = family.find(row.pair.a, row.pair.b);
      return k < 0 ? kernels::missing : std::pow(10.0, family.log10_q[size(k)]);
    });
  }
  for (const Test test : of.design.tests)
    if (test == Test::burden)
      real("burden_expected", "patients", "would carry both, given everyone's number of features",
           [](const PairRow& row) { return row.burden_expected; });
  if (of.design.needs_strata()) {
    ratio("cmh_", "Mantel-Haenszel odds ratio over the strata", &PairRow::cmh_odds_ratio);
    ratio("exact_", "conditional odds ratio over the strata", &PairRow::exact_odds_ratio);
    real("homogeneity_log10_p", "",
         "log10 p that the strata differ in odds ratio (Breslow-Day, Tarone); empty unless two can be "
         "compared",
         [](const PairRow& row) { return row.homogeneity_log10_p; });
  }
}

void add_outcome(io::ResultTable& table, const Reported& of, const std::vector<Index>& rows) {
  const auto& all = of.findings.rows;
  const auto real = [&](const std::string& name, const std::string& unit, const std::string& description,
                        const std::function<double(const PairRow&)>& value) {
    add_column(table, name, unit, description, rows, [&](Index r) { return value(all[size(r)]); });
  };
  const auto count = [&](const std::string& name, const std::string& description, bool deaths) {
    add_column(table, name, deaths ? "events" : "patients", description, rows, [&, deaths](Index r) {
      const PairRow& row = all[size(r)];
      if (!row.asked) return io::missing_count;
      Index n = 0;
      for (const Index group : deaths ? row.fit.counts.deaths : row.fit.counts.n) n += group;
      return n;
    });
  };
  const double z = kernels::normal_quantile(0.5 + of.design.config.confidence / 2);
  count("n_analysed", "tested for both, outcome and covariates known", false);
  count("events", "of the analysed", true);
  real("log_hazard_a", "log hazard", "a without b", [](const PairRow& row) { return row.fit.a; });
  real("se_a", "log hazard", "its standard error", [](const PairRow& row) { return row.fit.se_a; });
  real("log_hazard_b", "log hazard", "b without a", [](const PairRow& row) { return row.fit.b; });
  real("se_b", "log hazard", "its standard error", [](const PairRow& row) { return row.fit.se_b; });
  real("log_hazard_ab", "log hazard", "interaction: both, beyond a + b",
       [](const PairRow& row) { return row.fit.ab; });
  real("se_ab", "log hazard", "its standard error", [](const PairRow& row) { return row.fit.se_ab; });
  real("ab_lower", "log hazard", "lower confidence limit",
       [z](const PairRow& row) { return row.fit.ab - z * row.fit.se_ab; });
  real("ab_upper", "log hazard", "upper confidence limit",
       [z](const PairRow& row) { return row.fit.ab + z * row.fit.se_ab; });
  real("lrt_chi2", "", "likelihood ratio of the interaction, 1 degree of freedom",
       [](const PairRow& row) { return row.fit.lrt_chi2; });
  real("lrt_log10_p", "", "its log10 p", [](const PairRow& row) { return lrt_log10_p(row); });
  add_column(table, "lrt_q", "",
             "Benjamini-Hochberg over all pairs asked about outcome; empty where p is too large to tell",
             rows, [&](Index r) { return std::pow(10.0, of.findings.lrt_q[size(r)]); });
  if (!of.findings.interaction_max_t_p.empty()) {
    real("lrt_max_t_z", "", "interaction in martingale residuals, which permutations compare",
         [](const PairRow& row) { return row.interaction_z; });
    add_column(table, "lrt_max_t_p", "", "adjusted for all pairs by permutation (maxT)", rows,
               [&](Index r) { return of.findings.interaction_max_t_p[size(r)]; });
  }
  real("wald_chi2", "", "(log_hazard_ab / se_ab)²", [](const PairRow& row) { return row.fit.wald_chi2; });
  real("score_chi2", "", "score test at the fit without interaction; empty for Firth's estimates",
       [](const PairRow& row) { return row.fit.score_chi2; });
  real("reri", "", "relative excess risk due to interaction: 0 where hazards add up",
       [](const PairRow& row) { return row.reri.estimate; });
  real("reri_lower", "", "lower confidence limit", [](const PairRow& row) { return row.reri.lower; });
  real("reri_upper", "", "upper confidence limit", [](const PairRow& row) { return row.reri.upper; });
  real("screen_log10_p", "", "log10 p of the screen that led to the full fit",
       [](const PairRow& row) { return row.screen_log10_p; });
  add_column(table, "method", "", "how the interaction was estimated, or why it was not", rows,
             [&](Index r) { return method_of(of.design, all[size(r)]); });
}

}  // namespace

std::string association_note(const Design& design, const PairRow& row) {
  const kernels::TwoByTwo& cells = row.cells;
  if (cells.total() == 0) return "nobody tested for both";
  if (cells.row1() == 0 || cells.col1() == 0) return "carried by nobody tested for both";
  if (cells.row2() == 0 || cells.col2() == 0) return "carried by everyone tested for both";
  if (design.needs_strata() &&
      std::any_of(row.log10_p.begin(), row.log10_p.end(), [](double p) { return std::isnan(p); }))
    return "both vary in no stratum";
  return {};
}

std::string method_of(const Design& design, const PairRow& row) {
  if (!row.asked)
    return row.cells.n11 == 0 ? "not asked: nobody carries both"
                              : "not asked: fewer than min_both carry both";
  if (row.fit.verdict == kernels::PairVerdict::converged)
    return design.ties == kernels::Ties::efron ? "cox, efron" : "cox, breslow";
  if (row.fit.verdict == kernels::PairVerdict::penalised) return "firth, as a group has no event";
  return "not estimated: " + std::string(kernels::name_of(row.fit.verdict));
}

io::ResultTable pair_table(const Design& design, const engine::Setup& setup, const Findings& findings) {
  const Reported of{design, setup, findings};
  const auto& rows = findings.reported;
  io::ResultTable table{.name = "pairs",
                        .caption =
                            "Pairs of features over the patients tested for both: which go together, and "
                            "what they mean for outcome beyond the sum of their parts.",
                        .columns = {}};
  add_features(table, of, rows);
  add_association(table, of, rows);
  if (design.with_outcome) add_outcome(table, of, rows);
  add_column(table, "note", "", "why association cannot be tested", rows,
             [&](Index r) { return association_note(design, findings.rows[size(r)]); });
  return table;
}

io::ResultTable pair_group_table(const Design& design, const engine::Setup& setup, const Findings& findings) {
  struct Line {
    Index row;
    kernels::PairGroup group;
  };
  std::vector<Line> lines;
  for (const Index r : findings.reported)
    for (const auto group : {kernels::neither, kernels::only_a, kernels::only_b, kernels::both})
      if (findings.rows[size(r)].asked) lines.push_back({r, group});
  const Reported of{design, setup, findings};
  const auto row = [&](const Line& line) -> const PairRow& { return findings.rows[size(line.row)]; };
  const auto arm = [&](const Line& line) -> const kernels::ArmCurve& { return row(line).curves[line.group]; };

  io::ResultTable table{
      .name = "pair_groups",
      .caption = "Survival of the four groups that a pair makes (Kaplan-Meier, strata pooled).",
      .columns = {}};
  add_column(table, "feature_a", "", "first feature", lines,
             [&](const Line& line) { return of.name(row(line).pair.a); });
  add_column(table, "feature_b", "", "second feature", lines,
             [&](const Line& line) { return of.name(row(line).pair.b); });
  add_column(table, "group", "", "who carries what", lines, [](const Line& line) {
    constexpr std::array names{"neither", "a only", "b only", "both"};
    return std::string(names[line.group]);
  });
  add_column(table, "n_analysed", "patients", "outcome known", lines,
             [&](const Line& line) { return arm(line).n_analysed; });
  add_column(table, "events", "events", "of the analysed", lines,
             [&](const Line& line) { return arm(line).n_events; });
  add_column(table, "median", "days", "median survival; empty when it is not reached", lines,
             [&](const Line& line) { return arm(line).median.time; });
  add_column(table, "median_lower", "days", "lower confidence limit; empty when it is not reached", lines,
             [&](const Line& line) { return arm(line).median.lower; });
  add_column(table, "median_upper", "days", "upper confidence limit; empty when it is not reached", lines,
             [&](const Line& line) { return arm(line).median.upper; });
  for (std::size_t k = 0; k < design.config.landmarks.size(); ++k) {
    const std::string at = io::shortest(design.config.landmarks[k]);
    const auto point = [&](const char* suffix, const char* description, double kernels::KmPoint::*member) {
      add_column(table, "survival_" + at + suffix, "",
                 description + (" at " + at +
                                " days; empty beyond the follow-up, limits also where all or none survive"),
                 lines, [&, k](const Line& line) {
                   return arm(line).landmarks.empty() ? kernels::missing : arm(line).landmarks[k].*member;
                 });
    };
    point("", "survival", &kernels::KmPoint::survival);
    point("_lower", "lower limit of survival", &kernels::KmPoint::lower);
    point("_upper", "upper limit of survival", &kernels::KmPoint::upper);
  }
  return table;
}

io::ResultTable pair_strata_table(const Design& design, const engine::Setup& setup,
                                  const Findings& findings) {
  struct Line {
    Index row;
    std::size_t stratum;
  };
  std::vector<Line> lines;
  for (const Index r : findings.reported)
    for (std::size_t s = 0; s < findings.rows[size(r)].strata.size(); ++s)
      if (findings.rows[size(r)].strata[s].total() > 0) lines.push_back({r, s});
  const Reported of{design, setup, findings};
  const auto row = [&](const Line& line) -> const PairRow& { return findings.rows[size(line.row)]; };
  const auto cells = [&](const Line& line) -> const kernels::TwoByTwo& {
    return row(line).strata[line.stratum];
  };

  io::ResultTable table{
      .name = "pair_strata", .caption = "The cells of each pair in each stratum.", .columns = {}};
  add_column(table, "feature_a", "", "first feature", lines,
             [&](const Line& line) { return of.name(row(line).pair.a); });
  add_column(table, "feature_b", "", "second feature", lines,
             [&](const Line& line) { return of.name(row(line).pair.b); });
  add_column(table, "stratum", "", "levels of the stratifying fields", lines,
             [&](const Line& line) { return findings.strata_labels[line.stratum]; });
  add_column(table, "n11", "patients", "carry both", lines,
             [&](const Line& line) { return cells(line).n11; });
  add_column(table, "n10", "patients", "carry a only", lines,
             [&](const Line& line) { return cells(line).n10; });
  add_column(table, "n01", "patients", "carry b only", lines,
             [&](const Line& line) { return cells(line).n01; });
  add_column(table, "n00", "patients", "carry neither", lines,
             [&](const Line& line) { return cells(line).n00; });
  add_column(table, "odds_ratio", "", "n11 n00 / (n10 n01); empty where both products are 0", lines,
             [&](const Line& line) { return kernels::sample_odds_ratio(cells(line)); });
  return table;
}

}  // namespace chorale::jobs::interaction
