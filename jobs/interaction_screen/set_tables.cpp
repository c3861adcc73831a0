// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include <algorithm>
#include <cmath>

#include "jobs/interaction_screen/tables.hpp"
#include "kernels/multiplicity.hpp"
#include "kernels/tail.hpp"

namespace chorale::jobs::interaction {
namespace {

std::size_t size(Index n) {
  return static_cast<std::size_t>(n);
}

/// The features that the bits of `mask` stand for: "abc".
std::string letters(Index mask, Index order) {
  std::string text;
  for (Index j = 0; j < order; ++j)
    if ((mask >> j & 1) != 0) text += static_cast<char>('a' + j);
  return text;
}

/// The cell of `mask` as digits, the first feature first: "n110".
std::string cell_name(Index mask, Index order) {
  std::string text = "n";
  for (Index j = 0; j < order; ++j) text += (mask >> j & 1) != 0 ? '1' : '0';
  return text;
}

std::vector<double> q_of(const std::vector<double>& log10_p) {
  std::vector<double> q(log10_p.size());
  kernels::benjamini_hochberg(log10_p, q);
  for (double& value : q) value = std::pow(10.0, value);
  return q;
}

std::string method_of(const Design& design, const SetRow& row) {
  using kernels::SetVerdict;
  if (row.fit.verdict == SetVerdict::converged)
    return design.ties == kernels::Ties::efron ? "cox, efron" : "cox, breslow";
  std::string text = "not estimated: " + std::string(kernels::name_of(row.fit.verdict));
  for (std::size_t k = 0; k < row.fit.infinite.size(); ++k)
    text += (k == 0 ? ": " : ", ") + letters(row.fit.infinite[k], row.set.order);
  return text;
}

std::string association_note(const SetRow& row) {
  switch (row.association.verdict) {
    case kernels::LogLinearVerdict::infinite:
      return "a cell is empty: no finite interaction";
    case kernels::LogLinearVerdict::not_identified:
      return "empty cells leave nothing to compare";
    default:
      return {};
  }
}

}  // namespace

io::ResultTable set_table(const Design& design, const engine::Setup& setup, std::span<const SetRow> all_rows,
                          Index order) {
  std::vector<const SetRow*> rows;
  for (const SetRow& row : all_rows)
    if (row.set.order == order) rows.push_back(&row);
  const auto p = [](const SetRow* row) { return row->association.log10_p; };
  std::stable_sort(rows.begin(), rows.end(), [&](const SetRow* x, const SetRow* y) {
    return std::isnan(p(y)) ? !std::isnan(p(x)) : p(x) < p(y);
  });
  io::ResultTable table{.name = order == 3 ? "triples" : "quadruples",
                        .caption =
                            "Sets of features that enough patients carry together, the most frequent feature "
                            "first: against what "
                            "all smaller sets explain (log-linear model), and what the whole means for "
                            "outcome beyond its parts.",
                        .columns = {}};
  for (Index j = 0; j < order; ++j)
    add_column(
        table, "feature_" + letters(Index{1} << j, order), "", "feature", rows,
        [&](const SetRow* row) { return setup.features.features[size(row->set.feature[size(j)])].name; });
  const Index n_cells = Index{1} << order;
  add_column(table, "tested", "patients", "tested for all", rows, [&](const SetRow* row) {
    Index n = 0;
    for (Index cell = 0; cell < n_cells; ++cell) n += row->cell[size(cell)];
    return n;
  });
  for (Index cell = n_cells - 1; cell >= 0; --cell)
    add_column(table, cell_name(cell, order), "patients", "carry (1) and do not carry (0)", rows,
               [&](const SetRow* row) { return Index{row->cell[size(cell)]}; });
  add_column(table, "expected", "patients", "would carry all, if smaller sets explained everything", rows,
             [](const SetRow* row) { return row->association.expected; });
  add_column(table, "log_ratio", "", "log of the ratio of odds ratios: the highest interaction", rows,
             [](const SetRow* row) { return row->association.interaction; });
  add_column(table, "se_log_ratio", "", "its standard error", rows,
             [](const SetRow* row) { return row->association.se; });
  add_column(table, "g2", "", "likelihood ratio of that interaction, 1 degree of freedom", rows,
             [](const SetRow* row) { return row->association.g2; });
  std::vector<double> log10_p;
  for (const SetRow* row : rows) log10_p.push_back(p(row));
  table.add("log10_p", "", "its log10 p", log10_p);
  table.add("q", "", "Benjamini-Hochberg over the sets of this table", q_of(log10_p));
  if (design.with_outcome) {
    for (Index term = 1; term < n_cells; ++term) {
      const std::string name = letters(term, order);
      const auto value = [&](const char* prefix, const char* description,
                             std::vector<double> kernels::SetCoxFit::*member) {
        add_column(table, prefix + name, "log hazard", description, rows, [&](const SetRow* row) {
          const auto& values = row->fit.*member;
          return row->fit.verdict == kernels::SetVerdict::converged ? values[size(term - 1)]
                                                                    : kernels::missing;
        });
      };
      value("log_hazard_", "on top of all its parts", &kernels::SetCoxFit::coefficient);
      value("se_", "its standard error", &kernels::SetCoxFit::se);
    }
    std::vector<double> lrt;
    for (const SetRow* row : rows) lrt.push_back(kernels::chi_square_log10_upper(row->fit.lrt_chi2, 1));
    add_column(table, "lrt_chi2", "", "likelihood ratio of the highest term, 1 degree of freedom", rows,
               [](const SetRow* row) { return row->fit.lrt_chi2; });
    table.add("lrt_log10_p", "", "its log10 p", lrt);
    table.add("lrt_q", "", "Benjamini-Hochberg over the sets of this table", q_of(lrt));
    add_column(table, "method", "", "how the terms were estimated, or why they were not", rows,
               [&](const SetRow* row) { return method_of(design, *row); });
  }
  add_column(table, "note", "", "what the log-linear model could not say", rows,
             [](const SetRow* row) { return association_note(*row); });
  return table;
}

}  // namespace chorale::jobs::interaction
