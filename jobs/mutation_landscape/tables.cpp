// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "jobs/mutation_landscape/tables.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <string_view>
#include <unordered_map>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "kernels/multiplicity.hpp"
#include "kernels/proportion.hpp"
#include "kernels/quantile.hpp"
#include "kernels/tail.hpp"

namespace chorale::jobs::landscape {
namespace {

void add(std::vector<std::int64_t>& total, const std::vector<std::int64_t>& more) {
  if (total.size() < more.size()) total.resize(more.size(), 0);
  for (std::size_t i = 0; i < more.size(); ++i) total[i] += more[i];
}

/// Changes and allele fractions of several shards. Texts stay in the shards' parts.
struct Variants {
  struct Key {
    std::int32_t gene;
    std::string_view protein_change;
    auto operator<=>(const Key&) const = default;
  };
  struct Hash {
    std::size_t operator()(const Key& key) const {
      return std::hash<std::string_view>{}(key.protein_change) ^
             (static_cast<std::size_t>(key.gene) * 0x9e3779b97f4a7c15U);
    }
  };
  std::map<std::int32_t, kernels::ValueCounts> fractions;
  std::unordered_map<Key, std::int64_t, Hash> changes;

  void take(const Counts& shard) {
    for (std::size_t g = 0; g < shard.fraction_gene.size(); ++g)
      fractions[shard.fraction_gene[g]].merge(shard.fractions[g]);
    for (const Change& change : shard.changes)
      changes[{change.gene, change.protein_change}] += change.n_patients;
  }

