// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/pair_cox_engine.hpp"

#include <algorithm>
#include <cmath>

namespace chorale::kernels {
namespace {

std::size_t size(Index n) {
  return static_cast<std::size_t>(n);
}

}  // namespace

PairEngine::PairEngine(const PairFrame& frame)
    : frame_(frame),
      rows_(frame.rows),
      times_(frame.times),
      table_(times_.table()),
      n_padded_(times_.n_padded()),
      members_(frame),
      member_at_risk_(size((3 + rows_.n_columns) * n_padded_), 0),
      member_dying_(member_at_risk_),
      first_(size(n_padded_), 0),
      first_tied_(first_),
      everyone_at_risk_(first_),
      everyone_dying_(first_),
      hazard_(first_),
      spared_(first_),
      room_(size(pair_walk_room(rows_.n_columns))),
      time_gradient_(size(n_coefficients())),
      time_products_(size(n_coefficients() * (n_coefficients() + 1) / 2)),
      everyone_products_(size(n_slot_sums(rows_.n_columns))),
      segment_products_(everyone_products_),
      gradient_(Eigen::VectorXd::Zero(n_coefficients())),
      information_(Eigen::MatrixXd::Zero(n_coefficients(), n_coefficients())) {}

void PairEngine::set_pair(std::span<const std::uint64_t> a, std::span<const std::uint64_t> b) {
  members_.set_pair(a, b);
  carriers_held_ = false;
  const auto& deaths = members_.deaths;
  deaths_ = {deaths[only_a] + deaths[both], deaths[only_b] + deaths[both], deaths[both]};
}

/// Rows a, b and both of the members' sums.
void PairEngine::scatter_carriers(const Eigen::VectorXd& shift) {
  carriers_held_ = (shift.array() == 0).all();
  members_.move_risks(shift);
  std::fill_n(member_at_risk_.begin(), 3 * n_padded_, 0.0);
  std::fill_n(member_dying_.begin(), 3 * n_padded_, 0.0);
  const auto scatter = [&](const PairSegment& segment, Index row) {
    members_.scatter(segment, members_.risk.data() + segment.begin, 1,
                     member_at_risk_.data() + row * n_padded_, member_dying_.data() + row * n_padded_);
  };
  for (const PairSegment& segment : members_.segments) {
    if (segment.group != only_b) scatter(segment, 0);
    if (segment.group != only_a) scatter(segment, 1);
    if (segment.group == both) scatter(segment, 2);
  }
}

/// The other rows: what carriers add to each column's sums.
void PairEngine::scatter_columns(const PairPoint& at) {
  std::fill(member_at_risk_.begin() + 3 * n_padded_, member_at_risk_.end(), 0.0);
  std::fill(member_dying_.begin() + 3 * n_padded_, member_dying_.end(), 0.0);
  const std::array<double, n_pair_groups> excess{0, at.ratio_a - 1, at.ratio_b - 1, at.ratio_both - 1};
  for (const PairSegment& segment : members_.segments) {
    const double* risk = members_.risk.data() + segment.begin;
    double* scaled = members_.factor.data();
    for (Index j = 0; j < rows_.n_columns; ++j) {
      const double* z = members_.column(j) + segment.begin;
      for (Index m = 0; m < segment.end - segment.begin; ++m) scaled[m] = risk[m] * z[m];
      const Index row = (3 + j) * n_padded_;
      members_.scatter(segment, scaled, excess[segment.group], member_at_risk_.data() + row,
                       member_dying_.data() + row);
    }
  }
}

/// From single event times to risk sets, for some of the rows.
void PairEngine::accumulate_members(Index first, Index n_rows) {
  const auto strata = times_.stratum_begin();
  CHORALE_AT_LEVEL(
      pair_cox_accumulate, strata.data(), static_cast<Index>(strata.size()) - 1, table_.centre, n_rows,
      {member_at_risk_.data() + first * n_padded_, member_dying_.data() + first * n_padded_, n_padded_});
}

/// The walk over event times; returns the sum of logarithms.
double PairEngine::walk(const Eigen::VectorXd& shift, const PairPoint& at) {
  RiskView everyone{frame_.at_risk.data(), frame_.dying.data(), n_padded_};
  std::optional<MomentSeries> series;
  if (!(shift.array() == 0).all()) {
    series = frame_.moments().series({shift.data(), size(shift.size())}, coefficients_);
    if (!series) {
      if (slot_sums_.empty()) {
        slot_sums_ = frame_.slots.room(n_slot_sums(rows_.n_columns));
        slots_at_risk_ = frame_.at_risk;
        slots_dying_ = frame_.dying;
      }
      double farthest = 0;
      for (Index j = 0; j < shift.size(); ++j) farthest += std::abs(shift(j)) * rows_.range[size(j)];
      const SlotTable table = frame_.slots.table();
      CHORALE_AT_LEVEL(pair_cox_slot_sums, table, shift.data(), farthest <= 0.1, slot_sums_.data());
      frame_.slots.sum_over_risk_sets(times_, n_slot_sums(rows_.n_columns), slot_sums_,
                                      {slots_at_risk_.data(), slots_dying_.data(), n_padded_});
      everyone = {slots_at_risk_.data(), slots_dying_.data(), n_padded_};
    }
  }
  const PairTimes from{.all = table_,
                       .n_columns = rows_.n_columns,
                       .everyone = everyone,
                       .series = series ? &*series : nullptr,
                       .members = {member_at_risk_.data(), member_dying_.data(), n_padded_},
                       .at = at,
                       .room = room_.data()};
  const PairTimeSums to{time_gradient_.data(), time_products_.data(), everyone_products_.data(),
                        first_.data(),         first_tied_.data(),    everyone_at_risk_.data(),
                        everyone_dying_.data()};
  return CHORALE_AT_LEVEL(pair_cox_walk, from, to);
}

void PairEngine::add_feature_products(const PairPoint& at) {
  // hazard gathered up to each event time, and what is spared to who dies there (see CoxEngine)
  const auto strata = times_.stratum_begin();
  for (std::size_t s = 0; s + 1 < strata.size(); ++s) {
    double sum = 0;
    for (Index t = strata[s]; t < strata[s + 1]; ++t) {
      hazard_[size(t)] = sum += first_[size(t)];
      spared_[size(t)] = table_.centre[t] * first_[size(t)] + first_tied_[size(t)];
    }
  }
  // with factor = risk · (hazard while at risk): Σ factor, Σ factor z_j, Σ factor z_j z_k of each segment
  const std::array<double, n_pair_groups> ratio{1, at.ratio_a, at.ratio_b, at.ratio_both};
  const Index p = rows_.n_columns;
  const ColumnTable columns{members_.columns.data(), members_.n(), 1 + p};
  for (const PairSegment& segment : members_.segments) {
    members_.gather(segment, hazard_.data(), spared_.data());
    CHORALE_AT_LEVEL(cox_products, columns, members_.factor.data(), segment.begin, segment.end,
                     segment_products_.data());
    const double* with_one = segment_products_.data() + 1;
    const double* product = with_one + p;
    for (Index j = 0; j < p; ++j) {
      if (segment.group != only_b) information_(j, p) += ratio[segment.group] * with_one[j];
      if (segment.group != only_a) information_(j, p + 1) += ratio[segment.group] * with_one[j];
      if (segment.group == both) information_(j, p + 2) += ratio[segment.group] * with_one[j];
      for (Index k = j; k < p; ++k) information_(j, k) += (ratio[segment.group] - 1) * *product++;
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
  const bool carriers_known = carriers_held_ && (shift.array() == 0).all();
  if (!carriers_known) scatter_carriers(shift);
  scatter_columns(at);
  accumulate_members(carriers_known ? 3 : 0, carriers_known ? p : 3 + p);
  const double log_risk = walk(shift, at);
  information_.setZero();
  for (Index j = 0, jk = 0; j < p; ++j) {
    for (Index k = j; k < p; ++k) information_(j, k) = everyone_products_[size(jk++)];
  }
  add_feature_products(at);
  finish_information();

  double loglik = rows_.offset_of_deaths - log_risk;
  for (Index j = 0; j < q; ++j) {
    const double of_deaths = j < p ? rows_.columns_of_deaths[size(j)] : deaths_[size(j - p)];
    if (of_deaths != 0) loglik += beta(j) * of_deaths;
    gradient_(j) = of_deaths - time_gradient_[size(j)];
  }
  return loglik;
}

std::array<double, 3> PairEngine::climb_beside(const RiskView& everyone, const PairClimb& plan) const {
  EventTable all = table_;
  all.risk = everyone.at_risk;
  all.tied_risk = everyone.dying;
  const double* risk = member_at_risk_.data();
  const double* tied = member_dying_.data();
  const PairTable pair{{risk, risk + n_padded_, risk + 2 * n_padded_},
                       {tied, tied + n_padded_, tied + 2 * n_padded_}};
  const PairPeak peak = climb(all, pair, plan);
  return peak.verdict == PairPeak::converged ? peak.at : std::array<double, 3>{};
}

std::array<double, 3> PairEngine::start() {
  scatter_carriers(Eigen::VectorXd::Zero(rows_.n_columns));
  accumulate_members(0, 3);
  return climb_beside({frame_.at_risk.data(), frame_.dying.data(), n_padded_},
                      {.deaths = deaths_,
                       .n_free = none_of_both_dies() ? 2 : 3,
                       .none_of_both = none_of_both_dies(),
                       .last_step = 0.03});
}

std::array<double, 3> PairEngine::start_without(const std::array<double, 3>& near) {
  return climb_beside({everyone_at_risk_.data(), everyone_dying_.data(), n_padded_},
                      {.start = near, .deaths = deaths_, .n_free = 2, .last_step = 0.03});
}

}  // namespace chorale::kernels
