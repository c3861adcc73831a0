// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "kernels/aligned.hpp"
#include "kernels/timeline.hpp"
#include "kernels/two_group.hpp"
#include "kernels/two_group_body.hpp"

/// The arrays behind the two-group kernels: one entry per event time that has a death among the tested.
namespace chorale::kernels {

/// Throws ShapeError unless `n_results` is the number of lists and each holds ascending patient indices.
void check_carriers(Index n_patients, CarrierLists carriers, std::size_t n_results);

/// Throws ShapeError unless the totals fit the timeline.
void check_totals(const Timeline& timeline, const RiskTotals& totals);

/// The event times of the tested patients, and for every patient their place in them.
class EventTimes {
 public:
  EventTimes(const Timeline& timeline, const RiskTotals& totals, Ties ties);

  EventTable table() const;
  Index n_times() const { return n_times_; }
  Index n_padded() const { return static_cast<Index>(at_risk_.size()); }
  std::span<const double> time() const { return time_; }
  std::span<const Index> stratum_begin() const { return stratum_begin_; }

  /// Per patient: 2 · (last event time at risk) + died; 2 · n_times() or more for who is never at risk at one
  /// and who is not included.
  std::span<const std::int32_t> place() const { return place_; }

  /// Per patient: the last event time before they come under observation; n_times() where they were under
  /// observation from the first on. Empty when all were.
  std::span<const std::int32_t> enters() const { return enters_; }

 private:
  friend class CarrierArrays;
  void place_patients(const Timeline& timeline, const RiskTotals& totals);
  void fill_totals(const Timeline& timeline, const RiskTotals& totals, Ties ties);

  // the two places past the event times
  Index never_at_risk() const { return 2 * n_times_; }
  Index not_included() const { return 2 * n_times_ + 1; }

  Index n_times_ = 0;
  Ties ties_;
  std::vector<double> time_;
  std::vector<Index> stratum_begin_;
  std::vector<std::int32_t> place_;  ///< n_patients
  std::vector<std::int32_t>
      enters_;  ///< n_patients, last event time before they enter, or n_times; may be empty
  std::vector<double> patient_weight_;  ///< n_patients; empty: all 1
  AlignedDoubles at_risk_, sum_at_risk_, deaths_, expected_rate_, variance_rate_, weight_, risk_, tied_risk_,
      centre_;
  AlignedDoubles moment_[n_tie_moments];
};

/// Carriers of one feature at each event time; used again for the next feature.
class CarrierArrays {
 public:
  explicit CarrierArrays(const EventTimes& times);

  void count(std::span<const std::int32_t> carriers);
  CarrierTable table();
  Index n_carriers() const { return n_carriers_; }
  double sum_of_deaths() const { return sum_of_deaths_; }  ///< weights of the carriers who die

 private:
  void count_patients(std::span<const std::int32_t> carriers);
  void sum_weights(std::span<const std::int32_t> carriers);

  const EventTimes& times_;
  Index n_carriers_ = 0;
  double sum_of_deaths_ = 0;
  std::vector<std::int32_t> counted_;  ///< by place, zero between features
  std::vector<std::int32_t> entering_;
  AlignedDoubles at_risk_, deaths_, sum_at_risk_, sum_deaths_, risk_, tied_risk_;
};

}  // namespace chorale::kernels
