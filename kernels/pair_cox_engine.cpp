// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/pair_cox_engine.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace chorale::kernels {
namespace {

std::size_t size(Index n) {
  return static_cast<std::size_t>(n);
}

Eigen::VectorXd scaled_coefficients(const CoxRows& rows, const CoxFit& covariates) {
  Eigen::VectorXd beta = Eigen::VectorXd::Zero(rows.n_columns);
  for (Index j = 0; j < rows.n_columns; ++j) {
    const double value = covariates.beta[size(j)];
    if (std::isfinite(value)) beta(j) = value * rows.scale[size(j)];
  }
  return beta;
}

AlignedDoubles risks_at(const CoxRows& rows, const Eigen::VectorXd& beta) {
  AlignedDoubles risk(size(rows.n_rows));
  CHORALE_AT_LEVEL(cox_risks, rows.table(), rows.offset.empty() ? nullptr : rows.offset.data(),
                   rows.weight.empty() ? nullptr : rows.weight.data(), beta.data(), 0, rows.n_rows,
                   risk.data());
  return risk;
}

/// Row 0 of the padding: one patient at risk, nobody dies.
void set_padding(const EventTimes& times, AlignedDoubles& at_risk) {
  std::fill(at_risk.begin() + times.n_times(), at_risk.begin() + times.n_padded(), 1.0);
}

/// From the last event time of each stratum to its first, for `count` rows side by side: sums over the risk set,
/// and M = S − f D.
template <int count>
void accumulate(const EventTimes& times, const double* centre, const RiskTable& table) {
  const auto strata = times.stratum_begin();
  for (std::size_t s = 0; s + 1 < strata.size(); ++s) {
    double sum[count] = {};
    for (Index t = strata[s + 1] - 1; t >= strata[s]; --t) {
      for (int r = 0; r < count; ++r) {
        double& at = table.at_risk[r * table.stride + t];
        sum[r] += at;
        at = sum[r] - centre[t] * table.dying[r * table.stride + t];
      }
    }
  }
}

}  // namespace

PairFrame::PairFrame(const CoxDesign& of_design, const CoxFit& covariates_fit, Ties ties)
    : design(of_design),
      rows(*of_design.rows),
      times(rows.times(ties)),
      covariates(covariates_fit),
      beta(scaled_coefficients(rows, covariates_fit)),
      risk(risks_at(rows, beta)),
      at_risk(size(n_slot_sums(rows.n_columns) * times.n_padded()), 0),
      dying(at_risk),
      slots(rows, risk) {
  for (Index j = 0; j < rows.n_columns; ++j) {
    if (!std::isnan(covariates.beta[size(j)])) kept.push_back(j);
  }
  set_padding(times, at_risk);
  AlignedDoubles sums(size(slots.n_sums() + n_slot_sums(rows.n_columns) * lanes), 0);
  const Eigen::VectorXd no_shift = Eigen::VectorXd::Zero(rows.n_columns);
  const SlotTable table = slots.table();
  CHORALE_AT_LEVEL(pair_cox_slot_sums, table, no_shift.data(), true, sums.data());
  slots.sum_over_risk_sets(times, sums, {at_risk.data(), dying.data(), times.n_padded()});
}

bool PairFrame::usable() const {
  return covariates.verdict == CoxVerdict::converged || covariates.verdict == CoxVerdict::singular;
}

PairEngine::PairEngine(const PairFrame& frame)
    : frame_(frame),
      rows_(frame.rows),
      times_(frame.times),
      table_(times_.table()),
      n_padded_(times_.n_padded()),
      slot_sums_(size(frame.slots.n_sums() + n_slot_sums(rows_.n_columns) * lanes), 0),
      everyone_at_risk_(frame.at_risk),
      everyone_dying_(frame.dying),
      member_at_risk_(size((3 + rows_.n_columns) * n_padded_), 0),
      member_dying_(member_at_risk_),
      at_risk_(size((1 + n_coefficients()) * n_padded_), 0),
      dying_(at_risk_),
      terms_(size(5 * n_padded_), 0),
      hazard_(size(n_padded_), 0),
      spared_(hazard_),
      time_gradient_(size(n_coefficients())),
      time_products_(size(n_coefficients() * (n_coefficients() + 1) / 2)),
      slot_products_(size(n_slot_sums(rows_.n_columns))),
      gradient_(Eigen::VectorXd::Zero(n_coefficients())),
      information_(Eigen::MatrixXd::Zero(n_coefficients(), n_coefficients())) {}

