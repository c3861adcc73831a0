// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/draw.hpp"

#include <Random123/philox.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "kernels/error.hpp"
#include "kernels/stirling.hpp"
#include "kernels/tail.hpp"

namespace chorale::kernels {
namespace {

std::uint64_t join(std::uint32_t low, std::uint32_t high) {
  return (std::uint64_t{high} << 32) | low;
}

std::array<std::uint64_t, 2> block_of(std::uint64_t seed, std::uint32_t stream, Index item,
                                      std::uint32_t block) {
  const auto low = [](std::uint64_t bits) { return static_cast<std::uint32_t>(bits); };
  const auto high = [](std::uint64_t bits) { return static_cast<std::uint32_t>(bits >> 32); };
  const auto bits = static_cast<std::uint64_t>(item);
  const r123::Philox4x32::ctr_type counter{{block, stream, low(bits), high(bits)}};
  const r123::Philox4x32::key_type key{{low(seed), high(seed)}};
  const auto words = r123::Philox4x32{}(counter, key);
  return {join(words[0], words[1]), join(words[2], words[3])};
}

void require(bool holds, const char* what, double found, const char* expected) {
  if (holds) return;
  throw ShapeError({.what = what, .found = fmt::format("{}", found), .expected = expected});
}

// one uniform number against the running sum of e^-m m^k / k!
Index poisson_by_inversion(double mean, double uniform) {
  double probability = std::exp(-mean);
  double sum = probability;
  Index k = 0;
  while (uniform > sum && probability > 0) {
    ++k;
    probability *= mean / static_cast<double>(k);
    sum += probability;
  }
  return k;
}

Index poisson_by_rejection(Draws& draws, double mean) {
  const double b = 0.931 + 2.53 * std::sqrt(mean);
  const double a = -0.059 + 0.02483 * b;
  const double inverse_alpha = 1.1239 + 1.1328 / (b - 3.4);
  const double v_inside = 0.9277 - 3.6224 / (b - 2);
  const double log_mean = std::log(mean);
  while (true) {
    const double u = draws.uniform() - 0.5;
    const double v = draws.uniform();
    const double edge = 0.5 - std::abs(u);
    const double x = std::floor((2 * a / edge + b) * u + mean + 0.43);
    if (edge >= 0.07 && v <= v_inside) return static_cast<Index>(x);
    if (x < 0 || (edge < 0.013 && v > edge)) continue;
    const double log_density = x * log_mean - mean - log_factorial(static_cast<Index>(x));
    if (std::log(v * inverse_alpha / (a / (edge * edge) + b)) <= log_density) return static_cast<Index>(x);
  }
}

}  // namespace

std::uint64_t draw_bits(std::uint64_t seed, std::uint32_t stream, Index item, std::uint32_t k) {
  return block_of(seed, stream, item, k / 2)[k % 2];
}

double draw_uniform(std::uint64_t seed, std::uint32_t stream, Index item, std::uint32_t k) {
  return (static_cast<double>(draw_bits(seed, stream, item, k) >> 12) + 0.5) * 0x1p-52;
}

void Draws::refill() {
  const auto block = block_of(seed_, stream_, item_, n_blocks_++);
  block_[0] = block[0];
  block_[1] = block[1];
  next_ = 0;
}

double Draws::normal() {
  return normal_quantile(uniform());
}

double Draws::exponential() {
  return -std::log(uniform());
}

double Draws::gamma(double shape) {
  require(shape > 0 && std::isfinite(shape), "gamma draw needs a positive shape", shape, "shape > 0");
  if (shape < 1) {
    const double larger = gamma(shape + 1);
    return larger * std::pow(uniform(), 1 / shape);
  }
  const double d = shape - 1.0 / 3;
  const double c = 1 / std::sqrt(9 * d);
  while (true) {
    const double x = normal();
    const double u = uniform();
    const double root = 1 + c * x;
    if (root <= 0) continue;
    const double v = root * root * root;
    if (std::log(u) < 0.5 * x * x + d - d * v + d * std::log(v)) return d * v;
  }
}

Index Draws::poisson(double mean) {
  require(mean >= 0 && mean <= 1e15, "Poisson draw needs a mean that is not negative", mean, "0 to 1e15");
  return mean < 10 ? poisson_by_inversion(mean, uniform()) : poisson_by_rejection(*this, mean);
}

Index Draws::categorical(std::span<const double> cumulative) {
  const double total = cumulative.empty() ? 0 : cumulative.back();
  require(total > 0, "categorical draw needs weights with a positive sum", total, "total > 0");
  const auto chosen = std::upper_bound(cumulative.begin(), cumulative.end(), uniform() * total);
  return chosen - cumulative.begin();
}

Index Draws::below(Index n) {
  require(n >= 1, "uniform integer needs something to choose from", static_cast<double>(n), "n ≥ 1");
  // the high word of bits · n, built from halves: ISO C++ has no 128-bit integer
  const std::uint64_t size = static_cast<std::uint64_t>(n), drawn = bits();
  const std::uint64_t low_size = size & 0xffffffffu, high_size = size >> 32;
  const std::uint64_t low_drawn = drawn & 0xffffffffu, high_drawn = drawn >> 32;
  const std::uint64_t middle = high_drawn * low_size + ((low_drawn * low_size) >> 32);
  const std::uint64_t other = low_drawn * high_size + (middle & 0xffffffffu);
  return static_cast<Index>(high_drawn * high_size + (middle >> 32) + (other >> 32));
}

bool Draws::bernoulli(double p) {
  require(p >= 0 && p <= 1, "Bernoulli draw needs a probability", p, "0 to 1");
  return uniform() < p;
}

Index Draws::skip(double p) {
  require(p >= 0 && p <= 1, "geometric skip needs a probability", p, "0 to 1");
  const double u = uniform();
  if (p == 0) return never();
  if (p == 1) return 0;
  const double n_failures = std::log(u) / std::log1p(-p);
  return n_failures < static_cast<double>(never()) ? static_cast<Index>(n_failures) : never();
}

}  // namespace chorale::kernels
