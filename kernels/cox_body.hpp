// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include "kernels/dispatch.hpp"
#include "kernels/two_group_body.hpp"

/// What the Cox engine and its bodies in kernels/simd/cox.cpp say to each other: plain pointers.
namespace chorale::kernels {

/// Dense columns, one after the other, `stride` values apart.
struct ColumnTable {
  const double* values;
  Index stride;
  Index n_columns;
};

/// Sums over the risk set at each event time; row 0 holds S0 or D0, row 1 + j that of column j.
struct RiskTable {
  double* at_risk;  ///< first what a time alone adds, then the sums, then M = S − f D
  double* dying;    ///< D where d > 1 and ties follow Efron, else 0
  Index stride;
};

/// Per event time, with g_l = l/d − f and u = D0/M of row 0:
struct TimeTerms {
  double* first;       ///< (W/d) Σ_l 1/(1 − g_l u) / M
  double* first_tied;  ///< (W/d) Σ_l g_l/(1 − g_l u) / M
  double* second;      ///< (W/d) Σ_l 1/(1 − g_l u)² / M²
  double* second_tied;
  double* second_both_tied;  ///< the same with g_l, g_l² in the numerator
};

/// What a patient's place adds to their score; a row of the table holds `stride` numbers, see score_stride().
struct ScoreTerm {
  const double* table;
  Index stride;
  const std::int32_t* row;  ///< per patient
  const double* factor;     ///< per patient
};

inline constexpr Index score_room =
    264;  ///< numbers a column for the patients whose scores are kept together

// clang-format off

/// risk[i] = weight[i] exp(offset[i] + Σ_j x_ij beta_j) for rows begin <= i < end; weight, offset may be null.
CHORALE_DECLARE_LEVELS(void cox_risks(const ColumnTable& columns, const double* offset, const double* weight,
                                      const double* beta, Index begin, Index end, double* risk))

/// What event times begin <= t < end alone add to the risk table: sums of risk and risk · x over the rows
/// place_begin[2t] … place_begin[2t + 2] - 1, those who die at t last.
CHORALE_DECLARE_LEVELS(void cox_place_sums(const ColumnTable& columns, const std::int32_t* place_begin,
                                           const double* centre, const double* risk, Index begin, Index end,
                                           const RiskTable& sums))

/// Fills the terms from M and D; returns Σ_t (W/d) Σ_l log(S0 − (l/d) D0).
CHORALE_DECLARE_LEVELS(double cox_time_terms(const EventTable& all, const RiskTable& sums,
                                             const TimeTerms& terms))

/// gradient[j] = Σ_t first M_j − first_tied D_j, and the upper triangle, row by row, of
/// Σ_t second M_j M_k − second_tied (M_j D_k + D_j M_k) + second_both_tied D_j D_k, for n_rows rows from 1 on; n_times padded.
CHORALE_DECLARE_LEVELS(void cox_time_sums(Index n_times, Index n_rows, const RiskTable& sums,
                                          const TimeTerms& terms, double* gradient, double* products))

/// What each row adds to the information, for event times begin <= t < end: factor[i] = risk[i] · hazard[t], less
/// risk[i] · spared[t] for those who die at t, less risk[i] · hazard[enters[i]] for those who enter late (enters
/// may be null; n_times says from the first).
CHORALE_DECLARE_LEVELS(void cox_factors(const std::int32_t* place_begin, const std::int32_t* enters,
                                        Index n_times, const double* risk, const double* hazard,
                                        const double* spared, Index begin, Index end, double* factor))

/// Upper triangle, row by row, of Σ_i factor[i] x_ij x_ik over rows begin <= i < end.
CHORALE_DECLARE_LEVELS(void cox_products(const ColumnTable& columns, const double* factor, Index begin,
                                         Index end, double* products))

/// The same of Σ_i u_i u_i', u as score_products() says; at most 4 terms; room holds score_stride(n_columns) times score_room numbers.
CHORALE_DECLARE_LEVELS(void cox_score_products(const ColumnTable& columns, const double* factor,
                                               const ScoreTerm* terms, Index n_terms, Index begin, Index end,
                                               double* room, double* products))
// clang-format on

}  // namespace chorale::kernels
