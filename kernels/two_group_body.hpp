// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include "kernels/dispatch.hpp"
#include "kernels/types.hpp"

/// What kernels/two_group.cpp and its bodies in kernels/simd/two_group.cpp say to each other: plain pointers.
namespace chorale::kernels {

inline constexpr Index lanes = 8;          ///< arrays over event times are padded to a multiple of this
inline constexpr Index n_tie_moments = 6;  ///< Q_2, Q_4, … Q_12
inline constexpr double few_moments_reach = 0.025;  ///< u = D0/M up to which Q_2 … Q_6 give full accuracy
inline constexpr double all_moments_reach = 0.2;    ///< u up to which Q_2 … Q_12 do

/// One value per event time with a death among the tested patients; see two_group.hpp for the letters.
/// Padding holds at_risk = risk = 1 and zeros elsewhere.
struct EventTable {
  Index n_times;                        ///< padded
  bool efron;                           ///< false: tie arrays are not read
  const double* at_risk;                ///< patients
  const double* deaths;                 ///< patients
  const double* expected_rate;          ///< d/n
  const double* variance_rate;          ///< d (n − d)/(n − 1)/n²; 0 where n = 1
  const double* weight;                 ///< W, sum of the deaths' weights
  const double* risk;                   ///< S0 − f D0 of everyone
  const double* tied_risk;              ///< D0 of everyone; 0 where d = 1
  const double* centre;                 ///< f = (d − 1)/(2d); Breslow 0
  const double* moment[n_tie_moments];  ///< Q_2, Q_4, … times W/d
};

/// The carriers at each event time, all as counts or sums of weights (or of risks).
struct CarrierTable {
  const double* at_risk;      ///< patients
  const double* deaths;       ///< patients
  const double* sum_at_risk;  ///< weighted; the same array without weights
  const double* sum_deaths;
  double* risk;       ///< S0 − f D0 of the carriers, filled by carrier_sums
  double* tied_risk;  ///< D0 of the carriers where d > 1, filled by carrier_sums
};

struct CarrierSums {
  double observed, expected, variance;  ///< log-rank
  double compared_carrier_deaths;       ///< at event times with others at risk
  double compared_other_deaths;         ///< at event times with carriers at risk
};

/// Minus the derivatives by b of the sum over event times: what the risk sets contribute.
struct Slope {
  double score;  ///< Σ of the expected carriers among the deaths
  double information;
  double log_risk;  ///< Σ_t (W/d) Σ_l log(S0 − (l/d) D0); 0 when not asked for
};

// clang-format off
CHORALE_DECLARE_LEVELS(CarrierSums carrier_sums(const EventTable& all, const CarrierTable& carriers))
CHORALE_DECLARE_LEVELS(Slope slope(const EventTable& all, const CarrierTable& carriers, double hazard_ratio,
                                   double excess))
CHORALE_DECLARE_LEVELS(Slope slope_and_log(const EventTable& all, const CarrierTable& carriers,
                                           double hazard_ratio, double excess))
// clang-format on

}  // namespace chorale::kernels
