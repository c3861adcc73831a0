// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/cox_engine.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace chorale::kernels {
namespace {

std::size_t size(Index n) {
  return static_cast<std::size_t>(n);
}

}  // namespace

CoxEngine::CoxEngine(const CoxRows& rows, Ties ties, bool with_feature)
    : rows_(rows),
      times_(rows.times(ties)),
      table_(times_.table()),
      with_feature_(with_feature),
      n_padded_(times_.n_padded()),
      risk_(size(rows.n_rows)),
      factor_(size(rows.n_rows)),
      at_risk_(size((1 + n_coefficients()) * n_padded_), 0),
      dying_(at_risk_),
      terms_(size(5 * n_padded_), 0),
      hazard_(size(n_padded_), 0),
      spared_(hazard_),
      time_products_(size((n_coefficients() + 1) * n_coefficients() / 2)),
      chunk_products_(
          size(static_cast<Index>(rows.chunk_begin.size()) * rows.n_columns * (rows.n_columns + 1) / 2)),
      time_gradient_(size(n_coefficients())),
      gradient_(Eigen::VectorXd::Zero(n_coefficients())),
      squares_(Eigen::VectorXd::Zero(n_coefficients())),
      information_(Eigen::MatrixXd::Zero(n_coefficients(), n_coefficients())) {
  // padding: one patient at risk, nobody dies
  std::fill(at_risk_.begin() + times_.n_times(), at_risk_.begin() + n_padded_, 1.0);
}

void CoxEngine::set_carriers(std::vector<std::int32_t> rows) {
  carriers_ = std::move(rows);
  deaths_of_carriers_ = 0;
  for (const std::int32_t row : carriers_) {
    if (rows_.place_of[size(row)] % 2 == 0) continue;
    deaths_of_carriers_ += rows_.weight.empty() ? 1 : rows_.weight[size(row)];
  }
}

void CoxEngine::sum_risks(const Eigen::VectorXd& beta) {
  const ColumnTable columns = rows_.table();
  const RiskTable sums{at_risk_.data(), dying_.data(), n_padded_};
  const double hazard_ratio = with_feature_ ? std::exp(beta(rows_.n_columns)) : 1;
  const double* offset = rows_.offset.empty() ? nullptr : rows_.offset.data();
  const double* weight = rows_.weight.empty() ? nullptr : rows_.weight.data();
  const auto n_chunks = static_cast<Index>(rows_.chunk_begin.size()) - 1;
#pragma omp parallel for schedule(dynamic) if (n_chunks > 1)
  for (Index c = 0; c < n_chunks; ++c) {
    const Index from = rows_.chunk_begin[size(c)], past = rows_.chunk_begin[size(c + 1)];
    const std::int32_t begin = rows_.place_begin[size(2 * from)], end = rows_.place_begin[size(2 * past)];
    CHORALE_AT_LEVEL(cox_risks, columns, offset, weight, beta.data(), begin, end, risk_.data());
    for (auto row = std::lower_bound(carriers_.begin(), carriers_.end(), begin);
         row != carriers_.end() && *row < end; ++row) {
      risk_[size(*row)] *= hazard_ratio;
    }
    CHORALE_AT_LEVEL(cox_place_sums, columns, rows_.place_begin.data(), table_.centre, risk_.data(), from,
                     past, sums);
  }
}

void CoxEngine::sum_feature(const double* risk) {
  double* at_risk = at_risk_.data() + (1 + rows_.n_columns) * n_padded_;
  double* dying = dying_.data() + (1 + rows_.n_columns) * n_padded_;
  std::fill(at_risk, at_risk + n_padded_, 0.0);
  std::fill(dying, dying + n_padded_, 0.0);
  for (const std::int32_t row : carriers_) {
    const std::int32_t place = rows_.place_of[size(row)];
    const Index t = place / 2;
    at_risk[t] += risk[row];
    if (place % 2 == 1 && table_.centre[t] > 0) dying[t] += risk[row];
    if (!rows_.enters.empty() && rows_.enters[size(row)] < times_.n_times()) {
      at_risk[rows_.enters[size(row)]] -= risk[row];
    }
  }
}

