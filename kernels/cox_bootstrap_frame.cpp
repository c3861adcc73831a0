// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/cox_bootstrap_frame.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "kernels/cox_bootstrap_body.hpp"
#include "kernels/cox_engine.hpp"
#include "kernels/error.hpp"

namespace chorale::kernels {
namespace {

std::size_t size(Index n) {
  return static_cast<std::size_t>(n);
}

/// Information of columns x_k + Σ_g ties(g, k) gap_g.
Eigen::MatrixXd tied(const Eigen::MatrixXd& information, const std::vector<Index>& columns,
                     const std::vector<Index>& gaps, const Eigen::MatrixXd& ties) {
  const Eigen::MatrixXd cross = ties.transpose() * information(gaps, columns);
  const Eigen::MatrixXd of_gaps = information(gaps, gaps);
  return information(columns, columns) + cross + cross.transpose() + ties.transpose() * of_gaps * ties;
}

Eigen::MatrixXd inverse_of(const Eigen::LLT<Eigen::MatrixXd>& factor) {
  return factor.solve(Eigen::MatrixXd::Identity(factor.rows(), factor.cols()));
}

}  // namespace

BootstrapFrame::BootstrapFrame(const CoxDesign& design, const CoxFit& full,
                               const CoxBootstrapOptions& options, Index n_replicates)
    : design_(design), options_(options), fills_(design, options.fills, n_replicates) {
  const std::vector<Index>& free = fills_.free_columns();
  if (full.beta.size() != free.size() || full.covariance.size() != free.size() * free.size()) {
    throw ShapeError({.what = "the full fit is of another design",
                      .found = std::to_string(full.beta.size()) + " coefficients",
                      .expected = std::to_string(free.size()) + ", one for each column but gap columns"});
  }
  const bool fitted = full.verdict == CoxVerdict::converged || full.verdict == CoxVerdict::singular;
  Eigen::VectorXd beta = Eigen::VectorXd::Zero(design.n_columns);
  for (std::size_t k = 0; k < free.size(); ++k) {
    if (!std::isfinite(full.beta[k])) continue;
    kept_.push_back(free[k]);
    kept_among_free_.push_back(static_cast<Index>(k));
    beta(free[k]) = full.beta[k] * rows().scale[size(free[k])];
  }
  if (!fitted) return;
  if (fills_.any()) {
    CoxEngine engine(rows(), options.ties, false);
    engine.evaluate(beta);
    information_ = engine.information();
    factor_.compute(information_(kept_, kept_));
  } else {
    // the fit has it already
    const auto n = static_cast<Index>(free.size());
    const Eigen::Map<const Eigen::VectorXd> scale(rows().scale.data(), design.n_columns);
    const Eigen::MatrixXd scales = Eigen::VectorXd(scale(kept_)).asDiagonal();
    const Eigen::Map<const Eigen::MatrixXd> covariance(full.covariance.data(), n, n);
    const Eigen::MatrixXd of_kept = covariance(kept_among_free_, kept_among_free_);
    factor_.compute(inverse_of(Eigen::LLT<Eigen::MatrixXd>(scales * of_kept * scales)));
  }
  in_lanes_ = kept_.empty() || factor_.info() == Eigen::Success;
  start_ = beta(kept_);
  if (!in_lanes_) return;
  inverse_ = inverse_of(factor_);
  find_tellers();
}

/// Keeps the columns that few patients tell from the others.
void BootstrapFrame::find_tellers() {
  constexpr double few = 100, nearly_all = 0.99;
  const Index p = inverse_.cols();
  std::vector<const double*> columns;
  for (const Index j : kept_) columns.push_back(rows().columns.data() + j * rows().n_rows);
  // column j less what the others tell of it
  const Eigen::MatrixXd shares = inverse_ * inverse_.diagonal().cwiseInverse().asDiagonal();
  std::vector<double> moments(size(2 * p));
  CHORALE_AT_LEVEL(bootstrap_residuals, columns.data(), p, rows().n_rows, shares.data(), moments.data());
  for (Index j = 0; j < p; ++j) {
    const double sum = moments[size(2 * j)], fourth = moments[size(2 * j + 1)];
    if (!(sum * sum < few * fourth)) continue;
    std::vector<double> square(size(rows().n_rows));
    for (std::size_t i = 0; i < square.size(); ++i) {
      double residual = 0;
      for (Index k = 0; k < p; ++k) residual += shares(k, j) * columns[size(k)][i];
      square[i] = residual * residual;
    }
    tellers_.push_back(largest(square, nearly_all * sum));
  }
}

BootstrapFrame::Tellers BootstrapFrame::largest(const std::vector<double>& square, double enough) const {
  const auto& row_of = rows().row_of;
  std::vector<std::size_t> patients;
  for (std::size_t i = 0; i < row_of.size(); ++i) {
    if (row_of[i] >= 0) patients.push_back(i);
  }
  const auto of = [&](std::size_t patient) { return square[size(row_of[patient])]; };
  std::stable_sort(patients.begin(), patients.end(), [&](auto a, auto b) { return of(a) > of(b); });
  Tellers found;
  for (std::size_t k = 0; k < patients.size() && found.sum < enough; ++k) {
    found.patient.push_back(patients[k]);
    found.square.push_back(of(patients[k]));
    found.sum += found.square.back();
  }
  return found;
}

bool BootstrapFrame::lost_tellers(const std::uint8_t* copies, Index stride) const {
  return std::any_of(tellers_.begin(), tellers_.end(), [&](const Tellers& column) {
    double sum = 0;
    for (std::size_t k = 0; k < column.patient.size(); ++k) {
      sum += copies[static_cast<Index>(column.patient[k]) * stride] * column.square[k];
    }
    return sum < column.sum / 2;
  });
}

bool BootstrapFrame::same_aliased(const Eigen::MatrixXd& ties_of_free) const {
  const std::vector<Index>& free = fills_.free_columns();
  std::vector<Index> aliased;
  for (Index k = 0; k < static_cast<Index>(free.size()); ++k) {
    if (!std::binary_search(kept_among_free_.begin(), kept_among_free_.end(), k)) aliased.push_back(k);
  }
  return aliased.empty() || ties_of_free.isZero(0) ||
         dependent_columns(tied(information_, free, fills_.gap_columns(), ties_of_free)) == aliased;
}

FilledReplicate BootstrapFrame::filled(Index replicate) const {
  FilledReplicate found;
  if (!fills_.any()) return found;
  const Eigen::MatrixXd ties_of_free = fills_.ties(replicate);
  found.ties = ties_of_free(Eigen::all, kept_among_free_);
  found.alone = !same_aliased(ties_of_free);
  // with ε = Σ_g √(I_gg ties_g' I⁻¹ ties_g) the replicate's information lies between (1 − ε)² and (1 + ε)² I
  constexpr double nearly_the_same = 0.02;
  double epsilon = 0;
  for (Index g = 0; g < found.ties.rows(); ++g) {
    const Index gap = fills_.gap_columns()[size(g)];
    const Eigen::VectorXd tie = found.ties.row(g);
    epsilon += std::sqrt(std::max(0.0, information_(gap, gap) * tie.dot(inverse_ * tie)));
  }
  if (epsilon < nearly_the_same) return found;
  found.own.emplace(tied(information_, kept_, fills_.gap_columns(), found.ties));
  const bool lost = found.own->info() != Eigen::Success ||
                    (inverse_of(*found.own).diagonal().array() > 2 * inverse_.diagonal().array()).any();
  found.alone = found.alone || lost;
  return found;
}

}  // namespace chorale::kernels
