// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <span>

#include "engine/plan.hpp"
#include "io/results.hpp"
#include "jobs/mutation_landscape/design.hpp"
#include "jobs/mutation_landscape/part.hpp"

namespace chorale::jobs::landscape {

/// The job's result from the parts of all its units, in unit order.
io::Results tabulate(const Design& design, const engine::Setup& setup, std::span<const Part> parts);

/// What was counted of all features and genes, from the parts that hold some each.
Totals put_together(const Design& design, const engine::Setup& setup, std::span<const Part> parts);

io::ResultTable feature_table(const Design& design, const engine::Setup& setup, const Totals& counts,
                              std::span<const OutcomeRow> outcome);
io::ResultTable comparison_table(const Design& design, const engine::Setup& setup,
                                 std::span<const ComparisonRow> rows);

/// survival.tsv, groups.tsv, landmarks.tsv and, where there are groups, group_logrank.tsv
std::vector<io::ResultTable> group_tables(const Design& design, std::span<const GroupCurve> curves,
                                          const kernels::LogRankResult& log_rank);
/// feature_survival.tsv and feature_landmarks.tsv
std::vector<io::ResultTable> feature_curve_tables(const Design& design, const engine::Setup& setup,
                                                  std::span<const OutcomeRow> outcome);
/// variant_classes.tsv, allele_fractions.tsv, burden.tsv, protein_changes.tsv
std::vector<io::ResultTable> variant_tables(const Design& design, const engine::Setup& setup,
                                            const Totals& counts);

/// log10 of Benjamini-Hochberg q, apart for each value of `family`.
std::vector<double> q_by_family(std::span<const double> log10_p, std::span<const std::int32_t> family);

}  // namespace chorale::jobs::landscape
