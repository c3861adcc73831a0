// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/cox_path_wide_body.hpp"
#include "kernels/simd/single.hpp"

namespace chorale::kernels::simd::CHORALE_LEVEL {
namespace {

double soft(double value, double threshold) {
  return value > threshold ? value - threshold : value < -threshold ? value + threshold : 0;
}

/// One coordinate; returns |change| in log hazards.
double descend_one(const WideModel& model, Index j, double* beta, const double* slope, float* moved) {
  const float* row = model.curve + j * model.stride;
  const double curve = static_cast<double>(row[j]);
  if (!(curve > 1e-12)) return 0;  // alike in every risk set
  const double here = slope[j] - static_cast<double>(moved[j]);
  const double next = soft(here + curve * beta[j], model.l1[j]) / (curve + model.l2[j]);
  const double change = next - beta[j];
  if (change == 0) return 0;
  beta[j] = next;
  const float by = static_cast<float>(change);
  for (Index k = 0; k < model.stride; k += lane_width<float>)
    store_lanes(moved + k, load_lanes(moved + k) + by * load_lanes(row + k));
  return model.reach[j] * __builtin_fabs(change);
}

}  // namespace

Index cox_path_wide_descend(const WideModel& model, double tolerance, Index max_sweeps, double* beta,
                            double* slope, float* moved) {
  constexpr Index sweeps_summed = 8;  // in single precision, before slopes take them
  Index sweeps = 0;
  bool all = true;  // then the nonzero ones among themselves, which is where most of the work is
  for (Index k = 0; k < model.stride; ++k) moved[k] = 0;
  while (sweeps < max_sweeps) {
    double most = 0;
    ++sweeps;
    for (Index c = 0; c < model.n_columns; ++c) {
      const Index j = model.columns[c];
      if (!all && beta[j] == 0) continue;
      const double step = descend_one(model, j, beta, slope, moved);
      most = step > most ? step : most;
    }
    const bool ends = !(most > tolerance);
    if (all || ends || sweeps % sweeps_summed == 0) {
      for (Index k = 0; k < model.stride; ++k) {
        slope[k] -= static_cast<double>(moved[k]);
        moved[k] = 0;
      }
    }
    if (all && ends) break;
    all = ends;
  }
  for (Index k = 0; k < model.stride; ++k) slope[k] -= static_cast<double>(moved[k]);
  return sweeps;
}

}  // namespace chorale::kernels::simd::CHORALE_LEVEL
