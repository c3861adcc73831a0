// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/stirling.hpp"

#include <array>
#include <cmath>
#include <numbers>

namespace chorale::kernels {
namespace {

constexpr std::size_t n_tabled = 16;
constexpr double half_log_two_pi = 0.918938533204672741780329736406;

std::array<double, n_tabled> tabled_errors() {
  std::array<double, n_tabled> table{};
  long double factorial = 1;  // 15! < 2^64: exact
  for (std::size_t n = 1; n < n_tabled; ++n) {
    const auto x = static_cast<long double>(n);
    factorial *= x;
    table[n] = static_cast<double>(std::log(factorial) - (x + 0.5L) * std::log(x) + x -
                                   0.5L * std::log(2 * std::numbers::pi_v<long double>));
  }
  return table;
}

const std::array<double, n_tabled> table = tabled_errors();

}  // namespace

double stirling_error(Index n) {
  if (n < static_cast<Index>(n_tabled)) return table[static_cast<std::size_t>(n)];
  // the next term is below 1e-16 from n = 16 on
  const double u = 1 / static_cast<double>(n);
  const double u2 = u * u;
  return u *
         (1.0 / 12 -
          u2 * (1.0 / 360 - u2 * (1.0 / 1260 -
                                  u2 * (1.0 / 1680 - u2 * (1.0 / 1188 - u2 * (691.0 / 360360 - u2 / 156))))));
}

double log_factorial(Index n) {
  if (n < 2) return 0;
  const auto x = static_cast<double>(n);
  return (x + 0.5) * std::log(x) - x + half_log_two_pi + stirling_error(n);
}

double deviance(double x, double m) {
  if (x == 0) return m;
  if (std::abs(x - m) >= 0.1 * (x + m)) return x * std::log(x / m) + m - x;
  const double v = (x - m) / (x + m);
  const double v2 = v * v;
  double sum = (x - m) * v;
  double power = 2 * x * v;
  for (int k = 3;; k += 2) {
    power *= v2;
    const double next = sum + power / k;
    if (next == sum) return sum;
    sum = next;
  }
}

}  // namespace chorale::kernels
