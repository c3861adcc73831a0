// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/cox_sums.hpp"

#include <cmath>

namespace chorale::kernels {
namespace {

std::size_t size(Index n) {
  return static_cast<std::size_t>(n);
}

}  // namespace

CoxSums::CoxSums(const CoxDesign& design, std::span<const double> beta, Ties ties_)
    : rows(design.rows.get()),
      ties(ties_),
      n_times(rows->times(ties_).n_times()),
      risk(size(rows->n_rows)),
      weight_of_deaths(size(n_times), 0.0),
      first(size(n_times)),
      first_tied(first),
      second(first),
      second_tied(first),
      second_both_tied(first),
      at_risk_(size((1 + rows->n_columns) * n_times)),
      dying_(at_risk_) {
  std::vector<double> scaled(beta.size(), 0.0);
  for (std::size_t j = 0; j < beta.size(); ++j)
    if (!std::isnan(beta[j])) scaled[j] = beta[j] * rows->scale[j];
  sum_risks(scaled);
  for (std::size_t t = 0; t < size(n_times); ++t) {
    const std::int32_t begin = rows->place_begin[2 * t + 1], end = rows->place_begin[2 * t + 2];
    for (std::int32_t row = begin; row < end; ++row) weight_of_deaths[t] += weight(size(row));
    const double deaths = end - begin, mean_weight = weight_of_deaths[t] / deaths;
    for (double l = 0; l < deaths; ++l) {
      const double share = ties == Ties::efron ? l / deaths : 0;
      const double rate = 1 / (at_risk_[t] - share * dying_[t]);
      first[t] += mean_weight * rate;
      first_tied[t] += mean_weight * share * rate;
      second[t] += mean_weight * rate * rate;
      second_tied[t] += mean_weight * share * rate * rate;
      second_both_tied[t] += mean_weight * share * share * rate * rate;
    }
  }
}

void CoxSums::sum_risks(const std::vector<double>& beta) {
  const RiskTable sums{at_risk_.data(), dying_.data(), n_times};
  const double* centre = rows->times(ties).table().centre;
  const auto n_chunks = static_cast<Index>(rows->chunk_begin.size()) - 1;
#pragma omp parallel for schedule(dynamic) if (n_chunks > 1)
  for (Index c = 0; c < n_chunks; ++c) {
    const Index from = rows->chunk_begin[size(c)], past = rows->chunk_begin[size(c + 1)];
    CHORALE_AT_LEVEL(cox_risks, rows->table(), rows->offset.empty() ? nullptr : rows->offset.data(),
                     rows->weight.empty() ? nullptr : rows->weight.data(), beta.data(),
                     Index{rows->place_begin[size(2 * from)]}, Index{rows->place_begin[size(2 * past)]},
                     risk.data());
    CHORALE_AT_LEVEL(cox_place_sums, rows->table(), rows->place_begin.data(), centre, risk.data(), from, past,
                     sums);
  }
  const auto strata = rows->times(ties).stratum_begin();
  for (Index j = 0; j <= rows->n_columns; ++j) {
    double* of_column = at_risk_.data() + j * n_times;
    const double* x = j == 0 ? nullptr : rows->columns.data() + (j - 1) * rows->n_rows;
    for (std::size_t row = 0; row < rows->enters.size(); ++row) {
      const std::int32_t before = rows->enters[row];
      if (before < n_times) of_column[before] -= risk[row] * (x == nullptr ? 1 : x[row]);
    }
    for (std::size_t s = 0; s + 1 < strata.size(); ++s) {
      for (Index t = strata[s + 1] - 2; t >= strata[s]; --t) of_column[t] += of_column[t + 1];
    }
  }
}

void CoxSums::accumulate(std::span<double> per_time) const {
  const auto strata = rows->times(ties).stratum_begin();
  for (std::size_t s = 0; s + 1 < strata.size(); ++s) {
    for (Index t = strata[s] + 1; t < strata[s + 1]; ++t) per_time[size(t)] += per_time[size(t - 1)];
  }
}

double CoxSums::gathered(std::size_t row, std::span<const double> sums, std::span<const double> own) const {
  const std::size_t t = time_of(row);
  double total = sums[t] - (died(row) ? own[t] : 0);
  if (!rows->enters.empty() && rows->enters[row] < n_times) total -= sums[size(rows->enters[row])];
  return total;
}

}  // namespace chorale::kernels
