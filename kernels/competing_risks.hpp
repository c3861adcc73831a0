// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "kernels/kaplan_meier.hpp"
#include "kernels/timeline.hpp"
#include "kernels/types.hpp"

namespace chorale::kernels {

/// Follow-up of n patients that ends by one of several causes, times in days. Empty spans as in SurvivalView.
struct CausesView {
  std::span<const double> entry;
  std::span<const double> time;
  std::span<const std::int8_t> cause;  ///< n, 0 censored, 1 … n_causes, -1 missing
  std::span<const double> weight;
  std::span<const std::int32_t> stratum;
};

/// A timeline whose events are those of any cause, and which cause ended whom.
struct CauseTimeline {
  Timeline timeline;
  std::vector<std::int8_t> cause;  ///< n_patients, 0 for who is censored or not analysed
  Index n_causes = 0;
};

/// Throws   ShapeError as make_timeline, and when a cause is not -1 … n_causes, or n_causes not 1 … 127
CauseTimeline make_cause_timeline(const CausesView& patients, Index n_causes);

/// Where the error of a cumulative incidence comes from; see cumulative_incidence().
enum class IncidenceVariance { jackknife, aalen, gray };

struct IncidenceOptions {
  IncidenceVariance variance = IncidenceVariance::jackknife;
  ConfType conf = ConfType::log;
  double level = 0.95;
};

/// One row per distinct event time, of any cause, of the patients, ascending; of several causes one after the
/// other: cause c at row k stands at [(c − 1) · n_times + k].
struct CumulativeIncidence {
  Index n_analysed = 0;
  Index n_causes = 0;
  std::vector<Index> n_events;     ///< n_causes, patients
  std::vector<double> time;        ///< days
  std::vector<double> at_risk;     ///< entry < time <= exit, weighted
  std::vector<double> event_free;  ///< share without an event of any cause
  std::vector<double> events;      ///< n_causes x n_times, weighted
  std::vector<double> incidence;   ///< n_causes x n_times
  std::vector<double> se;          ///< n_causes x n_times
  std::vector<double> lower;       ///< n_causes x n_times; NaN where the scale has no interval
  std::vector<double> upper;       ///< n_causes x n_times

  Index n_times() const { return static_cast<Index>(time.size()); }
};

/// Aalen-Johansen estimate of the cumulative incidence of every cause over the included patients, strata
/// pooled.
///
///   F_c(t) = Σ_{s <= t} S(s-) d_c / n,   S the Kaplan-Meier curve of events of any cause
///
/// Its variance by
///   jackknife   Σ_i w_i² (∂F_c/∂w_i)², as R's survfit of several states says: right for weights of any kind
///   aalen       delta method, d_1, d_2, … multinomial given n: Greenwood's for one cause; weights count
///               copies. The same as jackknife where all weigh 1 and are observed from the start
///   gray        as cmprsk::cuminc: causes apart, each d_c with variance d_c (n − d_c)/(n − 1); weights count
///               copies
/// Limits as in kaplan_meier, of F instead of S.
///
/// Shapes   included (n_patients) or empty for all analysed patients
/// Throws   ShapeError on a wrong length or a level outside (0, 1)
/// Cost     a few passes over the patients and n_times · n_causes; with several strata a search per patient
/// Threads  none: groups may run side by side, each with its own mask
/// Source   Aalen and Johansen 1978, Scand J Stat 5:141; Aalen 1978, Ann Stat 6:534
/// Oracle   R survival 3.5.3 survfit, cmprsk 2.2.11 cuminc, tests/oracle/competing_risks.R
CumulativeIncidence cumulative_incidence(const CauseTimeline& causes,
                                         std::span<const std::uint8_t> included = {},
                                         const IncidenceOptions& options = {});

/// Cumulative incidence at a time.
struct IncidencePoint {
  double time, incidence, se, lower, upper;  ///< before the first event 0, 0, NaN, NaN
};

/// The rows in force at the times (days, any order) for one cause. The caller knows how long patients were
/// followed: the last row is drawn on.
///
/// Throws   ShapeError when the cause is not 1 … n_causes
std::vector<IncidencePoint> incidence_at(const CumulativeIncidence& curve, Index cause,
                                         std::span<const double> times);

}  // namespace chorale::kernels
