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

/// Highest degree of the moments by number of columns: 13, 66 and 120 of them.
constexpr std::array<Index, 4> highest_degree{0, 12, 10, 7};

}  // namespace

PairMoments::PairMoments(const CoxRows& rows, const EventTimes& times, const PairSlots& slots)
    : n_columns_(rows.n_columns), n_padded_(times.n_padded()) {
  if (n_columns_ == 0 || n_columns_ >= static_cast<Index>(highest_degree.size())) return;
  for (Index j = 0; j < n_columns_; ++j) {
    double farthest = 0;
    for (Index i = 0; i < rows.n_rows; ++i)
      farthest = std::max(farthest, std::abs(rows.columns[size(j * rows.n_rows + i)]));
    farthest_.push_back(farthest);
  }
  // z e^x needs x^k/k! up to k = degree − 1
  constexpr double left_out = 1e-12;
  double factorial = 1;
  for (Index degree = 0; degree <= highest_degree[size(n_columns_)]; ++degree) {
    if (degree > 0) factorial *= static_cast<double>(degree);
    reach_.push_back(degree < 2 ? 0 : std::pow(factorial * left_out, 1 / static_cast<double>(degree)));
  }
  list_monomials(highest_degree[size(n_columns_)]);
  sum_over_risk_sets(times, slots);
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
  const Index n_rows = n_slot_sums(n_columns_), n_monomials = static_cast<Index>(parent_.size());
  const Index n_groups = (n_monomials + n_rows - 1) / n_rows;
  at_risk_.assign(size(n_groups * n_rows * n_padded_), 0);
  dying_ = at_risk_;
  std::fill(at_risk_.begin() + times.n_times(), at_risk_.begin() + n_padded_, 1.0);
  AlignedDoubles sums(size(slots.n_sums() + n_rows * lanes), 0);
  for (Index g = 0; g < n_groups; ++g) {
    const MonomialGroup group{parent_.data(), column_.data(), g * n_rows,
                              std::min((g + 1) * n_rows, n_monomials)};
    const SlotTable table = slots.table();
    std::fill(sums.begin(), sums.end(), 0.0);
    CHORALE_AT_LEVEL(pair_cox_slot_moments, table, group, n_rows, sums.data());
    slots.sum_over_risk_sets(
        times, sums,
        {at_risk_.data() + g * n_rows * n_padded_, dying_.data() + g * n_rows * n_padded_, n_padded_});
  }
}

std::optional<MomentSeries> PairMoments::series(const Eigen::VectorXd& shift,
                                                std::vector<double>& coefficients) const {
  double farthest = 0;
  for (std::size_t j = 0; j < farthest_.size(); ++j)
    farthest += std::abs(shift(static_cast<Index>(j))) * farthest_[j];
  const auto enough =
      std::find_if(reach_.begin(), reach_.end(), [&](double reach) { return farthest < reach; });
  if (enough == reach_.end()) return std::nullopt;
  const Index degree = enough - reach_.begin(), p = n_columns_, n_outputs = n_slot_sums(p);
  const Index n_rows = degree_begin_[size(degree + 1)];
  coefficients.assign(size(n_rows * n_outputs), 0);
  std::vector<double> power(size(n_rows), 1);
  for (Index m = 0; m < n_rows; ++m) {
    if (m > 0) power[size(m)] = power[size(parent_[size(m)])] * shift(column_[size(m)]);
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
  return MomentSeries{{at_risk_.data(), dying_.data(), n_padded_}, n_rows, coefficients.data()};
}

}  // namespace chorale::kernels