void PairEngine::set_pair(std::span<const std::uint64_t> a, std::span<const std::uint64_t> b) {
  members_.clear();
  counts_ = {.n = {rows_.n_rows, 0, 0, 0}, .deaths = {frame_.design.n_events, 0, 0, 0}};
  std::array<double, n_pair_groups> deaths{};
  for (std::size_t word = 0; word < a.size(); ++word) {
    for (std::uint64_t left = a[word] | b[word]; left != 0; left &= left - 1) {
      const int bit = std::countr_zero(left);
      const auto group = static_cast<std::int32_t>((a[word] >> bit & 1) + 2 * (b[word] >> bit & 1));
      const std::size_t row = 64 * word + static_cast<std::size_t>(bit);
      const auto never = static_cast<std::int32_t>(times_.n_times());
      members_.push_back({static_cast<std::int32_t>(row), rows_.place_of[row],
                          rows_.enters.empty() ? never : rows_.enters[row], group});
      const int died = rows_.place_of[row] % 2;
      ++counts_.n[size(group)];
      counts_.deaths[size(group)] += died;
      deaths[size(group)] += died * (rows_.weight.empty() ? 1 : rows_.weight[row]);
    }
  }
  for (const PairGroup group : {only_a, only_b, both}) {
    counts_.n[neither] -= counts_.n[group];
    counts_.deaths[neither] -= counts_.deaths[group];
  }
  deaths_ = {deaths[only_a] + deaths[both], deaths[only_b] + deaths[both], deaths[both]};

  const std::size_t n = members_.size();
  member_base_.resize(n);
  member_risk_.resize(n);
  member_columns_.resize(n * size(rows_.n_columns));
  for (std::size_t m = 0; m < n; ++m) member_base_[m] = frame_.risk[size(members_[m].row)];
  for (Index j = 0; j < rows_.n_columns; ++j) {
    const double* column = rows_.columns.data() + j * rows_.n_rows;
    for (std::size_t m = 0; m < n; ++m) member_columns_[size(j) * n + m] = column[members_[m].row];
  }
}

void PairEngine::sum_everyone(const Eigen::VectorXd& shift) {
  held_ = (shift.array() == 0).all();
  if (held_) return;
  double farthest = 0;
  for (Index j = 0; j < shift.size(); ++j) farthest += std::abs(shift(j)) * rows_.range[size(j)];
  const SlotTable table = frame_.slots.table();
  CHORALE_AT_LEVEL(pair_cox_slot_sums, table, shift.data(), farthest <= 0.1, slot_sums_.data());
  frame_.slots.sum_over_risk_sets(times_, slot_sums_,
                                  {everyone_at_risk_.data(), everyone_dying_.data(), n_padded_});
}

void PairEngine::sum_members(const Eigen::VectorXd& shift, const PairPoint& at) {
  const auto n = static_cast<Index>(members_.size());
  const ColumnTable columns{member_columns_.data(), n, rows_.n_columns};
  if (held_) {
    member_risk_ = member_base_;
  } else {
    CHORALE_AT_LEVEL(cox_risks, columns, nullptr, member_base_.data(), shift.data(), 0, n,
                     member_risk_.data());
  }
  std::fill(member_at_risk_.begin(), member_at_risk_.end(), 0.0);
  std::fill(member_dying_.begin(), member_dying_.end(), 0.0);
  const std::array<double, n_pair_groups> excess{0, at.ratio_a - 1, at.ratio_b - 1, at.ratio_both - 1};
  for (Index m = 0; m < n; ++m) {
    const PairMember& member = members_[size(m)];
    const Index t = member.place / 2;
    const bool dies = member.place % 2 == 1 && table_.centre[t] > 0;
    const bool late = member.enters < times_.n_times();
    const auto add = [&](Index row, double value) {
      member_at_risk_[size(row * n_padded_ + t)] += value;
      if (dies) member_dying_[size(row * n_padded_ + t)] += value;
      if (late) member_at_risk_[size(row * n_padded_ + member.enters)] -= value;
    };
    const double risk = member_risk_[size(m)];
    if (member.group != only_b) add(0, risk);
    if (member.group != only_a) add(1, risk);
    if (member.group == both) add(2, risk);
    const double beyond = excess[size(member.group)] * risk;
    for (Index j = 0; j < rows_.n_columns; ++j) add(3 + j, beyond * columns.values[j * n + m]);
  }
  accumulate_members();
}

void PairEngine::accumulate_members() {
  constexpr Index together = 4;
  const Index n_rows = 3 + rows_.n_columns;
  for (Index r = 0; r < n_rows; r += together) {
    const RiskTable rest{member_at_risk_.data() + r * n_padded_, member_dying_.data() + r * n_padded_,
                         n_padded_};
    switch (n_rows - r) {
      case 1:
        accumulate<1>(times_, table_.centre, rest);
        break;
      case 2:
        accumulate<2>(times_, table_.centre, rest);
        break;
      case 3:
        accumulate<3>(times_, table_.centre, rest);
        break;
      default:
        accumulate<4>(times_, table_.centre, rest);
    }
  }
}

