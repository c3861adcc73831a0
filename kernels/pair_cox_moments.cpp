// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/pair_cox_moments.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>

namespace chorale::kernels {
namespace {

std::size_t size(Index n) {
  return static_cast<std::size_t>(n);
}

/// Highest degree of the moments by number of columns: 13, 45 and 120 of them.
constexpr std::array<Index, 4> highest_degree{0, 12, 8, 7};

}  // namespace

PairMoments::PairMoments(const CoxRows& rows, const EventTimes& times, const PairSlots& slots,
                         std::span<const double> expected)
    : n_columns_(rows.n_columns), n_padded_(times.n_padded()) {
  if (n_columns_ == 0 || n_columns_ >= static_cast<Index>(highest_degree.size())) return;
  const Index highest = highest_degree[size(n_columns_)];
  measure(rows, expected, highest);
  list_monomials(highest);
  sum_over_risk_sets(times, slots);
}

void PairMoments::measure(const CoxRows& rows, std::span<const double> expected, Index highest) {
  double deaths = 0;
  for (const double each : expected) deaths += each;
  norm_.assign(size((highest + 1) * n_columns_), 0);
  for (Index j = 0; j < n_columns_; ++j) {
    std::vector<double> sums(size(highest + 1), 0);
    for (Index i = 0; i < rows.n_rows; ++i) {
      const double z = std::abs(rows.columns[size(j * rows.n_rows + i)]);
      double power = expected[size(i)] * z;
      for (double& sum : sums) {
        sum += power;
        power *= z;
      }
    }
    for (Index degree = 0; degree <= highest; ++degree)
      norm_[size(degree * n_columns_ + j)] =
          std::pow(sums[size(degree)] / deaths, 1 / static_cast<double>(degree + 1));
  }
}

/// The lowest degree that leaves out less; one above the highest where none does.
Index PairMoments::degree_for(std::span<const double> shift, double left_out) const {
  const Index n_degrees = static_cast<Index>(degree_begin_.size()) - 1;
  double factorial = 1;
  for (Index degree = 2; degree < n_degrees; ++degree) {
    factorial *= static_cast<double>(degree);
    const double* norm = norm_.data() + degree * n_columns_;
    double length = 0;
    for (Index j = 0; j < n_columns_; ++j) length += std::abs(shift[size(j)]) * norm[j];
    if (*std::max_element(norm, norm + n_columns_) * std::pow(length, degree) < left_out * factorial)
      return degree;
  }
  return std::max<Index>(n_degrees, 0);
}

void PairMoments::list_monomials(Index highest) {
  using Exponents = std::vector<int>;
  std::map<Exponents, std::int32_t> found;
  std::vector<Exponents> all{Exponents(size(n_columns_), 0)};
  std::vector<Index> last_column{0};
  parent_ = column_ = {0};
  per_factorial_ = {1};
  found[all[0]] = 0;
  degree_begin_ = {0, 1};
  for (Index degree = 1; degree <= highest; ++degree) {
    for (Index m = degree_begin_[size(degree - 1)]; m < degree_begin_[size(degree)]; ++m) {
      for (Index j = last_column[size(m)]; j < n_columns_; ++j) {
        Exponents more = all[size(m)];
        per_factorial_.push_back(per_factorial_[size(m)] / ++more[size(j)]);
        found[more] = static_cast<std::int32_t>(all.size());
        all.push_back(more);
        last_column.push_back(j);
        parent_.push_back(static_cast<std::int32_t>(m));
        column_.push_back(static_cast<std::int32_t>(j));
      }
    }
    degree_begin_.push_back(static_cast<Index>(all.size()));
  }
  for (Index m = 0; m < degree_begin_[size(highest)]; ++m) {
    for (Index j = 0; j < n_columns_; ++j) {
      Exponents more = all[size(m)];
      ++more[size(j)];
      multiple_.push_back(found.at(more));
    }
  }
}

void PairMoments::sum_over_risk_sets(const EventTimes& times, const PairSlots& slots) {
  const Index n = static_cast<Index>(parent_.size());
  const SlotTable table = slots.table();
  AlignedDoubles sums = slots.room(n);
  CHORALE_AT_LEVEL(pair_cox_slot_moments, table, {parent_.data(), column_.data(), n}, sums.data());
  AlignedDoubles at_risk(size(n * n_padded_), 0), dying(at_risk);
  slots.sum_over_risk_sets(times, n, sums, {at_risk.data(), dying.data(), n_padded_});
  // padding: one patient at risk, nobody dies
  std::fill(at_risk.begin() + times.n_times(), at_risk.begin() + n_padded_, 1.0);
  moments_.resize(size(2 * n * n_padded_));
  double* to = moments_.data();
  for (Index t = 0; t < n_padded_; t += lanes) {
    for (Index from = t; from < n * n_padded_; from += n_padded_) {
      to = std::copy_n(at_risk.data() + from, lanes, to);
      to = std::copy_n(dying.data() + from, lanes, to);
    }
  }
}

std::optional<MomentSeries> PairMoments::series(std::span<const double> shift,
                                                std::vector<double>& coefficients, Index further) const {
  constexpr double left_out = 1e-12, left_out_of_dying = 1e-9;
  if (degree_begin_.empty()) return std::nullopt;
  const Index highest = static_cast<Index>(degree_begin_.size()) - 2;
  const Index enough = degree_for(shift, left_out);
  if (enough > highest) return std::nullopt;
  const Index degree = std::min(enough + further, highest);
  const Index of_dying = std::min(degree_for(shift, left_out_of_dying) + further, highest);
  const Index p = n_columns_, n_outputs = n_slot_sums(p);
  const Index n_rows = degree_begin_[size(degree + 1)];
  coefficients.assign(size(n_rows * n_outputs), 0);
  std::vector<double> power(size(n_rows), 1);
  for (Index m = 0; m < n_rows; ++m) {
    if (m > 0) power[size(m)] = power[size(parent_[size(m)])] * shift[size(column_[size(m)])];
    const double term = power[size(m)] * per_factorial_[size(m)];
    coefficients[size(m * n_outputs)] = term;
    if (m >= degree_begin_[size(degree)]) continue;
    for (Index j = 0, jk = 1 + p; j < p; ++j) {
      const Index with_j = multiple_[size(m * p + j)];
      coefficients[size(with_j * n_outputs + 1 + j)] = term;
      for (Index k = j; k < p; ++k, ++jk) {
        if (m < degree_begin_[size(degree - 1)])
          coefficients[size(multiple_[size(with_j * p + k)] * n_outputs + jk)] = term;
      }
    }
  }
  return MomentSeries{moments_.data(), static_cast<Index>(parent_.size()), n_rows,
                      degree_begin_[size(of_dying + 1)], coefficients.data()};
}

void PairMoments::add_cubes(std::span<const double> shift, std::span<const double> moment_sums,
                            std::span<const double> inverse, std::span<double> out) const {
  const Index p = n_columns_;
  const auto end =
      std::find(degree_begin_.begin(), degree_begin_.end(), static_cast<Index>(moment_sums.size()));
  const Index n_terms = *(end - 3);
  std::vector<double> power(size(n_terms), 1);
  for (Index m = 0; m < n_terms; ++m) {
    if (m > 0) power[size(m)] = power[size(parent_[size(m)])] * shift[size(column_[size(m)])];
    const auto times = [&](Index of, Index j) -> Index { return multiple_[size(of * p + j)]; };
    const double term = power[size(m)] * per_factorial_[size(m)];
    for (Index j = 0; j < p; ++j) {
      for (Index k = 0; k < p; ++k) {
        const Index with_jk = times(times(m, j), k);
        const double scaled = term * inverse[size(j * p + k)];
        for (Index l = 0; l < p; ++l) out[size(l)] += scaled * moment_sums[size(times(with_jk, l))];
      }
    }
  }
}

}  // namespace chorale::kernels
