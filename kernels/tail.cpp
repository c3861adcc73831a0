// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/tail.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/math/special_functions/gamma.hpp>
#include <cmath>
#include <limits>
#include <numbers>

#include "kernels/error.hpp"

namespace chorale::kernels {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double per_decade = std::numbers::log10e;  // log10 x = per_decade · log x

// log erfc(|z|/√2) for |z| ≥ 30: -z²/2 - log(|z| √(π/2)) + log(1 - 1/z² + 1·3/z⁴ - 1·3·5/z⁶ + …)
double log_erfc_far(double z_squared) {
  const double u = 1 / z_squared;  // ≤ 1/900: the seventh term is below 1e-16
  const double series = 1 - u * (1 - 3 * u * (1 - 5 * u * (1 - 7 * u * (1 - 9 * u * (1 - 11 * u)))));
  return -0.5 * z_squared - 0.5 * std::log(z_squared * std::numbers::pi / 2) + std::log(series);
}

// log erfc(|z|/√2); z_squared is given too, since chi-square has it exactly
double log_two_sided(double z, double z_squared) {
  if (z >= 30) return log_erfc_far(z_squared);
  const double x = z / std::numbers::sqrt2;
  const double inside = std::erf(x);
  return inside < 0.5 ? std::log1p(-inside) : std::log(std::erfc(x));
}

// log Q(a, y) far in the upper tail: -y + a log y - log Γ(a) - log(continued fraction), in long double, since
// the first three nearly cancel for large a
double log_gamma_q_far(double a, double y) {
  using Real = long double;
  const Real shape = a;
  // Γ(a, y) e^y y^-a = 1/(y+1-a - 1(1-a)/(y+3-a - 2(2-a)/(y+5-a - …)))
  Real b = Real(y) + 1 - shape;
  Real c = std::numeric_limits<Real>::max();
  Real d = 1 / b;
  Real fraction = d;
  for (int i = 1; i < 100'000; ++i) {
    const Real numerator = -Real(i) * (Real(i) - shape);
    b += 2;
    d = 1 / (numerator * d + b);
    c = b + numerator / c;
    const Real factor = c * d;
    fraction *= factor;
    if (std::abs(factor - 1) < 1e-18L) break;
  }
  const Real log_gamma = boost::math::lgamma(shape);
  return static_cast<double>(-Real(y) + shape * std::log(Real(y)) - log_gamma + std::log(fraction));
}

double log_gamma_q(double a, double y) {
  const double lower = boost::math::gamma_p(a, y);
  if (lower < 0.5) return std::log1p(-lower);
  const double upper = boost::math::gamma_q(a, y);
  return upper > 1e-250 ? std::log(upper) : log_gamma_q_far(a, y);
}

// numerator and denominator of a rational approximation, lowest power first
using Coefficients = std::array<double, 8>;
double ratio(const Coefficients& above, const Coefficients& below, double r) {
  double numerator = 0, denominator = 0;
  for (std::size_t i = above.size(); i-- > 0;) {
    numerator = numerator * r + above[i];
    denominator = denominator * r + below[i];
  }
  return numerator / denominator;
}

}  // namespace

double chi_square_log10_upper(double x, double df) {
  if (!(df > 0) || !std::isfinite(df)) {
    throw ShapeError({.what = "chi-square tail needs positive degrees of freedom",
                      .found = fmt::format("df = {}", df),
                      .expected = "a positive finite number"});
  }
  if (std::isnan(x)) return x;
  if (x <= 0) return 0;
  if (x == infinity) return -infinity;
  if (df == 1) return per_decade * log_two_sided(std::sqrt(x), x);
  if (df == 2) return per_decade * -x / 2;
  return per_decade * log_gamma_q(df / 2, x / 2);
}

double normal_log10_two_sided(double z) {
  if (std::isnan(z)) return z;
  if (std::isinf(z)) return -infinity;
  const double size = std::abs(z);
  return size == 0 ? 0 : per_decade * log_two_sided(size, size * size);
}

double normal_quantile(double p) {
  static constexpr Coefficients centre_above{
      3.3871328727963666080e0, 1.3314166789178437745e2, 1.9715909503065514427e3, 1.3731693765509461125e4,
      4.5921953931549871457e4, 6.7265770927008700853e4, 3.3430575583588128105e4, 2.5090809287301226727e3};
  static constexpr Coefficients centre_below{1.0,
                                             4.2313330701600911252e1,
                                             6.8718700749205790830e2,
                                             5.3941960214247511077e3,
                                             2.1213794301586595867e4,
                                             3.9307895800092710610e4,
                                             2.8729085735721942674e4,
                                             5.2264952788528545610e3};
  static constexpr Coefficients near_above{1.42343711074968357734e0,  4.63033784615654529590e0,
                                           5.76949722146069140550e0,  3.64784832476320460504e0,
                                           1.27045825245236838258e0,  2.41780725177450611770e-1,
                                           2.27238449892691845833e-2, 7.74545014278341407640e-4};
  static constexpr Coefficients near_below{1.0,
                                           2.05319162663775882187e0,
                                           1.67638483018380384940e0,
                                           6.89767334985100004550e-1,
                                           1.48103976427480074590e-1,
                                           1.51986665636164571966e-2,
                                           5.47593808499534494600e-4,
                                           1.05075007164441684324e-9};
  static constexpr Coefficients far_above{6.65790464350110377720e0,  5.46378491116411436990e0,
                                          1.78482653991729133580e0,  2.96560571828504891230e-1,
                                          2.65321895265761230930e-2, 1.24266094738807843860e-3,
                                          2.71155556874348757815e-5, 2.01033439929228813265e-7};
  static constexpr Coefficients far_below{1.0,
                                          5.99832206555887937690e-1,
                                          1.36929880922735805310e-1,
                                          1.48753612908506148525e-2,
                                          7.86869131145613259100e-4,
                                          1.84631831751005468180e-5,
                                          1.42151175831644588870e-7,
                                          2.04426310338993978564e-15};
  if (p < 0 || p > 1) {
    throw ShapeError({.what = "normal quantile needs a probability",
                      .found = fmt::format("p = {}", p),
                      .expected = "a number in [0, 1]"});
  }
  if (std::isnan(p)) return p;
  const double q = p - 0.5;
  if (std::abs(q) <= 0.425) return q * ratio(centre_above, centre_below, 0.180625 - q * q);
  const double tail = std::min(p, 1 - p);
  if (tail == 0) return std::copysign(infinity, q);
  const double r = std::sqrt(-std::log(tail));
  const double size = r <= 5 ? ratio(near_above, near_below, r - 1.6) : ratio(far_above, far_below, r - 5);
  return std::copysign(size, q);
}

}  // namespace chorale::kernels