void CoxEngine::subtract_late() {
  for (Index row = 0; row < rows_.n_rows; ++row) {
    const std::int32_t before = rows_.enters[size(row)];
    if (before >= times_.n_times()) continue;
    at_risk_[size(before)] -= risk_[size(row)];
    for (Index j = 0; j < rows_.n_columns; ++j) {
      at_risk_[size((1 + j) * n_padded_ + before)] -=
          risk_[size(row)] * rows_.columns[size(j * rows_.n_rows + row)];
    }
  }
}

void CoxEngine::sum_over_later_times(Index row) {
  const auto strata = times_.stratum_begin();
  double* at_risk = at_risk_.data() + row * n_padded_;
  const double* dying = dying_.data() + row * n_padded_;
  for (std::size_t s = 0; s + 1 < strata.size(); ++s) {
    double sum = 0;
    for (Index t = strata[s + 1] - 1; t >= strata[s]; --t) {
      sum += at_risk[t];
      at_risk[t] = sum - table_.centre[t] * dying[t];
    }
  }
}

void CoxEngine::add_products() {
  const double* first = terms_.data();
  const double* first_tied = first + n_padded_;
  const auto strata = times_.stratum_begin();
  for (std::size_t s = 0; s + 1 < strata.size(); ++s) {
    double sum = 0;
    for (Index t = strata[s]; t < strata[s + 1]; ++t) {
      hazard_[size(t)] = sum += first[t];
      spared_[size(t)] = table_.centre[t] * first[t] + first_tied[t];
    }
  }
  if (cancelled_) gather_without_cancelling();
  const std::int32_t* enters = rows_.enters.empty() ? nullptr : rows_.enters.data();
  const ColumnTable columns = rows_.table();
  const Index n_products = rows_.n_columns * (rows_.n_columns + 1) / 2;
  const auto n_chunks = static_cast<Index>(rows_.chunk_begin.size()) - 1;
#pragma omp parallel for schedule(dynamic) if (n_chunks > 1)
  for (Index c = 0; c < n_chunks; ++c) {
    const Index from = rows_.chunk_begin[size(c)], past = rows_.chunk_begin[size(c + 1)];
    if (!cancelled_)
      CHORALE_AT_LEVEL(cox_factors, rows_.place_begin.data(), enters, times_.n_times(), risk_.data(),
                       hazard_.data(), spared_.data(), from, past, factor_.data());
    CHORALE_AT_LEVEL(cox_products, columns, factor_.data(), Index{rows_.place_begin[size(2 * from)]},
                     Index{rows_.place_begin[size(2 * past)]}, chunk_products_.data() + c * n_products);
  }

  const Index p = rows_.n_columns, q = n_coefficients();
  information_.setZero();
  for (Index c = 0; c < n_chunks; ++c) {
    const double* product = chunk_products_.data() + c * n_products;
    for (Index j = 0; j < p; ++j) {
      for (Index k = j; k < p; ++k) information_(j, k) += *product++;
    }
  }
  if (with_feature_) {
    for (const std::int32_t row : carriers_) {
      information_(p, p) += factor_[size(row)];
      for (Index j = 0; j < p; ++j) {
        information_(j, p) += factor_[size(row)] * rows_.columns[size(j * rows_.n_rows + row)];
      }
    }
  }
  squares_ = information_.diagonal();
  const double* product = time_products_.data();
  for (Index j = 0; j < q; ++j) {
    for (Index k = j; k < q; ++k) information_(k, j) = information_(j, k) -= *product++;
  }
}

/// False where the square of a sum over who is at risk lies beyond what a number can hold.
bool CoxEngine::in_range() const {
  constexpr double largest = 1e150;
  const double* at_risk = at_risk_.data();
  return std::all_of(at_risk, at_risk + times_.n_times(),
                     [](double sum) { return sum < largest && sum > 1 / largest; });
}

/// True where less than 1e-7 is left of a sum over who is at risk, which says who was subtracted rather than who stayed.
bool CoxEngine::cancelled(std::span<const double> gross) const {
  if (gross.empty()) return false;
  constexpr double little = 1e-7;
  const auto strata = times_.stratum_begin();
  for (std::size_t s = 0; s + 1 < strata.size(); ++s) {
    double sum = 0;
    for (Index t = strata[s + 1] - 1; t >= strata[s]; --t) {
      sum += gross[size(t)];
      if (!(at_risk_[size(t)] > little * sum)) return true;
    }
  }
  return false;
}

