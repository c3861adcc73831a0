// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/martingale.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "kernels/cox_engine.hpp"
#include "kernels/error.hpp"
#include "kernels/expected_deaths.hpp"

namespace chorale::kernels {
namespace {

AlignedDoubles expected_at(const CoxRows& rows, std::span<const double> coefficients, Ties ties) {
  Eigen::VectorXd beta = Eigen::VectorXd::Zero(rows.n_columns);
  for (std::size_t j = 0; j < coefficients.size(); ++j) {
    if (!std::isnan(coefficients[j])) beta(static_cast<Index>(j)) = coefficients[j] * rows.scale[j];
  }
  CoxEngine engine(rows, ties, false);
  engine.evaluate(beta);
  const HeldRisks held = engine.held_risks();
  return expected_deaths(rows, rows.times(ties), held.risk.data(), held.at_risk.data(), held.dying.data());
}

}  // namespace

void martingale_residuals(const CoxDesign& design, const CoxFit& covariates, Ties ties,
                          std::span<double> residuals) {
  require_size("residuals and patients differ in number", residuals.size(), design.n_patients);
  require_size("coefficients and columns differ in number", covariates.beta.size(), design.n_columns);
  std::fill(residuals.begin(), residuals.end(), missing);
  if (covariates.verdict == CoxVerdict::monotone || covariates.verdict == CoxVerdict::not_converged) return;
  const CoxRows& rows = *design.rows;
  const EventTimes& times = rows.times(ties);
  // at risk at no event time: nothing observed, nothing expected
  for (std::size_t i = 0; i < residuals.size(); ++i) {
    if (times.place()[i] == 2 * times.n_times()) residuals[i] = 0;
  }
  if (rows.n_rows == 0) return;
  const AlignedDoubles expected = expected_at(rows, covariates.beta, ties);
  for (std::size_t i = 0; i < residuals.size(); ++i) {
    if (rows.row_of[i] < 0) continue;
    const auto row = static_cast<std::size_t>(rows.row_of[i]);
    residuals[i] = rows.place_of[row] % 2 - expected[row] / (rows.weight.empty() ? 1 : rows.weight[row]);
  }
}

}  // namespace chorale::kernels
