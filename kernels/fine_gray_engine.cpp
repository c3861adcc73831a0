// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/fine_gray_engine.hpp"

#include <cmath>
#include <limits>

namespace chorale::kernels {
namespace {

std::size_t size(Index n) {
  return static_cast<std::size_t>(n);
}

}  // namespace

FineGrayEngine::FineGrayEngine(const FineGrayRows& rows)
    : rows_(rows),
      n_places_(rows.n_times() * rows.n_groups),
      risk_(size(rows.n_rows)),
      factor_(size(rows.n_rows)),
      centre_(size(n_places_), 1),
      alone_(size((1 + rows.n_columns) * n_places_), 0),
      others_(alone_),
      sums_(size((1 + rows.n_columns) * rows.n_times()), 0),
      hazard_(size(n_places_), 0),
      spared_(hazard_),
      increment_(size(rows.n_times()), 0),
      chunk_products_(rows.chunk_begin.size() * size(rows.n_columns * (rows.n_columns + 1) / 2)),
      time_products_(size(rows.n_columns * (rows.n_columns + 1) / 2)),
      gradient_(Eigen::VectorXd::Zero(rows.n_columns)),
      information_(Eigen::MatrixXd::Zero(rows.n_columns, rows.n_columns)) {
  for (const double uncensored : rows.uncensored) inverse_.push_back(uncensored > 0 ? 1 / uncensored : 0);
}

void FineGrayEngine::sum_risks(const Eigen::VectorXd& beta) {
  const ColumnTable columns = rows_.table();
  const RiskTable sums{alone_.data(), others_.data(), n_places_};
  const double* offset = rows_.offset.empty() ? nullptr : rows_.offset.data();
  const double* weight = rows_.weight.empty() ? nullptr : rows_.weight.data();
  const auto n_chunks = static_cast<Index>(rows_.chunk_begin.size()) - 1;
#pragma omp parallel for schedule(dynamic) if (n_chunks > 1)
  for (Index c = 0; c < n_chunks; ++c) {
    const Index from = rows_.chunk_begin[size(c)], past = rows_.chunk_begin[size(c + 1)];
    const Index begin = rows_.place_begin[size(2 * from)], end = rows_.place_begin[size(2 * past)];
    CHORALE_AT_LEVEL(cox_risks, columns, offset, weight, beta.data(), begin, end, risk_.data());
    CHORALE_AT_LEVEL(cox_place_sums, columns, rows_.place_begin.data(), centre_.data(), risk_.data(), from,
                     past, sums);
  }
}

void FineGrayEngine::subtract_late() {
  for (std::size_t row = 0; row < rows_.enters.size(); ++row) {
    const Index before = rows_.enters[row];
    if (before >= n_places_) continue;
    alone_[size(before)] -= risk_[row];
    for (Index j = 0; j < rows_.n_columns; ++j) {
      alone_[size((1 + j) * n_places_ + before)] -= risk_[row] * rows_.columns[size(j * rows_.n_rows) + row];
    }
  }
}

/// Rows first … first + count - 1 of the sums side by side: chains of additions that do not wait for each other.
template <int count>
void FineGrayEngine::sum_over_time(Index first) {
  const Index n_groups = rows_.n_groups, n_times = rows_.n_times();
  const double* alone = alone_.data() + first * n_places_;
  const double* others = others_.data() + first * n_places_;
  double* sums = sums_.data() + first * n_times;
  std::vector<double> waiting(size(count * n_groups));  // Σ_{other cause, time < t} w e^η z / G(time-)
  for (std::size_t s = 0; s + 1 < rows_.stratum_begin.size(); ++s) {
    double later[count] = {};
    for (Index k = rows_.stratum_begin[s + 1] - 1; k >= rows_.stratum_begin[s]; --k) {
      for (Index j = 0; j < count; ++j) {
        for (Index g = 0; g < n_groups; ++g) later[j] += alone[j * n_places_ + k * n_groups + g];
        sums[j * n_times + k] = later[j];
      }
    }
    std::fill(waiting.begin(), waiting.end(), 0.0);
    for (Index k = rows_.stratum_begin[s]; k < rows_.stratum_begin[s + 1]; ++k) {
      for (Index g = 0; g < n_groups; ++g) {
        const Index place = k * n_groups + g;
        const double uncensored = rows_.uncensored[size(place)], inverse = inverse_[size(place)];
        double* of_group = waiting.data() + g * count;
        for (Index j = 0; j < count; ++j) {
          sums[j * n_times + k] += uncensored * of_group[j];
          of_group[j] += others[j * n_places_ + place] * inverse;
        }
      }
    }
  }
}

void FineGrayEngine::sum_over_time() {
  constexpr int together = 4;
  Index j = 0;
  for (; j + together <= 1 + rows_.n_columns; j += together) sum_over_time<together>(j);
  for (; j <= rows_.n_columns; ++j) sum_over_time<1>(j);
}

void FineGrayEngine::add_products() {
  const Index n_groups = rows_.n_groups, p = rows_.n_columns;
  for (std::size_t s = 0; s + 1 < rows_.stratum_begin.size(); ++s) {
    double sum = 0;
    for (Index k = rows_.stratum_begin[s]; k < rows_.stratum_begin[s + 1]; ++k) {
      sum += increment_[size(k)];
      for (Index g = 0; g < n_groups; ++g) hazard_[size(k * n_groups + g)] = sum;
    }
    for (Index g = 0; g < n_groups; ++g) {
      double later = 0;  // Σ_{t > time} dΛ G(t-)
      for (Index k = rows_.stratum_begin[s + 1] - 1; k >= rows_.stratum_begin[s]; --k) {
        const std::size_t at = size(k * n_groups + g);
        const double uncensored = rows_.uncensored[at];
        spared_[at] = -later * inverse_[at];
        later += increment_[size(k)] * uncensored;
      }
    }
  }
  const ColumnTable columns = rows_.table();
  const std::int32_t* enters = rows_.enters.empty() ? nullptr : rows_.enters.data();
  const Index n_products = p * (p + 1) / 2;
  const auto n_chunks = static_cast<Index>(rows_.chunk_begin.size()) - 1;
#pragma omp parallel for schedule(dynamic) if (n_chunks > 1)
  for (Index c = 0; c < n_chunks; ++c) {
    const Index from = rows_.chunk_begin[size(c)], past = rows_.chunk_begin[size(c + 1)];
    CHORALE_AT_LEVEL(cox_factors, rows_.place_begin.data(), enters, n_places_, risk_.data(), hazard_.data(),
                     spared_.data(), from, past, factor_.data());
    CHORALE_AT_LEVEL(cox_products, columns, factor_.data(), Index{rows_.place_begin[size(2 * from)]},
                     Index{rows_.place_begin[size(2 * past)]}, chunk_products_.data() + c * n_products);
  }
  std::vector<double> per_square(size(rows_.n_times()), 0);
  for (std::size_t k = 0; k < per_square.size(); ++k) {
    if (increment_[k] > 0) per_square[k] = increment_[k] / sums_[k];
  }
  const ColumnTable means{sums_.data() + rows_.n_times(), rows_.n_times(), p};
  CHORALE_AT_LEVEL(cox_products, means, per_square.data(), Index{0}, rows_.n_times(), time_products_.data());

  information_.setZero();
  for (Index c = 0; c <= n_chunks; ++c) {
    if (c == n_chunks) squares_ = information_.diagonal();
    const double* product = c < n_chunks ? chunk_products_.data() + c * n_products : time_products_.data();
    const double sign = c < n_chunks ? 1 : -1;
    for (Index j = 0; j < p; ++j) {
      for (Index k = j; k < p; ++k) information_(j, k) += sign * *product++;
    }
  }
  information_.triangularView<Eigen::StrictlyLower>() = information_.transpose();
}

double FineGrayEngine::evaluate(const Eigen::VectorXd& beta) {
  sum_risks(beta);
  subtract_late();
  sum_over_time();
  double loglik = rows_.offset_of_deaths;
  for (Index k = 0; k < rows_.n_times(); ++k) {
    const double deaths = rows_.deaths[size(k)];
    increment_[size(k)] = deaths > 0 ? deaths / sums_[size(k)] : 0;
    if (deaths == 0) continue;
    // its square has to be a number too
    if (!(sums_[size(k)] > 1e-150 && sums_[size(k)] < 1e150)) return -std::numeric_limits<double>::infinity();
    loglik -= deaths * std::log(sums_[size(k)]);
  }
  for (Index j = 0; j < rows_.n_columns; ++j) {
    const double* sums = sums_.data() + (1 + j) * rows_.n_times();
    double expected = 0;
    for (Index k = 0; k < rows_.n_times(); ++k) expected += increment_[size(k)] * sums[k];
    loglik += beta(j) * rows_.columns_of_deaths[size(j)];
    gradient_(j) = rows_.columns_of_deaths[size(j)] - expected;
  }
  add_products();
  return loglik;
}

}  // namespace chorale::kernels
