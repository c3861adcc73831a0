// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <algorithm>
#include <cmath>
#include <span>
#include <vector>

#include "kernels/cox_path_replicate.hpp"

namespace chorale::kernels {

/// The dense columns whose slopes a walk is asked for.
enum class Ask {
  ahead,   ///< by the full data's path, before anything is known
  likely,  ///< by their slopes
  every    ///< the unlikely ones in single precision
};

/// Coefficients and slopes of a replicate at every lambda, a lane each; what walks and models make of them. Slopes are
/// ∂ loglik / W.
class CoxPathLanes {
 public:
  CoxPathLanes(const CoxPathGuideData& guide, CoxPathRoom::Arrays& room)
      : guide_(guide),
        room_(room),
        wide_(room.wide(guide)),
        p_(guide.n_columns()),
        n_dense_(guide.rows().n_dense),
        penalty_(penalty_of(room.deviation, guide.options)),
        n_lambda_(static_cast<Index>(guide.lambda.size())),
        beta_(static_cast<std::size_t>(n_lambda_ * guide.stride), 0.0),
        slope_(beta_.size(), 0.0),
        loglik_(static_cast<std::size_t>(n_lambda_), 0.0) {}

 protected:
  double* beta(Index k) { return beta_.data() + k * guide_.stride; }
  double* slope(Index k) { return slope_.data() + k * guide_.stride; }
  double l1(Index k, Index j) const {
    return guide_.lambda[static_cast<std::size_t>(k)] * penalty_.alpha *
           penalty_.factor[static_cast<std::size_t>(j)] * room_.unit[static_cast<std::size_t>(j)];
  }
  double l2(Index k, Index j) const {
    const double u = room_.unit[static_cast<std::size_t>(j)];
    return guide_.lambda[static_cast<std::size_t>(k)] * (1 - penalty_.alpha) *
           penalty_.factor[static_cast<std::size_t>(j)] * u * u;
  }
  bool free(Index j) const { return penalty_.free[static_cast<std::size_t>(j)]; }
  /// May be nonzero at the next place.
  bool likely(Index k, Index j) {
    return free(j) && (beta(k)[j] != 0 || std::abs(slope(k)[j]) >= probable * l1(k, j));
  }

  /// Nonzero in the full data's path somewhat further down; all columns where many are.
  bool ahead(Index k, Index j) const { return guide_.ahead[static_cast<std::size_t>(k * p_ + j)]; }

  /// Expected deaths of a sparse column's carriers / W, which is about its curvature.
  double expected(Index j, double slope_of) const {
    return std::max(room_.died[static_cast<std::size_t>(j)] - slope_of, 0.1 / room_.total_weight);
  }

  /// Likelihoods and slopes of some lanes; `known`: risks of one block by row of the design.
  template <class Real>
  void walk(std::span<const Index> lanes, Ask ask, Index n_every = 0, const float* known = nullptr);

  /// By how much the replicate's curvature differs from the full data's, at one place.
  void measure_difference(const CoxPathBlock<float>& block, Index lane, std::span<const Index> knots);

  /// Takes a lane to the minimum of its model, slopes along. Returns how far; NaN where there is none.
  ///
  /// Where a sparse column's coefficient changes by d, expected deaths of its carriers change by e^d − 1 and all slopes
  /// in proportion to that: without a ridge this is the model's variable, so that long steps of rare columns are
  /// right at once.
  double move(Index k, double tolerance);

  /// Where lambdas between knots stand: a line from one to the next. Slopes there leave their line by
  /// t (1 − t)/2 (H behind − H before) change.
  void interpolate(Index before, Index behind);

  const CoxPathGuideData& guide_;
  CoxPathRoom::Arrays& room_;
  WideRows wide_;
  Index p_, n_dense_;
  PathPenalty penalty_;
  Index n_lambda_;
  std::vector<double> beta_, slope_;  ///< lanes x stride
  std::vector<double> loglik_;
  Index n_walks_ = 0;

 private:
  template <class Real>
  std::vector<CoxPathBlock<Real>>& blocks() {
    if constexpr (sizeof(Real) == 4) {
      return room_.single;
    } else {
      return room_.twice;
    }
  }

  /// Coefficients in the precision of the walk, which is where the lanes then stand; what is asked for.
  template <class Real>
  void fill(CoxPathBlock<Real>& block, std::span<const Index> lanes, Ask ask);
  template <class Real>
  void read(const CoxPathBlock<Real>& block, std::span<const Index> lanes);

  /// Curvature of some columns at a lambda: a line between two of the full data's, and the difference.
  const float* between(Index k, std::span<const std::int32_t> columns, Index stride);

  /// The nearest of the full data's, and the difference.
  const float* nearest(Index k);

  /// Σ_k H[j, k] change_k of every column, by the full data's curvature at a lambda.
  std::vector<double> times_curvature(Index k, std::span<const double> change);

  static constexpr double probable =
      0.75;  ///< slope, as a share of its bound, of columns that a model may move
};

}  // namespace chorale::kernels
