// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "kernels/cox_path_guide.hpp"
#include "kernels/cox_path_recorder.hpp"
#include "kernels/cox_path_rows.hpp"
#include "kernels/cox_path_wide_body.hpp"
#include "kernels/large_pages.hpp"

namespace chorale::kernels {

template <class T>
using Aligned = std::vector<T, CacheLineAllocator<T>>;
template <class T>
using Unset = std::vector<T, UnsetAllocator<T>>;

/// Makes room for n values, in large pages if there are any.
template <class T>
void make_room(Unset<T>& values, std::size_t n) {
  if (n > values.capacity()) {
    values = Unset<T>();
    values.reserve(n + n / 16);
    wish_large_pages(values.data(), values.capacity() * sizeof(T));
  }
  values.resize(n);
}

/// Coefficients here are those of the columns as the panels hold them: log hazards per about a standard deviation of a
/// dense column, per carrier of a sparse one. Curvature is −∂² loglik / W, rows and columns of sparse columns divided
/// by √(their expected deaths / W).
struct CoxPathGuideData {
  CoxPathDesign design;
  CoxPathOptions options;  ///< its spans point to the vectors below
  std::vector<double> lambda, factor, weight;
  bool usable = false;  ///< false: replicates are left to cox_path
  bool single =
      false;  ///< whether errors of single precision stay small on their way from slopes to coefficients
  Unset<float> panels;
  std::vector<double> scale;   ///< per column, original units of 1
  std::vector<float> largest;  ///< per dense column, of absolute values
  std::vector<double> start;   ///< lambdas x columns
  Index stride = 0;
  std::vector<Aligned<float>> curves;  ///< columns x stride each
  std::vector<Index> curve_at;         ///< their lambdas
  std::vector<std::uint8_t> knot;      ///< per lambda
  std::vector<std::uint8_t> ahead;     ///< lambdas x columns, may be nonzero in a replicate, or nearly
  Unset<float> start_risk;    ///< rows x lanes of the first knots' block: e^η at `start`; may be empty
  Index measured_lambda = 0;  ///< where a replicate's own curvature is taken, a knot
  Index first_end = 0;        ///< replicates look at lambdas before this first; later ones by sixteen
  Index n_bins = 0;           ///< pooled event times of curvature
  std::vector<std::int32_t> bin_of_time;
  std::vector<std::uint8_t> ends_stratum;

  /// The last curve at or above a lambda, and how far from there to the next one it lies.
  Index curve_below(Index k) const;
  float share_above(Index k) const;

  /// Whether lambdas begin … end - 1 are walked at this one before those between.
  bool is_knot(Index k, Index begin, Index end) const {
    return knot[static_cast<std::size_t>(k)] || k == begin || k + 1 == end;
  }

  const CoxPathData& rows() const { return *design.data; }
  Index n_columns() const { return design.n_columns; }
};

/// One block of lanes in one precision.
template <class Real>
struct CoxPathBlock {
  Index n_lanes = wide_lanes;
  std::vector<std::int32_t> columns, asked, checked;
  Index n_wide = 0, n_asked_wide = 0;
  Unset<Real> beta, sparse_beta, risk, part, sparse_part;
  Unset<float> checked_part;
  Unset<double> at_risk, dying, hazard, spared, slopes, checked_slopes, sparse_slopes, logs;

  void clear(const WideRows& rows);
  WideBlock<Real> view();
};

struct CoxPathRoom::Arrays {
  // the replicate's rows
  Index n_analysed = 0, n_events = 0;
  double total_weight = 0, loglik_saturated = 0, loglik_null = 0;
  std::vector<std::int32_t> source, row_of, exit, enter;
  std::vector<double> weight, dead, offset, n_deaths, dead_weight;
  Unset<float> panels, moments;
  std::vector<double> deviation;  ///< per column, 0 = constant; original units
  std::vector<double> unit;       ///< per column, standardised units of 1
  std::vector<double> died;       ///< per column, Σ dead x / W
  double dead_offset = 0;         ///< Σ dead offset

  std::vector<CoxPathBlock<float>> single;
  std::vector<CoxPathBlock<double>> twice;
  Aligned<float> difference;           ///< of the replicate's curvature from the full data's
  std::vector<Aligned<float>> curves;  ///< the full data's and the difference
  std::vector<std::uint8_t> has_curve;
  Aligned<float> between;  ///< two curves, of some columns

  // curvature
  Unset<float> factor, root, lane_risk, lane_part, quantum, with_dense, with_sparse;
  Unset<std::int16_t> rounded;
  std::vector<std::int32_t> bin;
  std::vector<double> rate, alive_share, dead_share;
  Unset<double> gram, squares, sums, parts;
  Unset<float> means;

  /// Takes the rows that weigh more than 0 and all that depends on their weights.
  void take(const CoxPathGuideData& guide, std::span<const double> weight);
  WideRows wide(const CoxPathGuideData& guide) const;
  PathRows path_rows(const CoxPathGuideData& guide) const;

 private:
  void take_rows(const CoxPathGuideData& guide, std::span<const double> weight);
  void take_dense(const CoxPathGuideData& guide);
  void take_sparse(const CoxPathGuideData& guide);
  void count_deaths(const CoxPathGuideData& guide);
  void start_from_nothing(const CoxPathGuideData& guide);
};

/// Curvature of a block's lane, n x n of `columns` (ascending) with the given stride, without division by expected
/// deaths; upper triangle.
void cox_path_curvature(const CoxPathGuideData& guide, CoxPathRoom::Arrays& room,
                        const CoxPathBlock<float>& block, Index lane, std::span<const std::int32_t> columns,
                        Index stride);

}  // namespace chorale::kernels
