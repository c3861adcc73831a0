// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/mantel_haenszel.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/error.hpp"
#include "kernels/tail.hpp"

namespace chorale::kernels {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
const double unknown = std::nan("");

// a stratum as the formulas name it
struct Stratum {
  explicit Stratum(const TwoByTwo& t)
      : n11(static_cast<double>(t.n11)),
        n10(static_cast<double>(t.n10)),
        n01(static_cast<double>(t.n01)),
        n00(static_cast<double>(t.n00)),
        row1(static_cast<double>(t.row1())),
        row2(static_cast<double>(t.row2())),
        col1(static_cast<double>(t.col1())),
        col2(static_cast<double>(t.col2())),
        n(static_cast<double>(t.total())) {}

  bool informative() const { return row1 > 0 && row2 > 0 && col1 > 0 && col2 > 0; }

  double n11, n10, n01, n00, row1, row2, col1, col2, n;
};

// the sums over strata that everything here is made of
struct Sums {
  Index n_informative = 0;
  double r = 0, s = 0;                       // Σ n11 n00 / n, Σ n10 n01 / n
  double p_r = 0, p_s_and_q_r = 0, q_s = 0;  // the three sums of the log variance
  double excess = 0, variance = 0;           // Σ n11 - expected, and its variance given the margins
};

Sums sum_over(std::span<const TwoByTwo> strata) {
  Sums sums;
  for (const TwoByTwo& table : strata) {
    check_counts(table);
    const Stratum k(table);
    if (!k.informative()) continue;
    const double r = k.n11 * k.n00 / k.n, s = k.n10 * k.n01 / k.n;
    const double p = (k.n11 + k.n00) / k.n, q = (k.n10 + k.n01) / k.n;
    ++sums.n_informative;
    sums.r += r;
    sums.s += s;
    sums.p_r += p * r;
    sums.p_s_and_q_r += p * s + q * r;
    sums.q_s += q * s;
    sums.excess += k.n11 - k.row1 * k.col1 / k.n;
    sums.variance += k.row1 / k.n * (k.row2 / k.n) * k.col1 * k.col2 / (k.n - 1);
  }
  return sums;
}

Ratio common_odds_ratio(const Sums& sums, double level) {
  if (sums.r == 0) return {0, 0, infinity};
  if (sums.s == 0) return {infinity, 0, infinity};
  const double estimate = sums.r / sums.s;
  const double variance = sums.p_r / (2 * sums.r * sums.r) + sums.p_s_and_q_r / (2 * sums.r * sums.s) +
                          sums.q_s / (2 * sums.s * sums.s);
  const double reach = normal_quantile(0.5 * (1 + level)) * std::sqrt(variance);
  return {estimate, estimate * std::exp(-reach), estimate * std::exp(reach)};
}

// the n11 at odds ratio psi: root of (1-ψ) a² + (row2 - col1 + ψ (row1 + col1)) a - ψ row1 col1 = 0 that lies
// among the possible values, in the form that does not cancel
double fitted(const Stratum& k, double psi) {
  const double a = 1 - psi;
  const double b = k.row2 - k.col1 + psi * (k.row1 + k.col1);
  const double c = psi * k.row1 * k.col1;
  const double root = std::sqrt(b * b + 4 * a * c);
  return b > 0 ? 2 * c / (b + root) : (root - b) / (2 * a);
}

}  // namespace

MantelHaenszel mantel_haenszel(std::span<const TwoByTwo> strata, double level) {
  if (!(level > 0 && level < 1)) {
    throw ShapeError({.what = "confidence level out of range",
                      .found = fmt::format("{}", level),
                      .expected = "a number between 0 and 1"});
  }
  const Sums sums = sum_over(strata);
  if (sums.n_informative == 0) {
    return {MantelHaenszelVerdict::no_informative_stratum,
            0,
            {unknown, unknown, unknown},
            unknown,
            unknown,
            unknown,
            unknown};
  }
  const double excess = std::abs(sums.excess);
  const double corrected = excess >= 0.5 ? excess - 0.5 : excess;
  MantelHaenszel result{};
  result.verdict =
      sums.r == 0 || sums.s == 0 ? MantelHaenszelVerdict::no_interval : MantelHaenszelVerdict::estimated;
  result.n_informative = sums.n_informative;
  result.odds_ratio = common_odds_ratio(sums, level);
  result.chi2 = excess * excess / sums.variance;
  result.log10_p = chi_square_log10_upper(result.chi2, 1);
  result.chi2_corrected = corrected * corrected / sums.variance;
  result.log10_p_corrected = chi_square_log10_upper(result.chi2_corrected, 1);
  return result;
}

Homogeneity breslow_day(std::span<const TwoByTwo> strata) {
  const Sums sums = sum_over(strata);
  const Index df = std::max<Index>(0, sums.n_informative - 1);
  if (df == 0) return {HomogeneityVerdict::one_stratum, 0, unknown, unknown, unknown};
  if (sums.r == 0 || sums.s == 0)
    return {HomogeneityVerdict::no_common_odds_ratio, df, unknown, unknown, unknown};
  const double psi = sums.r / sums.s;
  double chi2 = 0, excess = 0, variance = 0;
  for (const TwoByTwo& table : strata) {
    const Stratum k(table);
    if (!k.informative()) continue;
    const double a = fitted(k, psi);
    const double v = 1 / (1 / a + 1 / (k.row1 - a) + 1 / (k.col1 - a) + 1 / (k.row2 - k.col1 + a));
    chi2 += (k.n11 - a) * (k.n11 - a) / v;
    excess += k.n11 - a;
    variance += v;
  }
  const double tarone = std::max(0.0, chi2 - excess * excess / variance);
  return {HomogeneityVerdict::tested, df, chi2, tarone,
          chi_square_log10_upper(tarone, static_cast<double>(df))};
}

}  // namespace chorale::kernels
