// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "kernels/cox.hpp"
#include "kernels/cox_engine.hpp"
#include "kernels/cox_newton.hpp"
#include "kernels/error.hpp"

namespace chorale::kernels {
namespace {

/// Aliased columns count for nothing.
Eigen::VectorXd scaled_coefficients(const CoxRows& rows, const CoxFit& covariates) {
  Eigen::VectorXd beta(rows.n_columns);
  for (Index j = 0; j < rows.n_columns; ++j) {
    const auto at = static_cast<std::size_t>(j);
    beta(j) = std::isnan(covariates.beta[at]) ? 0 : covariates.beta[at] * rows.scale[at];
  }
  return beta;
}

bool usable(const CoxFit& covariates) {
  return covariates.verdict == CoxVerdict::converged || covariates.verdict == CoxVerdict::singular;
}

HeldRisks risks_of_covariates(const CoxRows& rows, const CoxFit& covariates, Ties ties) {
  CoxEngine engine(rows, ties, false);
  if (usable(covariates)) engine.evaluate(scaled_coefficients(rows, covariates));
  return engine.held_risks();
}

/// What all features share, and one thread's room for a feature.
class AdjustedFitter {
 public:
  AdjustedFitter(const CoxDesign& design, const CoxFit& covariates, const HeldRisks& held, Ties ties)
      : design_(design),
        covariates_(covariates),
        held_(held),
        rows_(*design.rows),
        counts_(rows_.times(ties)),
        table_(rows_.times(ties).table()),
        engine_(rows_, ties, true),
        range_(rows_.range) {
    range_.push_back(1);
    start_ = Eigen::VectorXd::Zero(rows_.n_columns + 1);
    start_.head(rows_.n_columns) = scaled_coefficients(rows_, covariates);
    for (Index j = 0; j < rows_.n_columns; ++j) {
      if (!std::isnan(covariates.beta[static_cast<std::size_t>(j)])) kept_.push_back(j);
    }
  }

  void fit(std::span<const std::int32_t> carriers, AdjustedFit& fit);

 private:
  double log_hazard_beside_offset();
  void report(const NewtonResult& found, AdjustedFit& fit) const;
  void maximise(AdjustedFit& fit);
  void take_limit(double log_hazard, AdjustedFit& fit);

