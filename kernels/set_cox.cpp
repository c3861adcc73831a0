// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/set_cox.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <memory>

#include "kernels/cox_rows.hpp"
#include "kernels/error.hpp"
#include "kernels/event_table.hpp"

namespace chorale::kernels {
namespace {

constexpr int max_order = 4;

std::size_t at(Index i) {
  return static_cast<std::size_t>(i);
}

bool usable(const CoxFit& covariates) {
  return covariates.verdict == CoxVerdict::converged || covariates.verdict == CoxVerdict::singular;
}

/// The limit of a diverging fit has a likelihood like any other.
bool has_loglik(const CoxFit& fit) {
  return fit.verdict != CoxVerdict::no_events && fit.verdict != CoxVerdict::not_converged;
}

/// One thread's room: the covariates' rows, behind which each set's terms are put.
class SetFitter {
 public:
  SetFitter(const CoxDesign& design, const CoxFit& covariates, CarrierLists carriers, int order, Ties ties)
      : design_(design),
        covariates_(covariates),
        carriers_(carriers),
        n_groups_(Index{1} << order),
        ties_(ties),
        rows_(std::make_shared<CoxRows>(*design.rows)) {}

  void fit(std::span<const std::int32_t> set, SetCoxFit& fit);

 private:
  bool count_groups(std::span<const std::int32_t> set, SetCoxFit& fit);
  void drop_terms();
  void add_term(Index term);
  CoxFit fit_rows(const std::vector<double>& start) const;
  void report(const CoxFit& full, SetCoxFit& fit) const;

