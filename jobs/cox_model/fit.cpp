// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include <algorithm>

#include <fmt/format.h>

#include "jobs/common/covariates.hpp"
#include "jobs/common/follow_up.hpp"
#include "jobs/cox_model/job.hpp"
#include "kernels/cox_by_time.hpp"

namespace chorale::jobs::cox_model {
namespace {

/// Numbers of all blocks, one block's after the other's, added up.
std::vector<double> total(const std::vector<double>& all, std::size_t n) {
  std::vector<double> sum(n, 0);
  for (std::size_t i = 0; i < all.size(); ++i) sum[i % n] += all[i];
  return sum;
}

[[noreturn]] void refuse_late(double n_late) {
  throw InputError({.what = "patients enter late, which a fit by time cannot follow",
                    .found = fmt::format("{:.0f} patients who are observed from after day 0 on", n_late),
                    .expected = "all observed from the start",
                    .in = "cox_model.patients",
                    .remedy = "set cox_model.patients = \"replicated\""});
}

/// Levels that occur in any block; refuses late entries. The same on all ranks.
OccurringLevels agree(const engine::Setup& setup, const engine::TimeSlice& slice) {
  std::vector<double> mine;
  for (const engine::Cohort& block : slice.blocks()) {
    const OccurringLevels levels = occurring_levels(setup, block);
    const auto entry = block.survival().entry;
    mine.push_back(
        static_cast<double>(std::count_if(entry.begin(), entry.end(), [](double e) { return e > 0; })));
    mine.insert(mine.end(), levels.begin(), levels.end());
  }
  const std::vector<double> all = slice.of_all(mine);
  const std::size_t n_levels = all.size() / static_cast<std::size_t>(slice.n_blocks()) - 1;
  const std::vector<double> sum = total(all, 1 + n_levels);
  if (sum[0] > 0) refuse_late(sum[0]);
  OccurringLevels levels;
  for (std::size_t l = 0; l < n_levels; ++l) levels.push_back(sum[1 + l] > 0 ? 1 : 0);
  return levels;
}

kernels::CoxTimeBlock model_block(const engine::Setup& setup, const OutcomeDesign& outcome,
                                  const OccurringLevels& levels, const engine::Cohort& block) {
  kernels::SurvivalView patients = block.survival();
  if (!setup.config.outcome.weight.empty()) patients.weight = block.numbers(setup.config.outcome.weight);
  std::vector<std::int32_t> stratum;
  if (!outcome.strata.empty()) {
    Index n_strata = 0;
    stratum = crossed(block, outcome.strata, n_strata);
    patients.stratum = stratum;
  }
  const Covariates covariates = read_covariates(setup, block, levels);
  return {patients, {.values = covariates.values, .n_columns = covariates.n_terms(), .offset = {}}};
}

/// Who left, of all blocks, in the lines of FollowUp.
engine::Ledger ledger_of(const OutcomeDesign& outcome, std::span<const kernels::CoxTimeBlock> blocks,
                         const engine::TimeSlice& slice) {
  std::vector<double> mine;
  for (const auto& b : blocks) {
    const auto& left = b.attrition;
    for (const Index n : {b.n_patients, left.missing_outcome, left.missing_weight, left.missing_stratum,
                          b.n_missing_covariate})
      mine.push_back(static_cast<double>(n));
  }
  const std::vector<double> sum = total(slice.of_all(mine), 5);
  const auto count = [&](std::size_t k) { return static_cast<Index>(sum[k]); };
  engine::Ledger ledger;
  ledger.n_start = count(0);
  ledger.leave("outcome", "time or status missing", count(1));
  if (count(2) > 0) ledger.leave("outcome", "weight missing or 0", count(2));
  ledger.leave("outcome", "entry not before the end of follow-up", 0);
  if (outcome.adjusted) ledger.leave("adjusted outcome", "stratum missing", count(3));
  if (outcome.adjusted) ledger.leave("adjusted outcome", "covariate missing", count(4));
  return ledger;
}

/// [select] first, then the outcome.
engine::Ledger after(engine::Ledger selected, const engine::Ledger& outcome) {
  for (const auto& line : outcome.lines) selected.lines.push_back(line);
  return selected;
}

void require_events(const engine::Setup& setup, const Part& part) {
  if (part.fit.n_events == 0)
    refuse_without_events(part.ledger, part.fit.n_analysed,
                          "outcome.endpoint " + setup.config.outcome.endpoint,
                          "select other patients, or another endpoint");
}

}  // namespace

Part fit_replicated(const engine::Setup& setup, const engine::Cohort& cohort) {
  const FollowUp follow_up(OutcomeDesign::of(setup), setup, cohort);
  const Covariates& covariates = follow_up.covariates;
  Part part{.terms = covariates.terms, .fit = {}, .ledger = after(cohort.ledger(), follow_up.ledger())};
  part.fit = kernels::cox_fit(
      kernels::make_cox_design(
          follow_up.model(), {.values = covariates.values, .n_columns = covariates.n_terms(), .offset = {}}),
      {.ties = setup.config.outcome.ties});
  require_events(setup, part);
  return part;
}

Part fit_by_time(const engine::Setup& setup, const engine::TimeSlice& slice) {
  const OutcomeDesign outcome = OutcomeDesign::of(setup);
  const OccurringLevels levels = agree(setup, slice);
  std::vector<kernels::CoxTimeBlock> blocks;
  for (const engine::Cohort& block : slice.blocks())
    blocks.push_back(model_block(setup, outcome, levels, block));
  Part part;
  part.terms = covariate_terms(setup, levels);
  part.ledger = after(slice.ledger(), ledger_of(outcome, blocks, slice));
  Index n_strata = 1;
  for (const Grouping& stratum : outcome.strata) n_strata *= stratum.size();
  part.fit = kernels::cox_fit_by_time(
      blocks, static_cast<Index>(part.terms.size()), n_strata, slice.first_block(),
      [&](std::span<const double> mine) { return slice.of_all(mine); }, {.ties = setup.config.outcome.ties});
  require_events(setup, part);
  return part;
}

}  // namespace chorale::jobs::cox_model
