// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/cox_path_wide_body.hpp"
#include "kernels/simd/lane_sums.hpp"

namespace chorale::kernels::simd::CHORALE_LEVEL {
namespace {

/// Hazard and what the dying are spared at one time, and its share of the sum of logarithms.
void time_terms(const PathRows& rows, Index t, Vector at_risk, Vector dying, Vector& hazard, Vector& spared,
                Vector& logs) {
  const double weight = rows.dead_weight[t], deaths = rows.n_deaths[t];
  // late entries are subtracted: far away nothing but rounding may be left, and that is no likelihood
  at_risk = at_risk > 0.999999 * dying ? at_risk : Vector{} + __builtin_nan("");
  if (!rows.efron || deaths == 1) {
    hazard = weight / at_risk;
    logs = weight * log_of(at_risk) + (at_risk - at_risk);
    return;
  }
  const double each = weight / deaths;
  for (double l = 0; l < deaths; ++l) {
    const Vector left = at_risk - (l / deaths) * dying;
    const Vector rate = each / left;
    hazard += rate;
    spared += (l / deaths) * rate;
    logs += each * log_of(left) + (left - left);
  }
}

template <Index lanes, class Real>
void times(const WideRows& wide, const WideBlock<Real>& block) {
  const PathRows& rows = wide.rows;
  for (Index i = 0; rows.enter != nullptr && i < rows.n_rows; ++i) {
    if (rows.enter[i] < 0) continue;
    for (Index lane = 0; lane < lanes; lane += lane_width<Real>)
      add_double(block.at_risk + rows.enter[i] * lanes + lane, -load_lanes(block.risk + i * lanes + lane));
  }
  const bool deaths_apart = rows.efron || rows.enter != nullptr;
  for (Index lane = 0; lane < lanes; lane += width) {
    Vector logs{};
    for (Index s = 0; s < rows.n_strata; ++s) {
      Vector at_risk{}, hazard{};
      for (Index t = rows.stratum_begin[s + 1] - 1; t >= rows.stratum_begin[s]; --t) {
        at_risk += load_lanes(block.at_risk + t * lanes + lane);
        store_lanes(block.at_risk + t * lanes + lane, at_risk);
      }
      for (Index t = rows.stratum_begin[s]; t < rows.stratum_begin[s + 1]; ++t) {
        const Index at = t * lanes + lane;
        if (rows.dead_weight[t] > 0) {
          Vector more{}, spared{}, log{};
          const Vector dying = deaths_apart ? load_lanes(block.dying + at) : Vector{};
          time_terms(rows, t, load_lanes(block.at_risk + at), dying, more, spared, log);
          hazard += more;
          logs += log;
          if (rows.efron) store_lanes(block.spared + at, spared);
        }
        store_lanes(block.hazard + at, hazard);
      }
    }
    add_double(block.logs + lane, logs);
  }
}

}  // namespace

void cox_path_wide_times(const WideRows& rows, const WideBlock<float>& block) {
  block.n_lanes == 32 ? times<32>(rows, block) : times<16>(rows, block);
}
void cox_path_wide_times(const WideRows& rows, const WideBlock<double>& block) {
  times<16>(rows, block);
}

}  // namespace chorale::kernels::simd::CHORALE_LEVEL