  /// Of the changes only the `n_top` that most patients share, in that order.
  void give(Counts& total, std::size_t n_top) const {
    for (const auto& [gene, counts] : fractions) {
      total.fraction_gene.push_back(gene);
      total.fractions.push_back(counts);
    }
    std::vector<std::pair<Key, std::int64_t>> order(changes.begin(), changes.end());
    const auto top = order.begin() + static_cast<std::ptrdiff_t>(std::min(n_top, order.size()));
    std::partial_sort(order.begin(), top, order.end(), [](const auto& a, const auto& b) {
      return a.second != b.second ? a.second > b.second : a.first < b.first;
    });
    for (auto at = order.begin(); at != top; ++at)
      total.changes.push_back({.gene = at->first.gene,
                               .protein_change = std::string(at->first.protein_change),
                               .n_patients = at->second});
  }
};

std::string percent(std::int64_t part, std::int64_t whole) {
  return whole == 0 ? "–"
                    : fmt::format("{:.1f} %", 100.0 * static_cast<double>(part) / static_cast<double>(whole));
}

std::string most_frequent(const engine::Setup& setup, const Counts& counts) {
  const Index n = setup.features.size();
  std::vector<Index> order(static_cast<std::size_t>(n));
  std::iota(order.begin(), order.end(), Index{0});
  const auto share = [&](Index f) {
    const auto tested = counts.tested[static_cast<std::size_t>(f)];
    return tested == 0 ? 0.0
                       : static_cast<double>(counts.carriers[static_cast<std::size_t>(f)]) /
                             static_cast<double>(tested);
  };
  std::stable_sort(order.begin(), order.end(), [&](Index a, Index b) { return share(a) > share(b); });
  std::vector<std::string> named;
  for (const Index f : order) {
    if (named.size() == 5) break;
    const auto i = static_cast<std::size_t>(f);
    named.push_back(fmt::format("{} {} ({} of {})", setup.features.features[i].name,
                                percent(counts.carriers[i], counts.tested[i]), counts.carriers[i],
                                counts.tested[i]));
  }
  return fmt::format("Most frequent: {}.", fmt::join(named, ", "));
}

/// "7 of 56 features go with OS at q < 0.05, …" from the columns of the feature table.
std::string strongest(const std::string& endpoint, const io::ResultTable& table, const std::string& prefix) {
  const auto& q = std::get<std::vector<double>>(table.find(prefix + "q")->values);
  const auto& log_hazard = std::get<std::vector<double>>(table.find(prefix + "log_hazard")->values);
  const auto& log10_p = std::get<std::vector<double>>(table.find(prefix + "log10_p")->values);
  const auto& group = std::get<std::vector<std::string>>(table.find("group")->values);
  const auto& feature = std::get<std::vector<std::string>>(table.find("feature")->values);
  std::vector<std::size_t> hits;
  Index n_tested = 0;
  for (std::size_t i = 0; i < q.size(); ++i) {
    if (group[i] != "all" || std::isnan(q[i])) continue;
    ++n_tested;
    if (q[i] < 0.05) hits.push_back(i);
  }
  std::stable_sort(hits.begin(), hits.end(),
                   [&](std::size_t a, std::size_t b) { return log10_p[a] < log10_p[b]; });
  std::vector<std::string> named;
  for (const std::size_t i : hits) {
    if (named.size() == 5) break;
    named.push_back(fmt::format("{} (hazard ratio {:.2f})", feature[i], std::exp(log_hazard[i])));
  }
  std::string text = fmt::format("{}, {}: {} of {} features tested go with outcome at q < 0.05", endpoint,
                                 prefix.empty() ? "crude" : "adjusted", hits.size(), n_tested);
  if (!named.empty()) text += fmt::format("; strongest: {}", fmt::join(named, ", "));
  return text + ".";
}

std::vector<std::string> summarise(const Design& design, const engine::Setup& setup, const Counts& counts,
                                   const io::Results& results, const engine::Ledger& ledger) {
  std::vector<std::string> summary{
      fmt::format("{} patients of {} in the cohort, {} features ({} variant classes, set \"{}\").",
                  counts.patients.empty() ? 0 : counts.patients[0], ledger.n_start, setup.features.size(),
                  setup.features.classes.size(), setup.features.class_set),
      most_frequent(setup, counts)};
  if (design.grouping) {
    std::vector<std::string> sizes;
    for (Index g = 1; g < design.n_groups(); ++g)
      sizes.push_back(
          fmt::format("{} {}", design.group_label(g), counts.patients[static_cast<std::size_t>(g)]));
    summary.push_back(fmt::format("Groups by {}: {}.", design.grouping->field, fmt::join(sizes, ", ")));
  }
  if (!setup.config.outcome.endpoint.empty()) {
    summary.push_back(strongest(setup.config.outcome.endpoint, results.tables.front(), ""));
    if (design.outcome.adjusted)
      summary.push_back(strongest(setup.config.outcome.endpoint, results.tables.front(), "adj_"));
  }
  return summary;
}

}  // namespace

Counts add_up(std::span<const Part> parts, Index n_top_changes) {
  Counts total;
  Variants variants;
  std::size_t n_changes = 0;
  for (const Part& part : parts) n_changes += part.counts.changes.size();
  variants.changes.reserve(n_changes);
  for (const Part& part : parts) {
    const Counts& shard = part.counts;
    if (shard.patients.empty()) continue;
    total.ledger.add(shard.ledger);
    add(total.patients, shard.patients);
    add(total.carriers, shard.carriers);
    add(total.tested, shard.tested);
    add(total.class_variants, shard.class_variants);
    add(total.class_patients, shard.class_patients);
    total.burden.resize(shard.burden.size());
    for (std::size_t g = 0; g < shard.burden.size(); ++g) add(total.burden[g], shard.burden[g]);
    variants.take(shard);
  }
  variants.give(total, static_cast<std::size_t>(n_top_changes));
  return total;
}

std::vector<double> q_by_family(std::span<const double> log10_p, std::span<const std::int32_t> family) {
  std::map<std::int32_t, std::vector<std::size_t>> members;
  for (std::size_t i = 0; i < family.size(); ++i) members[family[i]].push_back(i);
  std::vector<double> q(log10_p.size());
  for (const auto& [name, rows] : members) {
    std::vector<double> p;
    for (const std::size_t i : rows) p.push_back(log10_p[i]);
    kernels::benjamini_hochberg(p, p);
    for (std::size_t k = 0; k < rows.size(); ++k) q[rows[k]] = std::pow(10.0, p[k]);
  }
  return q;
}

io::Results tabulate(const Design& design, const engine::Setup& setup, std::span<const Part> parts) {
  const Counts counts = add_up(parts, design.config.top_changes);
  std::vector<OutcomeRow> outcome;
  std::vector<ComparisonRow> comparison;
  std::vector<GroupCurve> curves;
  kernels::LogRankResult log_rank;
  engine::Ledger ledger = counts.ledger;
  for (const Part& part : parts) {
    outcome.insert(outcome.end(), part.outcome.begin(), part.outcome.end());
    comparison.insert(comparison.end(), part.comparison.begin(), part.comparison.end());
    curves.insert(curves.end(), part.curves.begin(), part.curves.end());
    if (!part.log_rank.n.empty()) log_rank = part.log_rank;
    ledger.lines.insert(ledger.lines.end(), part.outcome_ledger.lines.begin(),
                        part.outcome_ledger.lines.end());
  }

  io::Results results;
  results.title = "Mutation landscape of " + setup.catalogue.name;
  results.tables.push_back(feature_table(design, setup, counts, outcome));
  const auto append = [&](std::vector<io::ResultTable> more) {
    for (auto& table : more) results.tables.push_back(std::move(table));
  };
  if (!comparison.empty()) results.tables.push_back(comparison_table(design, setup, comparison));
  if (!curves.empty()) append(group_tables(design, curves, log_rank));
  if (!outcome.empty() && design.config.feature_curves) append(feature_curve_tables(design, setup, outcome));
  append(variant_tables(design, setup, counts));
  results.tables.push_back(ledger.table());
  results.summary = summarise(design, setup, counts, results, ledger);
  results.settings = {
      {"variant classes",
       fmt::format("{}: {}", setup.features.class_set, fmt::join(setup.features.classes, ", "))},
      {"tested",
       "panel of the patient's samples holds the gene, or the field has a value; others leave denominators"},
      {"frequency interval", fmt::format("Wilson score, {}", design.config.confidence)},
      {"q", "Benjamini-Hochberg over the features of a group"}};
  if (!setup.config.outcome.endpoint.empty()) {
    results.settings.emplace_back("endpoint", setup.config.outcome.endpoint + ", days");
    results.settings.emplace_back("ties",
                                  setup.config.outcome.ties == kernels::Ties::efron ? "Efron" : "Breslow");
    results.settings.emplace_back("crude fit", "no covariates, no strata");
    if (design.outcome.adjusted)
      results.settings.emplace_back(
          "adjusted fit",
          fmt::format("covariates: {}; strata: {}", fmt::join(setup.config.outcome.covariates, ", "),
                      fmt::join(setup.config.outcome.strata, ", ")));
  }
  if (design.grouping && !design.compared.empty())
    results.settings.emplace_back("comparison strata",
                                  fmt::format("{}", fmt::join(design.config.stratify, " × ")));
  return results;
}

}  // namespace chorale::jobs::landscape
