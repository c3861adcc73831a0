// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/optimism.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels/error.hpp"

namespace chorale::kernels {
namespace {

void require_lengths(const Measured& measured) {
  if (measured.boot.size() == measured.original.size() &&
      (measured.oob.empty() || measured.oob.size() == measured.boot.size()))
    return;
  throw ShapeError({.what = "measures of replicates differ in number",
                    .found = std::to_string(measured.boot.size()) + ", " +
                             std::to_string(measured.original.size()) + " and " +
                             std::to_string(measured.oob.size()),
                    .expected = "the same, or none out of bag"});
}

double est632plus(double apparent, double oob, double no_information) {
  const double room = no_information - apparent;
  if (std::isnan(room) || std::isnan(oob)) return missing;
  double overfitting = room == 0 ? 0 : (oob - apparent) / room;
  if (overfitting > 1) oob = no_information;
  overfitting = std::clamp(overfitting, 0.0, 1.0);
  const double weight = 0.632 / (1 - 0.368 * overfitting);
  return (1 - weight) * apparent + weight * oob;
}

}  // namespace

Corrected correct_optimism(const Measured& measured, double level) {
  require_lengths(measured);
  Corrected result;
  double excess = 0, oob = 0;
  std::vector<double> boot;
  for (std::size_t r = 0; r < measured.boot.size(); ++r) {
    if (!std::isnan(measured.boot[r]) && !std::isnan(measured.original[r])) {
      ++result.n_replicates;
      excess += measured.boot[r] - measured.original[r];
      boot.push_back(measured.boot[r]);
    }
    if (!measured.oob.empty() && !std::isnan(measured.oob[r])) {
      ++result.n_oob;
      oob += measured.oob[r];
    }
  }
  if (result.n_replicates > 0) {
    result.optimism = excess / static_cast<double>(result.n_replicates);
    result.corrected = measured.apparent - result.optimism;
    result.interval = interval_about(result.corrected, boot, level);
  }
  if (result.n_oob > 0) {
    result.oob = oob / static_cast<double>(result.n_oob);
    result.est632 = 0.368 * measured.apparent + 0.632 * result.oob;
    result.est632plus = est632plus(measured.apparent, result.oob, measured.no_information);
  }
  return result;
}

double stability_error_bound(double n_chosen, double cutoff, Index n_candidates) {
  if (!(cutoff > 0.5) || n_candidates <= 0) return missing;
  return n_chosen * n_chosen / ((2 * cutoff - 1) * static_cast<double>(n_candidates));
}

}  // namespace chorale::kernels
