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

/// Monomials of the columns: each is an earlier one, its parent, times a column; the first is 1.
struct MonomialList {
  const std::int32_t* parent;
  const std::int32_t* column;
  Index n;
};

inline constexpr Index most_monomials = 128;

/// A RiskTable to read from.
struct RiskView {
  const double* at_risk;
  const double* dying;
  Index stride;
};

/// Everyone's rows as linear combinations of moments: row r = Σ_m coefficients[m · n_slot_sums + r] moment m, for the
/// first n_rows of n_moments. Moments lie by `lanes` event times: of each moment M, then D. Where u <=
/// few_moments_reach, D counts for u²/12 of what M does and n_rows_dying are enough for it.
struct MomentSeries {
  const double* moments;
  Index n_moments, n_rows, n_rows_dying;
  const double* coefficients;
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

/// The event times of a model as the walk finds them, and room for it.
struct PairTimes {
  const EventTable& all;
  Index n_columns;
  RiskView everyone;           ///< n_slot_sums rows; not read where there is a series
  const MomentSeries* series;  ///< yields the same rows, for up to three columns; may be null
  RiskView members;            ///< carriers of a, b, both, then what carriers add to each column's sums
  PairPoint at;
  double* room;  ///< pair_walk_room
};

inline constexpr Index pair_walk_block = 128;  ///< event times whose sums stay in the first cache

constexpr Index pair_walk_room(Index n_columns) {
  // M and D of 1 + q rows, three terms, and a block's gradient and products
  const Index q = n_columns + 3;
  return pair_walk_block * (2 * (1 + q) + 3) + q + q * (q + 1) / 2;
}

/// What a walk over event times yields; q = n_columns + 3.
struct PairTimeSums {
  double* gradient;           ///< q, as cox_time_sums
  double* products;           ///< q (q + 1)/2, as cox_time_sums
  double* everyone_products;  ///< Σ_t first M − first_tied D of everyone's rows from 1 + p on
  double* first;              ///< per event time
  double* first_tied;         ///< per event time
  double* everyone_at_risk;   ///< per event time, M of everyone's row 0
  double* everyone_dying;     ///< per event time, D of everyone's row 0
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

/// Adds base · monomial to sums[(block · monomials + monomial) · lanes + piece], for up to most_monomials.
CHORALE_DECLARE_LEVELS(void pair_cox_slot_moments(const SlotTable& slots, const MonomialList& monomials, double* sums))

/// From what carriers add at single event times to sums over the risk set, for n_rows rows of the table: at_risk holds
/// those alive and `dying` those who die; they become M and D. Strata as EventTimes says.
CHORALE_DECLARE_LEVELS(void pair_cox_accumulate(const Index* stratum_begin, Index n_strata, const double* centre,
                                                Index n_rows, const RiskTable& table))

/// Risk sets of the model from everyone's sums and the carriers', and what cox_time_terms and cox_time_sums make of
/// them; returns the sum of logarithms.
CHORALE_DECLARE_LEVELS(double pair_cox_walk(const PairTimes& times, const PairTimeSums& sums))

CHORALE_DECLARE_LEVELS(PairSlope pair_slope(const EventTable& all, const PairTable& pair, const PairPoint& at))
CHORALE_DECLARE_LEVELS(PairSlope pair_slope_and_log(const EventTable& all, const PairTable& pair,
                                                    const PairPoint& at))

/// per_reach: 1/Q_g.
CHORALE_DECLARE_LEVELS(PairExpected pair_expected(const EventTable& all, const PairTable& pair, const PairPoint& at,
                                                  const double* per_reach))
// clang-format on

}  // namespace chorale::kernels
