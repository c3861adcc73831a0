// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "jobs/prognosis/tables.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "jobs/common/words.hpp"
#include "jobs/prognosis/stages.hpp"
#include "kernels/tail.hpp"

namespace chorale::jobs::prognosis {
namespace {

std::string_view text_of(Missing missing) {
  switch (missing) {
    case Missing::complete_case:
      return "complete cases";
    case Missing::indicator:
      return "a term of its own";
    default:
      return "filled with the sample's median or most frequent level";
  }
}

std::string_view text_of(Tuning tuning) {
  switch (tuning) {
    case Tuning::bic:
      return "BIC with the number of events";
    case Tuning::aic:
      return "AIC";
    case Tuning::cv:
      return "least cross-validated deviance";
    default:
      return "cross-validated deviance within a standard error of the least";
  }
}

const kernels::Corrected* corrected_of(const Findings& findings, Measure::Kind kind) {
  for (std::size_t m = 0; m < findings.corrected.size(); ++m)
    if (findings.measures[m].kind == kind) return &findings.corrected[m];
  return nullptr;
}

double apparent_of(const Findings& findings, Measure::Kind kind) {
  for (std::size_t m = 0; m < findings.full.scores.size(); ++m)
    if (findings.measures[m].kind == kind) return findings.full.scores[m].value;
  return kernels::missing;
}

/// Terms of a verdict, such as those that grow without bound.
std::string terms_where(const FullModel& full, const auto& picks) {
  std::vector<std::string> names;
  for (std::size_t t = 0; t < full.terms.size() && t < full.model.beta.size(); ++t)
    if (picks(full.model.beta[t])) names.push_back(full.terms[t].name);
  return fmt::format("{}", fmt::join(names, ", "));
}

void summarise(const Design& design, const Findings& findings, io::Results& results) {
  const FullModel& full = findings.full;
  auto& say = results.summary;
  say.push_back(fmt::format("{} patients with {} events; {} of {} candidate terms are in the model.",
                            full.fit.n_analysed, full.fit.n_events, full.model.n_chosen, full.terms.size()));
  if (const auto grow = terms_where(full, [](double b) { return std::isinf(b); }); !grow.empty())
    say.push_back("The likelihood grows without bound with " + grow +
                  ": predictions take log hazards of ±15 for infinity; think of leaving them out.");
  if (!full.model.predicts()) say.push_back("There is no model to predict with: " + full.model.trouble + ".");
  if (const auto follow = terms_where(full, [](double b) { return std::isnan(b); });
      !follow.empty() && full.model.predicts())
    say.push_back("Left out, because they follow from the terms before them: " + follow + ".");
  const double c = apparent_of(findings, Measure::Kind::harrell_c);
  const auto* corrected = corrected_of(findings, Measure::Kind::harrell_c);
  if (!std::isnan(c)) {
    std::string text = fmt::format("Harrell's C is {:.3f} on the patients that the model was made from", c);
    if (corrected != nullptr && corrected->n_replicates > 0)
      text += fmt::format(", {:.3f} ({:.3f} to {:.3f}) once the optimism of {} replicates is taken off",
                          corrected->corrected, corrected->interval.lower, corrected->interval.upper,
                          corrected->n_replicates);
    if (corrected != nullptr && corrected->n_oob > 0)
      text += fmt::format(", {:.3f} on patients whom a replicate's model has not seen", corrected->oob);
    say.push_back(text + ".");
  }
  if (const auto* slope = corrected_of(findings, Measure::Kind::calibration_slope);
      slope != nullptr && slope->n_replicates > 0 && !std::isnan(slope->corrected))
    say.push_back(fmt::format("Calibration slope on others: {:.2f}.", slope->corrected));
  if (const Index n = static_cast<Index>(findings.replicates.size()) - findings.n_predicting(); n > 0)
    say.push_back(
        fmt::format("{} of {} replicates have no model that predicts and are left out of the measures.", n,
                    findings.replicates.size()));
  for (const SchemeComparison& row : full.schemes)
    if (row.predictor == "model" && row.measure == Measure::Kind::harrell_c && row.trouble.empty())
      say.push_back(fmt::format("{}: C {:.3f}, the model {:.3f} on the same patients.",
                                design.schemes[static_cast<std::size_t>(row.scheme)].field, row.theirs,
                                row.ours));
}

void add_numbers(const Design& design, const Findings& findings, io::Results& results) {
  const FullModel& full = findings.full;
  auto& numbers = results.numbers;
  numbers = {{"n_analysed", static_cast<double>(full.fit.n_analysed)},
             {"n_events", static_cast<double>(full.fit.n_events)},
             {"n_candidates", static_cast<double>(full.terms.size())},
             {"n_terms", static_cast<double>(full.model.n_chosen)},
             {"lambda", full.model.penalty},
             {"loglik_null", full.fit.loglik_null},
             {"loglik", full.fit.loglik},
             {"score_chi2", full.fit.score_chi2},
             {"zph_chi2", full.fit.zph_global.chi2},
             {"zph_log10_p", full.fit.zph_global.log10_p},
             {"group_logrank_chi2", full.groups.compared ? full.groups.log_rank.chi2 : kernels::missing},
             {"n_replicates", static_cast<double>(findings.replicates.size())},
             {"n_replicates_predicting", static_cast<double>(findings.n_predicting())}};
  for (std::size_t m = 0; m < full.scores.size(); ++m) {
    const std::string name = key_of(findings.measures[m]);
    numbers.emplace_back(name, full.scores[m].value);
    numbers.emplace_back(name + "_corrected", findings.corrected[m].corrected);
  }
  if (!findings.entered.empty()) {
    double total = 0;
    for (const auto& sample : findings.entered)
      total += static_cast<double>(std::count(sample.begin(), sample.end(), 1));
    const double q = total / static_cast<double>(findings.entered.size());
    numbers.emplace_back("stability_terms_per_half", q);
    numbers.emplace_back("stability_false_terms_at_most",
                         kernels::stability_error_bound(q, design.config.stability_cutoff,
                                                        static_cast<Index>(full.terms.size())));
  }
}

void add_settings(const Design& design, const engine::Setup& setup, const Findings& findings,
                  io::Results& results) {
  auto& settings = results.settings;
  const auto& outcome = setup.config.outcome;
  settings.emplace_back("endpoint", outcome.endpoint + ", days");
  settings.emplace_back("procedure", procedure_text(design));
  settings.emplace_back("covariates", listed(outcome.covariates));
  settings.emplace_back("features",
                        design.n_features == 0
                            ? std::string("none")
                            : fmt::format("{}, class set {}", design.n_features, setup.features.class_set));
  settings.emplace_back("strata", listed(outcome.strata));
  settings.emplace_back("weight", outcome.weight.empty() ? "1" : outcome.weight);
  settings.emplace_back("ties", design.ties == kernels::Ties::efron ? "Efron" : "Breslow");
  if (design.config.replicates > 0) {
    const bool weights = design.selects() || design.config.copies == kernels::Resample::weights;
    settings.emplace_back("bootstrap",
                          fmt::format("{} replicates, seed {}; drawn {}{}; who is drawn twice counts as {}",
                                      design.config.replicates, setup.config.seed,
                                      design.cluster ? "as whole levels of " + design.cluster->field
                                                     : std::string("patient by patient"),
                                      design.config.bootstrap_strata.empty()
                                          ? std::string()
                                          : " within " + listed(design.config.bootstrap_strata),
                                      weights ? "one row of weight 2" : "two rows that tie"));
    settings.emplace_back(
        "optimism", "Harrell: mean over replicates of the measure on the sample less that on all patients");
  }
  settings.emplace_back("censoring weights",
                        "Kaplan-Meier of censoring, within strata; who dies on a day dies before others are "
                        "censored on it");
  settings.emplace_back("Brier score", "Graf et al. 1999; integrated by trapezoids over evenly spaced times");
  settings.emplace_back("confidence", fmt::format("{}", design.config.confidence));
  if (!findings.full.groups.cuts.empty())
    settings.emplace_back(
        "group cuts", fmt::format("{:.6g} (linear predictor)", fmt::join(findings.full.groups.cuts, ", ")));
}

}  // namespace

std::string procedure_text(const Design& design) {
  const Config& config = design.config;
  std::string text = design.selects() ? fmt::format("elastic net with alpha {}, penalty by {}{}",
                                                    config.alpha, text_of(config.tuning),
                                                    config.refit ? ", chosen terms fitted again" : "")
                                      : std::string("Cox model of all candidates");
  if (design.n_covariates > 0) text += fmt::format("; missing covariates: {}", text_of(config.missing));
  if (design.n_features > 0) text += fmt::format("; untested features: {}", text_of(config.untested));
  return text;
}

io::ModelFile model_file(const Design& design, const engine::Setup& setup, const Findings& findings) {
  const FullModel& full = findings.full;
  io::ModelFile model;
  model.made_by = "Chorale " CHORALE_VERSION;
  model.cohort = setup.catalogue.name;
  model.fingerprint = setup.catalogue.fingerprint();
  model.n_patients = full.fit.n_analysed;
  model.n_events = full.fit.n_events;
  model.endpoint = setup.config.outcome.endpoint;
  model.class_set = setup.features.class_set;
  model.classes = setup.features.classes;
  model.strata = setup.config.outcome.strata;
  model.procedure = procedure_text(design);
  std::vector<Index> position(full.variables.size(), -1);
  for (std::size_t t = 0; t < full.terms.size(); ++t) {
    const TermNote& term = full.terms[t];
    const double beta = full.model.beta[t];
    if (beta == 0 || std::isnan(beta)) continue;
    const auto v = static_cast<std::size_t>(
        std::find_if(full.variables.begin(), full.variables.end(),
                     [&](const VariableNote& note) { return note.name == term.variable; }) -
        full.variables.begin());
    if (position[v] < 0) {
      const VariableNote& note = full.variables[v];
      const Index f = setup.catalogue.field_index(note.name);
      position[v] = static_cast<Index>(model.variables.size());
      model.variables.push_back(
          {.name = note.name,
           .kind = static_cast<io::ModelFile::Kind>(note.kind),
           .unit = f < 0 ? std::string() : setup.catalogue.fields[static_cast<std::size_t>(f)].unit,
           .levels = note.levels});
    }
    model.terms.push_back(
        {.name = term.name,
         .variable = position[v],
         .level = term.level,
         .indicates_missing = term.indicates_missing,
         .coefficient = predicting(beta, term.scale),
         .when_missing = std::isnan(term.when_missing) ? std::nullopt : std::optional(term.when_missing)});
  }
  model.centre = full.centre;
  for (const Baseline& b : full.baselines)
    model.baselines.push_back({.stratum = b.stratum, .time = b.time, .cumulative = b.cumulative});
  model.group_cuts = full.groups.cuts;
  model.horizons = design.config.horizons;
  const auto known = [](double value) { return std::isnan(value) ? std::nullopt : std::optional(value); };
  for (std::size_t m = 0; m < full.scores.size(); ++m)
    model.performance.push_back({.measure = std::string(name_of(findings.measures[m].kind)),
                                 .horizon = known(findings.measures[m].horizon),
                                 .apparent = known(full.scores[m].value),
                                 .corrected = known(findings.corrected[m].corrected)});
  return model;
}

io::Results tabulate(const Design& design, const engine::Setup& setup, std::span<const Part> parts) {
  const Findings findings = Findings::of(design, parts);
  io::Results results;
  results.title = "Prognostic model of " + setup.config.outcome.endpoint + ", " + setup.catalogue.name;
  auto& tables = results.tables;
  tables.push_back(coefficient_table(design, findings, bootstrap_of(design, findings)));
  tables.push_back(performance_table(findings));
  if (!findings.full.calibration.empty()) tables.push_back(calibration_table(design, findings));
  for (auto& table : risk_group_tables(findings.full.groups,
                                       "Risk groups by linear predictor, 1 the lowest risk, on the patients "
                                       "that the model was made from: so they are further apart than on "
                                       "others."))
    tables.push_back(std::move(table));
  if (!design.schemes.empty()) tables.push_back(scheme_table(design, findings));
  if (design.left_out) tables.push_back(left_out_table(design, findings));
  if (design.selects()) tables.push_back(path_table(design, findings));
  if (!findings.entered.empty()) tables.push_back(stability_table(design, findings));
  tables.push_back(variable_table(findings));
  if (!findings.replicates.empty())
    for (auto& table : replicate_tables(findings)) tables.push_back(std::move(table));
  tables.push_back(findings.full.ledger.table());
  summarise(design, findings, results);
  add_numbers(design, findings, results);
  add_settings(design, setup, findings, results);
  if (findings.full.model.predicts())
    results.files.emplace_back("model.json", io::to_text(model_file(design, setup, findings)));
  return results;
}

}  // namespace chorale::jobs::prognosis
