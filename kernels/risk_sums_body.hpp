// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include "kernels/dispatch.hpp"
#include "kernels/types.hpp"

/// What hazard and slope of a sample and their bodies in kernels/simd/risk_sums.cpp say to each other: plain pointers.
namespace chorale::kernels {

/// One stratum of an order without late entries; sums run from its last row back to each row.
struct RiskSums {
  const std::int32_t* row_begin;
  Index first_slot, past_slot;
  const double* x;       ///< per row, or null: only Σ w e^x is wanted
  const double* risk;    ///< per row, e^x
  const double* weight;  ///< per row
  double* from[3];       ///< per row, Σ w e^(βx) x^k over the rows from there on
  double* at_risk
      [3];  ///< n_slots + 1: the same at the slot's first row; 0 at the stratum's first slot and behind its last
};

/// Deaths beyond the first that share a risk set, see SampleRows.
struct LaterDeaths {
  Index n;
  const std::int32_t* slot;
  const double* share;
  const double* weight;
};

// clang-format off

/// from[row] = Σ weight and count[row] = how many are above 0, over rows row … end - 1, for begin <= row.
CHORALE_DECLARE_LEVELS(void weight_sums(const double* weight, Index begin, Index end, double* from,
                                        double* count))

/// Weights below 2^31 as whole numbers; false, and no more, where one is none.
CHORALE_DECLARE_LEVELS(bool whole_numbers(const double* weight, Index n, std::uint32_t* whole))

/// share[k] = place[k]/n and weight[k] = first of its slot where place[k] < n, those who die at the slot; else 0.
CHORALE_DECLARE_LEVELS(void share_ties(const std::int32_t* slot, const double* place, Index n_later,
                                       const double* first, const double* n, double* share, double* weight))

/// Fills from[0] and at_risk[0] at β = 1; with x also those of k = 1 and 2, at any β.
CHORALE_DECLARE_LEVELS(void risk_sums(const RiskSums& sums, double beta))

/// Σ_t Σ_l (W/d) (S1/S0) and Σ_t Σ_l (W/d) (S2/S0 − (S1/S0)²) over all slots, with S_k less l/d of the dying.
CHORALE_DECLARE_LEVELS(void slope_terms(const RiskSums& sums, const double* first, Index n_slots,
                                        const LaterDeaths& later, double& mean, double& information))

/// hazard[t] = Σ_l (W/d) / (S0 − (l/d) D0) of every slot.
CHORALE_DECLARE_LEVELS(void hazard_steps(const RiskSums& sums, const double* first, Index n_slots,
                                         const LaterDeaths& later, double* hazard))

/// exp(−cumulative · risk) of rows begin … end - 1.
CHORALE_DECLARE_LEVELS(void survival_of_rows(const double* risk, double cumulative, Index begin, Index end,
                                             double* survival))

/// Σ weight · value², of rows begin … end - 1; with `rest` Σ weight · (1 − value)².
CHORALE_DECLARE_LEVELS(double weighted_squares(const double* weight, const double* value, bool rest,
                                               Index begin, Index end))
// clang-format on

}  // namespace chorale::kernels
