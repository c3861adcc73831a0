// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "jobs/mutation_landscape/tables.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <numeric>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "jobs/common/words.hpp"
#include "kernels/multiplicity.hpp"
#include "kernels/parallel.hpp"

namespace chorale::jobs::landscape {
namespace {

/// Puts the rows of a share where they stand among all.
void place_rows(std::vector<std::int64_t>& all, const std::vector<std::int64_t>& some, std::size_t n_columns,
                const Totals& share) {
  if (n_columns == 0) return;
  auto from = some.begin();
  for (auto row = static_cast<std::size_t>(share.first); from != some.end();
       row += static_cast<std::size_t>(share.step), from += static_cast<std::ptrdiff_t>(n_columns))
    std::copy_n(from, n_columns, all.begin() + static_cast<std::ptrdiff_t>(row * n_columns));
}

/// The same for columns.
void place_columns(std::vector<std::int64_t>& all, const std::vector<std::int64_t>& some,
                   std::size_t n_columns, const Totals& share) {
  auto from = some.begin();
  for (std::size_t row = 0; row < all.size() && from != some.end(); row += n_columns)
    for (auto c = static_cast<std::size_t>(share.first); c < n_columns;
         c += static_cast<std::size_t>(share.step))
      all[row + c] = *from++;
}

std::string percent(std::int64_t part, std::int64_t whole) {
  return whole == 0 ? "–"
                    : fmt::format("{:.1f} %", 100.0 * static_cast<double>(part) / static_cast<double>(whole));
}

std::string most_frequent(const engine::Setup& setup, const Totals& counts) {
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

std::vector<std::string> summarise(const Design& design, const engine::Setup& setup, const Totals& counts,
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

Totals put_together(const Design& design, const engine::Setup& setup, std::span<const Part> parts) {
  Totals all;
  all.step = 1;
  const auto n_features = static_cast<std::size_t>(setup.features.size());
  const std::size_t n_classes = setup.catalogue.variant_classes.size();
  all.carriers.resize(static_cast<std::size_t>(design.n_groups()) * n_features);
  all.tested.resize(all.carriers.size());
  all.class_variants.resize(setup.catalogue.genes.size() * n_classes);
  all.class_patients.resize(all.class_variants.size());
  for (const Part& part : parts) {
    const Totals& share = part.totals;
    if (share.step == 0) continue;
    if (share.first == 0) {
      all.ledger = share.ledger;
      all.patients = share.patients;
      all.burden = share.burden;
    }
    place_columns(all.carriers, share.carriers, n_features, share);
    place_columns(all.tested, share.tested, n_features, share);
    place_rows(all.class_variants, share.class_variants, n_classes, share);
    place_rows(all.class_patients, share.class_patients, n_classes, share);
    all.fractions.insert(all.fractions.end(), share.fractions.begin(), share.fractions.end());
    all.changes.insert(all.changes.end(), share.changes.begin(), share.changes.end());
  }
  std::sort(all.fractions.begin(), all.fractions.end(),
            [](const FractionRow& a, const FractionRow& b) { return a.gene < b.gene; });
  std::sort(all.changes.begin(), all.changes.end(), comes_first);
  const auto n_changes = std::min(all.changes.size(), static_cast<std::size_t>(design.config.top_changes));
  all.changes.resize(n_changes);
  return all;
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
  const Totals counts = put_together(design, setup, parts);
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
  using Tables = std::vector<io::ResultTable>;
  std::vector<std::function<Tables()>> makers{
      [&] { return Tables{feature_table(design, setup, counts, outcome)}; },
      [&] { return comparison.empty() ? Tables{} : Tables{comparison_table(design, setup, comparison)}; },
      [&] { return curves.empty() ? Tables{} : group_tables(design, curves, log_rank); },
      [&] {
        const bool wanted = !outcome.empty() && design.config.feature_curves;
        return wanted ? feature_curve_tables(design, setup, outcome) : Tables{};
      },
      [&] { return variant_tables(design, setup, counts); }};
  std::vector<Tables> made(makers.size());
  kernels::in_parallel(makers.size(), [&](std::size_t i) { made[i] = makers[i](); });
  for (Tables& tables : made)
    for (io::ResultTable& table : tables) results.tables.push_back(std::move(table));
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
          "adjusted fit", fmt::format("covariates: {}; strata: {}", listed(setup.config.outcome.covariates),
                                      listed(setup.config.outcome.strata)));
  }
  if (design.grouping && !design.compared.empty())
    results.settings.emplace_back("comparison strata",
                                  fmt::format("{}", fmt::join(design.config.stratify, " × ")));
  return results;
}

}  // namespace chorale::jobs::landscape
