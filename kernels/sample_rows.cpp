// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/sample_rows.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "kernels/cox_body.hpp"
#include "kernels/error.hpp"
#include "kernels/risk_sums_body.hpp"

namespace chorale::kernels {
namespace {

std::size_t size(Index n) {
  return static_cast<std::size_t>(n);
}

}  // namespace

void SampleRows::take(const RiskOrder& order, std::span<const double> of_patient, Ties ties) {
  if (order.late_entries) {
    throw ShapeError({.what = "samples in rows are those of patients observed from the start",
                      .found = "late entries",
                      .expected = "none"});
  }
  row_weights(order, of_patient, weight);
  const auto n_rows = weight.size(), n_slots = size(order.n_slots);
  from_.resize(n_rows);
  count_.resize(n_rows);
  n_dying_.assign(n_slots, 0.0);
  deaths.assign(n_slots, 0.0);
  censored.before.resize(n_slots);
  censored.after_deaths.resize(n_slots);
  censored.survival.clear();
  total = 0;
  n_analysed = n_events = 0;
  for (Index s = 0; s < order.n_strata; ++s) take_stratum(order, s);

  of_death.assign(n_rows, 0.0);
  for (std::size_t k = 0; k < order.death_row.size(); ++k) {
    const double known = censored.before[size(order.death_slot[k])];
    const auto row = size(order.death_row[k]);
    of_death[row] = known > 0 ? weight[row] / known : 0;
  }
  share_ties(order, ties);
  whole.resize(total < 2147483648.0 ? n_rows : 0);
  if (!CHORALE_AT_LEVEL(whole_numbers, weight.data(), static_cast<Index>(whole.size()), whole.data()))
    whole.clear();
}

void SampleRows::take_stratum(const RiskOrder& order, Index stratum) {
  const Index begin = order.slot_begin[size(stratum)], past = order.slot_begin[size(stratum + 1)];
  const auto first_row = size(order.row_begin[size(2 * begin)]), end = size(order.row_begin[size(2 * past)]);
  if (first_row < end) {
    CHORALE_AT_LEVEL(weight_sums, weight.data(), static_cast<Index>(first_row), static_cast<Index>(end),
                     from_.data(), count_.data());
    total += from_[first_row];
    n_analysed += static_cast<Index>(count_[first_row]);
  }
  const auto at = [&](const std::vector<double>& sums, std::size_t row) { return row < end ? sums[row] : 0; };
  double known = 1;
  for (Index slot = begin; slot < past; ++slot) {
    const auto t = size(slot);
    const auto alive = size(order.row_begin[2 * t]), dying = size(order.row_begin[2 * t + 1]),
               next = size(order.row_begin[2 * t + 2]);
    const double left_later = at(from_, next);
    deaths[t] = at(from_, dying) - left_later;
    n_dying_[t] = at(count_, dying) - at(count_, next);
    n_events += static_cast<Index>(n_dying_[t]);
    const double left = at(from_, alive) - deaths[t];
    censored.after_deaths[t] = left;
    censored.before[t] = known;
    known *= left > 0 ? left_later / left : 1;
  }
}

void SampleRows::share_ties(const RiskOrder& order, Ties ties) {
  first = deaths;
  const std::size_t n_later = ties == Ties::efron ? order.tied_slot.size() : 0;
  later.share.resize(n_later);
  later.weight.resize(n_later);
  if (ties == Ties::breslow) return;
  for (std::size_t t = 0; t < first.size(); ++t) first[t] /= std::max(n_dying_[t], 1.0);
  CHORALE_AT_LEVEL(share_ties, order.tied_slot.data(), order.tied_place.data(), static_cast<Index>(n_later),
                   first.data(), n_dying_.data(), later.share.data(), later.weight.data());
}

bool PredictionRows::take(const RiskOrder& order, std::span<const double> linear_predictor) {
  row_values(order, linear_predictor, value);
  bool known = true;
  for (const double eta : value) known &= !std::isnan(eta);
  if (!known) return false;
  rank.resize(value.size());
  n_ranks = ranks_.rank(value, rank);
  return true;
}

void PredictionRows::centre_at(double centre) {
  centred.resize(value.size());
  risk.resize(value.size());
  for (std::size_t row = 0; row < value.size(); ++row) centred[row] = value[row] - centre;
  CHORALE_AT_LEVEL(cox_risks, ColumnTable{nullptr, 0, 0}, centred.data(), nullptr, nullptr, Index{0},
                   static_cast<Index>(value.size()), risk.data());
}

double mean_prediction(const PredictionRows& prediction, const SampleRows& sample) {
  double sum[4] = {0, 0, 0, 0};  // chains of additions that do not wait for each other
  for (std::size_t row = 0; row < prediction.value.size(); ++row)
    sum[row % 4] += sample.weight[row] * prediction.value[row];
  return sample.total > 0 ? (sum[0] + sum[1] + (sum[2] + sum[3])) / sample.total : 0;
}

}  // namespace chorale::kernels
