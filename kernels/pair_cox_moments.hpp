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
  /// `further` degrees are added where there are so many: the sums of z z' and z z z lack one and two, relative to z.
  std::optional<MomentSeries> series(std::span<const double> shift, std::vector<double>& coefficients,
                                     Index further = 0) const;

  /// out[l] += Σ_jk V_jk Σ_i ω_i z_j z_k z_l, where ω has a factor exp(shift'z) that moment_sums, Σ_i ω_i z^α of all
  /// moments of a series, lack.
  void add_cubes(std::span<const double> shift, std::span<const double> moment_sums,
                 std::span<const double> inverse, std::span<double> out) const;

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
