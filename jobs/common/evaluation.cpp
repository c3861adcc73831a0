// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "jobs/common/evaluation.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "kernels/brier.hpp"
#include "kernels/censoring.hpp"
#include "kernels/time_auc.hpp"

namespace chorale::jobs {
namespace {

using Kind = Measure::Kind;

std::size_t size(Index n) {
  return static_cast<std::size_t>(n);
}

std::string trouble_of(kernels::HorizonVerdict verdict) {
  switch (verdict) {
    case kernels::HorizonVerdict::computed:
      return "";
    case kernels::HorizonVerdict::nobody:
      return "nobody has a prediction";
    case kernels::HorizonVerdict::beyond_follow_up:
      return "follow-up ends before the horizon";
    case kernels::HorizonVerdict::no_cases:
      return "nobody dies by the horizon";
    default:
      return "nobody lives beyond the horizon";
  }
}

}  // namespace

std::string_view name_of(Kind kind) {
  switch (kind) {
    case Kind::harrell_c:
      return "harrell_c";
    case Kind::uno_c:
      return "uno_c";
    case Kind::auc:
      return "auc";
    case Kind::brier:
      return "brier";
    case Kind::integrated_brier:
      return "integrated_brier";
    default:
      return "calibration_slope";
  }
}

std::string key_of(const Measure& measure) {
  const bool at = measure.kind == Kind::auc || measure.kind == Kind::brier;
  std::string key(name_of(measure.kind));
  return at ? fmt::format("{}_{}", key, measure.horizon) : key;
}

kernels::ConcordanceOptions counting_of(const Measure& measure, bool with_error) {
  if (measure.kind == Kind::uno_c)
    return {
        .pairs = kernels::PairWeight::inverse_censoring, .tau = measure.horizon, .with_error = with_error};
  return {.with_error = with_error};
}

std::string trouble_of(const kernels::Concordance& concordance) {
  return concordance.verdict == kernels::ConcordanceVerdict::computed
             ? ""
             : "nobody dies while others are at risk";
}

bool EvaluationOptions::asks_for(std::string_view word) const {
  return std::find(measures.begin(), measures.end(), word) != measures.end();
}

std::vector<Measure> measures_of(const EvaluationOptions& options) {
  std::vector<Measure> all;
  const auto& horizons = options.horizons;
  if (options.asks_for("harrell_c")) all.push_back({Kind::harrell_c});
  if (options.asks_for("uno_c")) all.push_back({Kind::uno_c, horizons.back()});
  for (const auto& [name, kind] : {std::pair{"auc", Kind::auc}, std::pair{"brier", Kind::brier}})
    if (options.asks_for(name))
      for (const double horizon : horizons) all.push_back({kind, horizon});
  if (options.asks_for("integrated_brier")) all.push_back({Kind::integrated_brier, horizons.back()});
  if (options.asks_for("calibration")) all.push_back({Kind::calibration_slope});
  return all;
}

Evaluation::Evaluation(const EvaluationOptions& options, const kernels::Timeline& strict,
                       const kernels::Timeline& pooled, std::span<const std::uint8_t> taken)
    : options_(options),
      measures_(measures_of(options)),
      order_(kernels::make_risk_order(strict, taken)),
      pooled_(kernels::make_risk_order(pooled, taken)) {
  const double last = options_.horizons.back();
  const auto n_points = static_cast<double>(options_.integration_points);
  for (Index k = 1; k <= options_.integration_points; ++k)
    integration_.push_back(last * static_cast<double>(k) / n_points);
}

kernels::BaselineHazard Evaluation::hazard(std::span<const double> eta,
                                           std::span<const double> weight) const {
  return kernels::baseline_hazard(order_, eta, weight, options_.ties);
}

HazardAtTimes Evaluation::at_times(const kernels::BaselineHazard& hazard) const {
  return at_times(hazard.centre, [&](Index stratum, double days) {
    return kernels::cumulative_hazard(order_, hazard, stratum, days);
  });
}

HazardAtTimes Evaluation::at_times(double centre,
                                   const std::function<double(Index, double)>& gathered) const {
  HazardAtTimes at{.centre = centre, .horizon = {}, .integration = {}};
  for (const auto& [times, to] :
       {std::pair{&options_.horizons, &at.horizon}, std::pair{&integration_, &at.integration}})
    for (const double days : *times)
      for (Index s = 0; s < order_.n_strata; ++s) to->push_back(gathered(s, days));
  return at;
}

std::span<const double> Evaluation::gathered_by(const HazardAtTimes& hazard, std::size_t horizon) const {
  const std::size_t n_strata = size(order_.n_strata);
  return std::span(hazard.horizon).subspan(horizon * n_strata, n_strata);
}

std::span<const double> Evaluation::gathered_at_point(const HazardAtTimes& hazard, std::size_t point) const {
  const std::size_t n_strata = size(order_.n_strata);
  return std::span(hazard.integration).subspan(point * n_strata, n_strata);
}

Score Evaluation::concordance(Scratch& scratch, const Measure& measure, std::span<const double> eta,
                              std::span<const double> weight, bool with_error) const {
  if (measure.kind == Kind::uno_c && order_.late_entries) return {.trouble = late_entry_trouble};
  const auto c = scratch.counter.count(order_, eta, weight, counting_of(measure, with_error));
  return {.value = c.c, .se = c.se, .trouble = trouble_of(c)};
}

Score Evaluation::brier(Scratch& scratch, const Measure& measure, std::span<const double> eta,
                        const HazardAtTimes& hazard, std::span<const double> weight) const {
  if (order_.late_entries) return {.trouble = late_entry_trouble};
  if (measure.kind == Kind::integrated_brier) {
    const auto curve =
        kernels::brier_curve(order_, hazard.centre, hazard.integration, eta, integration_, weight);
    Score score{.value = curve.integrated, .trouble = {}};
    for (const auto& at : curve.at)
      if (score.trouble.empty()) score.trouble = trouble_of(at.verdict);
    return score;
  }
  const auto& horizons = options_.horizons;
  const auto h =
      size(std::find(horizons.begin(), horizons.end(), measure.horizon) - horizons.begin());  // it is there
  kernels::predicted_survival(order_, hazard.centre, gathered_by(hazard, h), eta, scratch.survival);
  const auto at = kernels::brier_score(order_, scratch.survival, measure.horizon, weight);
  return {.value = at.score, .trouble = trouble_of(at.verdict)};
}

std::vector<Score> Evaluation::score(Scratch& scratch, std::span<const double> eta,
                                     const HazardAtTimes& hazard, std::span<const double> weight,
                                     bool with_error) const {
  scratch.survival.resize(size(order_.n_patients));
  std::vector<Score> scores;
  std::vector<kernels::TimeAuc> areas;
  std::size_t next_area = 0;
  for (const Measure& measure : measures_) {
    switch (measure.kind) {
      case Kind::harrell_c:
      case Kind::uno_c:
        scores.push_back(concordance(scratch, measure, eta, weight, with_error));
        break;
      case Kind::auc: {
        if (order_.late_entries) {
          scores.push_back({.trouble = late_entry_trouble});
          break;
        }
        if (areas.empty()) areas = kernels::time_auc(order_, eta, options_.horizons, weight);
        const auto& area = areas[next_area++];
        scores.push_back({.value = area.auc, .trouble = trouble_of(area.verdict)});
        break;
      }
      case Kind::brier:
      case Kind::integrated_brier:
        scores.push_back(brier(scratch, measure, eta, hazard, weight));
        break;
      case Kind::calibration_slope: {
        const auto slope = kernels::calibration_slope(order_, eta, weight, options_.ties);
        Score score{.value = slope.slope, .se = slope.se, .trouble = {}};
        if (slope.verdict != kernels::CoxVerdict::converged)
          score = {.trouble = slope.verdict == kernels::CoxVerdict::singular ? "all predictions are equal"
                                                                             : "the slope cannot be fitted"};
        scores.push_back(std::move(score));
      }
    }
  }
  return scores;
}

std::vector<double> Evaluation::no_information(Scratch& scratch, std::span<const double> eta,
                                               const HazardAtTimes& hazard,
                                               std::span<const double> weight) const {
  scratch.survival.resize(size(order_.n_patients));
  // Brier's, of predictions dealt out at random: (1 − S) mean Ŝ² + S mean (1 − Ŝ)², S by Kaplan and Meier at h
  const auto brier_at = [&](double horizon, std::span<const double> gathered) {
    kernels::predicted_survival(order_, hazard.centre, gathered, eta, scratch.survival);
    double total = 0, first = 0, second = 0;
    const auto curve = kernels::calibration_groups(pooled_, scratch.survival, horizon, weight, 1);
    for (const std::int32_t patient : order_.patient) {
      const double s = scratch.survival[size(patient)], w = weight[size(patient)];
      if (std::isnan(s)) continue;
      total += w;
      first += w * s;
      second += w * s * s;
    }
    const double observed = curve.front().observed;
    return (1 - observed) * second / total + observed * (1 - 2 * first / total + second / total);
  };
  std::size_t next_horizon = 0;
  std::vector<double> none;
  for (const Measure& measure : measures_) {
    switch (measure.kind) {
      case Kind::brier:
        none.push_back(brier_at(measure.horizon, gathered_by(hazard, next_horizon++)));
        break;
      case Kind::integrated_brier: {
        double area = 0, before = kernels::missing;
        for (std::size_t k = 0; k < integration_.size(); ++k) {
          const double at = brier_at(integration_[k], gathered_at_point(hazard, k));
          if (k > 0) area += (at + before) / 2 * (integration_[k] - integration_[k - 1]);
          before = at;
        }
        none.push_back(area / (integration_.back() - integration_.front()));
        break;
      }
      case Kind::calibration_slope:
        none.push_back(0);
        break;
      default:
        none.push_back(0.5);
    }
  }
  return none;
}

std::vector<kernels::CalibrationGroup> Evaluation::grouped(Scratch& scratch, std::span<const double> eta,
                                                           const HazardAtTimes& hazard,
                                                           std::span<const double> weight,
                                                           Index n_groups) const {
  std::vector<kernels::CalibrationGroup> all;
  scratch.survival.resize(size(order_.n_patients));
  for (std::size_t h = 0; h < options_.horizons.size(); ++h) {
    kernels::predicted_survival(order_, hazard.centre, gathered_by(hazard, h), eta, scratch.survival);
    const auto groups =
        kernels::calibration_groups(pooled_, scratch.survival, options_.horizons[h], weight, n_groups,
                                    {.type = kernels::ConfType::log_log, .level = options_.confidence});
    all.insert(all.end(), groups.begin(), groups.end());
  }
  return all;
}

std::vector<kernels::CalibrationGroup> Evaluation::calibration(Scratch& scratch, std::span<const double> eta,
                                                               const HazardAtTimes& hazard,
                                                               std::span<const double> weight) const {
  if (!options_.asks_for("calibration")) return {};
  return grouped(scratch, eta, hazard, weight, options_.calibration_groups);
}

std::vector<kernels::CalibrationGroup> Evaluation::overall(Scratch& scratch, std::span<const double> eta,
                                                           const HazardAtTimes& hazard,
                                                           std::span<const double> weight) const {
  return grouped(scratch, eta, hazard, weight, 1);
}

}  // namespace chorale::jobs
