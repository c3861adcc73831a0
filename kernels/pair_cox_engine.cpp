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

PairEngine::PairEngine(const PairFrame& frame)
    : frame_(frame),
      rows_(frame.rows),
      times_(frame.times),
      table_(times_.table()),
      n_padded_(times_.n_padded()),
      died_(size((rows_.n_rows + 63) / 64), 0),
      tied_(size(n_padded_), 0),
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
      segment_products_(slot_products_),
      gradient_(Eigen::VectorXd::Zero(n_coefficients())),
      information_(Eigen::MatrixXd::Zero(n_coefficients(), n_coefficients())) {
  for (Index t = 0; t < times_.n_times(); ++t) tied_[size(t)] = table_.centre[t] > 0;
  for (std::size_t row = 0; row < rows_.place_of.size(); ++row)
    died_[row / 64] |= std::uint64_t(rows_.place_of[row] & 1) << (row % 64);
}

void PairEngine::list_members(std::span<const std::uint64_t> a, std::span<const std::uint64_t> b) {
  member_row_.clear();
  std::size_t next = 0;
  for (const PairGroup group : {only_a, only_b, both}) {
    for (const bool dies : {false, true}) {
      PairSegment& segment = segments_[next++];
      segment = {.group = group, .dies = dies, .begin = static_cast<Index>(member_row_.size())};
      const std::uint64_t not_a = group == only_b ? ~std::uint64_t{0} : 0;
      const std::uint64_t not_b = group == only_a ? ~std::uint64_t{0} : 0;
      const std::uint64_t not_died = dies ? 0 : ~std::uint64_t{0};
      for (std::size_t word = 0; word < a.size(); ++word) {
        std::uint64_t left = (a[word] ^ not_a) & (b[word] ^ not_b) & (died_[word] ^ not_died);
        for (; left != 0; left &= left - 1)
          member_row_.push_back(static_cast<std::int32_t>(64 * word + size(std::countr_zero(left))));
      }
      segment.end = static_cast<Index>(member_row_.size());
    }
  }
}

void PairEngine::set_pair(std::span<const std::uint64_t> a, std::span<const std::uint64_t> b) {
  list_members(a, b);
  counts_ = {.n = {rows_.n_rows, 0, 0, 0}, .deaths = {frame_.design.n_events, 0, 0, 0}};
  std::array<double, n_pair_groups> deaths{};
  for (const PairSegment& segment : segments_) {
    const Index n = segment.end - segment.begin;
    counts_.n[neither] -= n;
    counts_.n[segment.group] += n;
    if (!segment.dies) continue;
    counts_.deaths[neither] -= n;
    counts_.deaths[segment.group] += n;
    for (Index m = segment.begin; m < segment.end; ++m)
      deaths[segment.group] += rows_.weight.empty() ? 1 : rows_.weight[size(member_row_[size(m)])];
  }
  deaths_ = {deaths[only_a] + deaths[both], deaths[only_b] + deaths[both], deaths[both]};

  const std::size_t n = member_row_.size();
  member_time_.resize(n);
  member_enters_.resize(rows_.enters.empty() ? 0 : n);
  member_base_.resize(n);
  member_risk_.resize(n);
  member_factor_.resize(n);
  member_columns_.assign(n * size(1 + rows_.n_columns), 1);
  for (std::size_t m = 0; m < n; ++m) {
    const auto row = size(member_row_[m]);
    member_time_[m] = rows_.place_of[row] / 2;
    member_base_[m] = frame_.risk[row];
    if (!rows_.enters.empty()) member_enters_[m] = rows_.enters[row];
  }
  for (Index j = 0; j < rows_.n_columns; ++j) {
    const double* column = rows_.columns.data() + j * rows_.n_rows;
    double* to = member_columns_.data() + size(1 + j) * n;
    for (std::size_t m = 0; m < n; ++m) to[m] = column[member_row_[m]];
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

/// values: per member of the segment; they go to where these are last at risk, less where they enter.
void PairEngine::scatter(const PairSegment& segment, const double* values, Index row) {
  double* at_risk = member_at_risk_.data() + row * n_padded_;
  double* dying = member_dying_.data() + row * n_padded_;
  const Index n = segment.end - segment.begin;
  const std::int32_t* time = member_time_.data() + segment.begin;
  if (segment.dies) {
    for (Index m = 0; m < n; ++m) dying[time[m]] += values[m] * tied_[size(time[m])];
  }
  for (Index m = 0; m < n; ++m) at_risk[time[m]] += values[m];
  if (rows_.enters.empty()) return;
  for (Index m = 0; m < n; ++m) {
    const std::int32_t enters = member_enters_[size(segment.begin + m)];
    if (enters < times_.n_times()) at_risk[enters] -= values[m];
  }
}

void PairEngine::sum_members(const Eigen::VectorXd& shift, const PairPoint& at) {
  const auto n = static_cast<Index>(member_row_.size());
  if (held_) {
    member_risk_ = member_base_;
  } else {
    const ColumnTable columns{member_columns_.data() + n, n, rows_.n_columns};
    CHORALE_AT_LEVEL(cox_risks, columns, nullptr, member_base_.data(), shift.data(), 0, n,
                     member_risk_.data());
  }
  std::fill(member_at_risk_.begin(), member_at_risk_.end(), 0.0);
  std::fill(member_dying_.begin(), member_dying_.end(), 0.0);
  const std::array<double, n_pair_groups> excess{0, at.ratio_a - 1, at.ratio_b - 1, at.ratio_both - 1};
  for (const PairSegment& segment : segments_) {
    const double* risk = member_risk_.data() + segment.begin;
    if (segment.group != only_b) scatter(segment, risk, 0);
    if (segment.group != only_a) scatter(segment, risk, 1);
    if (segment.group == both) scatter(segment, risk, 2);
    double* beyond = member_factor_.data();
    for (Index j = 0; j < rows_.n_columns; ++j) {
      const double* z = member_columns_.data() + (1 + j) * n + segment.begin;
      for (Index m = 0; m < segment.end - segment.begin; ++m)
        beyond[m] = excess[segment.group] * risk[m] * z[m];
      scatter(segment, beyond, 3 + j);
    }
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
  // with factor = risk · (hazard while at risk): Σ factor, Σ factor z_j, Σ factor z_j z_k of each segment
  const std::array<double, n_pair_groups> ratio{1, at.ratio_a, at.ratio_b, at.ratio_both};
  const Index p = rows_.n_columns, n = static_cast<Index>(member_row_.size());
  const ColumnTable columns{member_columns_.data(), n, 1 + p};
  for (const PairSegment& segment : segments_) {
    for (Index m = segment.begin; m < segment.end; ++m) {
      const auto t = size(member_time_[size(m)]);
      member_factor_[size(m)] = member_risk_[size(m)] * (segment.dies ? hazard_[t] - spared_[t] : hazard_[t]);
    }
    for (Index m = segment.begin; m < segment.end && !rows_.enters.empty(); ++m) {
      const std::int32_t enters = member_enters_[size(m)];
      if (enters < times_.n_times()) member_factor_[size(m)] -= member_risk_[size(m)] * hazard_[size(enters)];
    }
    CHORALE_AT_LEVEL(cox_products, columns, member_factor_.data(), segment.begin, segment.end,
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
