// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include "kernels/cox_body.hpp"

/// What the pair kernels and their bodies in kernels/simd/pair_cox.cpp say to each other: plain pointers.
namespace chorale::kernels {

/// Rows of a design in blocks of `lanes` pieces: a piece is some of the rows that share an event time and a fate,
/// layer by layer one row of each piece; shorter pieces are filled up with base 0.
struct SlotTable {
  const double*
      base;  ///< w e^η at the covariates' own coefficients; below 0 for who enters late, see PairSlots
  ColumnTable columns;
  const std::int32_t* layer_begin;  ///< n_blocks + 1
  Index n_blocks;
};

inline constexpr Index longest_piece = 64;  ///< rows; more of one fate at one event time make several pieces

/// Rows of sums that a walk over the slots yields: Σ risk, Σ risk z_j, Σ risk z_j z_k for k >= j.
constexpr Index n_slot_sums(Index n_columns) {
  return 1 + n_columns + n_columns * (n_columns + 1) / 2;
}

/// A RiskTable to read from.
struct RiskView {
  const double* at_risk;
  const double* dying;
  Index stride;
};

/// The carriers of a, of b and of both at each event time, M = S − f D and D where d > 1.
struct PairTable {
  const double* risk[3];
  const double* tied_risk[3];
};

/// e^a, e^b, e^(a + b + ab), and what these add to a risk sum: e^a − 1, e^b − 1, e^(a + b + ab) − e^a − e^b + 1.
struct PairPoint {
  double ratio_a, ratio_b, ratio_both;
  double excess_a, excess_b, excess_both;
};

/// Minus the derivatives by (a, b, ab) of the sum over event times: what the risk sets contribute.
struct PairSlope {
  double score[3];
  double information[6];  ///< aa, ab, a(ab), bb, b(ab), (ab)(ab)
  double log_risk;        ///< Σ_t (W/d) Σ_l log(S0 − (l/d) D0); 0 when not asked for
};

/// Deaths expected of only a, only b and both; see pair_expected.
struct PairExpected {
  double curved[3];  ///< in risk sets with Σ_g q_g/Q_g <= 1
  double flat[3];    ///< in the others
};

// clang-format off

/// sums[(block · n_slot_sums + row) · lanes + piece], with risk = base · exp(shift'z); `near` promises |shift'z| <= 0.1.
CHORALE_DECLARE_LEVELS(void pair_cox_slot_sums(const SlotTable& slots, const double* shift, bool near,
                                               double* sums))

/// out[r] = Σ_t first M_r − first_tied D_r over n_rows rows of the table; n_times padded.
CHORALE_DECLARE_LEVELS(void pair_cox_time_sums(Index n_times, Index n_rows, const RiskView& table,
                                               const TimeTerms& terms, double* out))

/// Risk sets of the model from everyone's sums (first 1 + p rows) and the carriers' (a, b, both, then what they add
/// to each column's): rows 0, 1 … p, then a, b, both, of the table that cox_time_terms reads.
CHORALE_DECLARE_LEVELS(void pair_cox_combine(Index n_times, Index n_columns, const RiskView& everyone,
                                             const RiskView& members, const PairPoint& at,
                                             const RiskTable& sums))

CHORALE_DECLARE_LEVELS(PairSlope pair_slope(const EventTable& all, const PairTable& pair, const PairPoint& at))
CHORALE_DECLARE_LEVELS(PairSlope pair_slope_and_log(const EventTable& all, const PairTable& pair,
                                                    const PairPoint& at))

/// per_reach: 1/Q_g.
CHORALE_DECLARE_LEVELS(PairExpected pair_expected(const EventTable& all, const PairTable& pair, const PairPoint& at,
                                                  const double* per_reach))
// clang-format on

}  // namespace chorale::kernels
