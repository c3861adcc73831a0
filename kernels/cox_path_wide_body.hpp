// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include "kernels/cox_path_body.hpp"

/// What replicates of a penalised Cox path and their bodies in kernels/simd/cox_path_wide.cpp say to each other.
namespace chorale::kernels {

inline constexpr Index wide_lanes =
    16;  ///< coefficient vectors of a block; in single precision also twice as many
inline constexpr Index tile_panels = 8;   ///< panels that all blocks visit before the next ones are read
inline constexpr int gram_limit = 1447;   ///< of a rounded value: products of 1,024 rows stay below 2^31
inline constexpr Index tiles_summed = 4;  ///< tiles whose sums are added in the precision of the walk

struct WideRows {
  PathRows rows;
  const float* panels;  ///< as Panels
  Index n_panels;
  Index n_dense;
  const double* offset;               ///< may be null
  const std::int32_t* source;         ///< row of the design, n_drawn of them
  Index n_drawn;                      ///< rows that are not padding
  Index n_carrying;                   ///< n_drawn; 0 without sparse columns
  const std::int32_t* carried_begin;  ///< sparse columns by row of the design
  const std::int32_t* carried;
  Index n_sparse;
};

/// Coefficient vectors side by side; arrays of lanes lie lane by lane within a row, time or column.
template <class Real>
struct WideBlock {
  Index n_lanes;
  const std::int32_t* columns;  ///< dense ones with coefficients
  Index n_columns;
  Index n_wide;               ///< the first of them; the others are 0 beyond the first wide_lanes
  const Real* beta;           ///< of `columns`
  const Real* sparse_beta;    ///< of all sparse columns
  const std::int32_t* asked;  ///< dense columns whose slopes are wanted
  Index n_asked;
  Index n_asked_wide;           ///< the first of them; the others' slopes are wanted in the first wide_lanes
  const std::int32_t* checked;  ///< and those for which single precision will do
  Index n_checked;
  Real* risk;       ///< rows
  double* at_risk;  ///< times + 1, as PathLanes
  double* dying;
  double* hazard;
  double* spared;
  Real* part;           ///< of `asked`, of some tiles
  float* checked_part;  ///< of `checked`
  Real* sparse_part;
  double* slopes;  ///< of `asked`
  double* checked_slopes;
  double* sparse_slopes;
  double* logs;
};

struct WideGram {
  const std::int32_t* columns;  ///< dense
  Index n_columns;
  const float* root;  ///< per row, √factor
  const float* risk;
  const float* part;
  const std::int32_t* bin;  ///< per row, never falls
  Index n_bins;
  Index stride;
  const float* quantum;  ///< of `columns`: times √factor x at most gram_limit
  double* gram;          ///< [a, b] += Σ factor x x', b >= a, of values rounded to 1 / quantum
  double* sums;          ///< [column, bin] += Σ risk x
  double* parts;         ///< [column, bin] += Σ part x
  std::int16_t* room;    ///< cox_path_wide_gram_room(n_columns)
  double* squares;       ///< cox_path_wide_gram_squares(n_columns), zeros
};

/// Coordinate descent on some columns; slopes of all go along.
struct WideModel {
  Index stride;
  const float* curve;  ///< n x stride
  const std::int32_t* columns;
  Index n_columns;
  const double* l1;
  const double* l2;
  const double* reach;
};

// clang-format off

/// Linear predictors, risks and their sums by time. Panels begin … end - 1.
CHORALE_DECLARE_LEVELS(void cox_path_wide_risks(const WideRows& rows, const WideBlock<float>& block, Index begin, Index end))
CHORALE_DECLARE_LEVELS(void cox_path_wide_risks(const WideRows& rows, const WideBlock<double>& block, Index begin, Index end))

/// The same where e^η is known for each row of the design.
CHORALE_DECLARE_LEVELS(void cox_path_wide_start(const WideRows& rows, const WideBlock<float>& block, const float* known,
                                                Index begin, Index end))

/// Risk sets and hazards from the sums; adds to logs what is subtracted from Σ dead η to yield the log likelihood.
CHORALE_DECLARE_LEVELS(void cox_path_wide_times(const WideRows& rows, const WideBlock<float>& block))
CHORALE_DECLARE_LEVELS(void cox_path_wide_times(const WideRows& rows, const WideBlock<double>& block))

/// Adds residuals times columns to the parts.
CHORALE_DECLARE_LEVELS(void cox_path_wide_slopes(const WideRows& rows, const WideBlock<float>& block, Index begin, Index end))
CHORALE_DECLARE_LEVELS(void cox_path_wide_slopes(const WideRows& rows, const WideBlock<double>& block, Index begin, Index end))

/// Adds the parts to the slopes and clears them.
CHORALE_DECLARE_LEVELS(void cox_path_wide_flush(const WideRows& rows, const WideBlock<float>& block))
CHORALE_DECLARE_LEVELS(void cox_path_wide_flush(const WideRows& rows, const WideBlock<double>& block))

CHORALE_DECLARE_LEVELS(Index cox_path_wide_gram_room(Index n_columns))
CHORALE_DECLARE_LEVELS(Index cox_path_wide_gram_squares(Index n_columns))
CHORALE_DECLARE_LEVELS(void cox_path_wide_gram(const float* panels, Index n_dense, Index n_panels, const WideGram& gram))

/// gram[a, b] -= Σ means[a] means[b] of n_columns rows of n_values (whole panels) each, b >= a.
CHORALE_DECLARE_LEVELS(void cox_path_wide_means(const float* means, Index n_columns, Index n_values, Index stride, double* gram))

/// Copies the rows `source` of n_columns columns to whole panels; adds Σ w x, Σ w x² and Σ dead x of each column.
/// room: 48 n_columns.
CHORALE_DECLARE_LEVELS(void cox_path_wide_pack(const float* panels, Index n_columns, const std::int32_t* source, Index n_rows,
                                               const double* weight, const double* dead, float* to, float* room, double* sums, double* squares,
                                               double* died))

/// As cox_path_descend; `moved` holds in single precision by how much slopes fell (stride). Returns sweeps.
CHORALE_DECLARE_LEVELS(Index cox_path_wide_descend(const WideModel& model, double tolerance, Index max_sweeps, double* beta, double* slope, float* moved))
// clang-format on

}  // namespace chorale::kernels
