// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "jobs/common/follow_up.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "engine/selection.hpp"
#include "kernels/error.hpp"

namespace chorale::jobs {
namespace {

void require_weight(const engine::Setup& setup) {
  const std::string& name = setup.config.outcome.weight;
  if (name.empty()) return;
  const Index f = engine::require_field(setup.catalogue, name, "outcome.weight");
  if (f >= 0 && setup.catalogue.fields[static_cast<std::size_t>(f)].kind == io::FieldKind::number) return;
  throw ConfigError({.what = "a weight is a number",
                     .found = name + ", a category",
                     .expected = "a number field",
                     .in = "outcome.weight",
                     .remedy = "name a number field, or leave it out"});
}

}  // namespace

OutcomeDesign OutcomeDesign::of(const engine::Setup& setup) {
  OutcomeDesign design;
  const auto& outcome = setup.config.outcome;
  for (const auto& field : outcome.strata)
    design.strata.push_back(Grouping::by(setup.catalogue, field, {}, "outcome.strata"));
  design.adjusted = !outcome.covariates.empty() || !design.strata.empty();
  require_weight(setup);
  if (outcome.endpoint.empty() && (design.adjusted || !outcome.weight.empty())) {
    throw ConfigError({.what = "covariates, strata and weights need an outcome",
                       .found = "no endpoint",
                       .in = "outcome.endpoint",
                       .remedy = "name an endpoint, or leave them out"});
  }
  return design;
}

void OutcomeDesign::require_columns(const engine::Setup& setup, engine::Columns& columns) const {
  std::vector<std::string>& fields = columns.fields;
  jobs::require_columns(strata, columns);
  require_covariates(setup, fields);
  const std::string& weight = setup.config.outcome.weight;
  if (!weight.empty() && std::find(fields.begin(), fields.end(), weight) == fields.end())
    fields.push_back(weight);
}

Timelines::Timelines(const OutcomeDesign& design, const engine::Setup& setup, const engine::Cohort& cohort)
    : adjusted(design.adjusted) {
  kernels::SurvivalView patients = cohort.survival();
  if (!setup.config.outcome.weight.empty()) patients.weight = cohort.numbers(setup.config.outcome.weight);
  crude = kernels::make_timeline(patients);
  if (!adjusted) return;
  std::vector<std::int32_t> stratum;
  if (!design.strata.empty()) {
    Index n_strata = 0;
    stratum = crossed(cohort, design.strata, n_strata);
    patients.stratum = stratum;
  }
  stratified = kernels::make_timeline(patients);
}

engine::Ledger Timelines::ledger() const {
  engine::Ledger ledger;
  ledger.n_start = crude.n_patients;
  ledger.leave("outcome", "time or status missing", crude.attrition.missing_outcome);
  if (crude.attrition.missing_weight > 0)
    ledger.leave("outcome", "weight missing or 0", crude.attrition.missing_weight);
  ledger.leave("outcome", "entry not before the end of follow-up", crude.attrition.entry_not_before_exit);
  if (!adjusted) return ledger;
  Index n_missing = 0;  // of who has not left already
  for (std::size_t i = 0; i < crude.analysed.size(); ++i)
    n_missing += crude.analysed[i] != 0 && stratified.analysed[i] == 0 ? 1 : 0;
  ledger.leave("adjusted outcome", "stratum missing", n_missing);
  return ledger;
}

FollowUp::FollowUp(const OutcomeDesign& design, const engine::Setup& setup, const engine::Cohort& cohort)
    : Timelines(design, setup, cohort) {
  if (adjusted) covariates = read_covariates(setup, cohort);
}

engine::Ledger FollowUp::ledger() const {
  engine::Ledger ledger = Timelines::ledger();
  if (!adjusted) return ledger;
  Index n_missing = 0;
  const auto n = static_cast<std::size_t>(crude.n_patients);
  for (std::size_t i = 0; i < n; ++i) {
    bool missing = false;
    for (Index c = 0; c < covariates.n_terms(); ++c)
      missing = missing || std::isnan(covariates.values[static_cast<std::size_t>(c) * n + i]);
    n_missing += missing && stratified.analysed[i] != 0 ? 1 : 0;
  }
  ledger.leave("adjusted outcome", "covariate missing", n_missing);
  return ledger;
}

void refuse_without_events(const engine::Ledger& ledger, Index n_left_over, const std::string& endpoint,
                           std::string remedy) {
  std::string reasons;
  for (const auto& line : ledger.lines)
    if (line.n_left > 0)
      reasons += fmt::format("{}{} {}", reasons.empty() ? "" : ", ", line.n_left, line.reason);
  throw InputError(
      {.what = n_left_over == 0 ? "no patient is left for the model" : "no patient of the model has an event",
       .found = fmt::format("{} of {} patients, 0 events{}", n_left_over, ledger.n_start,
                            reasons.empty() ? "" : "; left: " + reasons),
       .expected = "patients with events",
       .in = endpoint,
       .remedy = std::move(remedy)});
}

}  // namespace chorale::jobs
