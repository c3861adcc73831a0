// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/hypergeometric.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "kernels/stirling.hpp"

namespace chorale::kernels {
namespace {

// the factor 2πm under Stirling's root, and 1 for 0! = 1
double under_root(double m) {
  return m == 0 ? 1 : 2 * std::numbers::pi * m;
}

double error_of(double m) {
  return m == 0 ? 0 : stirling_error(static_cast<Index>(m));
}

}  // namespace

Hypergeometric::Hypergeometric(const TwoByTwo& table)
    : Hypergeometric(static_cast<double>(table.row1()), static_cast<double>(table.row2()),
                     static_cast<double>(table.col1())) {}

Hypergeometric::Hypergeometric(double row1, double row2, double col1)
    : row1_(row1), row2_(row2), col1_(col1), low_(std::max(0.0, col1 - row2)), high_(std::min(row1, col1)) {}

Hypergeometric Hypergeometric::reflected() const {
  return {row1_, row2_, row1_ + row2_ - col1_};
}

double Hypergeometric::mode() const {
  const double mode = std::floor((row1_ + 1) * (col1_ + 1) / (row1_ + row2_ + 2));
  return std::clamp(mode, low_, high_);
}

double Hypergeometric::log_density(double y) const {
  if (low_ == high_) return 0;
  const double total = row1_ + row2_, col2 = total - col1_;
  const double n11 = y, n10 = row1_ - y, n01 = col1_ - y, n00 = row2_ - n01;
  const double deviances = deviance(n11, row1_ * col1_ / total) + deviance(n10, row1_ * col2 / total) +
                           deviance(n01, row2_ * col1_ / total) + deviance(n00, row2_ * col2 / total);
  const double margins = under_root(row1_) * under_root(row2_) * under_root(col1_) * under_root(col2);
  const double cells = under_root(n11) * under_root(n10) * under_root(n01) * under_root(n00);
  const double errors = error_of(row1_) + error_of(row2_) + error_of(col1_) + error_of(col2) -
                        error_of(total) - (error_of(n11) + error_of(n10) + error_of(n01) + error_of(n00));
  return 0.5 * std::log(margins / (under_root(total) * cells)) + errors - deviances;
}

double Hypergeometric::upper_tail(double y) const {
  double term = 1, sum = 1;
  // four ratios a/b with one division: a1/b1 (1 + a2/b2 (1 + a3/b3 (1 + a4/b4))); the last one may be 0
  const auto above = [this](double z) { return (row1_ - z) * (col1_ - z); };
  const auto below = [this](double z) { return (z + 1) * (row2_ - col1_ + z + 1); };
  for (; y + 4 <= high_; y += 4) {
    const double a1 = above(y), a2 = above(y + 1), a3 = above(y + 2), a4 = above(y + 3);
    const double b1 = below(y), b2 = below(y + 1), b3 = below(y + 2), b4 = below(y + 3);
    const double scale = term / (b1 * b2 * (b3 * b4));
    sum += scale * a1 * (b2 * (b3 * b4) + a2 * (b3 * b4 + a3 * (b4 + a4)));
    term = scale * (a1 * a2 * (a3 * a4));
    if (term < 1e-18 * sum) return sum;
  }
  for (; y < high_; y += 1) {
    term *= ratio(y);
    sum += term;
  }
  return sum;
}

}  // namespace chorale::kernels
