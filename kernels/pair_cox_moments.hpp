// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "kernels/cox_rows.hpp"
#include "kernels/pair_cox_slots.hpp"

namespace chorale::kernels {

/// Everybody's sums over the risk sets at coefficients near the covariates' own, from moments of the covariates
/// there: with δ the shift and α exponents,
///
///   Σ_{at risk} w e^(η + δ'z) z^k = Σ_α δ^α/α! Σ_{at risk} w e^η z^(k + α),
///
/// so that a pair touches event times instead of patients. With K the degree of the moments, what the series leave
/// out of the sums of z is at most |z| |δ'z|^K/K! per patient; Σ ω |z| |δ'z|^K/K! over the deaths ω expected of each,
/// which is what it changes in the score, is kept below 1e-12 of the deaths by Hölder's and Minkowski's inequalities:
/// ‖z‖ (Σ_j |δ_j| ‖z_j‖)^K <= 1e-12 K!, norms of power K + 1.
class PairMoments {
 public:
  /// expected: per row, deaths expected.
  PairMoments(const CoxRows& rows, const EventTimes& times, const PairSlots& slots,
              std::span<const double> expected);

  /// The series for a shift; nothing where it is too far for the moments at hand, or for more than three columns.
  std::optional<MomentSeries> series(std::span<const double> shift, std::vector<double>& coefficients) const;

 private:
  void measure(const CoxRows& rows, std::span<const double> expected, Index highest);
  void list_monomials(Index degree);
  void sum_over_risk_sets(const EventTimes& times, const PairSlots& slots);

  Index n_columns_, n_padded_;
  Index degree_for(std::span<const double> shift, double left_out) const;

  std::vector<double> norm_;            ///< by degree and column
  std::vector<Index> degree_begin_;     ///< first monomial of each degree, and the end
  std::vector<std::int32_t> parent_;    ///< per monomial, the one that this is a column's multiple of
  std::vector<std::int32_t> column_;    ///< per monomial, that column
  std::vector<std::int32_t> multiple_;  ///< monomial · column, for those below the highest degree
  std::vector<double> per_factorial_;   ///< 1/α!
  AlignedDoubles moments_;              ///< see MomentSeries
};

}  // namespace chorale::kernels
