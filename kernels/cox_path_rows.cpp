// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/cox_path_rows.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace chorale::kernels {
namespace {

std::size_t size(Index n) {
  return static_cast<std::size_t>(n);
}

/// Weighted sums of values and squares of every column, panel by panel.
void moments(const Panels& panels, const double* weight, double* sums, double* squares) {
  for (Index p = 0; p < panels.n_panels; ++p) {
    const double* w = weight + p * panel_rows;
    for (Index j = 0; j < panels.n_columns; ++j) {
      const double* x = panels.values + (p * panels.n_columns + j) * panel_rows;
      double sum = 0, square = 0;
#pragma omp simd reduction(+ : sum, square)
      for (Index i = 0; i < panel_rows; ++i) {
        sum += w[i] * x[i];
        square += w[i] * x[i] * x[i];
      }
      sums[j] += sum;
      squares[j] += square;
    }
  }
}

}  // namespace

CoxPathSample::CoxPathSample(const CoxPathData& design, std::span<const double> of_patients, bool standardise,
                             Ties how)
    : data(&design), ties(how) {
  take_rows(of_patients);
  take_panels();
  take_carriers();
  set_scales(standardise);
  count_deaths();
}

void CoxPathSample::take_rows(std::span<const double> of_patients) {
  for (std::size_t row = 0; row < data->patient.size(); ++row) {
    const double times = of_patients.empty() ? 1 : of_patients[static_cast<std::size_t>(data->patient[row])];
    const double w = times * data->weight[row];
    if (!(w > 0)) continue;
    source.push_back(static_cast<std::int32_t>(row));
    exit.push_back(data->exit[row]);
    if (!data->enter.empty()) enter.push_back(data->enter[row]);
    if (!data->offset.empty()) offset.push_back(data->offset[row]);
    weight.push_back(w);
    dead.push_back(data->died[row] ? w : 0);
    total_weight += w;
    n_events += data->died[row];
  }
  n_analysed = static_cast<Index>(source.size());
  const std::size_t padded = size((n_analysed + panel_rows - 1) / panel_rows * panel_rows);
  exit.resize(padded, static_cast<std::int32_t>(data->n_times));
  if (!enter.empty()) enter.resize(padded, -1);
  if (!offset.empty()) offset.resize(padded, 0.0);
  weight.resize(padded, 0.0);
  dead.resize(padded, 0.0);
}

void CoxPathSample::take_panels() {
  if (n_analysed == data->n_rows) return;
  const Index n = data->n_dense, n_panels = static_cast<Index>(weight.size()) / panel_rows;
  own_panels.resize(weight.size() * size(n));
  const double* from[panel_rows];
  for (Index p = 0; p < n_panels; ++p) {
    const Index n_here = std::min(panel_rows, n_analysed - p * panel_rows);
    for (Index r = 0; r < n_here; ++r) {
      const Index row = source[size(p * panel_rows + r)];
      from[r] = data->panels.data() + row / panel_rows * n * panel_rows + row % panel_rows;
    }
    double* to = own_panels.data() + p * n * panel_rows;
    for (Index j = 0; j < n; ++j) {
      for (Index r = 0; r < n_here; ++r) to[j * panel_rows + r] = from[r][j * panel_rows];
      for (Index r = n_here; r < panel_rows; ++r) to[j * panel_rows + r] = 0;
    }
  }
}

void CoxPathSample::take_carriers() {
  if (n_analysed == data->n_rows) {
    carriers = data->carriers;
    return;
  }
  std::vector<std::int32_t> row_of(size(data->n_rows), -1);
  for (std::size_t row = 0; row < source.size(); ++row)
    row_of[static_cast<std::size_t>(source[row])] = static_cast<std::int32_t>(row);
  carriers.values.reserve(data->carriers.values.size());
  for (Index c = 0; c < data->carriers.n(); ++c) {
    for (const std::int32_t row : data->carriers[c]) {
      if (row_of[static_cast<std::size_t>(row)] >= 0)
        carriers.values.push_back(row_of[static_cast<std::size_t>(row)]);
    }
    carriers.close();
  }
}

void CoxPathSample::set_scales(bool standardise) {
  const std::size_t n_dense = size(data->n_dense);
  std::vector<double> sums(n_dense, 0.0), squares(n_dense, 0.0);
  moments(panels(), weight.data(), sums.data(), squares.data());
  const double total = total_weight > 0 ? total_weight : 1;
  for (std::size_t j = 0; j < n_dense; ++j) {
    const double mean = sums[j] / total, variance = squares[j] / total - mean * mean;
    const bool constant = !(variance > 1e-13 * squares[j] / total) || data->scale[j] == 0;
    const double found = constant ? 0 : std::sqrt(variance) * data->scale[j];
    deviation.push_back(constant ? 0 : standardise ? found : 1);
    ratio.push_back(constant ? 0 : data->scale[j] / deviation[j]);
  }
  for (Index c = 0; c < carriers.n(); ++c) {
    double carried = 0;
    for (const std::int32_t row : carriers[c]) carried += weight[static_cast<std::size_t>(row)];
    const auto n_carriers = static_cast<Index>(carriers[c].size());
    const bool constant = n_carriers == 0 || n_carriers == n_analysed;
    const double share = carried / total;
    deviation.push_back(constant ? 0 : standardise ? std::sqrt(share * (1 - share)) : 1);
    ratio.push_back(constant ? 0 : 1 / deviation.back());
  }
}

void CoxPathSample::count_deaths() {
  n_deaths.assign(size(data->n_times) + 1, 0.0);
  dead_weight = n_deaths;
  for (std::size_t row = 0; row < dead.size(); ++row) {
    if (!(dead[row] > 0)) continue;
    n_deaths[static_cast<std::size_t>(exit[row])] += 1;
    dead_weight[static_cast<std::size_t>(exit[row])] += dead[row];
  }
  loglik_saturated = path_loglik_saturated(n_deaths, dead_weight, ties);
}

double path_loglik_saturated(std::span<const double> n_deaths, std::span<const double> dead_weight,
                             Ties ties) {
  double loglik = 0;
  for (std::size_t t = 0; t < n_deaths.size(); ++t) {
    const double d = n_deaths[t], w = dead_weight[t];
    for (double l = 0; l < d; ++l) loglik -= w / d * std::log(ties == Ties::efron ? (1 - l / d) * w : w);
  }
  return loglik;
}

PathRows CoxPathSample::rows() const {
  return {.n_rows = static_cast<Index>(weight.size()),
          .n_times = data->n_times,
          .n_strata = static_cast<Index>(data->stratum_begin.size()) - 1,
          .stratum_begin = data->stratum_begin.data(),
          .exit = exit.data(),
          .enter = enter.empty() ? nullptr : enter.data(),
          .weight = weight.data(),
          .dead = dead.data(),
          .n_deaths = n_deaths.data(),
          .dead_weight = dead_weight.data(),
          .efron = ties == Ties::efron};
}

Panels CoxPathSample::panels() const {
  return {.values = own_panels.empty() ? data->panels.data() : own_panels.data(),
          .n_panels = static_cast<Index>(weight.size()) / panel_rows,
          .n_columns = data->n_dense};
}

}  // namespace chorale::kernels