void PairEngine::add_feature_products(const PairPoint& at) {
  // hazard gathered up to each event time, and what is spared to who dies there (see CoxEngine)
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
  const std::array<double, n_pair_groups> ratio{1, at.ratio_a, at.ratio_b, at.ratio_both};
  const Index p = rows_.n_columns, n = static_cast<Index>(members_.size());
  for (Index m = 0; m < n; ++m) {
    const PairMember& member = members_[size(m)];
    double hazard = hazard_[size(member.place / 2)];
    if (member.place % 2 == 1) hazard -= spared_[size(member.place / 2)];
    if (member.enters < times_.n_times()) hazard -= hazard_[size(member.enters)];
    const double expected = member_risk_[size(m)] * hazard;
    for (Index j = 0; j < p; ++j) {
      const double z = member_columns_[size(j * n + m)];
      const double weighted = expected * z;
      const double with_feature = weighted * ratio[size(member.group)];
      for (Index k = j; k < p; ++k)
        information_(j, k) += (with_feature - weighted) * member_columns_[size(k * n + m)];
      if (member.group != only_b) information_(j, p) += with_feature;
      if (member.group != only_a) information_(j, p + 1) += with_feature;
      if (member.group == both) information_(j, p + 2) += with_feature;
    }
  }
}

/// The features' second moments are first ones: x_j x_k is the indicator of both, or of one.
void PairEngine::finish_information() {
  const Index p = rows_.n_columns, q = n_coefficients();
  for (Index j = 0; j < 3; ++j) {
    for (Index k = j; k < 3; ++k) information_(p + j, p + k) = time_gradient_[size(p + (j == k ? j : 2))];
  }
  const double* product = time_products_.data();
  for (Index j = 0; j < q; ++j) {
    for (Index k = j; k < q; ++k) information_(k, j) = information_(j, k) -= *product++;
  }
}

double PairEngine::evaluate(const Eigen::VectorXd& beta) {
  const Index p = rows_.n_columns, q = n_coefficients();
  const PairPoint at = pair_point(beta(p), beta(p + 1), beta(p + 2));
  const Eigen::VectorXd shift = beta.head(p) - frame_.beta;
  sum_everyone(shift);
  sum_members(shift, at);
  const RiskTable sums{at_risk_.data(), dying_.data(), n_padded_};
  const RiskView everyone{held_ ? frame_.at_risk.data() : everyone_at_risk_.data(),
                          held_ ? frame_.dying.data() : everyone_dying_.data(), n_padded_};
  const RiskView members{member_at_risk_.data(), member_dying_.data(), n_padded_};
  CHORALE_AT_LEVEL(pair_cox_combine, n_padded_, p, everyone, members, at, sums);

  const TimeTerms terms{.first = terms_.data(),
                        .first_tied = terms_.data() + n_padded_,
                        .second = terms_.data() + 2 * n_padded_,
                        .second_tied = terms_.data() + 3 * n_padded_,
                        .second_both_tied = terms_.data() + 4 * n_padded_};
  const double log_risk = CHORALE_AT_LEVEL(cox_time_terms, table_, sums, terms);
  CHORALE_AT_LEVEL(cox_time_sums, n_padded_, q, sums, terms, time_gradient_.data(), time_products_.data());
  const RiskView products{everyone.at_risk + (1 + p) * n_padded_, everyone.dying + (1 + p) * n_padded_,
                          n_padded_};
  CHORALE_AT_LEVEL(pair_cox_time_sums, n_padded_, p * (p + 1) / 2, products, terms, slot_products_.data());
  information_.setZero();
  for (Index j = 0, jk = 0; j < p; ++j) {
    for (Index k = j; k < p; ++k) information_(j, k) = slot_products_[size(jk++)];
  }
  add_feature_products(at);
  finish_information();

  double loglik = rows_.offset_of_deaths - log_risk;
  for (Index j = 0; j < q; ++j) {
    const double of_deaths = j < p ? rows_.columns_of_deaths[size(j)] : deaths_[size(j - p)];
    loglik += beta(j) * of_deaths;
    gradient_(j) = of_deaths - time_gradient_[size(j)];
  }
  return loglik;
}

std::array<double, 3> PairEngine::start(bool with_both) {
  held_ = true;
  sum_members(Eigen::VectorXd::Zero(rows_.n_columns), pair_point(0, 0, 0));
  EventTable all = table_;
  all.risk = frame_.at_risk.data();
  all.tied_risk = frame_.dying.data();
  const double* risk = member_at_risk_.data();
  const double* tied = member_dying_.data();
  const PairTable pair{{risk, risk + n_padded_, risk + 2 * n_padded_},
                       {tied, tied + n_padded_, tied + 2 * n_padded_}};
  const PairPeak peak = climb(all, pair, {.deaths = deaths_, .n_free = with_both ? 3 : 2, .last_step = 0.03});
  return peak.verdict == PairPeak::converged ? peak.at : std::array<double, 3>{};
}

}  // namespace chorale::kernels
