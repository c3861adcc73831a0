// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "kernels/risk_order.hpp"

namespace chorale::kernels {

/// The distribution of censoring, in every stratum by itself: give a timeline without strata for one common to all.
///
///   G(t) = ∏_{c <= t} (1 − q_c / (R_c − d_c)),   q_c censored at c, d_c deaths at c, R_c at risk, all weighted
///
/// Who dies at c dies before others are censored there. G changes by a factor of its own between event times only
/// through who is at risk before and after, so that the event times suffice.
struct Censoring {
  std::vector<double> before;        ///< n_slots, G(t−) at each slot
  std::vector<double> after_deaths;  ///< n_slots, R − d: at risk once the deaths of the slot have happened
  std::vector<double> survival;      ///< n_slots, Kaplan-Meier's S(t)
};

/// Shapes   weight (n_rows), see row_weights; 0 is allowed
/// Throws   ShapeError when the order has late entries or weight does not fit
/// Cost     one pass over the rows
Censoring censoring(const RiskOrder& order, std::span<const double> weight);

/// What a measure at a horizon says.
enum class HorizonVerdict : std::int8_t {
  computed,
  nobody,            ///< no patient with a weight and a prediction
  beyond_follow_up,  ///< of some stratum: all who were left have been censored before, or at, the horizon
  no_cases,          ///< nobody dies by the horizon
  no_controls        ///< nobody lives on
};
std::string_view name_of(HorizonVerdict verdict);

/// Where a horizon falls in one stratum.
struct HorizonPlace {
  Index slot;  ///< the last whose time is not above the horizon
  Index
      row;  ///< rows of the stratum's slots from here on, but for those who die at `slot`, leave after the horizon
  double known;  ///< G(horizon); 0 where those who were left have all been censored
};
HorizonPlace horizon_place(const RiskOrder& order, const Censoring& censored, std::span<const double> weight,
                           Index stratum, double horizon);

}  // namespace chorale::kernels
