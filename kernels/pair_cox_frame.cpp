// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/pair_cox_frame.hpp"

#include <algorithm>
#include <cmath>

#include "kernels/expected_deaths.hpp"
#include "kernels/pair_cox_feature.hpp"

namespace chorale::kernels {
namespace {

std::size_t size(Index n) {
  return static_cast<std::size_t>(n);
}

Eigen::VectorXd scaled_coefficients(const CoxRows& rows, const CoxFit& covariates) {
  Eigen::VectorXd beta = Eigen::VectorXd::Zero(rows.n_columns);
  for (Index j = 0; j < rows.n_columns; ++j) {
    const double value = covariates.beta[size(j)];
    if (std::isfinite(value)) beta(j) = value * rows.scale[size(j)];
  }
  return beta;
}

AlignedDoubles risks_at(const CoxRows& rows, const Eigen::VectorXd& beta) {
  AlignedDoubles risk(size(rows.n_rows));
  CHORALE_AT_LEVEL(cox_risks, rows.table(), rows.offset.empty() ? nullptr : rows.offset.data(),
                   rows.weight.empty() ? nullptr : rows.weight.data(), beta.data(), 0, rows.n_rows,
                   risk.data());
  return risk;
}

}  // namespace

PairFrame::PairFrame(const CoxDesign& of_design, const CoxFit& covariates_fit, Ties ties)
    : design(of_design),
      covariates(covariates_fit),
      rows(*design.rows),
      times(rows.times(ties)),
      table(times.table()),
      beta(scaled_coefficients(rows, covariates)),
      risk(risks_at(rows, beta)),
      at_risk(size(n_slot_sums(rows.n_columns) * times.n_padded()), 0),
      dying(at_risk),
      slots(rows, risk) {
  for (Index j = 0; j < rows.n_columns; ++j) {
    if (!std::isnan(covariates.beta[size(j)])) kept.push_back(j);
  }
  // padding: one patient at risk, nobody dies
  std::fill(at_risk.begin() + times.n_times(), at_risk.begin() + times.n_padded(), 1.0);
  AlignedDoubles sums = slots.room(n_slot_sums(rows.n_columns));
  const Eigen::VectorXd no_shift = Eigen::VectorXd::Zero(rows.n_columns);
  const SlotTable slot_table = slots.table();
  CHORALE_AT_LEVEL(pair_cox_slot_sums, slot_table, no_shift.data(), true, sums.data());
  slots.sum_over_risk_sets(times, n_slot_sums(rows.n_columns), sums,
                           {at_risk.data(), dying.data(), times.n_padded()});
  table.risk = at_risk.data();
  table.tied_risk = dying.data();
  expected = expected_deaths(rows, times, risk.data(), at_risk.data(), dying.data());
}

bool PairFrame::usable() const {
  return covariates.verdict == CoxVerdict::converged || covariates.verdict == CoxVerdict::singular;
}

const PairMoments& PairFrame::moments() const {
  std::call_once(moments_asked_,
                 [&] { moments_ = std::make_unique<const PairMoments>(rows, times, slots, expected); });
  return *moments_;
}

PairCoxFrame::PairCoxFrame(const CoxDesign& design, const CoxFit& covariates, Ties ties) {
  check_covariates(design, covariates);
  frame_ = std::make_shared<const PairFrame>(design, covariates, ties);
}

}  // namespace chorale::kernels
