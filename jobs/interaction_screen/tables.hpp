// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <array>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "engine/plan.hpp"
#include "io/results.hpp"
#include "jobs/interaction_screen/design.hpp"
#include "jobs/interaction_screen/family.hpp"
#include "jobs/interaction_screen/part.hpp"

namespace chorale::jobs::interaction {

/// What the parts of all units say together.
struct Findings {
  std::vector<std::int64_t> carriers, tested;  ///< by feature
  std::vector<std::string> strata_labels;
  engine::Ledger ledger;
  PairsPart pairs;            ///< counters added up; tests and interaction are in the families
  std::vector<Family> tests;  ///< of association
  Family interaction;
  std::array<std::int64_t, kernels::max_item_set_order + 1> n_sets{};  ///< found, by order
  std::vector<SetRow> sets;
  std::vector<kernels::Extremes> association_extremes, interaction_extremes;  ///< by permutation
  Index n_permuted_associations = 0, n_permuted_interactions = 0;             ///< pairs
  std::vector<std::int32_t> own_effects;  ///< features in the model of the residuals
  std::vector<LightRow> light;            ///< every pair looked at in detail, by features
  std::vector<double> light_q;            ///< (light) log10 q of the primary test; NaN where p was not kept
  std::vector<double> light_lrt_q;        ///< (light) log10 q of the interaction, likewise
  std::vector<PairRow> rows;              ///< of these, what tables may show, by features
  std::vector<Index> reported;            ///< positions in rows of those in the pair table
  std::vector<double> log10_q;            ///< (rows) of the primary test; NaN where p was not kept
  std::vector<double> lrt_q;              ///< (rows) log10 q of the interaction

  std::vector<double> max_t_p, interaction_max_t_p;  ///< (rows) adjusted by permutation; empty without

  static Findings of(const Design& design, const engine::Setup& setup, std::span<const Part> parts);
};

/// Why association cannot be tested; empty when it can.
std::string association_note(const Design& design, const PairRow& row);
/// How the interaction was estimated, or why it was not.
std::string method_of(const Design& design, const PairRow& row);

/// Of the pairs whose full fit says p < 1e-4, how many the screen let pass.
struct Recall {
  Index n_strong = 0, n_passed = 0;
  Index n_checked = 0;  ///< pairs beyond the screen's bound that were fitted in full
  Index n_beyond = 0;   ///< all pairs beyond it
};
Recall recall_of(const Design& design, const Findings& findings);

io::ResultTable pair_table(const Design& design, const engine::Setup& setup, const Findings& findings);
io::ResultTable pair_group_table(const Design& design, const engine::Setup& setup, const Findings& findings);
io::ResultTable pair_strata_table(const Design& design, const engine::Setup& setup, const Findings& findings);
io::ResultTable feature_table(const Design& design, const engine::Setup& setup, const Findings& findings);
io::ResultTable matrix_table(const Design& design, const engine::Setup& setup, const Findings& findings);
io::ResultTable test_table(const Design& design, const Findings& findings);
io::ResultTable histogram_table(const Design& design, const Findings& findings);

/// triples.tsv (order 3) or quadruples.tsv (order 4)
io::ResultTable set_table(const Design& design, const engine::Setup& setup, std::span<const SetRow> rows,
                          Index order);

/// The job's result from the parts of all its units, in unit order.
io::Results tabulate(const Design& design, const engine::Setup& setup, std::span<const Part> parts);

/// Adds a column made row by row.
template <class Rows, class Of>
void add_column(io::ResultTable& table, std::string name, std::string unit, std::string description,
                const Rows& rows, Of of) {
  std::vector<decltype(of(*std::begin(rows)))> values;
  for (const auto& row : rows) values.push_back(of(row));
  table.add(std::move(name), std::move(unit), std::move(description), std::move(values));
}

}  // namespace chorale::jobs::interaction
