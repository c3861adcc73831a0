// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "kernels/types.hpp"

namespace chorale::kernels {

/// How deaths on the same day share the risk set: as averages over their orders (Efron), or not (Breslow).
enum class Ties { efron, breslow };

/// Follow-up of n patients, times in days. Empty spans stand for the usual case named beside them.
///
/// Where covariates change with time, a row stands for an interval (entry, time] of a patient: the intervals of one
/// patient do not overlap, and the event is 1 on the last at most. Everything here and in what builds on it then counts
/// rows. Sums over risk sets and deaths are those of the patients, so that the Cox model with its residuals, the
/// survival curves, log-rank and concordance hold as they stand. What adds up over patients needs to know them:
/// robust_variance takes them as clusters; residuals and influences are summed over a patient's rows by
/// sums_by_cluster(). Numbers analysed and censored are those of rows.
struct SurvivalView {
  std::span<const double> entry;          ///< n, start of observation; empty: all observed from the start
  std::span<const double> time;           ///< n, end of observation; NaN = missing; 0 is allowed
  std::span<const std::int8_t> event;     ///< n, 1 died, 0 censored, -1 missing
  std::span<const double> weight;         ///< n, case weights >= 0; empty: all 1
  std::span<const std::int32_t> stratum;  ///< n, codes from 0; -1 = the patient leaves; empty: one stratum
};

/// Why a patient is not analysed; each patient leaves for the first reason that applies.
struct TimelineAttrition {
  Index missing_outcome = 0;        ///< time not finite, event -1, entry not finite
  Index missing_stratum = 0;        ///< stratum -1
  Index missing_weight = 0;         ///< weight NaN or 0
  Index entry_not_before_exit = 0;  ///< entry >= time, which R's Surv turns into a missing value
};

/// The distinct event times of a cohort, and for every patient the range of them at which they are at risk.
/// Event times are ascending within a stratum, strata follow each other in the order of their codes.
struct Timeline {
  Index n_patients = 0;
  Index n_strata = 1;
  std::vector<double> time;            ///< n_times, days; every event time of every stratum
  std::vector<Index> stratum_begin;    ///< n_strata + 1 positions in `time`
  std::vector<std::int32_t> first;     ///< n_patients; at risk at event times first <= k < last
  std::vector<std::int32_t> last;      ///< n_patients; who dies does so at event time last - 1
  std::vector<std::int32_t> stratum;   ///< n_patients, all 0 without strata
  std::vector<std::uint8_t> event;     ///< n_patients, 1 died; 0 for who is not analysed
  std::vector<std::uint8_t> analysed;  ///< n_patients, 0 = left, see attrition
  std::vector<double> entry;           ///< n_patients, tied times made equal; empty without left truncation
  std::vector<double> exit;            ///< n_patients, tied times made equal
  std::vector<double> weight;          ///< n_patients; empty when every analysed patient weighs 1
  TimelineAttrition attrition;

  Index n_times() const { return static_cast<Index>(time.size()); }
};

/// Builds the timeline.
///
///   at risk at event time t   <=>   entry < t <= time   (and the same stratum)
///
/// Times that differ by rounding only count as tied, by the rule of R's survival::aeqSurv: of all distinct
/// entry and exit times in ascending order, one that exceeds its predecessor by no more than 1.49e-8 (sqrt of
/// the machine epsilon), or by no more than 1.49e-8 times the mean absolute distinct time, takes its
/// predecessor's value.
/// An entry column without a positive value means no left truncation, so that patients with time 0 stay.
///
/// Shapes   all spans n_patients long or empty, as SurvivalView says
/// Throws   ShapeError when lengths differ, an event is not 1, 0, -1, a stratum is below -1, a weight
/// negative
/// Cost     one hash look-up and a few passes per patient, one sort of the distinct times
/// Oracle   R survival 3.5.3, tests/oracle/survival.R
Timeline make_timeline(const SurvivalView& patients);

/// Who is at risk and who dies at each event time among the patients of a subset.
/// Refers to nothing: it may outlive its timeline, though every use needs the timeline too.
struct RiskTotals {
  Index n_analysed = 0;
  Index n_events = 0;
  std::vector<std::uint8_t> included;    ///< n_patients, analysed and tested
  std::vector<double> at_risk;           ///< n_times, patients at risk
  std::vector<double> deaths;            ///< n_times, deaths
  std::vector<double> weighted_at_risk;  ///< n_times, sum of weights; empty when the timeline has none
  std::vector<double> weighted_deaths;   ///< n_times, sum of weights; empty when the timeline has none
};

/// Totals over the analysed patients with tested[i] != 0; an empty mask means everyone.
///
///   at_risk[k] = #{ i : first[i] <= k < last[i] },   deaths[k] = #{ i : event[i], last[i] - 1 = k }
///
/// Throws   ShapeError when tested is neither empty nor n_patients long
/// Cost     one pass over the patients, one over the event times
RiskTotals risk_totals(const Timeline& timeline, std::span<const std::uint8_t> tested = {});

}  // namespace chorale::kernels
