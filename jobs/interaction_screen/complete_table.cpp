// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "jobs/interaction_screen/complete_table.hpp"

#include <string>
#include <utility>

#include "jobs/interaction_screen/stages.hpp"
#include "kernels/multiplicity.hpp"

namespace chorale::jobs::interaction {
namespace {

constexpr const char* table_name = "all_pairs";

/// Names of the columns that hold a log10 p: of each test, then of the interaction.
std::vector<std::string> p_columns(const Design& design) {
  std::vector<std::string> names{"log10_p"};
  for (std::size_t t = 1; t < design.tests.size(); ++t)
    names.push_back(std::string(name_of(design.tests[t])) + "_log10_p");
  if (design.with_outcome) names.push_back("lrt_log10_p");
  return names;
}

}  // namespace

void CompleteTable::add(const TileResult& tile) {
  for (std::size_t k = 0; k < tile.counted.pairs.size(); ++k) {
    a_.push_back(tile.counted.pairs[k].a);
    b_.push_back(tile.counted.pairs[k].b);
    const kernels::TwoByTwo& cells = tile.counted.cells[k];
    tested_.push_back(static_cast<std::int32_t>(cells.total()));
    n11_.push_back(static_cast<std::int32_t>(cells.n11));
    n10_.push_back(static_cast<std::int32_t>(cells.n10));
    n01_.push_back(static_cast<std::int32_t>(cells.n01));
    n00_.push_back(static_cast<std::int32_t>(cells.n00));
  }
  for (const kernels::Ratio& ratio : odds_ratios(design_.config, tile.counted.cells)) {
    odds_ratio_.push_back(ratio.estimate);
    lower_.push_back(ratio.lower);
    upper_.push_back(ratio.upper);
  }
  for (std::size_t t = 0; t < log10_p_.size(); ++t)
    log10_p_[t].insert(log10_p_[t].end(), tile.log10_p[t].begin(), tile.log10_p[t].end());
  for (std::size_t k = 0; k < tile.screens.size(); ++k) {
    const kernels::PairScreen& screen = tile.screens[k];
    const bool asked = tile.counted.cells[k].n11 >= design_.config.min_both;
    verdict_.push_back(asked ? static_cast<std::int32_t>(screen.verdict) : -1);
    log_hazard_a_.push_back(screen.a);
    log_hazard_b_.push_back(screen.b);
    log_hazard_ab_.push_back(screen.ab);
    se_ab_.push_back(screen.se_ab);
    lrt_chi2_.push_back(screen.lrt_chi2);
    lrt_log10_p_.push_back(tile.screen_log10_p[k]);
  }
}

io::ResultTable CompleteTable::table() && {
  io::ResultTable table{.name = table_name,
                        .caption =
                            "Every pair; features by their row in the table features, outcome by the "
                            "screen beside the covariates' own fit. NaN: association where a margin is "
                            "empty, in all or in every stratum; outcome as verdict says.",
                        .columns = {}};
  table.add("feature_a", "", "row of the table features", std::move(a_));
  table.add("feature_b", "", "row of the table features", std::move(b_));
  table.add("tested", "patients", "tested for both", std::move(tested_));
  table.add("n11", "patients", "carry both", std::move(n11_));
  table.add("n10", "patients", "carry a only", std::move(n10_));
  table.add("n01", "patients", "carry b only", std::move(n01_));
  table.add("n00", "patients", "carry neither", std::move(n00_));
  table.add("odds_ratio", "", "odds ratio", std::move(odds_ratio_));
  table.add("or_lower", "", "lower confidence limit", std::move(lower_));
  table.add("or_upper", "", "upper confidence limit", std::move(upper_));
  const auto p_names = p_columns(design_);
  for (std::size_t t = 0; t < log10_p_.size(); ++t)
    table.add(p_names[t], "", "log10 p, " + std::string(title_of(design_.tests[t])), std::move(log10_p_[t]));
  if (design_.with_outcome) {
    table.add("log_hazard_a", "log hazard", "a alone", std::move(log_hazard_a_));
    table.add("log_hazard_b", "log hazard", "b alone", std::move(log_hazard_b_));
    table.add("log_hazard_ab", "log hazard", "both, beyond a + b", std::move(log_hazard_ab_));
    table.add("se_ab", "log hazard", "standard error of log_hazard_ab", std::move(se_ab_));
    table.add("lrt_chi2", "", "likelihood ratio of the interaction", std::move(lrt_chi2_));
    table.add(p_names.back(), "", "its log10 p", std::move(lrt_log10_p_));
    table.add("verdict", "",
              "of the screen: -1 not asked, fewer than min_both carry both; 0 fitted; 2 no events; 3 an "
              "empty group; "
              "4 separated, the limit's p; 5 covariates failed; 6 singular; 7 not converged",
              std::move(verdict_));
  }
  return table;
}

void add_q(const Design& design, io::Pieces& pieces, Index n_pieces) {
  pieces.require(table_name, n_pieces);
  for (const std::string& p : p_columns(design)) {
    std::vector<double> values;
    std::vector<std::size_t> end;
    for (Index number = 0; number < n_pieces; ++number) {
      const auto piece = pieces.reals(table_name, number, p);
      values.insert(values.end(), piece.begin(), piece.end());
      end.push_back(values.size());
    }
    kernels::benjamini_hochberg(values, values);
    std::size_t begin = 0;
    for (Index number = 0; number < n_pieces; ++number) {
      const auto stop = end[static_cast<std::size_t>(number)];
      pieces.put(table_name, number,
                 {.name = p.substr(0, p.size() - 1) + "q",
                  .unit = "",
                  .description = "log10 q of " + p + ", Benjamini-Hochberg",
                  .values = std::vector<double>(values.begin() + static_cast<std::ptrdiff_t>(begin),
                                                values.begin() + static_cast<std::ptrdiff_t>(stop))});
      begin = stop;
    }
  }
}

}  // namespace chorale::jobs::interaction
