// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/cox_path_lanes.hpp"

#include <algorithm>
#include <cmath>
#include <functional>

namespace chorale::kernels {
namespace {

std::size_t size(Index n) {
  return static_cast<std::size_t>(n);
}

constexpr double furthest = 20;
constexpr double possible = 0.5;  ///< slope, as a share of its bound, of columns whose slopes a model follows
constexpr double longest_step = 1;  ///< beyond it the full data is no guide
constexpr Index max_sweeps = 1000;

}  // namespace

void CoxPathLanes::measure_difference(const CoxPathBlock<float>& block, Index lane,
                                      std::span<const Index> knots) {
  std::vector<std::int32_t> columns;
  for (Index j = 0; j < p_; ++j) {
    if (std::any_of(knots.begin(), knots.end(), [&](Index k) { return likely(k, j); }))
      columns.push_back(static_cast<std::int32_t>(j));
  }
  cox_path_curvature(guide_, room_, block, lane, columns, guide_.stride);
  const auto& measured = guide_.curves[static_cast<std::size_t>(guide_.curve_below(guide_.measured_lambda))];
  std::vector<double> unit;
  for (const std::int32_t j : columns)
    unit.push_back(j < n_dense_ ? 1 : 1 / std::sqrt(expected(j, slope(guide_.measured_lambda)[j])));
  room_.difference.assign(measured.size(), 0.0f);
  room_.curves.resize(guide_.curves.size());
  room_.has_curve.assign(guide_.curves.size(), 0);
  for (std::size_t a = 0; a < columns.size(); ++a) {
    for (std::size_t b = a; b < columns.size(); ++b) {
      const std::size_t at = size(columns[a] * guide_.stride + columns[b]);
      const double own = room_.gram[a * size(guide_.stride) + b] * unit[a] * unit[b] / room_.total_weight;
      room_.difference[at] = static_cast<float>(own) - measured[at];
      room_.difference[size(columns[b] * guide_.stride + columns[a])] = room_.difference[at];
    }
  }
}

const float* CoxPathLanes::between(Index k, std::span<const std::int32_t> columns, Index stride) {
  const auto below = static_cast<std::size_t>(guide_.curve_below(k));
  const auto above = std::min(below + 1, guide_.curves.size() - 1);
  const float share = guide_.share_above(k);
  room_.between.assign(columns.size() * size(stride), 0.0f);
  float* to = room_.between.data();
  for (std::size_t a = 0; a < columns.size(); ++a) {
    const std::size_t row = size(columns[a] * guide_.stride);
    for (std::size_t b = a; b < columns.size(); ++b) {
      const std::size_t at = row + static_cast<std::size_t>(columns[b]);
      const float low = guide_.curves[below][at];
      to[a * size(stride) + b] = to[b * size(stride) + a] =
          low + share * (guide_.curves[above][at] - low) + room_.difference[at];
    }
  }
  return to;
}

const float* CoxPathLanes::nearest(Index k) {
  const auto c = static_cast<std::size_t>(guide_.curve_below(k) + (guide_.share_above(k) > 0.5f));
  Aligned<float>& curve = room_.curves[c];
  if (!room_.has_curve[c]) {
    curve.resize(guide_.curves[c].size());
    std::transform(guide_.curves[c].begin(), guide_.curves[c].end(), room_.difference.begin(), curve.begin(),
                   std::plus<>());
    room_.has_curve[c] = 1;
  }
  return curve.data();
}

double CoxPathLanes::move(Index k, double tolerance) {
  std::vector<std::int32_t> columns, in;
  for (Index j = 0; j < p_; ++j) {
    if (free(j) && (beta(k)[j] != 0 || std::abs(slope(k)[j]) >= possible * l1(k, j)))
      columns.push_back(static_cast<std::int32_t>(j));
  }
  // few of them are brought together, in the curvature of this lambda; of many, rows stay where they are
  const auto n_columns = static_cast<Index>(columns.size());
  const bool together = n_columns * 4 < p_;
  const Index stride = together ? (n_columns + 15) / 16 * 16 : guide_.stride;
  const float* curve = together ? between(k, columns, stride) : nearest(k);
  const auto place = [&](std::size_t c) { return together ? c : static_cast<std::size_t>(columns[c]); };
  // at a coefficient of 0 the variable is 0, and `here` where the lane stands
  std::vector<double> b(size(stride), 0.0), s(b), one(b), two(b), reach(b), here(b);
  std::vector<std::uint8_t> curved(size(stride), 0), chosen(curved);
  for (std::size_t c = 0; c < columns.size(); ++c) {
    const Index j = columns[c];
    const std::size_t at = place(c);
    const double e = j < n_dense_ ? 1 : std::sqrt(expected(j, slope(k)[j]));
    reach[at] = 1 / e;
    s[at] = slope(k)[j] / e;
    one[at] = l1(k, j) / e;
    two[at] = l2(k, j) / (e * e);
    curved[at] = j >= n_dense_ && two[at] == 0;
    b[at] = here[at] = e * (curved[at] ? -std::expm1(-beta(k)[j]) : beta(k)[j]);
  }
  std::vector<float> moved(size(stride));
  for (int round = 0; round < 10; ++round) {
    const double share = round == 0 ? probable : 1;
    bool joined = false;
    in.clear();
    for (std::size_t c = 0; c < columns.size(); ++c) {
      const std::size_t at = place(c);
      if (!chosen[at] && (b[at] != 0 || std::abs(s[at]) >= share * one[at])) chosen[at] = joined = true;
      if (chosen[at]) in.push_back(static_cast<std::int32_t>(at));
    }
    if (!joined) break;
    const WideModel model{.stride = stride,
                          .curve = curve,
                          .columns = in.data(),
                          .n_columns = static_cast<Index>(in.size()),
                          .l1 = one.data(),
                          .l2 = two.data(),
                          .reach = reach.data()};
    if (CHORALE_AT_LEVEL(cox_path_wide_descend, model, tolerance, max_sweeps, b.data(), s.data(),
                         moved.data()) >= max_sweeps)
      return missing;
  }
  double longest = 0, gain = 0;
  bool nothing = true;
  for (std::size_t c = 0; c < columns.size(); ++c) {
    const std::size_t at = place(c);
    double& value = beta(k)[columns[c]];
    double& slope_there = slope(k)[columns[c]];
    const double by = (b[at] - here[at]) * reach[at], end_slope = s[at] / reach[at];
    const double there = b[at] == 0 ? 0 : value + (curved[at] ? std::log1p(by) : by), change = there - value;
    if (change != 0) {
      if (!(std::abs(change) <= longest_step && std::abs(there) <= furthest)) return missing;
      longest = std::max(longest, std::abs(change));
      gain += change * (slope_there + end_slope) / 2;
    }
    value = there;
    slope_there = end_slope;
    nothing = nothing && there == 0;
  }
  // rounding errors would make a gain of them
  loglik_[size(k)] = nothing ? room_.loglik_null : loglik_[size(k)] + gain * room_.total_weight;
  return longest;
}

std::vector<double> CoxPathLanes::times_curvature(Index k, std::span<const double> change) {
  std::vector<double> unit(size(p_), 1.0), product(size(p_), 0.0);
  for (Index j = n_dense_; j < p_; ++j) unit[size(j)] = std::sqrt(expected(j, slope(k)[j]));
  const auto below = static_cast<std::size_t>(guide_.curve_below(k));
  const auto above = std::min(below + 1, guide_.curves.size() - 1);
  const double of_above = static_cast<double>(guide_.share_above(k));
  for (std::size_t j = 0; j < size(p_); ++j) {
    if (change[j] == 0) continue;
    const float* low = guide_.curves[below].data() + j * size(guide_.stride);
    const float* high = guide_.curves[above].data() + j * size(guide_.stride);
    const auto from_low = static_cast<float>((1 - of_above) * change[j] * unit[j]),
               from_high = static_cast<float>(of_above * change[j] * unit[j]);
    for (std::size_t c = 0; c < size(p_); ++c)
      product[c] += static_cast<double>(from_low * low[c] + from_high * high[c]);
  }
  for (std::size_t j = 0; j < size(p_); ++j) product[j] *= unit[j];
  return product;
}

void CoxPathLanes::interpolate(Index before, Index behind) {
  std::vector<double> change;
  for (Index j = 0; j < p_; ++j) change.push_back(beta(behind)[j] - beta(before)[j]);
  const auto at_end = times_curvature(behind, change), at_start = times_curvature(before, change);
  const double from = guide_.lambda[size(before)], to = guide_.lambda[size(behind)];
  for (Index k = before + 1; k < behind; ++k) {
    const double t = from > to ? (from - guide_.lambda[size(k)]) / (from - to) : 0;
    for (Index j = 0; j < p_; ++j) {
      beta(k)[j] = (1 - t) * beta(before)[j] + t * beta(behind)[j];
      slope(k)[j] = (1 - t) * slope(before)[j] + t * slope(behind)[j] +
                    t * (1 - t) / 2 * (at_end[size(j)] - at_start[size(j)]);
    }
  }
}

}  // namespace chorale::kernels
