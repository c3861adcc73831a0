// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/cox_time_rows.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

namespace chorale::kernels {
namespace {

std::size_t size(Index n) {
  return static_cast<std::size_t>(n);
}

/// For each row its place among the distinct times, where one that is tied to its predecessor shares its place.
std::vector<std::int32_t> snapped(const CoxTimeBlock& block, double tied) {
  std::vector<std::int32_t> place_of(block.distinct.size(), 0);
  for (std::size_t k = 1; k < place_of.size(); ++k)
    place_of[k] = place_of[k - 1] + (block.distinct[k] - block.distinct[k - 1] > tied ? 1 : 0);
  std::vector<std::int32_t> place;
  place.reserve(block.time.size());
  for (const double time : block.time)
    place.push_back(place_of[static_cast<std::size_t>(
        std::lower_bound(block.distinct.begin(), block.distinct.end(), time) - block.distinct.begin())]);
  return place;
}

}  // namespace

CoxTimeRows::CoxTimeRows(CoxTimeBlock& block, double tied, Ties ties, Index n_strata)
    : n_rows_(block.n_rows()),
      n_columns_(block.n_columns),
      n_strata_(n_strata),
      ties_(ties),
      columns_(std::move(block.columns)),
      weight_(block.weight.begin(), block.weight.end()),
      risk_(size(n_rows_)),
      factor_(size(n_rows_)),
      columns_of_deaths_(size(n_columns_), 0),
      terms_(size(n_terms(n_columns_))),
      products_(size(n_columns_ * (n_columns_ + 1) / 2)) {
  order(block, tied);
  block = CoxTimeBlock({}, {});
  at_risk_.resize(size((1 + n_columns_) * n_places()));
  dying_.resize(at_risk_.size());
  hazard_.resize(deaths_.size());
  spared_.resize(deaths_.size());
}

void CoxTimeRows::order(CoxTimeBlock& block, double tied) {
  const std::vector<std::int32_t> time = snapped(block, tied);
  std::vector<std::int32_t> rows(time.size());
  std::iota(rows.begin(), rows.end(), 0);
  const auto key = [&](std::int32_t row) { return std::pair(block.stratum[size(row)], time[size(row)]); };
  std::stable_sort(rows.begin(), rows.end(), [&](std::int32_t a, std::int32_t b) { return key(a) < key(b); });

  // places: 2t for who leaves, 2t + 1 for who dies
  std::vector<std::int32_t> place(time.size());
  for (std::size_t from = 0, past = 0; from < rows.size(); from = past) {
    bool dies = false;
    for (; past < rows.size() && key(rows[past]) == key(rows[from]); ++past)
      dies |= block.event[size(rows[past])] != 0;
    const std::int32_t code = block.stratum[size(rows[from])];
    if (strata_.empty() || strata_.back().code != code) {
      strata_.push_back({.code = code, .begin = n_places(), .end = n_places()});
      deaths_.push_back(0);
      weight_of_deaths_.push_back(0);
    }
    if (dies) {
      deaths_.push_back(0);
      weight_of_deaths_.push_back(0);
    }
    strata_.back().end = n_places();
    for (std::size_t k = from; k < past; ++k) {
      const std::size_t row = size(rows[k]);
      const bool died = block.event[row] != 0;
      place[row] = static_cast<std::int32_t>(2 * (n_places() - 1) + (died ? 1 : 0));
      if (!died) continue;
      deaths_.back() += 1;
      weight_of_deaths_.back() += weight_.empty() ? 1 : weight_[row];
    }
  }
  place_begin_.assign(2 * deaths_.size() + 1, 0);
  for (const std::int32_t at : place) ++place_begin_[size(at) + 1];
  std::partial_sum(place_begin_.begin(), place_begin_.end(), place_begin_.begin());
  std::vector<std::int32_t> next = place_begin_;
  for (std::size_t row = 0; row < place.size(); ++row)
    rows[size(next[size(place[row])]++)] = static_cast<std::int32_t>(row);
  for (const double d : deaths_) centre_.push_back(ties_ == Ties::efron && d > 1 ? (d - 1) / (2 * d) : 0);

  AlignedDoubles before(rows.size());
  const auto arrange = [&](double* values) {
    std::copy(values, values + n_rows_, before.begin());
    for (std::size_t k = 0; k < rows.size(); ++k) values[k] = before[size(rows[k])];
  };
  if (!weight_.empty()) arrange(weight_.data());
  for (Index j = 0; j < n_columns_; ++j) {
    double* column = columns_.data() + j * n_rows_;
    arrange(column);
    for (Index t = 0; t < n_places(); ++t)
      for (auto row = place_begin_[size(2 * t + 1)]; row < place_begin_[size(2 * t + 2)]; ++row)
        columns_of_deaths_[size(j)] += column[row] * (weight_.empty() ? 1 : weight_[size(row)]);
  }
}

void CoxTimeRows::sum_risks(const double* beta, double* sums) {
  std::fill(terms_.begin(), terms_.end(), 0.0);
  for (Index j = 0; j < n_columns_; ++j) {
    terms_[0] += beta[j] * columns_of_deaths_[size(j)];
    terms_[size(1 + j)] = columns_of_deaths_[size(j)];
  }
  std::fill(sums, sums + n_strata_ * (1 + n_columns_), 0.0);
  const ColumnTable columns = table();
  const double* weight = weight_.empty() ? nullptr : weight_.data();
  CHORALE_AT_LEVEL(cox_risks, columns, nullptr, weight, beta, Index{0}, n_rows_, risk_.data());
  const RiskTable table{at_risk_.data(), dying_.data(), n_places()};
  CHORALE_AT_LEVEL(cox_place_sums, columns, place_begin_.data(), centre_.data(), risk_.data(), Index{0},
                   n_places(), table);
  for (const Stratum& stratum : strata_)
    for (Index row = 0; row < 1 + n_columns_; ++row)
      for (Index t = stratum.begin; t < stratum.end; ++t)
        sums[stratum.code * (1 + n_columns_) + row] += at_risk_[size(row * n_places() + t)];
}

/// With a_l = (W/d) / (S0 − f_l D0), f_l = l/d: first = Σ a_l, second = Σ a_l² d/W, and the same with f_l, f_l².
void CoxTimeRows::add_time(Index t, const double* at_risk, double weight) {
  constexpr double largest = 1e150;
  if (!(at_risk[0] < largest && at_risk[0] > 1 / largest)) {
    terms_[0] = -std::numeric_limits<double>::infinity();
    return;
  }
  const bool tied = centre_[size(t)] > 0;
  const double n = tied ? deaths_[size(t)] : 1, dying = dying_[size(t)];
  double first = 0, first_tied = 0, second = 0, second_tied = 0, second_both = 0;
  for (double l = 0; l < n; ++l) {
    const double f = l / n, left = at_risk[0] - f * dying, a = weight / n / left;
    terms_[0] -= weight / n * std::log(left);
    first += a;
    first_tied += f * a;
    second += a / left;
    second_tied += f * a / left;
    second_both += f * f * a / left;
  }
  hazard_[size(t)] = first;
  spared_[size(t)] = first_tied;
  double* product = terms_.data() + 1 + n_columns_;
  for (Index j = 1; j <= n_columns_; ++j) {
    const double s = at_risk[j], d = dying_[size(j * n_places() + t)];
    terms_[size(j)] -= first * s - first_tied * d;
    for (Index k = j; k <= n_columns_; ++k) {
      const double other = at_risk[k], other_dying = dying_[size(k * n_places() + t)];
      *product++ -=
          second * s * other - second_tied * (s * other_dying + d * other) + second_both * d * other_dying;
    }
  }
}

void CoxTimeRows::walk_back(const double* later, double* hazards) {
  std::fill(hazards, hazards + n_strata_, 0.0);
  std::vector<double> at_risk(size(1 + n_columns_));
  for (const Stratum& stratum : strata_) {
    std::copy_n(later + stratum.code * (1 + n_columns_), 1 + n_columns_, at_risk.begin());
    for (Index t = stratum.end - 1; t >= stratum.begin; --t) {
      for (Index row = 0; row <= n_columns_; ++row)
        at_risk[size(row)] += at_risk_[size(row * n_places() + t)];
      hazard_[size(t)] = spared_[size(t)] = 0;
      if (deaths_[size(t)] > 0) add_time(t, at_risk.data(), weight_of_deaths_[size(t)]);
    }
    for (Index t = stratum.begin; t < stratum.end; ++t) hazards[stratum.code] += hazard_[size(t)];
  }
}

void CoxTimeRows::gather(const double* earlier) {
  for (const Stratum& stratum : strata_) {
    double sum = earlier[stratum.code];
    for (Index t = stratum.begin; t < stratum.end; ++t) hazard_[size(t)] = sum += hazard_[size(t)];
  }
  CHORALE_AT_LEVEL(cox_factors, place_begin_.data(), nullptr, n_places(), risk_.data(), hazard_.data(),
                   spared_.data(), Index{0}, n_places(), factor_.data());
  const ColumnTable columns = table();
  CHORALE_AT_LEVEL(cox_products, columns, factor_.data(), Index{0}, n_rows_, products_.data());
  double* information = terms_.data() + 1 + n_columns_;
  double* squares = information + n_columns_ * (n_columns_ + 1) / 2;
  const double* product = products_.data();
  for (Index j = 0; j < n_columns_; ++j) {
    *squares++ = *product;
    for (Index k = j; k < n_columns_; ++k) *information++ += *product++;
  }
}

}  // namespace chorale::kernels
