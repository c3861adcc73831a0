// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include "kernels/dispatch.hpp"
#include "kernels/types.hpp"

/// What the penalised Cox path and its bodies in kernels/simd/cox_path.cpp say to each other: plain pointers.
namespace chorale::kernels {

inline constexpr Index path_lanes = 8;   ///< coefficient vectors side by side, one lambda each
inline constexpr Index panel_rows = 16;  ///< rows whose values of one column lie together

/// Dense columns, panel by panel: row i of column j is values[(i / 16 * n_columns + j) * 16 + i % 16].
struct Panels {
  const double* values;
  Index n_panels;
  Index n_columns;
};

/// Rows by last event time at risk. Event times of a stratum follow each other.
struct PathRows {
  Index n_rows;  ///< padded to whole panels
  Index n_times;
  Index n_strata;
  const Index* stratum_begin;  ///< n_strata + 1
  const std::int32_t* exit;    ///< last event time at risk; n_times where there is none
  const std::int32_t* enter;   ///< last event time before they enter, -1 where there is none; may be null
  const double* weight;
  const double* dead;         ///< weight of who dies, else 0
  const double* n_deaths;     ///< per time
  const double* dead_weight;  ///< per time
  bool efron;
};

/// Rows or times x path_lanes each; times have one entry more, for rows never at risk.
struct PathLanes {
  double* eta;      ///< in: linear predictor, out: martingale residuals, ∂l/∂η
  double* risk;     ///< w e^η
  double* at_risk;  ///< S0
  double* dying;    ///< D0
  double* hazard;   ///< summed up to each time
  double* spared;   ///< what those who die at a time are spared by Efron
};

struct PathModel {
  Index n;
  Index stride;
  const double* hessian;  ///< n x stride
  const double* l1;       ///< n, penalty of |b|
  const double* l2;       ///< n, penalty of b²/2
  const double* reach;    ///< n, log hazard of a change by 1
};

// clang-format off

/// eta[i] += Σ_c x[i, columns[c]] beta[c], lane by lane.
CHORALE_DECLARE_LEVELS(void cox_path_linear(const Panels& panels, const std::int32_t* columns, Index n_columns,
                                            const double* beta, double* eta))

/// gradient[c] += Σ_i x[i, columns[c]] residual[i], lane by lane.
CHORALE_DECLARE_LEVELS(void cox_path_gradient(const Panels& panels, const std::int32_t* columns, Index n_columns,
                                              const double* residual, double* gradient))

/// The same for one 0/1 column: the rows that carry it.
CHORALE_DECLARE_LEVELS(void cox_path_add_to(const std::int32_t* rows, Index n, const double* beta, double* eta))
CHORALE_DECLARE_LEVELS(void cox_path_sum_of(const std::int32_t* rows, Index n, const double* residual,
                                            double* gradient))

/// Log partial likelihood of each lane, and all that PathLanes holds.
CHORALE_DECLARE_LEVELS(void cox_path_residuals(const PathRows& rows, const PathLanes& lanes, double* loglik))

/// gram[c, d] += sign Σ_i factor[i] x[i, columns[c]] x[i, columns[d]] for d >= c; factor may be null.
CHORALE_DECLARE_LEVELS(void cox_path_gram(const Panels& panels, const std::int32_t* columns, Index n_columns,
                                          const double* factor, double sign, Index stride, double* gram))

/// sums[c, bin[i]] += risk[i] x[i, columns[c]], parts likewise with part; bin never falls from row to row.
CHORALE_DECLARE_LEVELS(void cox_path_bin_sums(const Panels& panels, const std::int32_t* columns, Index n_columns,
                                              const std::int32_t* bin, const double* risk, const double* part,
                                              Index n_bins, double* sums, double* parts))

/// Cyclic coordinate descent: moves beta to the minimum of β'Hβ/2 − … + penalties, where slope = −∂/∂β without
/// penalties goes along. Ends when a sweep over all moves none by more than `tolerance`; returns sweeps.
CHORALE_DECLARE_LEVELS(Index cox_path_descend(const PathModel& model, double tolerance, Index max_sweeps,
                                              double* beta, double* slope))
// clang-format on

}  // namespace chorale::kernels
