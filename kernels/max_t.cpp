// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/max_t.hpp"

#include <fmt/format.h>

#include <cmath>
#include <vector>

#include "kernels/error.hpp"

namespace chorale::kernels {
namespace {

constexpr double tie = 1e-9;

double size_of(double z, Alternative alternative) {
  if (alternative == Alternative::two_sided) return std::abs(z);
  return alternative == Alternative::greater ? z : -z;
}

double largest(const Extremes& extremes, Alternative alternative) {
  if (alternative == Alternative::two_sided) return std::max(extremes.greatest, -extremes.least);
  return alternative == Alternative::greater ? extremes.greatest : -extremes.least;
}

/// What a permutation must reach to count against an observed size.
double bar(double size) {
  return size - tie * std::abs(size);
}

double p_of(std::size_t n_reached, std::size_t n_permutations) {
  return (1 + static_cast<double>(n_reached)) / (1 + static_cast<double>(n_permutations));
}

}  // namespace

void max_t_p(std::span<const Extremes> extremes, std::span<const double> z, Alternative alternative,
             std::span<double> p) {
  require_size("adjusted p-values and statistics differ in number", p.size(), z.size());
  std::vector<double> maxima;
  for (const Extremes& of_one : extremes) maxima.push_back(largest(of_one, alternative));
  std::sort(maxima.begin(), maxima.end());
  for (std::size_t k = 0; k < z.size(); ++k) {
    const auto reached = std::lower_bound(maxima.begin(), maxima.end(), bar(size_of(z[k], alternative)));
    p[k] = std::isnan(z[k]) ? z[k] : p_of(static_cast<std::size_t>(maxima.end() - reached), maxima.size());
  }
}

void max_t_step_down_p(std::span<const Extremes> rest, std::span<const double> permuted,
                       std::span<const double> z, Alternative alternative, std::span<double> p) {
  require_size("adjusted p-values and leaders differ in number", p.size(), z.size());
  require_size("leaders' statistics do not fill every permutation", permuted.size(), rest.size() * z.size());
  for (std::size_t k = 0; k < z.size(); ++k) {
    const double size = size_of(z[k], alternative);
    if (!std::isnan(size) && (k == 0 || size <= size_of(z[k - 1], alternative))) continue;
    throw ShapeError({.what = "leaders do not stand in falling order",
                      .found = fmt::format("{} at {}", z[k], k),
                      .expected = "the most extreme first"});
  }
  std::vector<std::size_t> n_reached(z.size(), 0);
  for (std::size_t r = 0; r < rest.size(); ++r) {
    double most = largest(rest[r], alternative);
    for (std::size_t k = z.size(); k-- > 0;) {
      const double size = size_of(permuted[r * z.size() + k], alternative);
      most = size > most ? size : most;
      n_reached[k] += most >= bar(size_of(z[k], alternative));
    }
  }
  double largest_so_far = 0;
  for (std::size_t k = 0; k < z.size(); ++k)
    p[k] = largest_so_far = std::max(largest_so_far, p_of(n_reached[k], rest.size()));
}

}  // namespace chorale::kernels
