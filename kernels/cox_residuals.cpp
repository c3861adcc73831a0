// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/cox_residuals.hpp"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <string>

#include "kernels/cox_sums.hpp"
#include "kernels/error.hpp"
#include "kernels/martingale.hpp"

namespace chorale::kernels {
namespace {

std::size_t size(Index n) {
  return static_cast<std::size_t>(n);
}

void require_size(const char* what, std::size_t found, Index expected) {
  if (static_cast<Index>(found) == expected) return;
  throw ShapeError({.what = what, .found = std::to_string(found), .expected = std::to_string(expected)});
}

void check_fit(const CoxDesign& design, const CoxFit& fit) {
  require_size("coefficients and columns differ in number", fit.beta.size(), design.n_columns);
  require_size("covariance and columns differ in number", fit.covariance.size(),
               design.n_columns * design.n_columns);
}

bool has_maximum(const CoxFit& fit) {
  return fit.verdict != CoxVerdict::monotone && fit.verdict != CoxVerdict::not_converged;
}

/// Score residuals, one column after the other.
class ScoreColumns {
 public:
  ScoreColumns(const CoxDesign& design, const CoxFit& fit, Ties ties)
      : sums_(design, fit.beta, ties), hazard_(sums_.first) {
    sums_.accumulate(hazard_);
  }

  /// Column j in row order, on the original scale, times the case weights where asked.
  void fill(Index j, bool weighted, double* of_row) const {
    const CoxRows& rows = *sums_.rows;
    const auto n_times = size(sums_.n_times);
    std::vector<double> at_risk(n_times), dying(n_times), mean(n_times), tied(n_times);
    sums_.of_column(j, at_risk, dying);
    for (std::size_t t = 0; t < n_times; ++t) {
      const double s1 = at_risk[t], d1 = dying[t];
      mean[t] = (sums_.first[t] * s1 - sums_.first_tied[t] * d1) / sums_.weight_of_deaths[t];
      at_risk[t] = sums_.second[t] * s1 - sums_.second_tied[t] * d1;
      tied[t] = sums_.second_tied[t] * s1 - sums_.second_both_tied[t] * d1;
    }
    sums_.accumulate(at_risk);
    const double* column = rows.columns.data() + j * rows.n_rows;
    const double scale = rows.scale[size(j)];
    for (std::size_t row = 0; row < size(rows.n_rows); ++row) {
      const double w = sums_.weight(row);
      const double expected =
          column[row] * sums_.gathered(row, hazard_, sums_.first_tied) - sums_.gathered(row, at_risk, tied);
      const double observed = sums_.died(row) ? column[row] - mean[sums_.time_of(row)] : 0;
      of_row[row] = scale * (observed - sums_.risk[row] / w * expected) * (weighted ? w : 1);
    }
  }

  /// Column j of the Schoenfeld residuals.
  void fill_deaths(Index j, double* of_death) const {
    const CoxRows& rows = *sums_.rows;
    std::vector<double> at_risk(size(sums_.n_times)), dying(at_risk);
    sums_.of_column(j, at_risk, dying);
    const double* column = rows.columns.data() + j * rows.n_rows;
    for (std::size_t t = 0; t < at_risk.size(); ++t) {
      const double mean =
          (sums_.first[t] * at_risk[t] - sums_.first_tied[t] * dying[t]) / sums_.weight_of_deaths[t];
      for (std::int32_t row = rows.place_begin[2 * t + 1]; row < rows.place_begin[2 * t + 2]; ++row)
        *of_death++ = rows.scale[size(j)] * (column[row] - mean);
    }
  }

