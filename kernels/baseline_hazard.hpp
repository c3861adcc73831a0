// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <span>
#include <vector>

#include "kernels/risk_order.hpp"

namespace chorale::kernels {

/// Cumulative baseline hazard at every slot of an order, for a linear predictor equal to `centre`.
struct BaselineHazard {
  double centre = 0;  ///< weighted mean of the linear predictors, which no exponential overflows
  std::vector<double>
      cumulative;        ///< n_slots, from 0 at each stratum's first slot; constant where nobody dies
  Index n_analysed = 0;  ///< with a weight above 0 and a known linear predictor
  Index n_events = 0;
  Index n_missing_predictor = 0;  ///< left out because it is NaN
};

/// Hazard that a Cox model leaves to time, given its linear predictor.
///
///   Λ(t) = Σ_{t_k <= t} (W_k/d_k) Σ_{l<d_k} 1 / (S0 − (l/d_k) D0),   Breslow: l = 0; S0, D0, W as in CoxTerms
///   S_i(t) = exp(−Λ(t) e^(η_i − centre))
///
/// There are no standard errors: they take the covariates and the covariance of their coefficients.
///
/// Shapes   linear_predictor (n_patients), NaN leaves the patient out; weight (n_patients) or empty, see row_weights
/// Throws   ShapeError when lengths differ, a linear predictor is infinite or a weight negative
/// Cost     one exp and three passes over the patients
/// Threads  none
/// Source   Breslow 1972, J R Stat Soc B 34:216; Efron 1977; Fleming and Harrington 1984 for ties
/// Oracle   R survival 3.5.3 basehaz, tests/oracle/baseline_hazard.R
BaselineHazard baseline_hazard(const RiskOrder& order, std::span<const double> linear_predictor,
                               std::span<const double> weight, Ties ties);

/// Cumulative hazard in one stratum at a horizon in days; the last value beyond the last event time.
double cumulative_hazard(const RiskOrder& order, const BaselineHazard& hazard, Index stratum, double horizon);

/// Predicted survival at a horizon.
///
/// Shapes   linear_predictor, survival (n_patients); survival is NaN for who is not in the order or has no linear
///          predictor. Beyond a stratum's last event time it stays what it is there.
/// Throws   ShapeError when the lengths differ or a linear predictor is infinite
/// Cost     two exp a patient
void predicted_survival(const RiskOrder& order, const BaselineHazard& hazard,
                        std::span<const double> linear_predictor, double horizon, std::span<double> survival);

/// The same with a hazard from elsewhere.
///
/// Shapes   cumulative (n_strata), gathered by the horizon for a linear predictor equal to `centre`; else as above
/// Throws   as above, and ShapeError when there is not one hazard per stratum
void predicted_survival(const RiskOrder& order, double centre, std::span<const double> cumulative,
                        std::span<const double> linear_predictor, std::span<double> survival);

}  // namespace chorale::kernels
