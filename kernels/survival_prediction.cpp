// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/survival_prediction.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "kernels/cox_sums.hpp"
#include "kernels/error.hpp"
#include "kernels/kaplan_meier_limits.hpp"

namespace chorale::kernels {
namespace {

std::size_t size(Index n) {
  return static_cast<std::size_t>(n);
}

}  // namespace

std::string_view name_of(PredictionVerdict verdict) {
  switch (verdict) {
    case PredictionVerdict::predicted:
      return "predicted";
    case PredictionVerdict::no_events:
      return "no_events";
    case PredictionVerdict::no_maximum:
      return "no_maximum";
  }
  throw ShapeError({.what = "verdict out of range",
                    .found = std::to_string(static_cast<int>(verdict)),
                    .expected = "a PredictionVerdict"});
}

SurvivalPrediction::SurvivalPrediction(const CoxDesign& design, const CoxFit& fit, Ties ties,
                                       ConfOptions conf)
    : conf_(conf), z_(half_width(conf.level)) {
  const Index p = design.n_columns;
  require_size("coefficients and columns differ in number", fit.beta.size(), p);
  require_size("covariance and columns differ in number", fit.covariance.size(), p * p);
  const CoxRows& rows = *design.rows;
  const EventTimes& times = rows.times(ties);
  time_.assign(times.time().begin(), times.time().end());
  stratum_begin_.assign(times.stratum_begin().begin(), times.stratum_begin().end());
  centre_ = {rows.centre.begin(), rows.centre.begin() + p};
  scale_ = {rows.scale.begin(), rows.scale.begin() + p};
  offset_centre_ = rows.offset_centre;
  beta_.assign(size(p), 0.0);
  if (fit.verdict == CoxVerdict::monotone || fit.verdict == CoxVerdict::not_converged)
    verdict_ = PredictionVerdict::no_maximum;
  if (fit.verdict == CoxVerdict::no_events) verdict_ = PredictionVerdict::no_events;
  if (verdict_ != PredictionVerdict::predicted) return;

  for (std::size_t j = 0; j < size(p); ++j) {
    if (!std::isnan(fit.beta[j])) beta_[j] = fit.beta[j] * scale_[j];
    for (std::size_t k = 0; k < size(p); ++k)
      covariance_.push_back(fit.covariance[j * size(p) + k] * scale_[j] * scale_[k]);
  }
  const CoxSums sums(design, fit.beta, ties);
  hazard_ = sums.first;
  variance_ = sums.second;
  sums.accumulate(hazard_);
  sums.accumulate(variance_);
  mean_.resize(size(p * sums.n_times));
  std::vector<double> gathered(size(sums.n_times));
  for (Index j = 0; j < p; ++j) {
    const auto at_risk = sums.at_risk(j), dying = sums.dying(j);
    for (std::size_t t = 0; t < gathered.size(); ++t)
      gathered[t] = sums.second[t] * at_risk[t] - sums.second_tied[t] * dying[t];
    sums.accumulate(gathered);
    for (std::size_t t = 0; t < gathered.size(); ++t) mean_[t * size(p) + size(j)] = gathered[t];
  }
}

SurvivalPrediction::Scaled SurvivalPrediction::scaled(const NewPatient& patient) const {
  Scaled result{.x = std::vector<double>(beta_.size()), .predictor = patient.offset - offset_centre_};
  for (std::size_t j = 0; j < beta_.size(); ++j) {
    result.x[j] = (patient.x[j] - centre_[j]) / scale_[j];
    result.predictor += beta_[j] * result.x[j];  // NaN where a covariate is missing
  }
  return result;
}

PredictedSurvival SurvivalPrediction::predict(const Scaled& patient, Index time) const {
  if (verdict_ == PredictionVerdict::no_maximum || std::isnan(patient.predictor)) return {};
  PredictedSurvival result{.hazard = 0, .se = 0, .survival = 1, .lower = 1, .upper = 1};
  if (time >= 0) {
    const double risk = std::exp(patient.predictor), hazard = hazard_[size(time)];
    const std::size_t p = beta_.size();
    std::vector<double> q(p);
    double of_coefficients = 0;
    for (std::size_t j = 0; j < p; ++j) {
      q[j] = hazard * patient.x[j] - mean_[size(time) * p + j];
      double sum = 0;
      for (std::size_t k = 0; k < j; ++k) sum += covariance_[j * p + k] * q[k];
      of_coefficients += q[j] * (2 * sum + covariance_[j * p + j] * q[j]);
    }
    result.hazard = risk * hazard;
    result.se = risk * std::sqrt(variance_[size(time)] + std::max(0.0, of_coefficients));
    result.survival = std::exp(-result.hazard);
  }
  const KmLimits limits = km_limits(result.survival, result.se, conf_.type, z_);
  result.lower = limits.lower;
  result.upper = limits.upper;
  return result;
}

void SurvivalPrediction::check_stratum(Index stratum) const {
  const auto n_strata = static_cast<Index>(stratum_begin_.size()) - 1;
  if (stratum >= 0 && stratum < n_strata) return;
  throw ShapeError({.what = "stratum of a prediction out of range",
                    .found = std::to_string(stratum),
                    .expected = "0 to " + std::to_string(n_strata - 1)});
}

PredictedCurve SurvivalPrediction::curve(const NewPatient& patient) const {
  require_size("covariates and columns differ in number", patient.x.size(), static_cast<Index>(beta_.size()));
  check_stratum(patient.stratum);
  const Scaled of_patient = scaled(patient);
  PredictedCurve result;
  for (Index t = stratum_begin_[size(patient.stratum)]; t < stratum_begin_[size(patient.stratum + 1)]; ++t) {
    result.time.push_back(time_[size(t)]);
    result.at.push_back(predict(of_patient, t));
  }
  return result;
}

void SurvivalPrediction::at(const CoxColumns& patients, std::span<const std::int32_t> stratum, double horizon,
                            std::span<PredictedSurvival> predicted) const {
  const auto n = static_cast<Index>(predicted.size());
  const auto p = static_cast<Index>(beta_.size());
  require_size("columns of the model and of the patients differ in number",
               static_cast<std::size_t>(patients.n_columns), p);
  require_size("columns do not have one value per patient", patients.values.size(), n * p);
  if (!patients.offset.empty())
    require_size("offset does not have one value per patient", patients.offset.size(), n);
  if (!stratum.empty()) require_size("stratum does not have one value per patient", stratum.size(), n);
  for (const std::int32_t code : stratum)
    if (code < -1) check_stratum(code);
  std::vector<Index> last;  // event time in force, by stratum
  for (std::size_t s = 0; s + 1 < stratum_begin_.size(); ++s) {
    const auto first = time_.begin() + stratum_begin_[s], end = time_.begin() + stratum_begin_[s + 1];
    const auto past = std::upper_bound(first, end, horizon);
    last.push_back(past == first ? -1 : past - time_.begin() - 1);
  }
#pragma omp parallel if (n > 1000)
  {
    std::vector<double> x(size(p));
#pragma omp for
    for (Index i = 0; i < n; ++i) {
      predicted[size(i)] = {};
      const Index s = stratum.empty() ? 0 : stratum[size(i)];
      if (s < 0 || s >= static_cast<Index>(last.size())) continue;
      for (Index j = 0; j < p; ++j) x[size(j)] = patients.values[size(j * n + i)];
      const double offset = patients.offset.empty() ? 0 : patients.offset[size(i)];
      predicted[size(i)] = predict(scaled({.x = x, .offset = offset, .stratum = s}), last[size(s)]);
    }
  }
}

}  // namespace chorale::kernels
