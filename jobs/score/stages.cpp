// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "jobs/score/stages.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "kernels/error.hpp"

namespace chorale::jobs::score {
namespace {

std::size_t size(Index n) {
  return static_cast<std::size_t>(n);
}

/// The model's baseline of each stratum in which someone takes part.
std::vector<const io::ModelFile::Baseline*> baselines_of(const io::ModelFile& model,
                                                         const std::vector<std::string>& labels,
                                                         std::span<const std::int32_t> stratum,
                                                         std::span<const std::uint8_t> included) {
  std::vector<Index> n_patients(labels.size(), 0);
  for (std::size_t i = 0; i < included.size(); ++i)
    if (included[i] != 0) ++n_patients[size(stratum[i])];
  std::vector<const io::ModelFile::Baseline*> all(labels.size(), nullptr);
  std::vector<std::string> unknown, known;
  for (const auto& baseline : model.baselines) known.push_back(baseline.stratum);
  for (std::size_t s = 0; s < labels.size(); ++s) {
    if (n_patients[s] == 0) continue;
    const auto at = std::find(known.begin(), known.end(), labels[s]);
    if (at == known.end())
      unknown.push_back(fmt::format("{} ({} patients)", labels[s], n_patients[s]));
    else
      all[s] = &model.baselines[size(at - known.begin())];
  }
  if (unknown.empty()) return all;
  throw InputError(
      {.what = "patients are in strata that the model has no baseline hazard for",
       .found = fmt::format("{}", fmt::join(unknown, "; ")),
       .expected = fmt::format("one of {}", fmt::join(known, "; ")),
       .in = fmt::format("{}", fmt::join(model.strata, ", ")),
       .remedy = "leave these patients out with [select], or make a model without these strata"});
}

/// Observed: who died by the horizon. Expected: hazard gathered while under observation until then.
std::vector<Deaths> deaths_of(const Frame& frame) {
  const kernels::Timeline& timeline = frame.timelines.model();
  std::vector<Deaths> all;
  for (const double horizon : frame.design.evaluation.horizons) {
    Deaths deaths;
    for (std::size_t i = 0; i < frame.weight.size(); ++i) {
      const double w = frame.weight[i];
      if (w == 0) continue;
      const auto& baseline = *frame.baseline[size(timeline.stratum[i])];
      const double until = std::min(timeline.exit[i], horizon);
      // Λ from entry to the end: nothing when they enter after the horizon
      double gathered = gathered_by(baseline, until);
      if (!timeline.entry.empty()) gathered -= gathered_by(baseline, std::min(timeline.entry[i], until));
      deaths.expected += w * gathered * std::exp(frame.predictions.eta[i] - frame.design.model.centre);
      if (timeline.event[i] == 0 || timeline.exit[i] > horizon) continue;
      deaths.observed += w;
      deaths.squares += w * w;
    }
    all.push_back(deaths);
  }
  return all;
}

Rows rows_of(const Frame& frame) {
  Rows rows;
  const auto& eta = frame.predictions.eta;
  for (std::size_t i = 0; i < eta.size(); ++i) {
    if (frame.predictions.included[i] == 0) continue;
    rows.patient.push_back(static_cast<std::int64_t>(i));
    rows.eta.push_back(eta[i]);
    rows.group.push_back(risk_group_of(frame.design.model.group_cuts, eta[i]) + 1);
  }
  for (const double horizon : frame.design.evaluation.horizons)
    for (const auto patient : rows.patient) {
      const auto stratum = frame.timelines.model().stratum[size(patient)];
      rows.survival.push_back(std::exp(-gathered_by(*frame.baseline[size(stratum)], horizon) *
                                       std::exp(eta[size(patient)] - frame.design.model.centre)));
    }
  return rows;
}

}  // namespace

double gathered_by(const io::ModelFile::Baseline& baseline, double days) {
  const auto later = std::upper_bound(baseline.time.begin(), baseline.time.end(), days);
  return later == baseline.time.begin() ? 0 : baseline.cumulative[size(later - baseline.time.begin() - 1)];
}

Frame::Frame(Design own, const engine::Setup& setup, const engine::Cohort& cohort)
    : design(std::move(own)),
      timelines(design.outcome, setup, cohort),
      predictions(design, setup, cohort, timelines.model()),
      evaluation(design.evaluation, timelines.model(), timelines.crude, predictions.included),
      stratum_labels(crossed_labels(design.outcome.strata)),
      baseline(baselines_of(design.model, stratum_labels, timelines.model().stratum, predictions.included)),
      weight(timelines.model().weight) {
  const kernels::Timeline& timeline = timelines.model();
  if (weight.empty()) weight.assign(size(cohort.n_patients()), 1);
  Index n_events = 0;
  for (std::size_t i = 0; i < weight.size(); ++i) {
    if (predictions.included[i] == 0) weight[i] = 0;
    n_events += predictions.included[i] != 0 && timeline.event[i] != 0;
  }
  if (n_events == 0)
    refuse_without_events(ledger(), predictions.n_included, setup.config.outcome.endpoint,
                          "see [select] and outcome.endpoint; who misses a value leaves where the model "
                          "does not say what stands for it");
  hazard = evaluation.at_times(design.model.centre, [&](Index stratum, double days) {
    const auto* of = baseline[size(stratum)];
    return of == nullptr ? 0 : gathered_by(*of, days);
  });
  if (design.by) level = design.by->codes(cohort);
}

engine::Ledger Frame::ledger() const {
  engine::Ledger lines = timelines.ledger();
  for (const auto& line : predictions.attrition) lines.lines.push_back(line);
  return lines;
}

Whole measure(const Frame& frame) {
  const auto& eta = frame.predictions.eta;
  Whole whole;
  whole.n = frame.predictions.n_included;
  for (std::size_t i = 0; i < eta.size(); ++i)
    whole.n_events += frame.predictions.included[i] != 0 && frame.timelines.model().event[i] != 0;
  Evaluation::Scratch scratch;
  whole.scores = frame.evaluation.score(scratch, eta, frame.hazard, frame.weight, true);
  whole.calibration = frame.evaluation.calibration(scratch, eta, frame.hazard, frame.weight);
  whole.overall = frame.evaluation.overall(scratch, eta, frame.hazard, frame.weight);
  whole.deaths = deaths_of(frame);
  whole.groups = describe_risk_groups(frame.timelines, frame.design.evaluation.ties,
                                      frame.predictions.included, eta, frame.design.model.group_cuts,
                                      frame.design.evaluation.horizons, frame.design.config.confidence);
  whole.n_missing = frame.predictions.n_missing;
  for (const auto* baseline : frame.baseline)
    if (baseline != nullptr && baseline->time.empty()) whole.without_deaths.push_back(baseline->stratum);
  whole.ledger = frame.ledger();
  if (frame.design.config.patients) whole.rows = rows_of(frame);
  return whole;
}

LevelScores measure_level(const Frame& frame, Index level) {
  LevelScores result;
  result.level = level;
  std::vector<double> weight = frame.weight;
  for (std::size_t i = 0; i < weight.size(); ++i) {
    const bool own = frame.predictions.included[i] != 0 && frame.level[i] == static_cast<std::int32_t>(level);
    if (!own) weight[i] = 0;
    result.n += own;
    result.n_events += own && frame.timelines.model().event[i] != 0;
  }
  if (result.n == 0) {
    result.trouble = "nobody of this level takes part";
    return result;
  }
  Evaluation::Scratch scratch;
  result.scores = frame.evaluation.score(scratch, frame.predictions.eta, frame.hazard, weight, true);
  result.overall = frame.evaluation.overall(scratch, frame.predictions.eta, frame.hazard, weight);
  return result;
}

}  // namespace chorale::jobs::score