 private:
  CoxSums sums_;
  std::vector<double> hazard_;
};

/// Everything NaN but the patients in the model, who get 0.
void prepare(const CoxDesign& design, const CoxFit& fit, std::span<double> residuals) {
  std::fill(residuals.begin(), residuals.end(), missing);
  if (!has_maximum(fit)) return;
  const EventTimes& times = design.rows->efron;
  for (std::size_t k = 0; k < residuals.size(); ++k) {
    const std::size_t i = k % size(design.n_patients);
    if (design.rows->row_of[i] >= 0 || times.place()[i] == 2 * times.n_times()) residuals[k] = 0;
  }
}

Eigen::Map<const Eigen::MatrixXd> covariance_of(const CoxFit& fit) {
  const auto p = static_cast<Eigen::Index>(fit.beta.size());
  return {fit.covariance.data(), p, p};
}

}  // namespace

void deviance_residuals(const CoxDesign& design, const CoxFit& fit, Ties ties, std::span<double> residuals) {
  martingale_residuals(design, fit, ties, residuals);
  if (!has_maximum(fit)) return;
  for (std::size_t i = 0; i < residuals.size(); ++i) {
    const std::int32_t row = design.rows->row_of[i];
    if (row < 0) continue;
    const double m = residuals[i], died = design.rows->place_of[size(row)] % 2;
    // never negative but by rounding
    const double squared = std::max(0.0, -2 * (m + (died > 0 ? std::log(died - m) : 0)));
    residuals[i] = std::copysign(std::sqrt(squared), m);
  }
}

void score_residuals(const CoxDesign& design, const CoxFit& fit, Ties ties, std::span<double> residuals) {
  check_fit(design, fit);
  require_size("residuals do not have one value per patient and column", residuals.size(),
               design.n_patients * design.n_columns);
  prepare(design, fit, residuals);
  if (!has_maximum(fit) || design.rows->n_rows == 0) return;
  const ScoreColumns score(design, fit, ties);
#pragma omp parallel for schedule(dynamic) if (design.n_columns > 1)
  for (Index j = 0; j < design.n_columns; ++j) {
    std::vector<double> of_row(size(design.rows->n_rows));
    score.fill(j, false, of_row.data());
    double* column = residuals.data() + j * design.n_patients;
    for (std::size_t i = 0; i < size(design.n_patients); ++i)
      if (design.rows->row_of[i] >= 0) column[i] = of_row[size(design.rows->row_of[i])];
  }
}

void dfbeta_residuals(const CoxDesign& design, const CoxFit& fit, Ties ties, DfbetaScale scale,
                      std::span<double> residuals) {
  score_residuals(design, fit, ties, residuals);
  if (!has_maximum(fit) || design.rows->n_rows == 0) return;
  Eigen::MatrixXd covariance = covariance_of(fit);
  if (scale == DfbetaScale::standard_error) {
    for (Eigen::Index j = 0; j < covariance.cols(); ++j) {
      const double se = std::sqrt(covariance(j, j));
      covariance.col(j) /= se > 0 ? se : 1;
    }
  }
  const std::size_t n = size(design.n_patients), p = size(design.n_columns);
#pragma omp parallel
  {
    Eigen::RowVectorXd score(static_cast<Eigen::Index>(p)), moved(score);
#pragma omp for
    for (std::size_t i = 0; i < n; ++i) {
      const std::int32_t row = design.rows->row_of[i];
      if (row < 0) continue;
      const double w = design.rows->weight.empty() ? 1 : design.rows->weight[size(row)];
      for (std::size_t j = 0; j < p; ++j) score(static_cast<Eigen::Index>(j)) = w * residuals[j * n + i];
      moved.noalias() = score * covariance;
      for (std::size_t j = 0; j < p; ++j) residuals[j * n + i] = moved(static_cast<Eigen::Index>(j));
    }
  }
}

SchoenfeldResiduals schoenfeld_residuals(const CoxDesign& design, const CoxFit& fit, Ties ties, bool scaled) {
  check_fit(design, fit);
  const CoxRows& rows = *design.rows;
  const EventTimes& times = rows.times(ties);
  SchoenfeldResiduals deaths;
  std::vector<std::int32_t> patient_of(size(rows.n_rows));
  for (std::size_t i = 0; i < rows.row_of.size(); ++i)
    if (rows.row_of[i] >= 0) patient_of[size(rows.row_of[i])] = static_cast<std::int32_t>(i);
  for (std::size_t row = 0; row < patient_of.size(); ++row) {
    if (rows.place_of[row] % 2 == 0) continue;
    deaths.patient.push_back(patient_of[row]);
    deaths.time.push_back(times.time()[size(rows.place_of[row] / 2)]);
  }
  const auto n = static_cast<Index>(deaths.patient.size());
  deaths.values.assign(size(n * design.n_columns), missing);
  if (!has_maximum(fit) || n == 0) return deaths;
  const ScoreColumns score(design, fit, ties);
#pragma omp parallel for schedule(dynamic) if (design.n_columns > 1)
  for (Index j = 0; j < design.n_columns; ++j) score.fill_deaths(j, deaths.values.data() + j * n);
  if (!scaled) return deaths;
  Eigen::Map<Eigen::MatrixXd> values(deaths.values.data(), n, design.n_columns);
  values = (static_cast<double>(n) * values * covariance_of(fit)).eval();
  for (Index j = 0; j < design.n_columns; ++j) {
    if (!std::isnan(fit.beta[size(j)])) values.col(j).array() += fit.beta[size(j)];
  }
  return deaths;
}

RobustVariance robust_variance(const CoxDesign& design, const CoxFit& fit, Ties ties,
                               std::span<const std::int32_t> cluster) {
  check_fit(design, fit);
  const CoxRows& rows = *design.rows;
  const Index p = design.n_columns;
  RobustVariance robust{.covariance = std::vector<double>(size(p * p), missing), .n_clusters = rows.n_rows};
  std::vector<std::int32_t> cluster_of;  // per row
  if (!cluster.empty()) {
    require_size("clusters and patients differ in number", cluster.size(), design.n_patients);
    cluster_of.resize(size(rows.n_rows));
    robust.n_clusters = 0;
    for (std::size_t i = 0; i < cluster.size(); ++i) {
      if (rows.row_of[i] < 0) continue;
      if (cluster[i] < 0) {
        throw ShapeError({.what = "cluster code out of range",
                          .found = std::to_string(cluster[i]),
                          .expected = "0 or more"});
      }
      cluster_of[size(rows.row_of[i])] = cluster[i];
    }
  }
  if (!cluster_of.empty()) {
    // codes that nobody has take no room
    std::vector<std::int32_t> codes = cluster_of;
    std::sort(codes.begin(), codes.end());
    codes.erase(std::unique(codes.begin(), codes.end()), codes.end());
    for (std::int32_t& code : cluster_of)
      code = static_cast<std::int32_t>(std::lower_bound(codes.begin(), codes.end(), code) - codes.begin());
    robust.n_clusters = static_cast<Index>(codes.size());
  }
  if (!has_maximum(fit)) return robust;
  std::fill(robust.covariance.begin(), robust.covariance.end(), 0.0);
  if (rows.n_rows == 0 || p == 0) return robust;
  const ScoreColumns score(design, fit, ties);
  Eigen::MatrixXd of_cluster = Eigen::MatrixXd::Zero(robust.n_clusters, p);
#pragma omp parallel for schedule(dynamic) if (p > 1)
  for (Index j = 0; j < p; ++j) {
    double* column = of_cluster.col(j).data();
    if (cluster_of.empty()) {
      score.fill(j, true, column);
      continue;
    }
    std::vector<double> of_row(size(rows.n_rows));
    score.fill(j, true, of_row.data());
    for (std::size_t row = 0; row < of_row.size(); ++row) column[cluster_of[row]] += of_row[row];
  }
  constexpr Index block = 4096;
  Eigen::MatrixXd middle = Eigen::MatrixXd::Zero(p, p);
  for (Index begin = 0; begin < robust.n_clusters; begin += block) {
    const Index n = std::min(block, robust.n_clusters - begin);
    middle.selfadjointView<Eigen::Lower>().rankUpdate(of_cluster.middleRows(begin, n).transpose());
  }
  const Eigen::MatrixXd full = middle.selfadjointView<Eigen::Lower>();
  Eigen::Map<Eigen::MatrixXd>(robust.covariance.data(), p, p) =
      covariance_of(fit) * full * covariance_of(fit);
  return robust;
}

}  // namespace chorale::kernels
