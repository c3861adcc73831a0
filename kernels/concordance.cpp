// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/concordance.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <string>

#include "kernels/censoring.hpp"
#include "kernels/error.hpp"

namespace chorale::kernels {
namespace {

std::size_t size(Index n) {
  return static_cast<std::size_t>(n);
}

/// Patients without a risk leave with weight 0.
void leave_out_missing(std::vector<double>& risk, std::vector<double>& weight, Concordance& total) {
  for (std::size_t row = 0; row < risk.size(); ++row) {
    if (weight[row] == 0) {
      risk[row] = 0;
    } else if (std::isnan(risk[row])) {
      risk[row] = weight[row] = 0;
      ++total.n_missing_risk;
    } else {
      ++total.n_analysed;
    }
  }
}

}  // namespace

std::string_view name_of(ConcordanceVerdict verdict) {
  return verdict == ConcordanceVerdict::computed ? "computed" : "no_pairs";
}

void ConcordanceCounter::RankTree::clear(Index n_ranks) {
  const std::size_t n_leaves = size(n_ranks) / leaf + 1;
  sums_.assign(n_leaves + 1, 0.0);
  at_.assign(n_leaves * leaf, 0.0);
  total_ = 0;
}

void ConcordanceCounter::RankTree::add(std::int32_t rank, double weight) {
  at_[size(rank)] += weight;
  total_ += weight;
  for (std::size_t k = size(rank) / leaf + 1; k < sums_.size(); k += k & -k) sums_[k] += weight;
}

double ConcordanceCounter::RankTree::below(std::int32_t rank) const {
  const std::size_t first = size(rank) / leaf * leaf, n = size(rank) - first;
  double sum = 0;
  // no branch on n
  for (std::size_t k = 0; k < leaf; ++k) sum += k < n ? at_[first + k] : 0.0;
  for (std::size_t k = size(rank) / leaf; k > 0; k &= k - 1) sum += sums_[k];
  return sum;
}

void ConcordanceCounter::count_stratum(const RiskOrder& order, Index stratum, bool with_error,
                                       Concordance& total) {
  const Index first = order.slot_begin[size(stratum)], past = order.slot_begin[size(stratum + 1)];
  const Index begin = order.row_begin[size(2 * first)], end = order.row_begin[size(2 * past)];
  if (begin == end) return;
  const Index n_ranks = ranks_.rank(std::span(risk_).subspan(size(begin), size(end - begin)),
                                    std::span(rank_).subspan(size(begin), size(end - begin)));
  tree_.clear(n_ranks);
  Index entering = end;
  // from the last time back: the tree holds who is at risk and does not die now
  for (Index t = past - 1; t >= first; --t) {
    const Index alive = order.row_begin[size(2 * t)], dying = order.row_begin[size(2 * t + 1)],
                next = order.row_begin[size(2 * t + 2)];
    for (Index row = alive; row < dying; ++row) {
      if (weight_[size(row)] > 0) tree_.add(rank_[size(row)], weight_[size(row)]);
    }
    for (; order.late_entries && entering > begin; --entering) {
      const auto row = size(order.by_entry[size(entering - 1)]);
      if (order.enters[row] <= t) break;
      if (weight_[row] > 0) tree_.add(rank_[row], -weight_[row]);
    }
    if (dying == next) continue;
    const double counts = time_weight_[size(t)];
    double at_time = 0, squares = 0;
    for (Index row = dying; row < next; ++row) {
      const double w = weight_[size(row)] * counts;
      if (w == 0) continue;
      const double less = tree_.below(rank_[size(row)]), equal = tree_.at(rank_[size(row)]);
      const double more = tree_.total() - less - equal;
      total.concordant += w * less;
      total.discordant += w * more;
      total.tied_risk += w * equal;
      equal_[size(row)] = equal;
      at_time += weight_[size(row)];
      squares += weight_[size(row)] * weight_[size(row)];
      if (!with_error) continue;
      signs_[size(row)] = counts * (less - more);
      pairs_[size(row)] = counts * tree_.total();
    }
    double tied_both = 0;
    for (Index row = dying; row < next; ++row) {
      const double w = weight_[size(row)];
      if (w == 0) continue;
      if (counts > 0) tied_both += w * (tree_.at(rank_[size(row)]) - equal_[size(row)]);
      tree_.add(rank_[size(row)], w);
    }
    total.tied_both += counts * tied_both;
    total.tied_time += counts * ((at_time * at_time - squares) / 2 - tied_both);
  }
  if (with_error) gather_signs(order, stratum, n_ranks);
}

/// Deaths seen by those who were at risk: from the first time on, a tree of the deaths so far, asked when a patient
/// comes under observation and when they leave.
void ConcordanceCounter::gather_signs(const RiskOrder& order, Index stratum, Index n_ranks) {
  const Index first = order.slot_begin[size(stratum)], past = order.slot_begin[size(stratum + 1)];
  tree_.clear(n_ranks);
  const auto add = [&](std::size_t row, double sign) {
    if (weight_[row] == 0) return;
    const double less = tree_.below(rank_[row]), equal = tree_.at(rank_[row]);
    signs_[row] += sign * (tree_.total() - less - equal - less);
    pairs_[row] += sign * tree_.total();
  };
  Index entering = order.row_begin[size(2 * first)];
  const Index end = order.row_begin[size(2 * past)];
  for (Index t = first; t < past; ++t) {
    const Index alive = order.row_begin[size(2 * t)], dying = order.row_begin[size(2 * t + 1)],
                next = order.row_begin[size(2 * t + 2)];
    for (; order.late_entries && entering < end; ++entering) {
      const auto row = size(order.by_entry[size(entering)]);
      if (order.enters[row] > t) break;
      add(row, -1);
    }
    for (Index row = dying; row < next; ++row) add(size(row), 1);
    for (Index row = dying; row < next; ++row) {
      const double w = weight_[size(row)] * time_weight_[size(t)];
      if (w > 0) tree_.add(rank_[size(row)], w);
    }
    for (Index row = alive; row < dying; ++row) add(size(row), 1);
  }
}

Concordance ConcordanceCounter::count(const RiskOrder& order, std::span<const double> risk,
                                      std::span<const double> weight, const ConcordanceOptions& options,
                                      std::span<double> influence) {
  if (!influence.empty())
    require_size("influences and patients differ in number", influence.size(), order.n_patients);
  Concordance total;
  row_values(order, risk, risk_);
  row_weights(order, weight, weight_);
  leave_out_missing(risk_, weight_, total);
  time_weight_.assign(size(order.n_slots), 1.0);
  if (options.pairs == PairWeight::inverse_censoring) {
    const Censoring censored = censoring(order, weight_);
    for (std::size_t t = 0; t < time_weight_.size(); ++t) {
      const double known = censored.before[t];
      time_weight_[t] = known > 0 ? 1 / (known * known) : 0;
    }
  }
  for (std::size_t t = 0; t < time_weight_.size(); ++t) {
    if (order.time[t] > options.tau) time_weight_[t] = 0;
  }
  const bool with_error = options.with_error || !influence.empty();
  rank_.resize(size(order.n_rows));
  equal_.resize(size(order.n_rows));
  if (with_error) {
    signs_.assign(size(order.n_rows), 0.0);
    pairs_.assign(size(order.n_rows), 0.0);
  }
  for (Index s = 0; s < order.n_strata; ++s) count_stratum(order, s, with_error, total);

  std::fill(influence.begin(), influence.end(), 0.0);
  const double n_pairs = total.concordant + total.discordant + total.tied_risk;
  if (!(n_pairs > 0)) return total;
  total.verdict = ConcordanceVerdict::computed;
  total.c = (total.concordant + total.tied_risk / 2) / n_pairs;
  if (!with_error) return total;
  const double somers_d = (total.concordant - total.discordant) / n_pairs;
  double variance = 0;
  for (std::size_t row = 0; row < weight_.size(); ++row) {
    const double moved = weight_[row] * (signs_[row] - somers_d * pairs_[row]) / (2 * n_pairs);
    variance += moved * moved;
    if (!influence.empty()) influence[size(order.patient[row])] = moved;
  }
  total.se = std::sqrt(variance);
  return total;
}

}  // namespace chorale::kernels
