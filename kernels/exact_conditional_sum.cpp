// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/exact_conditional_sum.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace chorale::kernels {
namespace {

constexpr double largest_log_odds = 300;  // its square is still a number
constexpr double cut = 1e-60;             // of the mode

// y of largest f(y) ψ^y: where (row1 - y)(col1 - y) ψ = (y + 1)(row2 - col1 + y + 1), by halving what is possible
double tilted_mode(const Hypergeometric& urn, double psi) {
  double below = urn.low(), above = urn.high();
  while (below < above) {
    const double middle = std::floor(0.5 * (below + above));
    if (urn.ratio(middle) * psi > 1) {
      below = middle + 1;
    } else {
      above = middle;
    }
  }
  return below;
}

// f(y) ψ^y around its mode, relative to it
struct Window {
  double first;
  std::vector<double> weight;
  double log_scale;  // of the mode
};

Window window_of(const Hypergeometric& urn, double log_odds) {
  const double psi = std::exp(log_odds), mode = tilted_mode(urn, psi);
  std::vector<double> weight;
  double first = mode;
  for (double each = 1; first > urn.low(); first -= 1) {
    each /= urn.ratio(first - 1) * psi;
    if (each < cut) break;
    weight.push_back(each);
  }
  std::reverse(weight.begin(), weight.end());
  weight.push_back(1);
  double each = 1;
  for (double y = mode; y < urn.high(); y += 1) {
    each *= urn.ratio(y) * psi;
    if (each < cut) break;
    weight.push_back(each);
  }
  return {first, std::move(weight), urn.log_density(mode) + log_odds * mode};
}

}  // namespace

HypergeometricSum::HypergeometricSum(std::vector<Hypergeometric> strata) : strata_(std::move(strata)) {
  for (const Hypergeometric& urn : strata_) {
    low_ += urn.low();
    high_ += urn.high();
  }
}

SumMoments HypergeometricSum::moments(double log_odds) const {
  const double psi = std::exp(log_odds);
  SumMoments all{0, 0, 0};
  for (const Hypergeometric& urn : strata_) {
    const double mode = tilted_mode(urn, psi);
    double sum = 1, first = 0, second = 0;  // of distances from the mode
    const auto add = [&](double weight, double distance) {
      sum += weight;
      first += weight * distance;
      second += weight * distance * distance;
      return weight > 1e-18 * sum;
    };
    double weight = 1;
    for (double y = mode; y < urn.high() && add(weight *= urn.ratio(y) * psi, y + 1 - mode); y += 1) {
    }
    weight = 1;
    for (double y = mode; y > urn.low() && add(weight /= urn.ratio(y - 1) * psi, y - 1 - mode); y -= 1) {
    }
    all.log_sum += urn.log_density(mode) + log_odds * mode + std::log(sum);
    all.mean += mode + first / sum;
    all.variance += second / sum - first / sum * (first / sum);
  }
  return all;
}

double HypergeometricSum::log_odds_at(double x, double start) const {
  double below = -largest_log_odds, above = largest_log_odds;
  double at = std::clamp(start, below, above);
  for (int step = 0; step < 200; ++step) {
    const SumMoments now = moments(at);
    if (now.mean == x) break;
    (now.mean < x ? below : above) = at;
    const double move = (x - now.mean) / now.variance;
    const double newton = at + move;
    const bool inside = newton > below && newton < above && std::abs(move) < 4;
    const double next = inside ? newton : 0.5 * (std::max(below, at - 8) + std::min(above, at + 8));
    if (inside && std::abs(move) < 1e-14 * std::max(1.0, std::abs(at))) return newton;
    if (next == at) break;
    at = next;
  }
  return at;
}

double HypergeometricSum::log_density_at_end(bool at_high) const {
  double sum = 0;
  for (const Hypergeometric& urn : strata_) sum += urn.log_density(at_high ? urn.high() : urn.low());
  return sum;
}

HypergeometricSum::Tilted HypergeometricSum::tilted(double log_odds) const {
  Tilted all{0, log_odds, 0, {1.0}};
  for (const Hypergeometric& urn : strata_) {
    const Window window = window_of(urn, log_odds);
    double sum = 0;
    for (const double weight : window.weight) sum += weight;
    std::vector<double> next(all.value.size() + window.weight.size() - 1, 0.0);
    // the longer one in the inner loop
    const bool window_longer = window.weight.size() > all.value.size();
    const std::vector<double>& outer = window_longer ? all.value : window.weight;
    const std::vector<double>& inner = window_longer ? window.weight : all.value;
    for (std::size_t i = 0; i < outer.size(); ++i) {
      const double factor = outer[i] / sum;
      for (std::size_t j = 0; j < inner.size(); ++j) next[i + j] += factor * inner[j];
    }
    all.value = std::move(next);
    all.first += window.first;
    all.log_sum += window.log_scale + std::log(sum);
  }
  return all;
}

double HypergeometricSum::Tilted::log_density(double y) const {
  return std::log(at(y)) + log_sum - log_odds * y;
}

double HypergeometricSum::Tilted::log_tail(double y, int side) const {
  const double factor = std::exp(-side * log_odds);
  double sum = 0, power = 1;
  for (double z = y; z >= first && z <= last(); z += side) {
    const double term = at(z) * power;
    sum += term;
    if (term < 1e-20 * sum) break;
    power *= factor;
  }
  return std::log(sum) + log_sum - log_odds * y;
}

}  // namespace chorale::kernels