namespace {

/// A binary tree over event times: values are added to intervals, or summed over them, without subtracting any.
class IntervalTree {
 public:
  explicit IntervalTree(Index n_times) : n_leaves_(1) {
    while (n_leaves_ < n_times) n_leaves_ *= 2;
    node_.assign(size(2 * n_leaves_), 0.0);
  }

  void clear() { std::fill(node_.begin(), node_.end(), 0.0); }
  double& leaf(Index t) { return node_[size(n_leaves_ + t)]; }

  /// visit(node) for the nodes that together make begin <= t < end
  template <class Visit>
  void cover(Index begin, Index end, const Visit& visit) {
    for (begin += n_leaves_, end += n_leaves_; begin < end; begin /= 2, end /= 2) {
      if (begin % 2 == 1) visit(node_[size(begin++)]);
      if (end % 2 == 1) visit(node_[size(--end)]);
    }
  }

  void pass_down() {
    for (std::size_t k = 1; k < size(n_leaves_); ++k) {
      node_[2 * k] += node_[k];
      node_[2 * k + 1] += node_[k];
    }
  }
  void sum_up() {
    for (std::size_t k = size(n_leaves_) - 1; k > 0; --k) node_[k] = node_[2 * k] + node_[2 * k + 1];
  }

 private:
  Index n_leaves_;
  std::vector<double> node_;
};

/// The first event time at which each row is at risk.
std::vector<Index> first_times(const CoxRows& rows, const EventTimes& times) {
  const auto strata = times.stratum_begin();
  std::vector<Index> first(size(rows.n_rows));
  for (std::size_t row = 0; row < first.size(); ++row) {
    const Index enters = rows.enters[row], t = rows.place_of[row] / 2;
    first[row] =
        enters < times.n_times() ? enters + 1 : *(std::upper_bound(strata.begin(), strata.end(), t) - 1);
  }
  return first;
}

}  // namespace

void CoxEngine::sum_without_cancelling() {
  const std::vector<Index> first = first_times(rows_, times_);
  IntervalTree tree(times_.n_times());
  for (Index j = 0; j < 1 + n_coefficients(); ++j) {
    tree.clear();
    const auto add = [&](std::size_t row, double value) {
      tree.cover(first[row], rows_.place_of[row] / 2 + 1, [&](double& node) { node += value; });
    };
    if (j > rows_.n_columns) {
      for (const std::int32_t row : carriers_) add(size(row), risk_[size(row)]);
    } else {
      const double* x = j == 0 ? nullptr : rows_.columns.data() + (j - 1) * rows_.n_rows;
      for (std::size_t row = 0; row < first.size(); ++row) add(row, risk_[row] * (x == nullptr ? 1 : x[row]));
    }
    tree.pass_down();
    double* at_risk = at_risk_.data() + j * n_padded_;
    const double* dying = dying_.data() + j * n_padded_;
    for (Index t = 0; t < times_.n_times(); ++t) at_risk[t] = tree.leaf(t) - table_.centre[t] * dying[t];
  }
}

/// factor_ as cox_factors says.
void CoxEngine::gather_without_cancelling() {
  const std::vector<Index> first = first_times(rows_, times_);
  IntervalTree tree(times_.n_times());
  for (Index t = 0; t < times_.n_times(); ++t) tree.leaf(t) = terms_[size(t)];
  tree.sum_up();
  for (std::size_t row = 0; row < first.size(); ++row) {
    const Index t = rows_.place_of[row] / 2;
    double hazard = 0;
    tree.cover(first[row], t + 1, [&](const double& node) { hazard += node; });
    if (rows_.place_of[row] % 2 == 1) hazard -= spared_[size(t)];
    factor_[row] = risk_[row] * hazard;
  }
}

