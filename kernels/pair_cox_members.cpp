// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/pair_cox_members.hpp"

#include <algorithm>
#include <bit>

namespace chorale::kernels {
namespace {

std::size_t size(Index n) {
  return static_cast<std::size_t>(n);
}

}  // namespace

PairMembers::PairMembers(const PairFrame& frame)
    : frame_(frame), died_(size((frame.rows.n_rows + 63) / 64), 0) {
  std::size_t next = 0;
  for (const PairGroup group : {only_a, only_b, both}) {
    for (const bool dies : {false, true}) segments[next++] = {.group = group, .dies = dies};
  }
  const std::vector<std::int32_t>& place_of = frame.rows.place_of;
  for (std::size_t at = 0; at < place_of.size(); ++at)
    died_[at / 64] |= std::uint64_t(place_of[at] & 1) << (at % 64);
}

void PairMembers::list_rows(std::span<const std::uint64_t> a, std::span<const std::uint64_t> b) {
  // a row goes to segment 2 (has a + 2 has b − 1) + died
  std::array<std::size_t, 6> found{};
  std::size_t n_members = 0;
  for (std::size_t word = 0; word < a.size(); ++word) n_members += size(std::popcount(a[word] | b[word]));
  for (auto& of_segment : segment_rows_) of_segment.resize(std::max(of_segment.size(), n_members));
  for (std::size_t word = 0; word < a.size(); ++word) {
    for (std::uint64_t left = a[word] | b[word]; left != 0; left &= left - 1) {
      const int bit = std::countr_zero(left);
      const std::uint64_t group = (a[word] >> bit & 1) + 2 * (b[word] >> bit & 1);
      const std::size_t segment = 2 * group - 2 + (died_[word] >> bit & 1);
      segment_rows_[segment][found[segment]++] = static_cast<std::int32_t>(64 * word + size(bit));
    }
  }
  row.clear();
  for (std::size_t s = 0; s < segments.size(); ++s) {
    segments[s].begin = n();
    row.insert(row.end(), segment_rows_[s].begin(),
               segment_rows_[s].begin() + static_cast<std::ptrdiff_t>(found[s]));
    segments[s].end = n();
  }
}

void PairMembers::set_pair(std::span<const std::uint64_t> a, std::span<const std::uint64_t> b) {
  const CoxRows& rows = frame_.rows;
  list_rows(a, b);
  counts = {.n = {rows.n_rows, 0, 0, 0}, .deaths = {frame_.design.n_events, 0, 0, 0}};
  deaths = {};
  for (const PairSegment& segment : segments) {
    const Index n_rows = segment.end - segment.begin;
    counts.n[neither] -= n_rows;
    counts.n[segment.group] += n_rows;
    if (!segment.dies) continue;
    counts.deaths[neither] -= n_rows;
    counts.deaths[segment.group] += n_rows;
    for (Index m = segment.begin; m < segment.end; ++m)
      deaths[segment.group] += rows.weight.empty() ? 1 : rows.weight[size(row[size(m)])];
  }

  time.resize(row.size());
  enters.resize(rows.enters.empty() ? 0 : row.size());
  base.resize(row.size());
  risk.resize(row.size());
  factor.resize(row.size());
  columns.assign(row.size() * size(1 + rows.n_columns), 1);
  for (std::size_t m = 0; m < row.size(); ++m) {
    const auto at = size(row[m]);
    time[m] = rows.place_of[at] / 2;
    base[m] = frame_.risk[at];
    if (!rows.enters.empty()) enters[m] = rows.enters[at];
  }
  for (Index j = 0; j < rows.n_columns; ++j) {
    const double* from = rows.columns.data() + j * rows.n_rows;
    double* to = columns.data() + (1 + j) * n();
    for (std::size_t m = 0; m < row.size(); ++m) to[m] = from[row[m]];
  }
}

void PairMembers::move_risks(const Eigen::VectorXd& shift) {
  if ((shift.array() == 0).all()) {
    risk = base;
    return;
  }
  const ColumnTable table{column(0), n(), frame_.rows.n_columns};
  CHORALE_AT_LEVEL(cox_risks, table, nullptr, base.data(), shift.data(), 0, n(), risk.data());
}

void PairMembers::scatter(const PairSegment& segment, const double* values, double by, double* at_risk,
                          double* dying) const {
  double* to = segment.dies ? dying : at_risk;
  const Index n_values = segment.end - segment.begin;
  const std::int32_t* when = time.data() + segment.begin;
  for (Index m = 0; m < n_values; ++m) to[when[m]] += by * values[m];
  if (enters.empty()) return;
  for (Index m = 0; m < n_values; ++m) {
    const std::int32_t entered = enters[size(segment.begin + m)];
    if (entered < frame_.times.n_times()) at_risk[entered] -= by * values[m];
  }
}

void PairMembers::gather(const PairSegment& segment, const double* hazard, const double* spared) {
  for (Index m = segment.begin; m < segment.end; ++m) {
    const auto t = size(time[size(m)]);
    factor[size(m)] = risk[size(m)] * (segment.dies ? hazard[t] - spared[t] : hazard[t]);
  }
  for (Index m = segment.begin; m < segment.end && !enters.empty(); ++m) {
    const std::int32_t entered = enters[size(m)];
    if (entered < frame_.times.n_times()) factor[size(m)] -= risk[size(m)] * hazard[entered];
  }
}

}  // namespace chorale::kernels
