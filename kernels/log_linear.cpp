// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/log_linear.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "kernels/error.hpp"
#include "kernels/stirling.hpp"
#include "kernels/tail.hpp"

namespace chorale::kernels {
namespace {

/// n_c and s_c, seen from an end of the range of δ: m_c = (n_c + s_c · end) + s_c · sign · x, x > 0.
class Table {
 public:
  explicit Table(std::span<const std::int32_t> cell) : cell_(cell), order_(std::countr_zero(cell.size())) {
    double least[2] = {std::numeric_limits<double>::infinity(), std::numeric_limits<double>::infinity()};
    for (std::size_t c = 0; c < cell.size(); ++c) {
      double& of_sign = least[s(c) > 0 ? 0 : 1];
      of_sign = std::min(of_sign, count(c));
    }
    low_ = -least[0];
    high_ = least[1];
  }

  double s(std::size_t c) const { return (order_ - std::popcount(c)) % 2 == 0 ? 1 : -1; }
  double count(std::size_t c) const { return cell_[c]; }
  bool fixed() const { return low_ == high_; }

  /// The root of Σ s_c log m_c, m_c as a distance from the nearer end of the range, so that small m_c keep
  /// their digits.
  void solve() {
    from_low_ = true;
    x_ = (high_ - low_) / 2;
    from_low_ = sum() > 0;
    // t = log x: Σ rises with t by 1 at least, as one m_c or more are x itself; reflected from the other end
    const double sign = from_low_ ? 1 : -1;
    double above = std::log(x_), below = above - sign * sum();
    double t = above;
    constexpr int most_steps = 100;
    for (int step = 0; step < most_steps; ++step) {
      x_ = std::exp(t);
      const double value = sign * sum();
      (value > 0 ? above : below) = t;
      double next = t - value / slope();
      if (!(next > below && next < above)) next = (below + above) / 2;
      const bool done = std::abs(next - t) < 1e-15 * std::max(1.0, std::abs(t));
      t = next;
      if (done) break;
    }
    x_ = std::exp(t);
  }

  double expected(std::size_t c) const {
    return from_low_ ? (count(c) + s(c) * low_) + s(c) * x_ : (count(c) + s(c) * high_) - s(c) * x_;
  }

 private:
  double sum() const {
    double sum = 0;
    for (std::size_t c = 0; c < cell_.size(); ++c) sum += s(c) * std::log(expected(c));
    return sum;
  }
  /// Of the sum, by log x.
  double slope() const {
    double slope = 0;
    for (std::size_t c = 0; c < cell_.size(); ++c) slope += x_ / expected(c);
    return slope;
  }

  std::span<const std::int32_t> cell_;
  int order_;
  double low_, high_;
  bool from_low_ = true;
  double x_ = 0;
};

void check(std::span<const std::int32_t> cell) {
  if (cell.size() < 4 || !std::has_single_bit(cell.size())) {
    throw ShapeError({.what = "a table has no cell for every combination",
                      .found = fmt::format("{} cells", cell.size()),
                      .expected = "4, 8, 16, …"});
  }
  const auto negative = std::ranges::find_if(cell, [](std::int32_t n) { return n < 0; });
  if (negative == cell.end()) return;
  throw ShapeError({.what = "a count is negative",
                    .found = fmt::format("{}", *negative),
                    .in = fmt::format("cell {}", negative - cell.begin())});
}

}  // namespace

std::string_view name_of(LogLinearVerdict verdict) {
  switch (verdict) {
    case LogLinearVerdict::estimated:
      return "estimated";
    case LogLinearVerdict::infinite:
      return "infinite";
    case LogLinearVerdict::not_identified:
      return "not_identified";
  }
  throw ShapeError({.what = "verdict out of range",
                    .found = fmt::format("{}", static_cast<int>(verdict)),
                    .expected = "a LogLinearVerdict"});
}

LogLinear log_linear(std::span<const std::int32_t> cell) {
  check(cell);
  Table table(cell);
  LogLinear result;
  result.expected = cell.back();
  if (table.fixed()) return result;
  table.solve();
  result.expected = table.expected(cell.size() - 1);
  result.g2 = result.interaction = 0;
  double variance = 0;
  for (std::size_t c = 0; c < cell.size(); ++c) {
    result.g2 += 2 * deviance(table.count(c), table.expected(c));  // Σ (m_c − n_c) = 0
    result.interaction += table.s(c) * std::log(table.count(c));   // empty cells are of one sign
    variance += 1 / table.count(c);
  }
  result.log10_p = chi_square_log10_upper(result.g2, 1);
  const bool infinite = std::isinf(variance);
  result.verdict = infinite ? LogLinearVerdict::infinite : LogLinearVerdict::estimated;
  result.se = infinite ? missing : std::sqrt(variance);
  return result;
}

}  // namespace chorale::kernels
