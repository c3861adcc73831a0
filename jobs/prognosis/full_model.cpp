// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include <algorithm>
#include <cmath>
#include <numeric>

#include "jobs/prognosis/stages.hpp"
#include "kernels/bootstrap_interval.hpp"
#include "kernels/cox_residuals.hpp"

namespace chorale::jobs::prognosis {
namespace {

std::size_t size(Index n) {
  return static_cast<std::size_t>(n);
}

std::vector<VariableNote> variable_notes(const Candidates& candidates) {
  std::vector<VariableNote> notes;
  for (const Variable& variable : candidates.variables()) {
    VariableNote note{.name = variable.name,
                      .kind = variable.kind,
                      .n_missing = variable.n_missing,
                      .levels = {},
                      .reference = {}};
    if (variable.reference >= 0) {
      note.reference = variable.levels[size(variable.reference)];
      note.levels.push_back(note.reference);
    }
    notes.push_back(std::move(note));
  }
  for (const Term& term : candidates.terms())
    if (term.level >= 0)
      notes[size(term.variable)].levels.push_back(
          candidates.variables()[size(term.variable)].levels[size(term.level)]);
  return notes;
}

std::vector<TermNote> term_notes(const Candidates& candidates, std::span<const double> fill) {
  const auto moments = candidates.moments(fill);
  std::vector<TermNote> notes;
  for (const Term& term : candidates.terms()) {
    const Variable& variable = candidates.variables()[size(term.variable)];
    const std::size_t t = notes.size();
    notes.push_back({.name = term.name,
                     .variable = variable.name,
                     .kind = variable.kind,
                     .level = term.level < 0 ? std::string() : variable.levels[size(term.level)],
                     .indicates_missing = term.indicates_missing,
                     .when_missing = term.when_missing,
                     .mean = moments.mean[t],
                     .sd = moments.sd[t],
                     .scale = candidates.scale(static_cast<Index>(t))});
  }
  return notes;
}

/// Sums of each cluster's influence on one coefficient; each patient's own without clusters.
std::vector<double> by_cluster(const Frame& frame, std::span<const double> influence) {
  std::vector<double> sums;
  if (!frame.cluster.empty()) sums.assign(size(frame.design.cluster->size()), 0);
  for (std::size_t i = 0; i < influence.size(); ++i) {
    if (std::isnan(influence[i])) continue;  // not in the model
    if (frame.cluster.empty())
      sums.push_back(influence[i]);
    else
      sums[size(frame.cluster[i])] += influence[i];
  }
  return sums;
}

/// Errors, tests and influences of the terms at hand, fitted without penalty.
void describe_fit(const Frame& frame, std::span<const Index> terms, FullModel& full) {
  const auto n_terms = size(frame.candidates.n_terms());
  FitNote& note = full.fit;
  const auto taken = frame.candidates.included();
  const auto design = frame.procedure.plain_design(terms, full.model.fill, taken);
  const auto fit =
      frame.design.selects() ? kernels::cox_fit(design, {.ties = frame.design.ties}) : frame.procedure.full();
  note.verdict = kernels::name_of(fit.verdict);
  note.loglik_null = fit.loglik_null;
  note.loglik = fit.loglik;
  note.score_chi2 = fit.score_chi2;
  const bool has_maximum =
      fit.verdict == kernels::CoxVerdict::converged || fit.verdict == kernels::CoxVerdict::singular;
  const std::size_t p = terms.size();
  std::vector<double> influence(has_maximum ? p * frame.weight.size() : 0);
  kernels::RobustVariance robust;
  if (has_maximum) {
    kernels::dfbeta_residuals(design, fit, frame.design.ties, kernels::DfbetaScale::coefficient, influence);
    const bool weighted = !frame.timeline().weight.empty();
    if (weighted || !frame.cluster.empty())
      robust = kernels::robust_variance(design, fit, frame.design.ties, frame.cluster);
  }
  const auto zph = kernels::cox_zph(frame.timeline(), design, fit, frame.design.ties);
  note.zph_global = zph.global;
  note.zph.resize(n_terms);
  const auto root = [&](const std::vector<double>& covariance, std::size_t j) {
    if (covariance.empty() || std::isnan(fit.beta[j])) return kernels::missing;
    return std::sqrt(covariance[j * p + j]);
  };
  for (std::size_t j = 0; j < p; ++j) {
    const auto t = size(terms[j]);
    full.model.beta[t] = fit.beta[j];
    note.se[t] = root(fit.covariance, j);
    note.robust_se[t] = root(robust.covariance, j);
    note.zph[t] = zph.terms[j];
    if (has_maximum && !std::isnan(fit.beta[j]))
      note.acceleration[t] = kernels::acceleration(
          by_cluster(frame, std::span(influence).subspan(j * frame.weight.size(), frame.weight.size())));
  }
}

void describe_path(const Tuned& tuned, FullModel& full) {
  full.path = {.lambda = tuned.path.lambda,
               .dev_ratio = tuned.path.dev_ratio,
               .criterion = tuned.criterion,
               .error = tuned.error,
               .n_nonzero = tuned.path.n_nonzero,
               .chosen = tuned.chosen,
               .verdict = std::string(kernels::name_of(tuned.path.verdict))};
  full.fit.loglik_null = tuned.path.loglik_null;
  if (tuned.chosen >= 0) full.fit.loglik = tuned.path.loglik[size(tuned.chosen)];
}

/// Of the strata in which patients take part; nobody may have died there.
std::vector<Baseline> baselines_of(const Frame& frame, const kernels::BaselineHazard& hazard) {
  const kernels::RiskOrder& order = frame.evaluation.order();
  std::vector<Baseline> all;
  for (Index s = 0; s < order.n_strata; ++s) {
    if (order.row_begin[size(2 * order.slot_begin[size(s)])] ==
        order.row_begin[size(2 * order.slot_begin[size(s + 1)])])
      continue;
    Baseline baseline{.stratum = frame.stratum_labels[size(s)], .time = {}, .cumulative = {}};
    for (Index slot = order.slot_begin[size(s)] + 1; slot < order.slot_begin[size(s) + 1]; ++slot) {
      const double before = hazard.cumulative[size(slot - 1)];
      if (hazard.cumulative[size(slot)] == before) continue;
      baseline.time.push_back(order.time[size(slot)]);
      baseline.cumulative.push_back(hazard.cumulative[size(slot)]);
    }
    all.push_back(std::move(baseline));
  }
  return all;
}

}  // namespace

FullModel describe_model(const Frame& frame, const engine::Cohort& cohort) {
  const auto n_terms = size(frame.candidates.n_terms());
  FullModel full;
  full.ledger = frame.ledger();
  Tuned tuned;
  full.model = frame.procedure.fit_all(tuned);
  full.variables = variable_notes(frame.candidates);
  full.terms = term_notes(frame.candidates, full.model.fill);
  full.fit.n_analysed = frame.candidates.n_included();
  full.fit.n_events = full.model.n_events;
  for (auto* column : {&full.fit.se, &full.fit.robust_se, &full.fit.acceleration})
    column->assign(n_terms, kernels::missing);

  std::vector<Index> chosen;
  for (std::size_t t = 0; t < n_terms; ++t)
    if (!frame.design.selects() || full.model.beta[t] != 0) chosen.push_back(static_cast<Index>(t));
  if (frame.design.selects()) describe_path(tuned, full);
  if (!frame.design.selects() || (frame.design.config.refit && !chosen.empty()))
    describe_fit(frame, chosen, full);
  else
    full.fit.verdict = full.path.verdict;
  if (!full.model.predicts()) return full;

  const auto eta = frame.procedure.predict(std::span(&full.model, 1));
  Evaluation::Scratch scratch;
  const auto hazard = frame.evaluation.hazard(eta, frame.weight);
  const auto at_times = frame.evaluation.at_times(hazard);
  full.scores = frame.evaluation.score(scratch, eta, at_times, frame.weight, true);
  full.no_information = frame.evaluation.no_information(scratch, eta, at_times, frame.weight);
  full.calibration = frame.evaluation.calibration(scratch, eta, at_times, frame.weight);
  full.centre = hazard.centre;
  full.baselines = baselines_of(frame, hazard);
  describe_groups(frame, eta, full);
  compare_schemes(frame, cohort, eta, full);
  return full;
}

}  // namespace chorale::jobs::prognosis
