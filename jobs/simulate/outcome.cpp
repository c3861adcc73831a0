// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "jobs/simulate/outcome.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "jobs/simulate/streams.hpp"
#include "kernels/draw.hpp"

namespace chorale::jobs {
namespace {

constexpr double days_per_year = 365.25;
constexpr double infinity = std::numeric_limits<double>::infinity();

/// H with mean over η of exp(−H e^η) = survival, by bisection on log H: the mean falls from 1 to 0 as H grows.
double cumulative_hazard(double survival, std::span<const double> log_hazards) {
  double low = -100;
  double high = 100;
  for (int step = 0; step < 60; ++step) {
    const double middle = (low + high) / 2;
    double sum = 0;
    for (const double eta : log_hazards) sum += std::exp(-std::exp(middle + eta));
    (sum > survival * static_cast<double>(log_hazards.size()) ? low : high) = middle;
  }
  return std::exp((low + high) / 2);
}

SimulatedOutcome outcome(double event_years, double censored_years) {
  const double days = std::ceil(days_per_year * std::min(event_years, censored_years));
  return {.days = std::max<Index>(1, static_cast<Index>(days)),
          .event = static_cast<std::int8_t>(event_years <= censored_years ? 1 : 0)};
}

}  // namespace

OutcomeLaw::OutcomeLaw(const EntitySpec& entity, std::span<const double> log_hazards)
    : shape_(entity.shape), has_efs_(entity.efs_at_5_years.has_value()) {
  const double five_years = std::pow(5.0, shape_);
  death_rate_ = cumulative_hazard(entity.os_at_5_years, log_hazards) / five_years;
  if (has_efs_)
    relapse_rate_ =
        std::max(0.0, cumulative_hazard(*entity.efs_at_5_years, log_hazards) / five_years - death_rate_);
}

void OutcomeLaw::draw(const SimulateSpec& spec, SimulatedPatient& patient) const {
  kernels::Draws draws(static_cast<std::uint64_t>(spec.seed), Stream::outcome, patient.index);
  const auto years = [&](double rate) {
    const double hazard = rate * std::exp(patient.log_hazard);
    const double waiting = draws.exponential();
    return hazard > 0 ? std::pow(waiting / hazard, 1 / shape_) : infinity;
  };
  const double death = years(death_rate_);
  const double relapse = years(relapse_rate_);
  const double data_cut = spec.follow_up_years + spec.accrual_years * draws.uniform();
  const double waiting = draws.exponential();
  const double censored =
      spec.dropout_per_year > 0 ? std::min(data_cut, waiting / spec.dropout_per_year) : data_cut;
  patient.os = {};
  patient.efs = {};
  if (draws.uniform() < spec.survival_missing) return;
  patient.os = outcome(death, censored);
  if (has_efs_) patient.efs = outcome(std::min(death, relapse), censored);
}

}  // namespace chorale::jobs