  const CoxDesign& design_;
  const CoxFit& covariates_;
  CarrierLists carriers_;
  Index n_groups_;
  Ties ties_;
  std::shared_ptr<CoxRows> rows_;
  std::vector<std::uint8_t> group_;  ///< (n_patients)
};

/// Whether every group has somebody at risk at an event time.
bool SetFitter::count_groups(std::span<const std::int32_t> set, SetCoxFit& fit) {
  group_.assign(at(design_.n_patients), 0);
  for (std::size_t j = 0; j < set.size(); ++j) {
    for (const std::int32_t carrier : carriers_[at(set[j])])
      group_[at(carrier)] = static_cast<std::uint8_t>(group_[at(carrier)] | 1U << j);
  }
  fit.n.assign(at(n_groups_), 0);
  fit.deaths.assign(at(n_groups_), 0);
  std::vector<Index> n_idle(at(n_groups_));
  const auto place = rows_->efron.place();
  const auto never_at_risk = static_cast<std::int32_t>(2 * rows_->efron.n_times());
  for (std::size_t i = 0; i < place.size(); ++i) {
    if (place[i] > never_at_risk) continue;
    ++fit.n[group_[i]];
    n_idle[group_[i]] += place[i] == never_at_risk;
    fit.deaths[group_[i]] += place[i] < never_at_risk && place[i] % 2 == 1;
  }
  return std::ranges::equal(n_idle, fit.n, std::less<>());
}

void SetFitter::drop_terms() {
  rows_->n_columns = design_.n_columns;
  const std::size_t n = at(design_.n_columns);
  rows_->columns.resize(n * at(rows_->n_rows));
  rows_->scale.resize(n);
  rows_->range.resize(n);
  rows_->columns_of_deaths.resize(n);
}

void SetFitter::add_term(Index term) {
  std::vector<double> column(at(rows_->n_rows));
  for (std::size_t i = 0; i < group_.size(); ++i) {
    if (rows_->row_of[i] >= 0 && (group_[i] & term) == term) column[at(rows_->row_of[i])] = 1;
  }
  add_column(*rows_, std::move(column));
  ++rows_->n_columns;
}

CoxFit SetFitter::fit_rows(const std::vector<double>& start) const {
  CoxDesign with_terms = design_;
  with_terms.n_columns = rows_->n_columns;
  with_terms.rows = rows_;
  return cox_fit(with_terms, {.ties = ties_, .start = start});
}

void SetFitter::report(const CoxFit& full, SetCoxFit& fit) const {
  const Index p = design_.n_columns, n_columns = rows_->n_columns;
  std::copy_n(full.beta.begin(), p, fit.beta.begin());
  for (Index t = 0; t < n_groups_ - 1; ++t) {
    fit.coefficient[at(t)] = full.beta[at(p + t)];
    fit.se[at(t)] = std::sqrt(full.covariance[at((p + t) * (n_columns + 1))]);
  }
  const double z = fit.coefficient.back() / fit.se.back();
  fit.wald_chi2 = z * z;
}

void SetFitter::fit(std::span<const std::int32_t> set, SetCoxFit& fit) {
  fit = {};
  fit.beta.assign(at(design_.n_columns), missing);
  fit.coefficient.assign(at(n_groups_ - 1), missing);
  fit.se = fit.coefficient;
  const bool all_groups = count_groups(set, fit);
  if (design_.n_events == 0) return;
  fit.loglik_null = covariates_.loglik_null;
  if (!usable(covariates_)) {
    fit.verdict = SetVerdict::covariates_failed;
    return;
  }
  fit.loglik_covariates = covariates_.loglik;
  if (!all_groups) {
    fit.verdict = SetVerdict::empty_group;
    return;
  }

  drop_terms();
  for (Index term = 1; term < n_groups_ - 1; ++term) add_term(term);
  std::vector<double> start = covariates_.beta;
  std::ranges::replace_if(
      start, [](double b) { return std::isnan(b); }, 0.0);
  start.resize(at(rows_->n_columns), 0.0);
  const CoxFit without = fit_rows(start);
  if (without.infinite.empty()) {
    start = without.beta;
    std::ranges::replace_if(
        start, [](double b) { return std::isnan(b); }, 0.0);
  }
  add_term(n_groups_ - 1);
  start.push_back(0);
  const CoxFit full = fit_rows(start);

  fit.iterations = full.iterations;
  const auto of_terms = [&](const std::vector<Index>& columns) {
    return !columns.empty() && columns.back() >= design_.n_columns;
  };
  if (of_terms(full.aliased)) {
    fit.verdict = SetVerdict::singular;
    return;
  }
  if (!has_loglik(full) || !has_loglik(without)) {
    fit.verdict = SetVerdict::not_converged;
    return;
  }
  fit.loglik_without = without.loglik;
  fit.loglik = full.loglik;
  fit.lrt_chi2 = std::max(0.0, 2 * (full.loglik - without.loglik));
  if (!full.infinite.empty()) {
    fit.verdict = SetVerdict::separated;
    for (const Index j : full.infinite) {
      if (j >= design_.n_columns) fit.infinite.push_back(j - design_.n_columns + 1);
    }
    return;
  }
  fit.verdict = SetVerdict::converged;
  report(full, fit);
}

void check(const CoxDesign& design, const CoxFit& covariates, CarrierLists carriers,
           std::span<const std::int32_t> sets, int order, std::size_t n_results) {
  check_carriers(design.n_patients, carriers, carriers.size());
  if (order < 2 || order > max_order || sets.size() != n_results * at(order)) {
    throw ShapeError(
        {.what = "sets and results do not fit",
         .found = fmt::format("{} features, {} results", sets.size(), n_results),
         .expected = fmt::format("order 2 to {} (found {}), one result per set", max_order, order)});
  }
  if (static_cast<Index>(covariates.beta.size()) != design.n_columns) {
    throw ShapeError({.what = "the covariates' fit belongs to another design",
                      .found = fmt::format("{} coefficients", covariates.beta.size()),
                      .expected = fmt::format("{}", design.n_columns)});
  }
  for (std::size_t k = 0; k < sets.size(); k += at(order)) {
    std::vector<std::int32_t> set(sets.begin() + static_cast<Index>(k),
                                  sets.begin() + static_cast<Index>(k) + order);
    std::ranges::sort(set);
    const bool distinct = std::ranges::adjacent_find(set) == set.end();
    if (distinct && set.front() >= 0 && set.back() < static_cast<Index>(carriers.size())) continue;
    throw ShapeError({.what = "a set does not name different features",
                      .found = fmt::format("{}, …, {}", set.front(), set.back()),
                      .expected = fmt::format("{} of 0 to {}", order, carriers.size() - 1)});
  }
}

}  // namespace

std::string_view name_of(SetVerdict verdict) {
  switch (verdict) {
    case SetVerdict::converged:
      return "converged";
    case SetVerdict::no_events:
      return "no_events";
    case SetVerdict::empty_group:
      return "empty_group";
    case SetVerdict::separated:
      return "separated";
    case SetVerdict::covariates_failed:
      return "covariates_failed";
    case SetVerdict::singular:
      return "singular";
    case SetVerdict::not_converged:
      return "not_converged";
  }
  throw ShapeError({.what = "verdict out of range",
                    .found = fmt::format("{}", static_cast<int>(verdict)),
                    .expected = "a SetVerdict"});
}

void set_cox(const CoxDesign& design, const CoxFit& covariates, CarrierLists carriers,
             std::span<const std::int32_t> sets, int order, Ties ties, std::span<SetCoxFit> fits) {
  check(design, covariates, carriers, sets, order, fits.size());
  const auto n_sets = static_cast<Index>(fits.size());
#pragma omp parallel if (n_sets > 1)
  {
    SetFitter fitter(design, covariates, carriers, order, ties);
#pragma omp for schedule(dynamic, 1)
    for (Index k = 0; k < n_sets; ++k) fitter.fit(sets.subspan(at(k * order), at(order)), fits[at(k)]);
  }
}

}  // namespace chorale::kernels