double CoxEngine::evaluate(const Eigen::VectorXd& beta) {
  sum_risks(beta);
  if (with_feature_) sum_feature(risk_.data());
  std::vector<double> gross;
  if (!rows_.enters.empty()) {
    gross.assign(at_risk_.begin(), at_risk_.begin() + times_.n_times());
    subtract_late();
  }
  for (Index row = 0; row < 1 + n_coefficients(); ++row) sum_over_later_times(row);
  cancelled_ = cancelled(gross);
  if (cancelled_) sum_without_cancelling();
  if (!in_range()) return -std::numeric_limits<double>::infinity();

  const RiskTable sums{at_risk_.data(), dying_.data(), n_padded_};
  const TimeTerms terms{.first = terms_.data(),
                        .first_tied = terms_.data() + n_padded_,
                        .second = terms_.data() + 2 * n_padded_,
                        .second_tied = terms_.data() + 3 * n_padded_,
                        .second_both_tied = terms_.data() + 4 * n_padded_};
  const double log_risk = CHORALE_AT_LEVEL(cox_time_terms, table_, sums, terms);
  CHORALE_AT_LEVEL(cox_time_sums, n_padded_, n_coefficients(), sums, terms, time_gradient_.data(),
                   time_products_.data());
  add_products();

  double loglik = rows_.offset_of_deaths - log_risk;
  for (Index j = 0; j < n_coefficients(); ++j) {
    const double of_deaths = j < rows_.n_columns ? rows_.columns_of_deaths[size(j)] : deaths_of_carriers_;
    loglik += beta(j) * of_deaths;
    gradient_(j) = of_deaths - time_gradient_[size(j)];
  }
  return loglik;
}

HeldRisks CoxEngine::held_risks() const {
  return {.risk = risk_,
          .at_risk = {at_risk_.begin(), at_risk_.begin() + n_padded_},
          .dying = {dying_.begin(), dying_.begin() + n_padded_}};
}

EventTable CoxEngine::table_beside(const HeldRisks& held) const {
  EventTable table = table_;
  table.risk = held.at_risk.data();
  table.tied_risk = held.dying.data();
  return table;
}

CarrierTable CoxEngine::carriers_beside(const HeldRisks& held) {
  sum_feature(held.risk.data());
  sum_over_later_times(1 + rows_.n_columns);
  double* at_risk = at_risk_.data() + (1 + rows_.n_columns) * n_padded_;
  double* dying = dying_.data() + (1 + rows_.n_columns) * n_padded_;
  return {.at_risk = at_risk,
          .deaths = dying,
          .sum_at_risk = at_risk,
          .sum_deaths = dying,
          .risk = at_risk,
          .tied_risk = dying};
}

std::vector<Index> dependent_columns(const Eigen::MatrixXd& information, const Eigen::VectorXd& sums) {
  constexpr double tolerance = 1e-11, rounding = 1e-13;
  const Index p = information.rows();
  Eigen::MatrixXd left = information;  // what the columns before j do not explain
  // root of the error of its diagonal, which grows where a column with little left explains another
  Eigen::VectorXd noise = Eigen::VectorXd::Zero(p);
  if (sums.size() > 0) noise = (rounding * sums).cwiseAbs().cwiseSqrt();
  std::vector<Index> dependent;
  for (Index j = 0; j < p; ++j) {
    if (!(left(j, j) > std::max(tolerance * information(j, j), noise(j) * noise(j)))) {
      dependent.push_back(j);
      continue;
    }
    for (Index k = j + 1; k < p; ++k) noise(k) += std::abs(left(k, j) / left(j, j)) * noise(j);
    const Eigen::VectorXd column = left.col(j) / std::sqrt(left(j, j));
    left -= column * column.transpose();
  }
  return dependent;
}

Eigen::MatrixXd inverse_of(const Eigen::MatrixXd& information, const std::vector<Index>& kept) {
  Eigen::MatrixXd inverse = Eigen::MatrixXd::Zero(information.rows(), information.cols());
  if (kept.empty()) return inverse;
  const Eigen::MatrixXd block = information(kept, kept);
  const Eigen::MatrixXd of_block = block.llt().solve(Eigen::MatrixXd::Identity(block.rows(), block.cols()));
  inverse(kept, kept) = of_block;
  return inverse;
}

}  // namespace chorale::kernels
