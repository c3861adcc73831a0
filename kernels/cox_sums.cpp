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
      second_both_tied(first) {
  std::vector<double> scaled(beta.size(), 0.0);
  for (std::size_t j = 0; j < beta.size(); ++j)
    if (!std::isnan(beta[j])) scaled[j] = beta[j] * rows->scale[j];
  CHORALE_AT_LEVEL(cox_risks, rows->table(), rows->offset.empty() ? nullptr : rows->offset.data(),
                   rows->weight.empty() ? nullptr : rows->weight.data(), scaled.data(), Index{0},
                   rows->n_rows, risk.data());
  std::vector<double> at_risk(size(n_times)), dying(size(n_times));
  sum(nullptr, at_risk, dying);
  for (std::size_t t = 0; t < size(n_times); ++t) {
    const std::int32_t begin = rows->place_begin[2 * t + 1], end = rows->place_begin[2 * t + 2];
    for (std::int32_t row = begin; row < end; ++row) weight_of_deaths[t] += weight(size(row));
    const double deaths = end - begin, mean_weight = weight_of_deaths[t] / deaths;
    for (double l = 0; l < deaths; ++l) {
      const double share = ties == Ties::efron ? l / deaths : 0;
      const double rate = 1 / (at_risk[t] - share * dying[t]);
      first[t] += mean_weight * rate;
      first_tied[t] += mean_weight * share * rate;
      second[t] += mean_weight * rate * rate;
      second_tied[t] += mean_weight * share * rate * rate;
      second_both_tied[t] += mean_weight * share * share * rate * rate;
    }
  }
}

void CoxSums::sum(const double* value, std::span<double> at_risk, std::span<double> dying) const {
  const auto term = [&](std::int32_t row) { return risk[size(row)] * (value == nullptr ? 1 : value[row]); };
  for (std::size_t t = 0; t < at_risk.size(); ++t) {
    double alive = 0;
    dying[t] = 0;
    for (std::int32_t row = rows->place_begin[2 * t]; row < rows->place_begin[2 * t + 1]; ++row)
      alive += term(row);
    for (std::int32_t row = rows->place_begin[2 * t + 1]; row < rows->place_begin[2 * t + 2]; ++row)
      dying[t] += term(row);
    at_risk[t] = alive + dying[t];
  }
  for (std::int32_t row = 0; !rows->enters.empty() && row < rows->n_rows; ++row) {
    const std::int32_t before = rows->enters[size(row)];
    if (before < n_times) at_risk[size(before)] -= term(row);
  }
  const auto strata = rows->times(ties).stratum_begin();
  for (std::size_t s = 0; s + 1 < strata.size(); ++s) {
    for (Index t = strata[s + 1] - 2; t >= strata[s]; --t) at_risk[size(t)] += at_risk[size(t + 1)];
  }
}

void CoxSums::of_column(Index j, std::span<double> at_risk, std::span<double> dying) const {
  sum(rows->columns.data() + j * rows->n_rows, at_risk, dying);
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
