// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <cstdint>

#include "kernels/dispatch.hpp"
#include "kernels/types.hpp"

/// What kernels/cox_bootstrap.cpp asks of its bodies in kernels/simd/cox_bootstrap.cpp: plain pointers.
namespace chorale::kernels {

inline constexpr Index bootstrap_lanes = 64;  ///< replicates side by side
inline constexpr Index visit_block = 32;      ///< visits of several times whose risks stay in the first cache
inline constexpr Index long_block = 128;      ///< the same of times with many visits, in single precision
inline constexpr Index column_block = 4;      ///< columns are padded to a multiple with zeros

/// Patients as the passes visit them: event times from the last to the first, stratum by stratum; at a time
/// first those who die, then those who leave alive after it, and those, to subtract, who were not yet under observation.
struct BootstrapWalk {
  Index n_times;
  Index n_visits;                   ///< with what is read past the last one
  Index n_room;                     ///< visits of a block at most
  Index n_columns;                  ///< a multiple of column_block
  const std::int32_t* visit_begin;  ///< 2 n_times + 1; those who die at time k begin at 2k, others at 2k + 1
  const std::uint8_t* fresh;        ///< n_times, 1 where a stratum begins
  const double* columns;            ///< n_visits x n_columns
  const float* columns_single;      ///< the same
  const double* factor;             ///< n_visits, what multiplies copies · e^(z'b); null: 1
  const double* case_weight;        ///< n_visits; null: 1
  bool efron;
};

/// Replicates side by side.
struct BootstrapBatch {
  const std::uint8_t* copies;  ///< n_visits x lanes
  double* deaths;              ///< n_times x lanes, d; set by bootstrap_deaths
  double* weight;              ///< n_times x lanes, W; likewise
};

// clang-format off

/// With r = Σ_k share[j · n_columns + k] columns[k] over n_rows rows: moments[2 j] = Σ r², moments[2 j + 1] = Σ r⁴.
CHORALE_DECLARE_LEVELS(void bootstrap_residuals(const double* const* columns, Index n_columns, Index n_rows, const double* share, double* moments))

/// d and W at each time, and of_columns[j] = Σ_deaths w z_j, n_columns x lanes. A death counts once for each
/// copy where `as_copies`, else once.
CHORALE_DECLARE_LEVELS(void bootstrap_deaths(const BootstrapWalk& walk, const BootstrapBatch& batch, bool as_copies, double* room, double* of_columns))

/// At b (n_columns x lanes), what the coefficients are beyond those in the factor (null: 0):
///   slope[j]    Σ_t (W/d) Σ_l (S1_j − (l/d) D1_j) / (S0 − (l/d) D0)     n_columns x lanes
///   log_risk    Σ_t (W/d) Σ_l log(S0 − (l/d) D0)                        lanes
/// room holds n_room + n_columns times lanes numbers.
CHORALE_DECLARE_LEVELS(void bootstrap_pass(const BootstrapWalk& walk, const BootstrapBatch& batch, const double* b, double* room, double* slope, double* log_risk))

/// The slope with patients' risks in single precision, their sums in double.
CHORALE_DECLARE_LEVELS(void bootstrap_pass_single(const BootstrapWalk& walk, const BootstrapBatch& batch, const float* b, float* room_single, double* room, double* slope))
// clang-format on

}  // namespace chorale::kernels
