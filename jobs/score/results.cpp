// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include <cmath>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "jobs/common/words.hpp"
#include "jobs/score/tables.hpp"

namespace chorale::jobs::score {
namespace {

/// Row of a measure, or -1.
Index row_of(const std::vector<Measure>& measures, Measure::Kind kind) {
  for (std::size_t m = 0; m < measures.size(); ++m)
    if (measures[m].kind == kind) return static_cast<Index>(m);
  return -1;
}

void summarise(const Design& design, const engine::Setup& setup, const Whole& whole, io::Results& results) {
  auto& say = results.summary;
  const io::ModelFile& model = design.model;
  say.push_back(
      fmt::format("{} patients with {} events, scored with the model of {} ({} patients, {} events, {}).",
                  whole.n, whole.n_events, model.cohort, model.n_patients, model.n_events, model.endpoint));
  if (setup.config.outcome.endpoint != model.endpoint)
    say.push_back(fmt::format("The model was made for {} and is measured by {}.", model.endpoint,
                              setup.config.outcome.endpoint));
  if (!whole.without_deaths.empty())
    say.push_back("The model saw nobody die in " + fmt::format("{}", fmt::join(whole.without_deaths, "; ")) +
                  ": it predicts that everyone there survives.");
  const auto measures = measures_of(design.evaluation);
  if (const Index m = row_of(measures, Measure::Kind::harrell_c); m >= 0) {
    const Score& c = whole.scores[static_cast<std::size_t>(m)];
    std::string text = fmt::format("Harrell's C is {:.3f} (standard error {:.3f}) here", c.value, c.se);
    for (const auto& known : model.performance) {
      if (known.measure != name_of(Measure::Kind::harrell_c)) continue;
      if (known.apparent) text += fmt::format("; {:.3f} where the model was made", *known.apparent);
      if (known.corrected) text += fmt::format(", {:.3f} less its optimism", *known.corrected);
    }
    if (c.trouble.empty()) say.push_back(text + ".");
  }
  if (const Index m = row_of(measures, Measure::Kind::calibration_slope); m >= 0) {
    const Score& slope = whole.scores[static_cast<std::size_t>(m)];
    if (slope.trouble.empty())
      say.push_back(fmt::format("Calibration slope {:.2f} (standard error {:.2f}): {}.", slope.value,
                                slope.se,
                                slope.value < 1 ? "predictions are further apart than outcomes"
                                                : "predictions are not too far apart"));
  }
  for (std::size_t h = 0; h < whole.overall.size(); ++h)
    if (const Score oe = observed_over_expected(whole.overall[h]); oe.trouble.empty())
      say.push_back(
          fmt::format("By day {}, {:.1f} % died and {:.1f} % were predicted to: {:.2f} times as many.",
                      design.evaluation.horizons[h], 100 * (1 - whole.overall[h].observed),
                      100 * (1 - whole.overall[h].predicted), oe.value));
}

void add_numbers(const Design& design, const Whole& whole, io::Results& results) {
  auto& numbers = results.numbers;
  numbers = {{"n_analysed", static_cast<double>(whole.n)}, {"n_events", static_cast<double>(whole.n_events)}};
  const auto measures = measures_of(design.evaluation);
  for (std::size_t m = 0; m < measures.size(); ++m)
    numbers.emplace_back(key_of(measures[m]), whole.scores[m].value);
  for (std::size_t h = 0; h < whole.overall.size(); ++h)
    numbers.emplace_back(fmt::format("observed_over_expected_{}", design.evaluation.horizons[h]),
                         observed_over_expected(whole.overall[h]).value);
  numbers.emplace_back("group_logrank_chi2",
                       whole.groups.compared ? whole.groups.log_rank.chi2 : kernels::missing);
}

void add_settings(const Design& design, const engine::Setup& setup, io::Results& results) {
  const io::ModelFile& model = design.model;
  const auto& outcome = setup.config.outcome;
  results.settings = {
      {"endpoint", outcome.endpoint + ", days"},
      {"model", fmt::format("made by {} from {}, SHA-256 {}", model.made_by, model.cohort,
                            design.config.model_sha256)},
      {"model's cohort", model.fingerprint},
      {"model's endpoint", model.endpoint},
      {"model's procedure", model.procedure},
      {"baseline hazard", "the model's, not estimated again; beyond its last step it stays as it is"},
      {"strata", listed(outcome.strata)},
      {"weight", outcome.weight.empty() ? "1" : outcome.weight},
      {"ties", outcome.ties == kernels::Ties::efron ? "Efron" : "Breslow"},
      {"class set", setup.features.class_set},
      {"censoring weights",
       "Kaplan-Meier of censoring here, within strata; who dies on a day dies before others are censored on "
       "it"},
      {"confidence", fmt::format("{}", design.config.confidence)},
      {"group cuts", model.group_cuts.empty() ? std::string("none")
                                              : fmt::format("{:.6g} (linear predictor, the model's)",
                                                            fmt::join(model.group_cuts, ", "))}};
}

}  // namespace

io::Results tabulate(const Design& design, const engine::Setup& setup, std::span<const Part> parts) {
  Whole whole;
  std::vector<LevelScores> levels;
  for (const Part& part : parts) {
    for (const Whole& of : part.whole) whole = of;
    levels.insert(levels.end(), part.levels.begin(), part.levels.end());
  }
  io::Results results;
  results.title = fmt::format("Model of {} on {}", design.model.cohort, setup.catalogue.name);
  auto& tables = results.tables;
  const auto& horizons = design.evaluation.horizons;
  tables.push_back(performance_table(design, whole));
  tables.push_back(overall_table(design, whole));
  if (!whole.calibration.empty())
    tables.push_back(
        calibration_table("Survival predicted and observed in groups of about equal size by "
                          "prediction, the worst first.",
                          whole.calibration, horizons));
  for (auto& table : risk_group_tables(whole.groups,
                                       "Risk groups by the model's cut points, 1 the lowest risk, on these "
                                       "patients."))
    tables.push_back(std::move(table));
  if (design.by)
    tables.push_back(level_table(
        "levels", fmt::format("The model on the patients of each level of {}.", design.by->field), levels,
        design.by->labels, measures_of(design.evaluation), horizons, design.config.confidence));
  tables.push_back(term_table(design, whole));
  if (design.config.patients) tables.push_back(patient_table(design, whole.rows));
  tables.push_back(whole.ledger.table());
  summarise(design, setup, whole, results);
  add_numbers(design, whole, results);
  add_settings(design, setup, results);
  return results;
}

}  // namespace chorale::jobs::score
