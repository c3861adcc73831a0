// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include <cmath>
#include <map>

#include "jobs/mutation_landscape/tables.hpp"
#include "kernels/proportion.hpp"
#include "kernels/tail.hpp"

namespace chorale::jobs::landscape {
namespace {

using Texts = std::vector<std::string>;
using Reals = std::vector<double>;
using Wholes = std::vector<std::int64_t>;

/// Columns of the feature table that one way of fitting fills.
struct FitColumns {
  Wholes n_analysed, events, carriers, carrier_events;
  Reals log_hazard, se, z, log10_p, loglik_null, loglik_covariates, loglik;
  Texts note;

  template <class Fit>
  void add(const Fit& fit) {
    n_analysed.push_back(fit.n_analysed);
    events.push_back(fit.n_events);
    carriers.push_back(fit.n_carriers);
    carrier_events.push_back(fit.n_carrier_events);
    log_hazard.push_back(fit.log_hazard);
    se.push_back(fit.se);
    z.push_back(fit.z);
    log10_p.push_back(kernels::normal_log10_two_sided(fit.z));
    loglik_null.push_back(fit.loglik_null);
    loglik.push_back(fit.loglik);
    note.emplace_back(fit.verdict == kernels::Verdict::converged ? "" : kernels::name_of(fit.verdict));
  }

