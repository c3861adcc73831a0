// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <cstdint>
#include <span>

#include "jobs/simulate/patient.hpp"
#include "jobs/simulate/spec.hpp"
#include "kernels/types.hpp"

namespace chorale::jobs {

/// Survival of one entity's patients, η being the sum of the planted log hazard ratios.
///
///   death    D = (E₁ / (λ_D e^η))^(1/k)    so that P(D > t) = exp(−λ_D e^η t^k), t in years, E ~ exponential
///   relapse  R = (E₂ / (λ_R e^η))^(1/k)    independent of D given η
///   censored C = min(follow-up + accrual · U, E₃ / dropout)
///   OS  = min(D, C), event when D ≤ C;     EFS = min(D, R, C), event when min(D, R) ≤ C
///
/// Hazards are proportional with the planted ratios for both endpoints. Times are rounded up to whole days, so ties
/// occur, no time is 0 and EFS ≤ OS.
class OutcomeLaw {
 public:
  /// Chooses λ_D and λ_R so that the mean over patients like `log_hazards` (a sample of the entity) of P(no event by
  /// five years) is what the spec says.
  OutcomeLaw(const EntitySpec& entity, std::span<const double> log_hazards);

  double death_rate() const { return death_rate_; }
  double relapse_rate() const { return relapse_rate_; }

  /// Sets os and efs.
  void draw(const SimulateSpec& spec, SimulatedPatient& patient) const;

 private:
  double shape_;
  double death_rate_;        ///< λ_D, per year^shape
  double relapse_rate_ = 0;  ///< λ_R
  bool has_efs_;
};

}  // namespace chorale::jobs
