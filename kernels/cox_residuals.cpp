// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/cox_residuals.hpp"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <string>

#include "kernels/cox_scores.hpp"
#include "kernels/cox_sums.hpp"
#include "kernels/error.hpp"
#include "kernels/martingale.hpp"

namespace chorale::kernels {
namespace {

std::size_t size(Index n) {
  return static_cast<std::size_t>(n);
}

void check_fit(const CoxDesign& design, const CoxFit& fit) {
  require_size("coefficients and columns differ in number", fit.beta.size(), design.n_columns);
  require_size("covariance and columns differ in number", fit.covariance.size(),
               design.n_columns * design.n_columns);
}

bool has_maximum(const CoxFit& fit) {
  return fit.verdict != CoxVerdict::monotone && fit.verdict != CoxVerdict::not_converged;
}

/// Score residuals, one column after the other: with M the martingale residual of a row,
///
///   U = M x + e^η (Σ_{t at risk} Σ_l x̄_l's hazard) − [dies at t] x̄(t),
///
/// of which all but M, x and e^η is the same for everybody of a place.
class ScoreColumns {
 public:
  ScoreColumns(const CoxDesign& design, const CoxFit& fit, Ties ties)
      : sums_(design, fit.beta, ties), martingale_(sums_.risk.size()), relative_risk_(sums_.risk) {
    std::vector<double> hazard = sums_.first;
    sums_.accumulate(hazard);
    std::vector<double> of_place(2 * hazard.size());
    for (std::size_t t = 0; t < hazard.size(); ++t) {
      of_place[2 * t] = hazard[t];
      of_place[2 * t + 1] = hazard[t] - sums_.first_tied[t];
    }
    const CoxRows& rows = *sums_.rows;
    for (std::size_t row = 0; row < rows.weight.size(); ++row) relative_risk_[row] /= rows.weight[row];
    for (std::size_t row = 0; row < martingale_.size(); ++row) {
      const std::int32_t place = rows.place_of[row];
      double gathered = of_place[size(place)];
      if (!rows.enters.empty() && rows.enters[row] < sums_.n_times)
        gathered -= hazard[size(rows.enters[row])];
      martingale_[row] = place % 2 - relative_risk_[row] * gathered;
    }
  }

  const CoxSums& sums() const { return sums_; }

  /// Column j in row order, on the original scale: calls take(row, residual).
  template <class Take>
  void visit(Index j, const Take& take) const {
    const CoxRows& rows = *sums_.rows;
    const OfPlaces values = of_places(j);
    const double* column = rows.columns.data() + j * rows.n_rows;
    const double scale = rows.scale[size(j)];
    for (std::size_t row = 0; row < martingale_.size(); ++row) {
      const auto place = size(rows.place_of[row]);
      double of_others = values.of_others[place];
      if (!rows.enters.empty() && rows.enters[row] < sums_.n_times)
        of_others -= values.gathered[size(rows.enters[row])];
      take(row, scale * (martingale_[row] * column[row] + relative_risk_[row] * of_others -
                         values.observed[place]));
    }
  }

