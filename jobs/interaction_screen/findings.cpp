// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include <algorithm>
#include <cmath>
#include <tuple>

#include "jobs/interaction_screen/stages.hpp"
#include "jobs/interaction_screen/tables.hpp"
#include "kernels/tail.hpp"

namespace chorale::jobs::interaction {
namespace {

std::size_t size(Index n) {
  return static_cast<std::size_t>(n);
}

/// Log10 q of each row in a family, NaN where the family did not keep its p.
const ChosenPair& pair_of(const PairRow& row) {
  return row.pair;
}
const LightRow& pair_of(const LightRow& row) {
  return row;
}

bool by_features(const auto& x, const auto& y) {
  return std::tie(pair_of(x).a, pair_of(x).b) < std::tie(pair_of(y).a, pair_of(y).b);
}

/// Of rows ordered by features, as the family's are.
template <class Row>
std::vector<double> q_of(const Family& family, const std::vector<Row>& rows) {
  std::vector<double> log10_q;
  std::size_t k = 0;
  for (const Row& row : rows) {
    const auto wanted = std::tie(pair_of(row).a, pair_of(row).b);
    const auto here = [&] { return std::tie(family.kept[k].a, family.kept[k].b); };
    while (k < family.kept.size() && here() < wanted) ++k;
    log10_q.push_back(k < family.kept.size() && here() == wanted ? family.log10_q[k] : kernels::missing);
  }
  return log10_q;
}

std::vector<Index> reported_rows(const Design& design, const Findings& findings) {
  std::vector<std::uint8_t> reported(findings.rows.size());
  for (std::size_t k = 0; k < reported.size(); ++k)
    reported[k] = (findings.rows[k].pair.flags & by_association) != 0 ? 1 : 0;
  if (design.config.report != Report::all) {
    // the pairs stage chose generously, so hits are among the rows
    for (const Index k : findings.interaction.hits(design.config)) {
      const KeptP& hit = findings.interaction.kept[size(k)];
      const auto row = std::lower_bound(
          findings.rows.begin(), findings.rows.end(), hit,
          [](const PairRow& x, const KeptP& y) { return std::tie(x.pair.a, x.pair.b) < std::tie(y.a, y.b); });
      if (row != findings.rows.end() && row->pair.a == hit.a && row->pair.b == hit.b)
        reported[static_cast<std::size_t>(row - findings.rows.begin())] = 1;
    }
  }
  std::vector<Index> places;
  for (std::size_t k = 0; k < reported.size(); ++k)
    if (reported[k] != 0) places.push_back(static_cast<Index>(k));
  // the strongest association first, pairs that cannot be tested last
  std::stable_sort(places.begin(), places.end(), [&](Index x, Index y) {
    const double p = findings.rows[size(x)].log10_p.front(), other = findings.rows[size(y)].log10_p.front();
    return std::isnan(other) ? !std::isnan(p) : p < other;
  });
  return places;
}

void add_max_t(const Design& design, Findings& findings) {
  if (findings.association_extremes.empty()) return;
  std::vector<double> z, interaction_z;
  for (const PairRow& row : findings.rows) {
    z.push_back(row.association_z);
    interaction_z.push_back(row.interaction_z);
  }
  const auto side = design.config.alternative == Alternative::two_sided ? kernels::Alternative::two_sided
                    : design.config.alternative == Alternative::co_occurrence ? kernels::Alternative::greater
                                                                              : kernels::Alternative::less;
  findings.max_t_p.resize(z.size());
  kernels::max_t_p(findings.association_extremes, z, side, findings.max_t_p);
  if (findings.interaction_extremes.empty()) return;
  findings.interaction_max_t_p.resize(z.size());
  kernels::max_t_p(findings.interaction_extremes, interaction_z, kernels::Alternative::two_sided,
                   findings.interaction_max_t_p);
}

}  // namespace

Findings Findings::of(const Design& design, const engine::Setup& setup, std::span<const Part> parts) {
  Findings findings;
  for (const Part& part : parts) {
    if (!part.carriers.empty()) {
      findings.carriers = part.carriers;
      findings.tested = part.tested;
      findings.strata_labels = part.strata_labels;
      findings.ledger = part.ledger;
    }
    findings.pairs.n_pairs += part.pairs.n_pairs;
    findings.pairs.n_untested += part.pairs.n_untested;
    findings.pairs.n_uninformative += part.pairs.n_uninformative;
    findings.pairs.n_rare += part.pairs.n_rare;
    findings.pairs.n_not_fitted += part.pairs.n_not_fitted;
    findings.pairs.n_proven += part.pairs.n_proven;
    findings.light.insert(findings.light.end(), part.light.begin(), part.light.end());
    findings.rows.insert(findings.rows.end(), part.rows.begin(), part.rows.end());
    for (std::size_t order = 0; order < part.n_sets.size(); ++order)
      findings.n_sets[order] += part.n_sets[order];
    findings.sets.insert(findings.sets.end(), part.set_rows.begin(), part.set_rows.end());
  }
  for (const Part& part : parts) {
    const auto append = [](auto& all, const auto& more) { all.insert(all.end(), more.begin(), more.end()); };
    append(findings.association_extremes, part.association_extremes);
    append(findings.interaction_extremes, part.interaction_extremes);
    append(findings.own_effects, part.own_effects);
    findings.n_permuted_associations += part.n_permuted_associations;
    findings.n_permuted_interactions += part.n_permuted_interactions;
  }
  // parts are joined rank by rank
  std::sort(findings.light.begin(), findings.light.end(),
            [](const auto& x, const auto& y) { return by_features(x, y); });
  std::sort(findings.rows.begin(), findings.rows.end(),
            [](const auto& x, const auto& y) { return by_features(x, y); });
  std::sort(findings.sets.begin(), findings.sets.end(),
            [](const SetRow& x, const SetRow& y) { return carried_more(x.set, y.set); });
  add_max_t(design, findings);
  const auto counts = std::span(setup.counts[pairs_stage]);
  for (std::size_t t = 0; t < design.tests.size(); ++t)
    findings.tests.push_back(Family::of_test(design, counts, parts, t));
  findings.interaction = Family::of_interaction(design, counts, parts, findings.light);
  findings.light_q = q_of(findings.tests.front(), findings.light);
  findings.light_lrt_q = q_of(findings.interaction, findings.light);
  findings.log10_q = q_of(findings.tests.front(), findings.rows);
  findings.lrt_q = q_of(findings.interaction, findings.rows);
  findings.reported = reported_rows(design, findings);
  return findings;
}

Recall recall_of(const Design& design, const Findings& findings) {
  const double bound = std::log10(design.config.screen_p);
  Recall recall;
  Index n_passed = 0;
  for (const LightRow& row : findings.light) {
    if (!row.asked || std::isnan(row.lrt_log10_p)) continue;
    const bool passed = row.screen_log10_p <= bound;
    (passed ? n_passed : recall.n_checked) += 1;
    if (row.lrt_log10_p >= -4) continue;
    ++recall.n_strong;
    recall.n_passed += passed ? 1 : 0;
  }
  recall.n_beyond = findings.interaction.n_tested - n_passed;
  return recall;
}

}  // namespace chorale::jobs::interaction
