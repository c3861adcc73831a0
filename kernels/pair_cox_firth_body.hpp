// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include "kernels/pair_cox_body.hpp"

/// What the engine of Firth's fits and its bodies in kernels/simd/pair_cox_firth.cpp say to each other: plain pointers.
namespace chorale::kernels {

/// Rows of the model at each event time, by `lanes` event times, of each row first m = M/M0, then d = D/M0 − u m.
/// Row 0 is Σ risk; then Σ risk x_j, then Σ risk x_j x_k for k >= j; x the columns, a, b, both.
constexpr Index n_firth_rows(Index n_columns) {
  return n_slot_sums(n_columns + 3);
}

/// The event times of a model: sums of everyone and of the three groups at the covariates' coefficients, features at 0.
struct FirthTimes {
  const EventTable& all;
  Index n_columns;
  RiskView everyone;  ///< n_slot_sums rows
  RiskView groups;    ///< as many for only a, for only b, for both
  double ratio[3];    ///< hazard ratios of the groups
};

/// Per event time; h_l = g_l/(1 − g_l u), so that the l-th death's mean of x is m − h_l d.
struct FirthTerms {
  double* rows;        ///< see n_firth_rows; n_padded of each
  double* tie[3];      ///< (W/d) Σ_l h_l^k, k = 1, 2, 3
  double* first;       ///< as TimeTerms
  double* first_tied;  ///< as TimeTerms
};

// clang-format off

/// table = everyone's rows from the series; n_times padded, one to three columns.
CHORALE_DECLARE_LEVELS(void firth_everyone(Index n_times, Index n_columns, const MomentSeries& series,
                                           const RiskTable& table))

/// Fills the terms; gradient[j] = Σ_t (W/d) Σ_l mean of x_j, and the upper triangle, row by row, of the information.
/// Returns the sum of logarithms. room: q (q + 3)/2 times `lanes`, q = n_columns + 3.
CHORALE_DECLARE_LEVELS(double firth_walk(const FirthTimes& times, const FirthTerms& terms, double* room,
                                         double* gradient, double* information))

/// out[m] = Σ_t (W/d) Σ_l (−tr(V N) μ − 2 N V μ + 2 μ μ'Vμ)_m, N and μ the second moments and the mean of x:
/// Cov(v, x) − 2 C V μ without E v x. V is q x q. room: 5 q times `lanes`.
CHORALE_DECLARE_LEVELS(void firth_bend(const EventTable& all, Index n_columns, const FirthTerms& terms,
                                       const double* inverse, double* room, double* out))

/// out[m] = Σ_t first M − first_tied D of the first n_rows of the series.
CHORALE_DECLARE_LEVELS(void firth_moment_sums(Index n_times, const MomentSeries& series, const double* first,
                                              const double* first_tied, double* out))

/// out[m] = Σ_i factor[i] (x_i'V x_i) x_im over rows begin <= i < end.
CHORALE_DECLARE_LEVELS(void firth_cubes(const ColumnTable& columns, const double* factor, const double* inverse,
                                        Index begin, Index end, double* out))
// clang-format on

}  // namespace chorale::kernels
