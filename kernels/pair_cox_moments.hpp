// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <Eigen/Dense>
#include <optional>
#include <vector>

#include "kernels/cox_rows.hpp"
#include "kernels/pair_cox_slots.hpp"

namespace chorale::kernels {

/// Everybody's sums over the risk sets at coefficients near the covariates' own, from moments of the covariates
/// there: with δ the shift and α exponents,
///
///   Σ_{at risk} w e^(η + δ'z) z^k = Σ_α δ^α/α! Σ_{at risk} w e^η z^(k + α),
///
/// so that a pair touches event times instead of patients. The series end where what they leave out is below 1e-12
/// of any patient's share of S0 and of the sums of z (beyond that, below 1e-14 of S0).
class PairMoments {
 public:
  PairMoments(const CoxRows& rows, const EventTimes& times, const PairSlots& slots);

  /// The series for a shift; nothing where it is too far for the moments at hand, or for more than three columns.
  std::optional<MomentSeries> series(const Eigen::VectorXd& shift, std::vector<double>& coefficients) const;

 private:
  void list_monomials(Index degree);
  void sum_over_risk_sets(const EventTimes& times, const PairSlots& slots);

  Index n_columns_, n_padded_;
  std::vector<double> farthest_;        ///< per column, largest |z|
  std::vector<double> reach_;           ///< by degree
  std::vector<Index> degree_begin_;     ///< first monomial of each degree, and the end
  std::vector<std::int32_t> parent_;    ///< per monomial, the one that this is a column's multiple of
  std::vector<std::int32_t> column_;    ///< per monomial, that column
  std::vector<std::int32_t> multiple_;  ///< monomial · column, for those below the highest degree
  std::vector<double> per_factorial_;   ///< 1/α!
  AlignedDoubles at_risk_, dying_;      ///< monomials x n_padded
};

}  // namespace chorale::kernels
