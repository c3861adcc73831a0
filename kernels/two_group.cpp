// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/two_group.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "kernels/error.hpp"
#include "kernels/event_table.hpp"
#include "kernels/two_group_body.hpp"

namespace chorale::kernels {
namespace {

double null_log_likelihood(const EventTimes& times) {
  const EventTable table = times.table();
  CarrierArrays arrays(times);
  const CarrierTable nobody = arrays.table();
  CHORALE_AT_LEVEL(carrier_sums, table, nobody);
  return -CHORALE_AT_LEVEL(slope_and_log, table, nobody, 1, 0).log_risk;
}

/// The log-likelihood in the limit of a coefficient of −infinity (carriers vanish from every risk set that
/// holds others) or +infinity (the same with the arms exchanged).
double limiting_log_likelihood(const EventTimes& times, const CarrierTable& carriers,
                               bool to_minus_infinity) {
  const EventTable table = times.table();
  for (Index t = 0; t < times.n_times(); ++t) {
    const double n1 = carriers.at_risk[t], n0 = table.at_risk[t] - n1;
    const bool stays = to_minus_infinity ? n0 > 0 : n1 > 0;  // else the risk set has one arm and no choice
    const double risk = to_minus_infinity ? carriers.risk[t] : table.risk[t] - carriers.risk[t];
    const double tied =
        to_minus_infinity ? carriers.tied_risk[t] : table.tied_risk[t] - carriers.tied_risk[t];
    carriers.risk[t] = stays ? risk : 0;
    carriers.tied_risk[t] = stays ? tied : 0;
  }
  return -CHORALE_AT_LEVEL(slope_and_log, table, carriers, 0, -1).log_risk;
}

/// Newton's method on the concave log-likelihood, inside the bracket that the sign of its slope gives.
void maximise(const EventTable& table, const CarrierTable& carriers, double weight_of_deaths, double start,
              TwoGroupFit& fit) {
  constexpr int max_iterations = 100;
  constexpr double longest_step = 3;
  double b = start, low = -std::numeric_limits<double>::infinity(), high = -low;
  bool last_pass = false;
  for (fit.iterations = 1; fit.iterations <= max_iterations; ++fit.iterations) {
    const double ratio = std::exp(b), excess = std::expm1(b);
    const Slope sum = last_pass ? CHORALE_AT_LEVEL(slope_and_log, table, carriers, ratio, excess)
                                : CHORALE_AT_LEVEL(slope, table, carriers, ratio, excess);
    const double score = weight_of_deaths - sum.score;
    (score > 0 ? low : high) = b;
    const double step = score / sum.information;
    const double in_errors = std::abs(step) * std::sqrt(sum.information);
    if (last_pass && in_errors < 1e-8) {
      // what remains is below rounding after one more step, whose gain is score · step / 2
      fit.verdict = Verdict::converged;
      fit.log_hazard = b + step;
      fit.se = 1 / std::sqrt(sum.information);
      fit.z = fit.log_hazard / fit.se;
      fit.loglik = weight_of_deaths * b - sum.log_risk + score * step / 2;
      return;
    }
    // the error after a step is about the square of the step
    last_pass = in_errors < 3e-5;
    const double next = b + std::clamp(step, -longest_step, longest_step);
    b = next >= low && next <= high ? next : (low + high) / 2;
    if (!std::isfinite(b)) break;
  }
  fit.verdict = Verdict::not_converged;
}

/// Everything but what the totals alone say.
void fit_feature(const EventTimes& times, CarrierArrays& arrays, TwoGroupFit& fit) {
  const EventTable table = times.table();
  const CarrierTable carriers = arrays.table();
  const CarrierSums sums = CHORALE_AT_LEVEL(carrier_sums, table, carriers);
  fit.n_carriers = arrays.n_carriers();
  fit.n_carrier_events = static_cast<Index>(sums.observed);
  fit.observed = sums.observed;
  fit.expected = sums.expected;
  fit.logrank_variance = sums.variance;
  const double difference = sums.observed - sums.expected;
  if (sums.variance > 0) fit.logrank_chi2 = difference * difference / sums.variance;
  if (fit.n_events == 0) return;

  fit.loglik = fit.loglik_null;
  if (fit.n_carriers == 0 || fit.n_carriers == fit.n_analysed) {
    fit.verdict = fit.n_carriers == 0 ? Verdict::no_carriers : Verdict::everyone_carries;
    return;
  }
  const bool none_among_carriers = sums.compared_carrier_deaths == 0;
  const bool none_among_others = sums.compared_other_deaths == 0;
  if (none_among_carriers && none_among_others) {
    fit.verdict = Verdict::never_compared;
    return;
  }
  const double weight_of_deaths = arrays.sum_of_deaths();
  const Slope null = CHORALE_AT_LEVEL(slope, table, carriers, 1, 0);
  const double score = weight_of_deaths - null.score;
  fit.score_chi2 = score * score / null.information;
  if (none_among_carriers || none_among_others) {
    fit.verdict = none_among_carriers ? Verdict::no_events_among_carriers : Verdict::no_events_among_others;
    fit.loglik = limiting_log_likelihood(times, carriers, none_among_carriers);
    return;
  }
  // observed over expected in either arm: close to the estimate while hazards are proportional
  const double others = static_cast<double>(fit.n_events) - sums.observed;
  const double others_expected = static_cast<double>(fit.n_events) - sums.expected;
  const double odds = sums.observed * others_expected / (others * sums.expected);
  const double start = odds > 0 && std::isfinite(odds) ? std::clamp(std::log(odds), -3.0, 3.0) : 0;
  maximise(table, carriers, weight_of_deaths, start, fit);
}

}  // namespace

std::string_view name_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::converged:
      return "converged";
    case Verdict::no_events:
      return "no_events";
    case Verdict::no_carriers:
      return "no_carriers";
    case Verdict::everyone_carries:
      return "everyone_carries";
    case Verdict::never_compared:
      return "never_compared";
    case Verdict::no_events_among_carriers:
      return "no_events_among_carriers";
    case Verdict::no_events_among_others:
      return "no_events_among_others";
    case Verdict::covariates_failed:
      return "covariates_failed";
    case Verdict::singular:
      return "singular";
    case Verdict::not_converged:
      return "not_converged";
  }
  throw ShapeError({.what = "verdict out of range",
                    .found = std::to_string(static_cast<int>(verdict)),
                    .expected = "a Verdict"});
}

void two_group(const Timeline& timeline, const RiskTotals& totals, CarrierLists carriers, Ties ties,
               std::span<TwoGroupFit> fits) {
  check_totals(timeline, totals);
  check_carriers(timeline.n_patients, carriers, fits.size());
  const EventTimes times(timeline, totals, ties);
  const auto n_features = static_cast<Index>(carriers.size());
  const double loglik_null = null_log_likelihood(times);
#pragma omp parallel if (n_features > 1)
  {
    CarrierArrays arrays(times);
#pragma omp for schedule(dynamic, 4)
    for (Index g = 0; g < n_features; ++g) {
      TwoGroupFit& fit = fits[static_cast<std::size_t>(g)];
      fit = {};
      fit.n_analysed = totals.n_analysed;
      fit.n_events = totals.n_events;
      if (totals.n_events > 0) fit.loglik_null = loglik_null;
      arrays.count(carriers[static_cast<std::size_t>(g)]);
      fit_feature(times, arrays, fit);
    }
  }
}

}  // namespace chorale::kernels
