// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "kernels/censoring.hpp"
#include "kernels/dense_rank.hpp"
#include "kernels/risk_order.hpp"

namespace chorale::kernels {

/// The case weights of a sample, such as a bootstrap replicate, in the rows of an order without late entries, with what
/// all measures of a prediction need of them. Keeps its arrays: one object serves sample after sample.
///
/// Shapes   take: weight (n_patients) or empty, see row_weights
/// Throws   ShapeError when lengths differ, a weight is negative or not finite, or patients enter late
/// Cost     two passes over the patients
class SampleRows {
 public:
  void take(const RiskOrder& order, std::span<const double> weight, Ties ties);

  std::vector<double> weight;  ///< n_rows
  std::vector<std::uint32_t>
      whole;  ///< the same; empty unless all are whole numbers that sum to less than 2^31
  double total = 0;
  Index n_analysed = 0, n_events = 0;  ///< with a weight above 0
  Censoring censored;                  ///< without its `survival`
  std::vector<double> of_death;        ///< n_rows, w / G(t−) of who dies, 0 for others

  std::vector<double> deaths;  ///< n_slots, W, the weight of who dies

  /// With d who die at slot t, of a weight above 0 together W, as D0 of a risk set S0: Σ_l (W/d) f(S0 − (l/d) D0).
  std::vector<double> first;  ///< n_slots, W/d; with Breslow's ties W
  struct {
    std::vector<double> share,
        weight;  ///< l/d and W/d, or 0, of each l > 0 as the order's tied_slot; Breslow: none
  } later;

 private:
  void take_stratum(const RiskOrder& order, Index stratum);
  void share_ties(const RiskOrder& order, Ties ties);

  std::vector<double> from_, count_;  // n_rows, weights and how many are above 0, from each row on
  std::vector<double> n_dying_;       // n_slots
};

/// A linear predictor in the rows of an order, sorted, for all samples and measures.
///
/// Shapes   take: linear_predictor (n_patients)
/// Throws   ShapeError when lengths differ or one is infinite
/// Cost     one sort of the patients; centre_at one exp each
class PredictionRows {
 public:
  /// False where a row has no linear predictor (NaN): then nothing else is set.
  bool take(const RiskOrder& order, std::span<const double> linear_predictor);
  void centre_at(double centre);

  std::vector<double> value;       ///< n_rows
  std::vector<std::int32_t> rank;  ///< n_rows, ascending, equal values sharing one
  Index n_ranks = 0;
  std::vector<double> centred, risk;  ///< n_rows, value − centre, and its exponential

  std::span<const std::int32_t> sorted() const { return ranks_.sorted(); }  ///< rows by value

 private:
  DenseRank ranks_;
};

/// Weighted mean of the linear predictors; 0 where there is no weight.
double mean_prediction(const PredictionRows& prediction, const SampleRows& sample);

}  // namespace chorale::kernels
