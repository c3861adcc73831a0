// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include <algorithm>
#include <map>

#include "jobs/mutation_landscape/stages.hpp"

namespace chorale::jobs::landscape {
namespace {

/// A fit without covariates, in the shape of one with.
kernels::AdjustedFit as_adjusted(const kernels::TwoGroupFit& fit) {
  return {.n_analysed = fit.n_analysed,
          .n_events = fit.n_events,
          .n_carriers = fit.n_carriers,
          .n_carrier_events = fit.n_carrier_events,
          .verdict = fit.verdict,
          .log_hazard = fit.log_hazard,
          .se = fit.se,
          .z = fit.z,
          .loglik_null = fit.loglik_null,
          .loglik_covariates = fit.loglik_null,
          .loglik = fit.loglik,
          .beta = {},
          .iterations = fit.iterations};
}

}  // namespace

Index n_tiles(const engine::Setup& setup) {
  return (setup.features.size() + features_per_tile - 1) / features_per_tile;
}

OutcomeFrame::OutcomeFrame(const Design& design, const engine::Setup& setup, const engine::Cohort& cohort)
    : design_(design),
      ties_(setup.config.outcome.ties),
      n_tiles_(landscape::n_tiles(setup)),
      follow_up_(design.outcome, setup, cohort) {
  if (design.grouping) group_ = design.grouping->codes(cohort);
}

Part OutcomeFrame::run(const engine::Cohort& cohort, Index unit) const {
  const Index group = unit / n_tiles_;
  const Index tile = unit % n_tiles_;
  Part part;
  fit_tile(cohort, group, tile, part);
  if (tile == 0) describe_group(group, part);
  if (unit == 0) describe_cohort(part);
  return part;
}

std::vector<std::uint8_t> OutcomeFrame::members(Index group) const {
  std::vector<std::uint8_t> member(static_cast<std::size_t>(follow_up_.crude.n_patients), 1);
  if (group > 0)
    for (std::size_t i = 0; i < member.size(); ++i) member[i] = group_[i] == group - 1;
  return member;
}

/// Features with the same tested patients are fitted together: their risk sets are the same.
void OutcomeFrame::fit_tile(const engine::Cohort& cohort, Index group, Index tile, Part& part) const {
  const Index first = tile * features_per_tile;
  const Index end = std::min(first + features_per_tile, cohort.n_features());
  std::map<std::string, std::vector<Index>> classes;
  for (Index f = first; f < end; ++f) classes[cohort.tested_key(f)].push_back(f);

  part.outcome.resize(static_cast<std::size_t>(end - first));
  const auto member = members(group);
  std::vector<std::uint8_t> tested(member.size());
  for (const auto& [key, features] : classes) {
    cohort.tested(features.front(), tested);
    for (std::size_t i = 0; i < tested.size(); ++i) tested[i] &= member[i];
    std::vector<std::span<const std::int32_t>> carriers;
    std::vector<OutcomeRow*> rows;
    for (const Index f : features) {
      carriers.push_back(cohort.carriers(f));
      rows.push_back(&part.outcome[static_cast<std::size_t>(f - first)]);
      rows.back()->feature = static_cast<std::int32_t>(f);
      rows.back()->group = static_cast<std::int32_t>(group);
    }
    const auto totals = kernels::risk_totals(follow_up_.crude, tested);
    std::vector<kernels::TwoGroupFit> fits(features.size());
    kernels::two_group(follow_up_.crude, totals, carriers, ties_, fits);
    for (std::size_t k = 0; k < fits.size(); ++k) rows[k]->crude = fits[k];
    if (design_.config.feature_curves) {
      std::vector<kernels::TwoGroupCurves> curves(features.size());
      kernels::two_group_curves(follow_up_.crude, totals, carriers, design_.config.landmarks,
                                {.type = design_.config.conf_type, .level = design_.config.confidence},
                                curves);
      for (std::size_t k = 0; k < curves.size(); ++k) rows[k]->curves = std::move(curves[k]);
    }
    if (design_.outcome.adjusted) fit_adjusted(carriers, tested, rows);
  }
}

void OutcomeFrame::fit_adjusted(kernels::CarrierLists carriers, std::span<const std::uint8_t> tested,
                                std::span<OutcomeRow* const> rows) const {
  const kernels::Timeline& timeline = follow_up_.stratified;
  const Covariates& covariates = follow_up_.covariates;
  if (covariates.n_terms() == 0) {
    std::vector<kernels::TwoGroupFit> fits(rows.size());
    kernels::two_group(timeline, kernels::risk_totals(timeline, tested), carriers, ties_, fits);
    for (std::size_t k = 0; k < rows.size(); ++k) rows[k]->adjusted = as_adjusted(fits[k]);
    return;
  }
  const kernels::CoxDesign model = kernels::make_cox_design(
      timeline, {.values = covariates.values, .n_columns = covariates.n_terms(), .offset = {}}, tested);
  const kernels::CoxFit alone = kernels::cox_fit(model, {.ties = ties_});
  std::vector<kernels::AdjustedFit> fits(rows.size());
  kernels::adjusted_fits(model, alone, carriers, ties_, fits);
  for (std::size_t k = 0; k < rows.size(); ++k) rows[k]->adjusted = std::move(fits[k]);
}

void OutcomeFrame::describe_group(Index group, Part& part) const {
  const auto member = members(group);
  GroupCurve curve;
  curve.group = static_cast<std::int32_t>(group);
  curve.curve = kernels::kaplan_meier(follow_up_.crude, member,
                                      {.type = design_.config.conf_type, .level = design_.config.confidence});
  curve.median = kernels::km_median(curve.curve);
  curve.landmarks = kernels::km_landmarks(follow_up_.crude, member, curve.curve, design_.config.landmarks);
  part.curves.push_back(std::move(curve));
}

void OutcomeFrame::describe_cohort(Part& part) const {
  if (design_.grouping) part.log_rank = kernels::log_rank(follow_up_.crude, group_, design_.grouping->size());
  part.outcome_ledger = follow_up_.ledger();
}

}  // namespace chorale::jobs::landscape