  /// Σ_i w_i² U_i U_i' on the original scale.
  Eigen::MatrixXd products() const {
    const CoxRows& rows = *sums_.rows;
    const Index p = rows.n_columns, stride = score_stride(p), n_times = sums_.n_times;
    // who is at risk from the first time on takes away nothing: the row past the last
    AlignedDoubles of_others(size(2 * n_times * stride)), observed(of_others.size());
    AlignedDoubles gathered(rows.enters.empty() ? 0 : size((n_times + 1) * stride));
#pragma omp parallel for schedule(dynamic) if (p > 1)
    for (Index j = 0; j < p; ++j) {
      const OfPlaces values = of_places(j);
      for (Index place = 0; place < 2 * n_times; ++place) {
        of_others[size(place * stride + j)] = values.of_others[size(place)];
        observed[size(place * stride + j)] = values.observed[size(place)];
      }
      for (Index t = 0; t < n_times && !gathered.empty(); ++t)
        gathered[size(t * stride + j)] = values.gathered[size(t)];
    }
    std::vector<double> martingale(martingale_), minus_weight(martingale_.size()), minus_risk;
    for (std::size_t row = 0; row < martingale.size(); ++row) {
      martingale[row] *= sums_.weight(row);
      minus_weight[row] = -sums_.weight(row);
    }
    std::vector<ScoreTerm> terms{{of_others.data(), stride, rows.place_of.data(), sums_.risk.data()},
                                 {observed.data(), stride, rows.place_of.data(), minus_weight.data()}};
    if (!rows.enters.empty()) {
      for (const double risk : sums_.risk) minus_risk.push_back(-risk);
      terms.push_back({gathered.data(), stride, rows.enters.data(), minus_risk.data()});
    }
    const Eigen::Map<const Eigen::VectorXd> scale(rows.scale.data(), p);
    return scale.asDiagonal() * score_products(rows.table(), martingale.data(), terms, rows.n_rows) *
           scale.asDiagonal();
  }

  /// Column j of the Schoenfeld residuals.
  void fill_deaths(Index j, double* of_death) const {
    const CoxRows& rows = *sums_.rows;
    const std::vector<double> mean = means(j);
    const double* column = rows.columns.data() + j * rows.n_rows;
    for (std::size_t t = 0; t < mean.size(); ++t) {
      for (std::int32_t row = rows.place_begin[2 * t + 1]; row < rows.place_begin[2 * t + 2]; ++row)
        *of_death++ = rows.scale[size(j)] * (column[row] - mean[t]);
    }
  }

 private:
  /// What is the same for everybody of a place: of column j, scaled.
  struct OfPlaces {
    std::vector<double> gathered;   ///< per event time, Σ_{t at risk} Σ_l x̄_l's hazard
    std::vector<double> of_others;  ///< per place, the same less what who dies does not gather
    std::vector<double> observed;   ///< per place, x̄ for who dies
  };

  OfPlaces of_places(Index j) const {
    const auto n_times = size(sums_.n_times);
    const std::vector<double> mean = means(j);
    OfPlaces values{.gathered = std::vector<double>(n_times),
                    .of_others = std::vector<double>(2 * n_times),
                    .observed = std::vector<double>(2 * n_times, 0.0)};
    const auto at_risk = sums_.at_risk(j), dying = sums_.dying(j);
    for (std::size_t t = 0; t < n_times; ++t)
      values.gathered[t] = sums_.second[t] * at_risk[t] - sums_.second_tied[t] * dying[t];
    sums_.accumulate(values.gathered);
    for (std::size_t t = 0; t < n_times; ++t) {
      values.of_others[2 * t] = values.gathered[t];
      values.of_others[2 * t + 1] =
          values.gathered[t] - (sums_.second_tied[t] * at_risk[t] - sums_.second_both_tied[t] * dying[t]);
      values.observed[2 * t + 1] = mean[t];
    }
    return values;
  }

  /// x̄ per event time
  std::vector<double> means(Index j) const {
    std::vector<double> mean(size(sums_.n_times));
    const auto at_risk = sums_.at_risk(j), dying = sums_.dying(j);
    for (std::size_t t = 0; t < mean.size(); ++t)
      mean[t] = (sums_.first[t] * at_risk[t] - sums_.first_tied[t] * dying[t]) / sums_.weight_of_deaths[t];
    return mean;
  }