  const CoxDesign& design_;
  const CoxFit& covariates_;
  const HeldRisks& held_;
  const CoxRows& rows_;
  CarrierArrays counts_;
  EventTable table_;
  CoxEngine engine_;
  std::vector<double> range_;
  Eigen::VectorXd start_;
  std::vector<Index> kept_;
  double weight_of_deaths_ = 0;
};

/// A start for the feature's coefficient: Newton on it alone, covariates held where their own fit put them.
double AdjustedFitter::log_hazard_beside_offset() {
  constexpr int max_steps = 6;
  constexpr double longest_step = 2;
  const EventTable table = engine_.table_beside(held_);
  const CarrierTable carriers = engine_.carriers_beside(held_);
  double b = 0;
  for (int k = 0; k < max_steps; ++k) {
    const Slope sum = CHORALE_AT_LEVEL(slope, table, carriers, std::exp(b), std::expm1(b));
    const double step = (weight_of_deaths_ - sum.score) / sum.information;
    if (!std::isfinite(step)) return 0;
    b += std::clamp(step, -longest_step, longest_step);
    if (std::abs(step) * std::sqrt(sum.information) < 1e-3) break;
  }
  return std::clamp(b, -10.0, 10.0);
}

void AdjustedFitter::report(const NewtonResult& found, AdjustedFit& fit) const {
  fit.loglik = found.loglik;
  fit.iterations = found.iterations;
  for (const Index j : kept_) {
    fit.beta[static_cast<std::size_t>(j)] = found.beta(j) / rows_.scale[static_cast<std::size_t>(j)];
  }
}

void AdjustedFitter::maximise(AdjustedFit& fit) {
  const Index feature = rows_.n_columns;
  NewtonPlan plan{.start = start_, .kept = kept_, .range = range_};
  plan.kept.push_back(feature);
  plan.start(feature) = log_hazard_beside_offset();
  const NewtonResult found = newton(engine_, plan);
  const auto dependent = dependent_columns(Eigen::MatrixXd(found.information(plan.kept, plan.kept)),
                                           engine_.squares()(plan.kept));
  if (!dependent.empty()) {
    fit.verdict = Verdict::singular;
    return;
  }
  if (!found.converged) {
    fit.verdict = Verdict::not_converged;
    return;
  }
  report(found, fit);
  const Eigen::MatrixXd information = found.information(plan.kept, plan.kept);
  const Index last = information.rows() - 1;
  const Eigen::VectorXd unit = Eigen::VectorXd::Unit(last + 1, last);
  fit.verdict = Verdict::converged;
  fit.log_hazard = found.beta(feature);
  fit.se = std::sqrt(information.llt().solve(unit)(last));
  fit.z = fit.log_hazard / fit.se;
}

/// The feature's coefficient goes to infinity whatever the covariates do; they and the likelihood have limits.
void AdjustedFitter::take_limit(double log_hazard, AdjustedFit& fit) {
  NewtonPlan plan{.start = start_, .kept = kept_, .range = range_};
  plan.start(rows_.n_columns) = log_hazard;
  const NewtonResult found = newton(engine_, plan);
  if (found.converged) report(found, fit);
}

void AdjustedFitter::fit(std::span<const std::int32_t> carriers, AdjustedFit& fit) {
  constexpr double as_good_as_infinite = 40;  // e^−40 of a risk set is lost in rounding
  fit = {};
  fit.n_analysed = design_.n_analysed;
  fit.n_events = design_.n_events;
  fit.beta.assign(static_cast<std::size_t>(rows_.n_columns), missing);
  counts_.count(carriers);
  const CarrierSums sums = CHORALE_AT_LEVEL(carrier_sums, table_, counts_.table());
  weight_of_deaths_ = counts_.sum_of_deaths();
  fit.n_carriers = counts_.n_carriers();
  fit.n_carrier_events = static_cast<Index>(sums.observed);
  if (fit.n_events == 0) return;

  fit.loglik_null = covariates_.loglik_null;
  if (!usable(covariates_)) {
    fit.verdict = Verdict::covariates_failed;
    return;
  }
  fit.loglik_covariates = covariates_.loglik;
  const bool none_among_carriers = sums.compared_carrier_deaths == 0;
  const bool none_among_others = sums.compared_other_deaths == 0;
  if (fit.n_carriers == 0 || fit.n_carriers == fit.n_analysed || (none_among_carriers && none_among_others)) {
    fit.verdict = fit.n_carriers == 0                ? Verdict::no_carriers
                  : fit.n_carriers == fit.n_analysed ? Verdict::everyone_carries
                                                     : Verdict::never_compared;
    fit.loglik = covariates_.loglik;
    fit.beta = covariates_.beta;
    return;
  }
  std::vector<std::int32_t> rows;
  for (const std::int32_t carrier : carriers) {
    const std::int32_t row = rows_.row_of[static_cast<std::size_t>(carrier)];
    if (row >= 0) rows.push_back(row);
  }
  std::sort(rows.begin(), rows.end());
  engine_.set_carriers(std::move(rows));
  if (none_among_carriers || none_among_others) {
    fit.verdict = none_among_carriers ? Verdict::no_events_among_carriers : Verdict::no_events_among_others;
    take_limit(none_among_carriers ? -as_good_as_infinite : as_good_as_infinite, fit);
    return;
  }
  maximise(fit);
}

}  // namespace

void adjusted_fits(const CoxDesign& design, const CoxFit& covariates, CarrierLists carriers, Ties ties,
                   std::span<AdjustedFit> fits) {
  check_carriers(design.n_patients, carriers, fits.size());
  if (static_cast<Index>(covariates.beta.size()) != design.n_columns) {
    throw ShapeError({.what = "the covariates' fit belongs to another design",
                      .found = std::to_string(covariates.beta.size()) + " coefficients",
                      .expected = std::to_string(design.n_columns)});
  }
  const HeldRisks held = risks_of_covariates(*design.rows, covariates, ties);
  const auto n_features = static_cast<Index>(carriers.size());
#pragma omp parallel if (n_features > 1)
  {
    AdjustedFitter fitter(design, covariates, held, ties);
#pragma omp for schedule(dynamic)
    for (Index g = 0; g < n_features; ++g) {
      fitter.fit(carriers[static_cast<std::size_t>(g)], fits[static_cast<std::size_t>(g)]);
    }
  }
}

}  // namespace chorale::kernels
