// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "jobs/score/design.hpp"

#include <algorithm>

#include "jobs/common/words.hpp"
#include "kernels/error.hpp"

namespace chorale::jobs::score {
namespace {

void require_outcome(const io::ModelFile& model, const engine::OutcomeConfig& outcome) {
  if (outcome.endpoint.empty())
    throw ConfigError({.what = "a model is measured by an outcome",
                       .found = "no endpoint",
                       .expected = "that of the model, " + model.endpoint + ", or another",
                       .in = "outcome.endpoint",
                       .remedy = "name an endpoint of the cohort"});
  if (!outcome.covariates.empty())
    throw ConfigError({.what = "the model brings its covariates",
                       .found = listed(outcome.covariates),
                       .expected = "none",
                       .in = "outcome.covariates",
                       .remedy = "leave them out"});
  if (outcome.strata != model.strata)
    throw ConfigError({.what = "the model has a baseline hazard for each of its own strata",
                       .found = listed(outcome.strata),
                       .expected = listed(model.strata),
                       .in = "outcome.strata",
                       .remedy = "name the model's strata, in its order"});
}

/// The words that ask for what was measured of the model at home; all of them when nothing was.
std::vector<std::string> words_of(const io::ModelFile& model) {
  std::vector<std::string> words;
  for (const auto& word : evaluation_words) {
    const std::string_view name = word == "calibration" ? name_of(Measure::Kind::calibration_slope) : word;
    const bool measured = std::any_of(model.performance.begin(), model.performance.end(),
                                      [&](const auto& p) { return p.measure == name; });
    if (measured) words.push_back(word);
  }
  return words.empty() ? evaluation_words : words;
}

bool reads_panels(const Grouping& grouping, const engine::Setup& setup) {
  return grouping.field == panel_field && setup.catalogue.field_index(panel_field) < 0;
}

}  // namespace

Design Design::of(const Config& config, const io::ModelFile& model, const engine::Setup& setup) {
  require_outcome(model, setup.config.outcome);
  Design design{.config = config,
                .model = model,
                .outcome = OutcomeDesign::of(setup),
                .evaluation = {.measures = config.measures.empty() ? words_of(model) : config.measures,
                               .horizons = config.horizons.empty() ? model.horizons : config.horizons,
                               .integration_points = config.integration_points,
                               .calibration_groups = config.calibration_groups,
                               .confidence = config.confidence,
                               .ties = setup.config.outcome.ties},
                .by = {},
                .feature = require_inputs(model, setup)};
  if (!config.by.empty()) design.by = Grouping::by(setup.catalogue, config.by, {}, "score.by");
  const auto& horizons = design.evaluation.horizons;
  if (horizons.empty())
    throw ConfigError({.what = "no horizon is given, and the model has none",
                       .in = "score.horizons",
                       .remedy = "name at least one time in days, such as [1826.25]"});
  if (std::adjacent_find(horizons.begin(), horizons.end(), std::greater_equal<>()) != horizons.end())
    throw ConfigError({.what = "values do not ascend",
                       .in = "score.horizons",
                       .remedy = "sort them and leave out repeats"});
  return design;
}

engine::Columns Design::columns(const engine::Setup& setup) const {
  engine::Columns columns{
      .fields = {}, .endpoint = setup.config.outcome.endpoint, .alterations = false, .variants = false};
  outcome.require_columns(setup, columns);
  if (by) require_columns({*by}, columns);
  for (std::size_t v = 0; v < model.variables.size(); ++v) {
    const std::string& name = model.variables[v].name;
    if (feature[v] >= 0)
      columns.alterations = true;
    else if (std::find(columns.fields.begin(), columns.fields.end(), name) == columns.fields.end())
      columns.fields.push_back(name);
  }
  if (by && reads_panels(*by, setup)) columns.alterations = true;
  for (const Grouping& stratum : outcome.strata)
    if (reads_panels(stratum, setup)) columns.alterations = true;
  return columns;
}

}  // namespace chorale::jobs::score
