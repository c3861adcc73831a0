// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include "kernels/cox_rows.hpp"

namespace chorale::kernels {

/// Per row, the risk times the hazard gathered while at risk: deaths expected of a patient, times the weight.
///
///   risk_i (Σ_{t at risk} first_t − [i dies at t] (f first_t + first_tied_t)),   as CoxEngine says
///
/// risk per row; at_risk and dying per event time, padded: M = S − f D and D.
AlignedDoubles expected_deaths(const CoxRows& rows, const EventTimes& times, const double* risk,
                               const double* at_risk, const double* dying);

}  // namespace chorale::kernels
