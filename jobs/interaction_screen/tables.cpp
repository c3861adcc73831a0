// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "jobs/interaction_screen/tables.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "jobs/common/words.hpp"

namespace chorale::jobs::interaction {
namespace {

std::size_t size(Index n) {
  return static_cast<std::size_t>(n);
}

std::string count_of(Index n, const char* thing) {
  return fmt::format("{} {}{}", n, thing, n == 1 ? "" : "s");
}

std::string pair_name(const engine::Setup& setup, const PairRow& row) {
  return setup.features.features[size(row.pair.a)].name + " × " +
         setup.features.features[size(row.pair.b)].name;
}

/// "12 of 703 pairs … at q ≤ 0.05 …; strongest: …".
std::string association_sentence(const Design& design, const engine::Setup& setup, const Findings& findings) {
  const Family& family = findings.tests.front();
  const double bound = std::log10(design.config.report_q);
  const auto n_hits =
      std::count_if(family.log10_q.begin(), family.log10_q.end(), [&](double q) { return q <= bound; });
  std::vector<std::string> named;
  for (const Index r : findings.reported) {
    const PairRow& row = findings.rows[size(r)];
    if (named.size() == 5 || !(findings.log10_q[size(r)] <= bound)) break;
    named.push_back(
        fmt::format("{} ({})", pair_name(setup, row), row.odds_ratio.estimate > 1 ? "together" : "apart"));
  }
  return fmt::format("{}: {} of {} pairs at q ≤ {}{}.", title_of(design.tests.front()), n_hits,
                     family.n_tested, design.config.report_q,
                     named.empty() ? "" : fmt::format("; strongest: {}", fmt::join(named, ", ")));
}

std::string interaction_sentence(const Design& design, const engine::Setup& setup, const Findings& findings) {
  const double bound = std::log10(design.config.report_q);
  std::vector<const PairRow*> hits;
  for (std::size_t r = 0; r < findings.rows.size(); ++r)
    if (findings.lrt_q[r] <= bound) hits.push_back(&findings.rows[r]);
  std::stable_sort(hits.begin(), hits.end(),
                   [](const auto* x, const auto* y) { return lrt_log10_p(*x) < lrt_log10_p(*y); });
  std::vector<std::string> named;
  for (const PairRow* row : hits) {
    if (named.size() == 5) break;
    named.push_back(fmt::format("{} (hazard ratio of the interaction {:.2f})", pair_name(setup, *row),
                                std::exp(row->fit.ab)));
  }
  return fmt::format("{}: {} of {} pairs change outcome beyond the sum of their parts at q ≤ {}{}.",
                     setup.config.outcome.endpoint, hits.size(), findings.interaction.n_tested,
                     design.config.report_q,
                     named.empty() ? "" : fmt::format("; strongest: {}", fmt::join(named, ", ")));
}

std::string recall_sentence(const Design& design, const Recall& recall) {
  return fmt::format(
      "The screen (p ≤ {}) passed {} of {} whose full fit says p < 0.0001; {} of {} beyond the bound were "
      "fitted in "
      "full to check.",
      design.config.screen_p, recall.n_passed, count_of(recall.n_strong, "pair"), recall.n_checked,
      count_of(recall.n_beyond, "pair"));
}

std::string set_sentence(const Design& design, const engine::Setup& setup, const Findings& findings,
                         Index order) {
  const auto n_found = findings.n_sets[size(order)];
  const SetRow* strongest = nullptr;
  Index n_tested = 0;
  for (const SetRow& row : findings.sets) {
    if (row.set.order != order) continue;
    ++n_tested;
    if (!std::isnan(row.association.log10_p) &&
        (strongest == nullptr || row.association.log10_p < strongest->association.log10_p))
      strongest = &row;
  }
  std::string text =
      fmt::format("{} {} are carried by at least {} patients; {} were tested", n_found,
                  order == 3 ? "triples" : "sets of four", design.config.min_carriers_of_set, n_tested);
  if (strongest == nullptr) return text + ".";
  std::vector<std::string> names;
  for (Index j = 0; j < order; ++j)
    names.push_back(setup.features.features[size(strongest->set.feature[size(j)])].name);
  return fmt::format("{}; farthest from what smaller sets explain: {} ({} patients, {:.1f} expected).", text,
                     fmt::join(names, " × "), strongest->set.n_all, strongest->association.expected);
}

std::string permutation_sentence(const Design& design, const engine::Setup& setup, const Findings& findings) {
  const auto below = [&](const std::vector<double>& p) {
    return std::count_if(p.begin(), p.end(), [&](double value) { return value <= design.config.report_q; });
  };
  std::string text =
      fmt::format("{} permutations within strata (maxT): {} of {} pairs associated at adjusted p ≤ {}",
                  design.config.permutations, below(findings.max_t_p), findings.n_permuted_associations,
                  design.config.report_q);
  if (findings.interaction_max_t_p.empty()) return text + ".";
  std::vector<std::string> names;
  for (const std::int32_t f : findings.own_effects) names.push_back(setup.features.features[size(f)].name);
  return text + fmt::format("; {} of {} interact. Features in the model whose residuals are permuted: {}.",
                            below(findings.interaction_max_t_p), findings.n_permuted_interactions,
                            listed(names));
}

void summarise(const Design& design, const engine::Setup& setup, const Findings& findings,
               io::Results& results) {
  const auto n_patients = findings.ledger.n_start;
  results.summary.push_back(
      fmt::format("{} patients in the cohort, {} features, {} pairs; {} pairs cannot be tested for "
                  "association: nobody is tested "
                  "for both ({}), or one of the two is carried by nobody or by everyone who is ({}).",
                  n_patients, setup.features.size(), findings.pairs.n_pairs,
                  findings.pairs.n_untested + findings.pairs.n_uninformative, findings.pairs.n_untested,
                  findings.pairs.n_uninformative));
  results.summary.push_back(association_sentence(design, setup, findings));
  for (Index order = 3; order <= design.config.largest_set; ++order)
    results.summary.push_back(set_sentence(design, setup, findings, order));
  if (!findings.max_t_p.empty()) results.summary.push_back(permutation_sentence(design, setup, findings));
  if (!design.with_outcome) return;
  results.summary.push_back(interaction_sentence(design, setup, findings));
  results.summary.push_back(fmt::format(
      "{} pairs have fewer than {} double carriers and were not asked about outcome; {} could not be fitted.",
      findings.pairs.n_rare, design.config.min_both, findings.pairs.n_not_fitted));
  results.summary.push_back(recall_sentence(design, recall_of(design, findings)));
}

void add_numbers(const Design& design, const Findings& findings, io::Results& results) {
  const auto add = [&](const std::string& name, auto value) {
    results.numbers.emplace_back(name, static_cast<double>(value));
  };
  add("pairs", findings.pairs.n_pairs);
  add("pairs_nobody_tested_for_both", findings.pairs.n_untested);
  add("pairs_without_variation", findings.pairs.n_uninformative);
  add("pairs_reported", findings.reported.size());
  const auto family = [&](const std::string& name, const Family& of) {
    add(name + "_tested", of.n_tested);
    add(name + "_inflation", of.inflation());
    add(name + "_median_p", of.median_p());
  };
  for (std::size_t t = 0; t < design.tests.size(); ++t)
    family(std::string(name_of(design.tests[t])), findings.tests[t]);
  for (Index order = 3; order <= design.config.largest_set; ++order)
    add(order == 3 ? "triples_found" : "quadruples_found", findings.n_sets[size(order)]);
  if (!design.with_outcome) return;
  family("interaction", findings.interaction);
  add("interaction_few_double_carriers", findings.pairs.n_rare);
  add("interaction_not_fitted", findings.pairs.n_not_fitted);
  const Recall recall = recall_of(design, findings);
  add("screen_strong_pairs", recall.n_strong);
  add("screen_strong_pairs_passed", recall.n_passed);
  add("screen_pairs_beyond", recall.n_beyond);
  add("screen_pairs_beyond_checked", recall.n_checked);
}

void add_settings(const Design& design, const engine::Setup& setup, io::Results& results) {
  auto& settings = results.settings;
  settings.emplace_back("variant classes", fmt::format("{}: {}", setup.features.class_set,
                                                       fmt::join(setup.features.classes, ", ")));
  settings.emplace_back(
      "tested",
      "panels of the patient's samples hold both features, and no value is missing; others leave the "
      "pair's denominator");
  std::vector<std::string_view> titles;
  for (const Test test : design.tests) titles.push_back(title_of(test));
  settings.emplace_back("tests of association",
                        fmt::format("{}; {}", fmt::join(titles, ", "), title_of(design.config.alternative)));
  settings.emplace_back(
      "strata of association",
      design.config.stratify.empty() ? "none" : fmt::format("{}", fmt::join(design.config.stratify, " × ")));
  settings.emplace_back("q", "Benjamini-Hochberg over the pairs that could be tested");
  if (design.config.permutations > 0)
    settings.emplace_back(
        "maxT",
        fmt::format("Westfall and Young, single step, {} permutations, seed {}; association: carriers "
                    "drawn anew within strata and patients tested alike; interaction: residuals permuted "
                    "within these and the strata of the outcome",
                    design.config.permutations, design.seed));
  if (!design.with_outcome) return;
  settings.emplace_back("endpoint", setup.config.outcome.endpoint + ", days");
  settings.emplace_back("ties", design.ties == kernels::Ties::efron ? "Efron" : "Breslow");
  const auto& outcome = setup.config.outcome;
  settings.emplace_back("model", fmt::format("a, b and a × b; covariates: {}; strata: {}; weight: {}",
                                             listed(outcome.covariates), listed(outcome.strata),
                                             outcome.weight.empty() ? "1" : outcome.weight));
  settings.emplace_back("screen",
                        fmt::format("a, b and a × b beside the covariates' own fit; full fits at p ≤ {}",
                                    design.config.screen_p));
  settings.emplace_back("separation", "a group without events: Firth's penalised likelihood");
}

}  // namespace

io::Results tabulate(const Design& design, const engine::Setup& setup, std::span<const Part> parts) {
  const Findings findings = Findings::of(design, setup, parts);
  io::Results results;
  results.title = "Interaction screen of " + setup.catalogue.name;
  results.tables.push_back(pair_table(design, setup, findings));
  if (design.with_outcome) results.tables.push_back(pair_group_table(design, setup, findings));
  if (design.needs_strata()) results.tables.push_back(pair_strata_table(design, setup, findings));
  for (Index order = 3; order <= design.config.largest_set; ++order)
    results.tables.push_back(set_table(design, setup, findings.sets, order));
  results.tables.push_back(feature_table(design, setup, findings));
  results.tables.push_back(matrix_table(design, setup, findings));
  results.tables.push_back(test_table(design, findings));
  results.tables.push_back(histogram_table(design, findings));
  results.tables.push_back(findings.ledger.table());
  summarise(design, setup, findings, results);
  add_numbers(design, findings, results);
  add_settings(design, setup, results);
  return results;
}

}  // namespace chorale::jobs::interaction
