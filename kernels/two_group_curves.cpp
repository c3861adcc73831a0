// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include <algorithm>
#include <cmath>
#include <functional>
#include <string>

#include "kernels/error.hpp"
#include "kernels/event_table.hpp"
#include "kernels/kaplan_meier_limits.hpp"
#include "kernels/two_group.hpp"

namespace chorale::kernels {
namespace {

/// Exits at either end that are kept in order: nearly every time one of them is of somebody who is no carrier.
constexpr std::size_t few_exits = 64;

/// What the curves of all features share.
struct Shared {
  const Timeline& timeline;
  const EventTimes& times;
  std::span<const double> landmarks;
  std::vector<std::size_t> ascending;  ///< landmarks in order of time
  std::vector<double> at_risk;         ///< weighted patients at risk at each landmark
  Index n_included = 0;
  std::vector<std::int32_t> first_out,
      last_out;  ///< the few included who exit first, who exit last, in order
  std::span<const std::uint8_t> included;
  ConfType type;
  double z;
};

/// Patients of one arm: how many, from when to when, and how many at each landmark.
struct ArmSize {
  Index n_analysed = 0;
  double first_exit = missing, last_exit = missing;
  std::vector<double> at_risk;
};

double weight_of(const Timeline& timeline, std::size_t patient) {
  return timeline.weight.empty() ? 1.0 : timeline.weight[patient];
}

bool at_risk_at(const Timeline& timeline, std::size_t patient, double landmark) {
  const bool entered = timeline.entry.empty() || timeline.entry[patient] < landmark;
  return entered && timeline.exit[patient] >= landmark;
}

ArmSize size_of_carriers(const Shared& shared, std::span<const std::int32_t> carriers) {
  ArmSize arm;
  arm.at_risk.assign(shared.landmarks.size(), 0);
  for (const std::int32_t carrier : carriers) {
    const auto patient = static_cast<std::size_t>(carrier);
    if (!shared.included[patient]) continue;
    const double exit = shared.timeline.exit[patient];
    ++arm.n_analysed;
    arm.first_exit = std::fmin(arm.first_exit, exit);
    arm.last_exit = std::fmax(arm.last_exit, exit);
    for (std::size_t k = 0; k < shared.landmarks.size(); ++k) {
      if (at_risk_at(shared.timeline, patient, shared.landmarks[k])) {
        arm.at_risk[k] += weight_of(shared.timeline, patient);
      }
    }
  }
  return arm;
}

/// The exit of the first included patient in the order of `before` who is no carrier; NaN when all are. `few` are the
/// first of that order.
template <class Before>
double first_other_exit(const Shared& shared, std::span<const std::int32_t> carriers,
                        const std::vector<std::int32_t>& few, Before before) {
  const auto other = [&](std::int32_t patient) {
    return !std::binary_search(carriers.begin(), carriers.end(), patient);
  };
  const std::vector<double>& exit = shared.timeline.exit;
  const auto known = std::find_if(few.begin(), few.end(), other);
  if (known != few.end()) return exit[static_cast<std::size_t>(*known)];
  double first = missing;
  if (static_cast<Index>(few.size()) == shared.n_included) return first;
  for (std::size_t i = 0; i < exit.size(); ++i) {
    if (!shared.included[i] || !(std::isnan(first) || before(exit[i], first))) continue;
    if (other(static_cast<std::int32_t>(i))) first = exit[i];
  }
  return first;
}

ArmSize size_of_others(const Shared& shared, std::span<const std::int32_t> carriers,
                       const ArmSize& of_carriers) {
  ArmSize arm;
  arm.n_analysed = shared.n_included - of_carriers.n_analysed;
  arm.first_exit = first_other_exit(shared, carriers, shared.first_out, std::less<>());
  arm.last_exit = first_other_exit(shared, carriers, shared.last_out, std::greater<>());
  for (std::size_t k = 0; k < shared.landmarks.size(); ++k) {
    arm.at_risk.push_back(shared.at_risk[k] - of_carriers.at_risk[k]);
  }
  return arm;
}

/// One arm at an event time: sums of weights, and how many patients they stand for.
struct ArmStep {
  double at_risk, deaths, n_at_risk, n_deaths;
};

/// Walks the event times of one arm; step_at(t) is its ArmStep.
template <class StepAt>
ArmCurve walk(const Shared& shared, const ArmSize& size, StepAt step_at) {
  ArmCurve arm;
  arm.n_analysed = size.n_analysed;
  arm.landmarks.resize(shared.landmarks.size());
  HalfCrossing middle, lower, upper;
  double survival = 1, greenwood = 0;
  auto next = shared.ascending.begin();
  // landmarks before `time` see the curve as it is now
  const auto pass_landmarks = [&](double time) {
    for (; next != shared.ascending.end() && shared.landmarks[*next] < time; ++next) {
      const double landmark = shared.landmarks[*next];
      KmPoint& point = arm.landmarks[*next];
      point = {landmark, size.at_risk[*next], missing, missing, missing, missing};
      if (!(landmark <= size.last_exit)) continue;
      const double log_se = std::sqrt(greenwood);
      const KmLimits limits =
          landmark < size.first_exit ? KmLimits{1, 1} : km_limits(survival, log_se, shared.type, shared.z);
      point = {landmark, size.at_risk[*next], survival, survival * log_se, limits.lower, limits.upper};
    }
  };
  for (std::size_t t = 0; t < shared.times.time().size(); ++t) {
    const ArmStep step = step_at(t);
    if (step.n_deaths == 0) continue;
    const double time = shared.times.time()[t];
    pass_landmarks(time);
    arm.n_events += static_cast<Index>(step.n_deaths);
    // differences of weights may miss zero
    const double survivors = step.n_at_risk > step.n_deaths ? step.at_risk - step.deaths : 0;
    survival *= survivors / step.at_risk;
    greenwood += step.deaths / (step.at_risk * survivors);
    middle.see(time, survival);
    // limits cost exponentials: the lower one matters until it has crossed, the upper one from the middle on
    const double log_se = std::sqrt(greenwood);
    const bool lower_matters = !lower.done() && !stays_above_half(survival, log_se, shared.type, shared.z);
    const bool upper_matters = !upper.done() && !std::isnan(middle.time());
    if (!lower_matters && !upper_matters) continue;
    const KmLimits limits = km_limits(survival, log_se, shared.type, shared.z);
    lower.see(time, limits.lower);
    upper.see(time, limits.upper);
  }
  pass_landmarks(std::numeric_limits<double>::infinity());
  arm.median = {middle.time(), lower.time(), upper.time()};
  return arm;
}

Shared prepare(const Timeline& timeline, const RiskTotals& totals, const EventTimes& times,
               std::span<const double> landmarks, ConfOptions conf) {
  Shared shared{.timeline = timeline,
                .times = times,
                .landmarks = landmarks,
                .ascending = {},
                .at_risk = std::vector<double>(landmarks.size(), 0),
                .first_out = {},
                .last_out = {},
                .included = totals.included,
                .type = conf.type,
                .z = half_width(conf.level)};
  for (std::size_t k = 0; k < landmarks.size(); ++k) shared.ascending.push_back(k);
  std::sort(shared.ascending.begin(), shared.ascending.end(),
            [&](auto a, auto b) { return landmarks[a] < landmarks[b]; });
  std::vector<std::int32_t> all;
  for (std::size_t i = 0; i < totals.included.size(); ++i) {
    if (!totals.included[i]) continue;
    all.push_back(static_cast<std::int32_t>(i));
    for (std::size_t k = 0; k < landmarks.size(); ++k) {
      if (at_risk_at(timeline, i, landmarks[k])) shared.at_risk[k] += weight_of(timeline, i);
    }
  }
  shared.n_included = static_cast<Index>(all.size());
  shared.first_out.resize(std::min(few_exits, all.size()));
  shared.last_out.resize(shared.first_out.size());
  const auto exit = [&](std::int32_t i) { return timeline.exit[static_cast<std::size_t>(i)]; };
  std::partial_sort_copy(all.begin(), all.end(), shared.first_out.begin(), shared.first_out.end(),
                         [&](auto a, auto b) { return exit(a) < exit(b); });
  std::partial_sort_copy(all.begin(), all.end(), shared.last_out.begin(), shared.last_out.end(),
                         [&](auto a, auto b) { return exit(a) > exit(b); });
  return shared;
}

}  // namespace

void two_group_curves(const Timeline& timeline, const RiskTotals& totals, CarrierLists carriers,
                      std::span<const double> landmarks, ConfOptions conf, std::span<TwoGroupCurves> curves) {
  check_totals(timeline, totals);
  check_carriers(timeline.n_patients, carriers, curves.size());
  if (timeline.n_strata != 1) {
    throw ShapeError({.what = "survival curves pool the strata",
                      .found = std::to_string(timeline.n_strata) + " strata",
                      .expected = "a timeline made without strata"});
  }
  const EventTimes times(timeline, totals, Ties::breslow);
  const Shared shared = prepare(timeline, totals, times, landmarks, conf);
  const EventTable all = times.table();
  const auto n_features = static_cast<Index>(carriers.size());
#pragma omp parallel if (n_features > 1)
  {
    CarrierArrays arrays(times);
#pragma omp for schedule(dynamic, 4)
    for (Index g = 0; g < n_features; ++g) {
      const auto list = carriers[static_cast<std::size_t>(g)];
      TwoGroupCurves& result = curves[static_cast<std::size_t>(g)];
      arrays.count(list);
      const CarrierTable sums = arrays.table();
      const ArmSize of_carriers = size_of_carriers(shared, list);
      const ArmSize of_others = size_of_others(shared, list, of_carriers);
      result.carriers = walk(shared, of_carriers, [&](std::size_t t) {
        return ArmStep{sums.sum_at_risk[t], sums.sum_deaths[t], sums.at_risk[t], sums.deaths[t]};
      });
      // without ties `risk` and `weight` are the weighted sums over everyone
      result.others = walk(shared, of_others, [&](std::size_t t) {
        return ArmStep{all.risk[t] - sums.sum_at_risk[t], all.weight[t] - sums.sum_deaths[t],
                       all.at_risk[t] - sums.at_risk[t], all.deaths[t] - sums.deaths[t]};
      });
    }
  }
}

}  // namespace chorale::kernels
