// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "jobs/prognosis/design.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "engine/selection.hpp"
#include "jobs/common/expected.hpp"
#include "kernels/error.hpp"

namespace chorale::jobs::prognosis {
namespace {

bool contains(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

std::optional<Grouping> grouping_of(const engine::Setup& setup, const std::string& field, const char* key) {
  if (field.empty()) return {};
  return Grouping::by(setup.catalogue, field, {}, key);
}

void require_endpoint(const engine::Setup& setup) {
  if (!setup.config.outcome.endpoint.empty()) return;
  throw ConfigError({.what = "a prognostic model needs an outcome",
                     .found = "no endpoint",
                     .in = "outcome.endpoint",
                     .remedy = "name an endpoint of the cohort, such as OS"});
}

void require_candidates(const Design& design) {
  if (design.n_covariates + design.n_features > 0) return;
  throw ConfigError({.what = "no candidates for the model",
                     .found = "no covariates, and features = false",
                     .in = "outcome.covariates",
                     .remedy = "name covariates, or set prognosis.features = true"});
}

void require_numbers(const Design& design, const engine::Setup& setup) {
  for (const auto& name : design.config.log10) {
    if (!contains(setup.config.outcome.covariates, name)) {
      throw ConfigError({.what = "a logarithm of what is no covariate",
                         .found = name,
                         .in = "prognosis.log10",
                         .remedy = "add it to outcome.covariates, or leave it out"});
    }
    const Index f = engine::require_field(setup.catalogue, name, "prognosis.log10");
    if (f >= 0 && setup.catalogue.fields[static_cast<std::size_t>(f)].kind == io::FieldKind::number) continue;
    throw ConfigError({.what = "a category has no logarithm",
                       .found = name,
                       .expected = "a number field",
                       .in = "prognosis.log10",
                       .remedy = "leave it out"});
  }
}

void require_known(const Design& design, const engine::Setup& setup) {
  std::vector<std::string> known = setup.config.outcome.covariates;
  if (design.config.features)
    for (const auto& feature : setup.features.features) known.push_back(feature.name);
  for (const auto& name : design.config.always) {
    if (contains(known, name)) continue;
    const std::string near = io::nearest(name, known);
    throw ConfigError(
        {.what = "not a candidate",
         .found = '"' + name + '"',
         .expected = "a covariate, or a feature of this job",
         .in = "prognosis.always",
         .remedy = near.empty() ? "name it in outcome.covariates too" : "did you mean \"" + near + "\"?"});
  }
}

void require_distinct(const engine::Setup& setup) {
  auto names = setup.config.outcome.covariates;
  std::sort(names.begin(), names.end());
  const auto twice = std::adjacent_find(names.begin(), names.end());
  if (twice == names.end()) return;
  throw ConfigError({.what = "a covariate is named twice",
                     .found = *twice,
                     .in = "outcome.covariates",
                     .remedy = "name it once"});
}

void require_ascending(const std::vector<double>& values, const char* key) {
  if (std::adjacent_find(values.begin(), values.end(), std::greater_equal<>()) == values.end()) return;
  throw ConfigError({.what = "values do not ascend", .in = key, .remedy = "sort them and leave out repeats"});
}

void require_sound(const Design& design, const engine::Setup& setup) {
  const Config& config = design.config;
  require_ascending(config.horizons, "prognosis.horizons");
  require_ascending(config.group_quantiles, "prognosis.group_quantiles");
  require_ascending(config.group_cuts, "prognosis.group_cuts");
  if (config.horizons.empty()) {
    throw ConfigError({.what = "no horizon is given",
                       .in = "prognosis.horizons",
                       .remedy = "name at least one time in days, such as [1826.25]"});
  }
  if (!design.selects() && !config.always.empty()) {
    throw ConfigError({.what = "without selection every candidate is in the model",
                       .found = "always with selection = \"none\"",
                       .in = "prognosis.always",
                       .remedy = "leave it out, or set selection = \"elastic_net\""});
  }
  if (design.selects() && config.alpha == 0 && !design.cross_validates()) {
    throw ConfigError({.what = "ridge keeps every term, so that counting them decides nothing",
                       .found = "alpha = 0 with tuning by information",
                       .in = "prognosis.tuning",
                       .remedy = "set tuning = \"cv\", or alpha above 0"});
  }
  if (design.selects() &&
      static_cast<Index>(config.always.size()) == design.n_covariates + design.n_features) {
    throw ConfigError({.what = "nothing is left to choose",
                       .found = "every candidate in always",
                       .in = "prognosis.always",
                       .remedy = "leave some out, or set selection = \"none\""});
  }
  if (!design.selects() && config.stability_pairs > 0) {
    throw ConfigError({.what = "stability selection follows elastic-net paths",
                       .found = "stability_pairs with selection = \"none\"",
                       .in = "prognosis.stability_pairs",
                       .remedy = "set selection = \"elastic_net\", or stability_pairs = 0"});
  }
  if (!config.leave_out.empty() && contains(setup.config.outcome.strata, config.leave_out)) {
    throw ConfigError({.what = "a level that is left out has no baseline hazard of its own",
                       .found = config.leave_out + " in outcome.strata and leave_out",
                       .in = "prognosis.leave_out",
                       .remedy = "take it out of one of them"});
  }
}

}  // namespace

Design Design::of(const Config& config, const engine::Setup& setup) {
  require_endpoint(setup);
  require_distinct(setup);
  Design design;
  design.config = config;
  design.seed = static_cast<std::uint64_t>(setup.config.seed);
  design.ties = setup.config.outcome.ties;
  design.outcome = OutcomeDesign::of(setup);
  for (const auto& field : config.bootstrap_strata)
    design.bootstrap_strata.push_back(Grouping::by(setup.catalogue, field, {}, "prognosis.bootstrap_strata"));
  design.cluster = grouping_of(setup, config.cluster, "prognosis.cluster");
  design.fold_by = grouping_of(setup, config.fold_by, "prognosis.fold_by");
  design.left_out = grouping_of(setup, config.leave_out, "prognosis.leave_out");
  for (const auto& field : config.schemes)
    design.schemes.push_back(Grouping::by(setup.catalogue, field, {}, "prognosis.schemes"));
  design.n_covariates = static_cast<Index>(setup.config.outcome.covariates.size());
  design.n_features = config.features ? setup.features.size() : 0;
  require_candidates(design);
  require_numbers(design, setup);
  require_known(design, setup);
  require_sound(design, setup);
  return design;
}

EvaluationOptions Design::evaluation() const {
  return {.measures = config.measures,
          .horizons = config.horizons,
          .integration_points = config.integration_points,
          .calibration_groups = config.calibration_groups,
          .confidence = config.confidence,
          .ties = ties};
}

engine::Columns Design::columns(const engine::Setup& setup) const {
  engine::Columns columns{.fields = {},
                          .endpoint = setup.config.outcome.endpoint,
                          .alterations = n_features > 0,
                          .variants = false};
  outcome.require_columns(setup, columns);
  require_columns(bootstrap_strata, columns);
  require_columns(schemes, columns);
  for (const auto* grouping : {&cluster, &fold_by, &left_out})
    if (*grouping) require_columns({**grouping}, columns);
  return columns;
}

std::pair<Index, Index> Design::share(StageNumber stage, Index unit) const {
  const Index n = stage == replicates_stage ? config.replicates : config.stability_pairs;
  // 64 replicates share the lanes of one walk
  if (stage == replicates_stage && !selects()) return {std::min(n, unit * 64), std::min(n, (unit + 1) * 64)};
  // paths walk alone, one on each thread; the last units are short, so that no rank ends much later than another
  const Index each = stage == stability_stage ? 4 : 8, few = each / 4;
  const Index n_large = std::max<Index>(0, n / each - 2);
  const auto begin = [&](Index u) {
    return std::min(n, u * each - std::max<Index>(0, u - n_large) * (each - few));
  };
  return {begin(unit), begin(unit + 1)};
}

Index Design::n_units(StageNumber stage) const {
  switch (stage) {
    case model_stage:
      return 1;
    case left_out_stage:
      return left_out ? left_out->size() : 0;
    default: {
      Index n = 0;
      while (share(stage, n).first < share(stage, n).second) ++n;
      return n;
    }
  }
}

double Design::seconds_per_unit(StageNumber stage, Index n_patients) const {
  const auto n = static_cast<double>(n_patients);
  const auto p = static_cast<double>(n_covariates + n_features);
  const double path = n * (1e-8 * static_cast<double>(n_covariates) + 5e-9 * static_cast<double>(n_features));
  const double fit =
      selects() ? path * (cross_validates() ? static_cast<double>(config.folds + 1) : 1) : 4e-10 * n * p;
  const double measured = 3e-8 * n * static_cast<double>(config.measures.size());
  switch (stage) {
    case model_stage:
      return 10 * fit + 10 * measured;
    case replicates_stage: {
      const auto [first, last] = share(stage, 0);
      return static_cast<double>(last - first) * (fit + (config.out_of_bag ? 3 : 2) * measured);
    }
    case left_out_stage:
      return 2 * fit + measured;
    default:
      return 8 * path / 4;
  }
}

// Bytes of a patient were measured on 25,000 to 200,000 patients with 2 and 14 covariates and up to 500 features.
double Design::bytes_per_rank(const engine::Setup& setup) const {
  const double patients = setup.expected_patients();
  const auto covariates = static_cast<double>(expected_terms(setup));
  const double columns = covariates + static_cast<double>(n_features);
  if (!selects()) return patients * (130 + 40 * columns);
  const double curvature = std::min(16 * columns * columns * sizeof(double), 5e8);  // by the guide's knots
  return 5e6 + curvature + 33 * patients * covariates;
}

double Design::result_bytes(const engine::Setup& setup) const {
  const double columns = static_cast<double>(expected_terms(setup)) + static_cast<double>(n_features);
  const double model = selects() ? 1e7 + 360 * setup.expected_patients() : 0;
  return model + 50 * static_cast<double>(config.replicates) * columns;
}

double Design::bytes_per_thread(const engine::Setup& setup) const {
  return (selects() ? 720 : 250) * setup.expected_patients();
}

}  // namespace chorale::jobs::prognosis
