// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/cox_path_engine.hpp"

#include <algorithm>
#include <cmath>

namespace chorale::kernels {
namespace {

std::size_t size(Index n) {
  return static_cast<std::size_t>(n);
}

constexpr Index most_bins = 256;

}  // namespace

CoxPathEngine::CoxPathEngine(const CoxPathSample& sample)
    : sample_(sample),
      rows_(sample.rows()),
      panels_(sample.panels()),
      eta_(size(rows_.n_rows * path_lanes)),
      risk_(eta_.size()),
      at_risk_(size((rows_.n_times + 1) * path_lanes)),
      dying_(at_risk_.size()),
      hazard_(at_risk_.size()),
      spared_(at_risk_.size()),
      factor_(size(rows_.n_rows)),
      lane_risk_(factor_.size()),
      part_(factor_.size()) {
  pool_times();
}

void CoxPathEngine::pool_times() {
  const Index times_per_bin = (rows_.n_times + most_bins - 1) / most_bins;
  for (Index s = 0; s < rows_.n_strata; ++s) {
    for (Index t = rows_.stratum_begin[s]; t < rows_.stratum_begin[s + 1]; ++t) {
      if ((t - rows_.stratum_begin[s]) % times_per_bin == 0) {
        ++n_bins_;
        ends_stratum_.push_back(0);
      }
      ends_stratum_.back() = t + 1 == rows_.stratum_begin[s + 1];
      bin_of_time_.push_back(static_cast<std::int32_t>(n_bins_ - 1));
    }
  }
  bin_of_time_.push_back(static_cast<std::int32_t>(n_bins_));  // never at risk
  for (const std::int32_t exit : sample_.exit)
    bin_of_row_.push_back(bin_of_time_[static_cast<std::size_t>(exit)]);
  rate_.resize(size(n_bins_) + 1);
  alive_share_.resize(bin_of_time_.size());
  dead_share_.resize(bin_of_time_.size());
}

std::size_t CoxPathEngine::n_dense_of(std::span<const std::int32_t> columns) const {
  return static_cast<std::size_t>(
      std::lower_bound(columns.begin(), columns.end(), static_cast<std::int32_t>(sample_.data->n_dense)) -
      columns.begin());
}

void CoxPathEngine::evaluate(std::span<const std::int32_t> columns, std::span<const double> beta,
                             std::span<const std::int32_t> asked, std::span<double> slopes) {
  for (std::size_t i = 0; i < sample_.weight.size(); ++i) {
    const double offset = sample_.offset.empty() ? 0 : sample_.offset[i];
    std::fill_n(eta_.begin() + static_cast<std::ptrdiff_t>(i * path_lanes), path_lanes, offset);
  }
  beta_.assign(beta.begin(), beta.end());
  for (std::size_t c = 0; c < columns.size(); ++c) {
    for (std::size_t k = 0; k < path_lanes; ++k)
      beta_[c * path_lanes + k] *= sample_.ratio[static_cast<std::size_t>(columns[c])];
  }
  const std::size_t n_dense = n_dense_of(columns);
  CHORALE_AT_LEVEL(cox_path_linear, panels_, columns.data(), static_cast<Index>(n_dense), beta_.data(),
                   eta_.data());
  for (std::size_t c = n_dense; c < columns.size(); ++c) {
    const auto list = sample_.carriers[columns[c] - sample_.data->n_dense];
    CHORALE_AT_LEVEL(cox_path_add_to, list.data(), static_cast<Index>(list.size()),
                     beta_.data() + c * path_lanes, eta_.data());
  }

  const PathLanes lanes{.eta = eta_.data(),
                        .risk = risk_.data(),
                        .at_risk = at_risk_.data(),
                        .dying = dying_.data(),
                        .hazard = hazard_.data(),
                        .spared = spared_.data()};
  CHORALE_AT_LEVEL(cox_path_residuals, rows_, lanes, loglik_);

  slopes_.assign(asked.size() * path_lanes, 0.0);
  const std::size_t n_asked_dense = n_dense_of(asked);
  CHORALE_AT_LEVEL(cox_path_gradient, panels_, asked.data(), static_cast<Index>(n_asked_dense), eta_.data(),
                   slopes_.data());
  for (std::size_t c = n_asked_dense; c < asked.size(); ++c) {
    const auto list = sample_.carriers[asked[c] - sample_.data->n_dense];
    CHORALE_AT_LEVEL(cox_path_sum_of, list.data(), static_cast<Index>(list.size()), eta_.data(),
                     slopes_.data() + c * path_lanes);
  }
  for (std::size_t c = 0; c < asked.size(); ++c) {
    const double scale = sample_.ratio[static_cast<std::size_t>(asked[c])] / sample_.total_weight;
    for (std::size_t k = 0; k < path_lanes; ++k)
      slopes[c * path_lanes + k] = scale * slopes_[c * path_lanes + k];
  }
}

/// Σ_t a_t (x̄_t x̄_t') of one bin is taken at the mean of S1 over its times, weighted with a_t = (W/d) Σ_l 1/S_l²:
/// shares[t] says how much of a row that leaves at t counts within its bin. For Efron's ties x̄_t = S1 − (b/a) D1,
/// b = (W/d) Σ_l (l/d)/S_l², so that who dies counts less.
void CoxPathEngine::rates(Index lane) {
  std::fill(rate_.begin(), rate_.end(), 0.0);
  for (Index t = 0; t < rows_.n_times; ++t) {
    const double deaths = rows_.n_deaths[t], weight = rows_.dead_weight[t];
    const double at_risk = at_risk_[size(t * path_lanes + lane)], dying = dying_[size(t * path_lanes + lane)];
    double a = 0, b = 0;
    if (!rows_.efron && deaths > 0) a = weight / (at_risk * at_risk);
    for (double l = 0; rows_.efron && l < deaths; ++l) {
      const double left = at_risk - l / deaths * dying;
      a += weight / deaths / (left * left);
      b += weight / deaths * (l / deaths) / (left * left);
    }
    double& rate = rate_[static_cast<std::size_t>(bin_of_time_[size(t)])];
    rate += a;
    alive_share_[size(t)] = rate;
    dead_share_[size(t)] = rate - b;
  }
  for (Index t = 0; t < rows_.n_times; ++t) {
    const double rate = rate_[static_cast<std::size_t>(bin_of_time_[size(t)])];
    if (!(rate > 0)) continue;
    alive_share_[size(t)] /= rate;
    dead_share_[size(t)] /= rate;
  }
  for (std::size_t i = 0; i < sample_.weight.size(); ++i) {
    const auto t = static_cast<std::size_t>(sample_.exit[i]);
    factor_[i] = rows_.dead[i] - eta_[i * path_lanes + size(lane)];
    lane_risk_[i] = risk_[i * path_lanes + size(lane)];
    part_[i] = lane_risk_[i] * (rows_.dead[i] > 0 ? dead_share_[t] : alive_share_[t]);
  }
}

void CoxPathEngine::add_late(std::span<const std::int32_t> columns) {
  if (rows_.enter == nullptr) return;
  const std::size_t n_dense = n_dense_of(columns), n_sums = size(n_bins_) + 1;
  const auto subtract = [&](std::size_t c, std::size_t row, double x) {
    const auto t = static_cast<std::size_t>(sample_.enter[row]),
               bin = static_cast<std::size_t>(bin_of_time_[t]);
    sums_[c * n_sums + bin] -= x * lane_risk_[row];
    parts_[c * n_sums + bin] -= x * lane_risk_[row] * alive_share_[t];
  };
  for (std::size_t row = 0; row < sample_.weight.size(); ++row) {
    if (sample_.enter[row] < 0) continue;
    const double* panel =
        panels_.values + static_cast<Index>(row) / panel_rows * panels_.n_columns * panel_rows;
    for (std::size_t c = 0; c < n_dense; ++c)
      subtract(c, row, panel[columns[c] * panel_rows + static_cast<Index>(row) % panel_rows]);
  }
  for (std::size_t c = n_dense; c < columns.size(); ++c) {
    for (const std::int32_t row : sample_.carriers[columns[c] - sample_.data->n_dense]) {
      if (sample_.enter[static_cast<std::size_t>(row)] >= 0) subtract(c, static_cast<std::size_t>(row), 1);
    }
  }
}

/// means_: panels of √a x̄, one row per bin.
void CoxPathEngine::mean_covariates(std::span<const std::int32_t> columns) {
  const std::size_t n = columns.size(), n_dense = n_dense_of(columns), n_sums = size(n_bins_) + 1;
  sums_.assign(n * n_sums, 0.0);
  parts_.assign(n * n_sums, 0.0);
  CHORALE_AT_LEVEL(cox_path_bin_sums, panels_, columns.data(), static_cast<Index>(n_dense),
                   bin_of_row_.data(), lane_risk_.data(), part_.data(), static_cast<Index>(n_sums),
                   sums_.data(), parts_.data());
  for (std::size_t c = n_dense; c < n; ++c) {
    for (const std::int32_t row : sample_.carriers[columns[c] - sample_.data->n_dense]) {
      const auto i = static_cast<std::size_t>(row), bin = static_cast<std::size_t>(bin_of_row_[i]);
      sums_[c * n_sums + bin] += lane_risk_[i];
      parts_[c * n_sums + bin] += part_[i];
    }
  }
  add_late(columns);
  const std::size_t n_panels = (size(n_bins_) + panel_rows - 1) / panel_rows;
  means_.assign(n_panels * panel_rows * n, 0.0);
  for (std::size_t c = 0; c < n; ++c) {
    double later = 0;
    for (std::size_t bin = size(n_bins_); bin-- > 0;) {
      if (ends_stratum_[bin]) later = 0;
      means_[(bin / panel_rows * n + c) * panel_rows + bin % panel_rows] =
          std::sqrt(rate_[bin]) * (later + parts_[c * n_sums + bin]);
      later += sums_[c * n_sums + bin];
    }
  }
}

/// A row adds to the pairs of its own sparse columns, and to those with the dense ones.
void CoxPathEngine::add_sparse_products(std::span<const std::int32_t> columns, Index stride,
                                        std::span<double> hessian) {
  const std::size_t n_dense = n_dense_of(columns);
  if (n_dense == columns.size()) return;
  std::vector<std::int32_t> place(size(sample_.carriers.n()), -1), here;
  for (std::size_t c = n_dense; c < columns.size(); ++c)
    place[size(columns[c] - sample_.data->n_dense)] = static_cast<std::int32_t>(c);
  std::vector<double> x(n_dense);
  for (Index row = 0; row < sample_.n_analysed; ++row) {
    here.clear();
    for (const std::int32_t c : sample_.data->carried[sample_.source[size(row)]]) {
      if (place[static_cast<std::size_t>(c)] >= 0) here.push_back(place[static_cast<std::size_t>(c)]);
    }
    if (here.empty()) continue;
    const double factor = factor_[size(row)];
    const double* panel =
        panels_.values + row / panel_rows * panels_.n_columns * panel_rows + row % panel_rows;
    for (std::size_t j = 0; j < n_dense; ++j) x[j] = factor * panel[columns[j] * panel_rows];
    for (std::size_t a = 0; a < here.size(); ++a) {
      double* to = hessian.data() + here[a] * stride;
      for (std::size_t j = 0; j < n_dense; ++j) to[j] += x[j];
      for (std::size_t b = a; b < here.size(); ++b) to[here[b]] += factor;
    }
  }
}

void CoxPathEngine::hessian(Index lane, std::span<const std::int32_t> columns, Index stride,
                            std::span<double> hessian) {
  std::fill(hessian.begin(), hessian.end(), 0.0);
  const std::size_t n = columns.size(), n_dense = n_dense_of(columns);
  if (n == 0) return;
  rates(lane);
  mean_covariates(columns);
  if (n_dense > 0) {
    CHORALE_AT_LEVEL(cox_path_gram, panels_, columns.data(), static_cast<Index>(n_dense), factor_.data(), 1.0,
                     stride, hessian.data());
  }
  add_sparse_products(columns, stride, hessian);
  // sparse rows hold their products with dense columns: over to the upper triangle
  for (std::size_t c = n_dense; c < n; ++c) {
    for (std::size_t j = 0; j < n_dense; ++j) hessian[j * size(stride) + c] = hessian[c * size(stride) + j];
  }
  std::vector<std::int32_t> all(n);
  for (std::size_t c = 0; c < n; ++c) all[c] = static_cast<std::int32_t>(c);
  const Panels means{.values = means_.data(),
                     .n_panels = (n_bins_ + panel_rows - 1) / panel_rows,
                     .n_columns = static_cast<Index>(n)};
  CHORALE_AT_LEVEL(cox_path_gram, means, all.data(), static_cast<Index>(n), nullptr, -1.0, stride,
                   hessian.data());
  for (std::size_t c = 0; c < n; ++c) {
    const double scale = sample_.ratio[static_cast<std::size_t>(columns[c])] / sample_.total_weight;
    for (std::size_t k = c; k < n; ++k) {
      double& value = hessian[c * size(stride) + k];
      value *= scale * sample_.ratio[static_cast<std::size_t>(columns[k])];
      hessian[k * size(stride) + c] = value;
    }
  }
}

}  // namespace chorale::kernels