  CoxSums sums_;
  std::vector<double> martingale_, relative_risk_;
};

struct Clusters {
  std::vector<std::int32_t> of_row;
  Index n_codes = 0, n_used = 0;
};

Clusters clusters_of_rows(const CoxRows& rows, std::span<const std::int32_t> cluster) {
  Clusters clusters{.of_row = std::vector<std::int32_t>(size(rows.n_rows))};
  for (std::size_t i = 0; i < cluster.size(); ++i) {
    if (rows.row_of[i] < 0) continue;
    if (cluster[i] < 0) {
      throw ShapeError({.what = "cluster code out of range",
                        .found = std::to_string(cluster[i]),
                        .expected = "0 or more"});
    }
    clusters.of_row[size(rows.row_of[i])] = cluster[i];
    clusters.n_codes = std::max<Index>(clusters.n_codes, Index{cluster[i]} + 1);
  }
  if (clusters.n_codes > rows.n_rows) {
    // codes far apart: numbered anew, so that those that nobody has take no room
    std::vector<std::int32_t> codes = clusters.of_row;
    std::sort(codes.begin(), codes.end());
    codes.erase(std::unique(codes.begin(), codes.end()), codes.end());
    for (std::int32_t& code : clusters.of_row)
      code = static_cast<std::int32_t>(std::lower_bound(codes.begin(), codes.end(), code) - codes.begin());
    clusters.n_codes = static_cast<Index>(codes.size());
  }
  std::vector<std::uint8_t> used(size(clusters.n_codes), 0);
  for (const std::int32_t code : clusters.of_row) used[size(code)] = 1;
  clusters.n_used = std::count(used.begin(), used.end(), 1);
  return clusters;
}

Eigen::MatrixXd products_of_clusters(const ScoreColumns& score, const Clusters& clusters, Index p) {
  AlignedDoubles of_cluster(size(clusters.n_codes * p));
#pragma omp parallel for schedule(dynamic) if (p > 1)
  for (Index j = 0; j < p; ++j) {
    double* column = of_cluster.data() + j * clusters.n_codes;
    score.visit(j, [&](std::size_t row, double residual) {
      column[clusters.of_row[row]] += score.sums().weight(row) * residual;
    });
  }
  const std::vector<double> ones(size(clusters.n_codes), 1.0);
  return score_products({of_cluster.data(), clusters.n_codes, p}, ones.data(), {}, clusters.n_codes);
}

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
    score.visit(j, [&](std::size_t row, double residual) { of_row[row] = residual; });
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
  Clusters clusters;
  if (!cluster.empty()) {
    require_size("clusters and patients differ in number", cluster.size(), design.n_patients);
    clusters = clusters_of_rows(rows, cluster);
    robust.n_clusters = clusters.n_used;
  }
  if (!has_maximum(fit)) return robust;
  std::fill(robust.covariance.begin(), robust.covariance.end(), 0.0);
  if (rows.n_rows == 0 || p == 0) return robust;
  const ScoreColumns score(design, fit, ties);
  const Eigen::MatrixXd middle =
      cluster.empty() ? score.products() : products_of_clusters(score, clusters, p);
  Eigen::Map<Eigen::MatrixXd>(robust.covariance.data(), p, p) =
      covariance_of(fit) * middle * covariance_of(fit);
  return robust;
}

std::vector<double> sums_by_cluster(std::span<const double> values, std::span<const std::int32_t> cluster,
                                    Index n_clusters) {
  const std::size_t n = cluster.size(), k = n > 0 ? values.size() / n : 0;
  require_size("values do not have one column after the other per row", values.size(),
               static_cast<Index>(n * k));
  for (const std::int32_t code : cluster) {
    if (code >= 0 && code < n_clusters) continue;
    throw ShapeError({.what = "cluster out of range",
                      .found = std::to_string(code),
                      .expected = "0 to " + std::to_string(n_clusters - 1)});
  }
  std::vector<double> sums(size(n_clusters) * k, missing);
  for (std::size_t j = 0; j < k; ++j) {
    double* column = sums.data() + j * size(n_clusters);
    for (std::size_t i = 0; i < n; ++i) {
      const double value = values[j * n + i];
      double& sum = column[cluster[i]];
      if (!std::isnan(value)) sum = std::isnan(sum) ? value : sum + value;
    }
  }
  return sums;
}

}  // namespace chorale::kernels