  void put(io::ResultTable& table, const std::string& prefix, const std::string& which,
           std::span<const std::int32_t> group) {
    const Reals q = q_by_family(log10_p, group);
    table.add(prefix + "n_analysed", "patients", "tested, with everything the " + which + " fit needs",
              n_analysed);
    table.add(prefix + "events", "patients", "events among the analysed", events);
    table.add(prefix + "n_carriers", "patients", "carriers among the analysed", carriers);
    table.add(prefix + "carrier_events", "patients", "events among the carriers", carrier_events);
    table.add(prefix + "log_hazard", "log hazard ratio", "carriers against others, " + which + " Cox fit",
              log_hazard);
    table.add(prefix + "se", "log hazard ratio", "standard error", se);
    table.add(prefix + "z", "", "log hazard by its standard error", z);
    table.add(prefix + "log10_p", "log10", "two-sided Wald test", log10_p);
    table.add(prefix + "q", "", "Benjamini-Hochberg over the features of the group", q);
    table.add(prefix + "loglik_null", "log likelihood", "all coefficients zero", loglik_null);
    if (!loglik_covariates.empty())
      table.add(prefix + "loglik_covariates", "log likelihood", "covariates alone", loglik_covariates);
    table.add(prefix + "loglik", "log likelihood", "at the estimate, or its limit", loglik);
    table.add(prefix + "note", "", "why there is no coefficient", note);
  }
};

}  // namespace

io::ResultTable feature_table(const Design& design, const engine::Setup& setup, const Totals& counts,
                              std::span<const OutcomeRow> outcome) {
  const Index n_features = setup.features.size();
  std::map<std::pair<std::int32_t, std::int32_t>, const OutcomeRow*> fits;
  for (const OutcomeRow& row : outcome) fits[{row.feature, row.group}] = &row;

  Texts feature, kind, group;
  Wholes carriers, tested;
  Reals frequency, lower, upper, logrank_chi2, logrank_log10_p, score_chi2;
  std::vector<std::int32_t> group_code;
  FitColumns crude, adjusted;
  for (Index f = 0; f < n_features; ++f) {
    for (Index g = 0; g < design.n_groups(); ++g) {
      const auto cell = static_cast<std::size_t>(g * n_features + f);
      const auto wilson =
          kernels::wilson_interval(counts.carriers[cell], counts.tested[cell], design.config.confidence);
      feature.push_back(setup.features.features[static_cast<std::size_t>(f)].name);
      kind.push_back(setup.features.features[static_cast<std::size_t>(f)].kind);
      group.push_back(design.group_label(g));
      group_code.push_back(static_cast<std::int32_t>(g));
      carriers.push_back(counts.carriers[cell]);
      tested.push_back(counts.tested[cell]);
      frequency.push_back(wilson.estimate);
      lower.push_back(wilson.lower);
      upper.push_back(wilson.upper);
      if (outcome.empty()) continue;
      const OutcomeRow& row = *fits.at({static_cast<std::int32_t>(f), static_cast<std::int32_t>(g)});
      crude.add(row.crude);
      score_chi2.push_back(row.crude.score_chi2);
      logrank_chi2.push_back(row.crude.logrank_chi2);
      logrank_log10_p.push_back(std::isnan(row.crude.logrank_chi2)
                                    ? row.crude.logrank_chi2
                                    : kernels::chi_square_log10_upper(row.crude.logrank_chi2, 1));
      if (!design.outcome.adjusted) continue;
      adjusted.add(row.adjusted);
      adjusted.loglik_covariates.push_back(row.adjusted.loglik_covariates);
    }
  }
  io::ResultTable table{
      .name = "features",
      .caption =
          "Every feature in every group: how many of those tested carry it, and what it means "
          "for outcome. Who was not tested for a feature is in no denominator of it.",
      .columns = {}};
  table.add("feature", "", "gene or other alteration", std::move(feature));
  table.add("group", "", "group of patients", std::move(group));
  table.add("carriers", "patients", "tested patients that carry the feature", std::move(carriers));
  table.add("tested", "patients", "patients tested for the feature", std::move(tested));
  table.add("frequency", "", "carriers by tested", std::move(frequency));
  table.add("freq_lower", "", "lower Wilson bound", std::move(lower));
  table.add("freq_upper", "", "upper Wilson bound", std::move(upper));
  table.add("kind", "", "what kind of alteration", std::move(kind));
  if (outcome.empty()) return table;
  crude.put(table, "", "crude", group_code);
  table.add("score_chi2", "chi-square, 1 df", "score test of the crude Cox model", std::move(score_chi2));
  table.add("logrank_chi2", "chi-square, 1 df", "log-rank test, carriers against others",
            std::move(logrank_chi2));
  table.add("logrank_log10_p", "log10", "p-value of the log-rank test", std::move(logrank_log10_p));
  if (design.outcome.adjusted) adjusted.put(table, "adj_", "adjusted", group_code);
  return table;
}

io::ResultTable comparison_table(const Design& design, const engine::Setup& setup,
                                 std::span<const ComparisonRow> rows) {
  Texts feature, a, b;
  Wholes a_carriers, a_tested, b_carriers, b_tested, n_strata, bd_df;
  Reals log10_p, odds_ratio, lower, upper, cmh_or, cmh_lower, cmh_upper, cmh_chi2, cmh_log10_p, bd_chi2,
      bd_log10_p;
  std::vector<std::int32_t> family;
  for (const ComparisonRow& row : rows) {
    feature.push_back(setup.features.features[static_cast<std::size_t>(row.feature)].name);
    a.push_back(design.group_label(row.group_a + 1));
    b.push_back(row.group_b < 0 ? "all others" : design.group_label(row.group_b + 1));
    family.push_back(row.group_a);
    a_carriers.push_back(row.a_carriers);
    a_tested.push_back(row.a_tested);
    b_carriers.push_back(row.b_carriers);
    b_tested.push_back(row.b_tested);
    odds_ratio.push_back(row.odds_ratio);
    lower.push_back(row.lower);
    upper.push_back(row.upper);
    // with nobody tested on one side there is no test, and it must not count as one
    log10_p.push_back(row.a_tested == 0 || row.b_tested == 0 ? kernels::missing : row.log10_p);
    n_strata.push_back(row.n_strata);
    cmh_or.push_back(row.cmh_odds_ratio);
    cmh_lower.push_back(row.cmh_lower);
    cmh_upper.push_back(row.cmh_upper);
    cmh_chi2.push_back(row.cmh_chi2);
    cmh_log10_p.push_back(row.cmh_log10_p);
    bd_chi2.push_back(row.bd_chi2);
    bd_df.push_back(row.bd_df);
    bd_log10_p.push_back(row.bd_log10_p);
  }
  const Reals q = q_by_family(log10_p, family), cmh_q = q_by_family(cmh_log10_p, family);
  io::ResultTable table{
      .name = "comparison",
      .caption =
          "Frequencies of two groups compared: Fisher's exact test, and within strata "
          "Cochran-Mantel-Haenszel (with continuity correction) and Breslow-Day (with Tarone's). "
          "Odds ratios above 1: more frequent in group_a.",
      .columns = {}};
  table.add("feature", "", "gene or other alteration", std::move(feature));
  table.add("group_a", "", "first group", std::move(a));
  table.add("group_b", "", "second group", std::move(b));
  table.add("a_carriers", "patients", "carriers in group_a", std::move(a_carriers));
  table.add("a_tested", "patients", "tested in group_a", std::move(a_tested));
  table.add("b_carriers", "patients", "carriers in group_b", std::move(b_carriers));
  table.add("b_tested", "patients", "tested in group_b", std::move(b_tested));
  table.add("odds_ratio", "", "conditional maximum likelihood, as R's fisher.test", std::move(odds_ratio));
  table.add("or_lower", "", "exact lower bound", std::move(lower));
  table.add("or_upper", "", "exact upper bound", std::move(upper));
  table.add("log10_p", "log10", "Fisher's exact test, two-sided", std::move(log10_p));
  table.add("q", "", "Benjamini-Hochberg over the features of the comparison", q);
  table.add("n_strata", "", "strata with information", std::move(n_strata));
  table.add("cmh_odds_ratio", "", "Mantel-Haenszel odds ratio, common to the strata", std::move(cmh_or));
  table.add("cmh_lower", "", "Robins-Breslow-Greenland lower bound", std::move(cmh_lower));
  table.add("cmh_upper", "", "Robins-Breslow-Greenland upper bound", std::move(cmh_upper));
  table.add("cmh_chi2", "chi-square, 1 df", "Cochran-Mantel-Haenszel statistic", std::move(cmh_chi2));
  table.add("cmh_log10_p", "log10", "its p-value", std::move(cmh_log10_p));
  table.add("cmh_q", "", "Benjamini-Hochberg over the features of the comparison", cmh_q);
  table.add("bd_chi2", "chi-square", "do the strata agree? Breslow-Day with Tarone's correction",
            std::move(bd_chi2));
  table.add("bd_df", "", "its degrees of freedom", std::move(bd_df));
  table.add("bd_log10_p", "log10", "its p-value", std::move(bd_log10_p));
  return table;
}

}  // namespace chorale::jobs::landscape
