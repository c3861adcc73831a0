// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
//
// Log-rank and crude Cox for many features, and their survival curves, on one thread.
#include "kernels/two_group.hpp"

#include <benchmark/benchmark.h>
#include <omp.h>

#include <cmath>

#include "kernels/cox.hpp"
#include "kernels/level.hpp"
#include "perf/kernels/survival_cohort.hpp"

namespace chorale::kernels {
namespace {

constexpr Index n_features = 100;

const SurvivalCohort& cohort() {
  static const SurvivalCohort made(100'000, n_features);
  return made;
}

/// The same fit with the feature as a dense column, by another body.
bool agrees(const TwoGroupFit& fit, std::size_t feature, Ties ties) {
  const auto column = cohort().with_feature(0, feature);
  const CoxFit dense = cox_fit(make_cox_design(cohort().timeline, {column, 1, {}}), {.ties = ties});
  return std::abs(fit.log_hazard - dense.beta[0]) < 1e-9 && std::abs(fit.loglik / dense.loglik - 1) < 1e-12;
}

void report(benchmark::State& state) {
  state.counters["features"] = benchmark::Counter(n_features, benchmark::Counter::kIsIterationInvariantRate);
}

void fit_all(benchmark::State& state, Level level, Ties ties) {
  force_level(level);
  omp_set_num_threads(1);
  const RiskTotals totals = risk_totals(cohort().timeline);
  std::vector<TwoGroupFit> fits(n_features);
  for (auto _ : state) {
    two_group(cohort().timeline, totals, cohort().lists, ties, fits);
    benchmark::DoNotOptimize(fits.data());
  }
  for (const std::size_t feature : {0, 50, 99}) {
    if (!agrees(fits[feature], feature, ties)) state.SkipWithError("differs from a dense fit");
  }
  report(state);
}

void curves_of_all(benchmark::State& state) {
  omp_set_num_threads(1);
  const RiskTotals totals = risk_totals(cohort().timeline);
  const std::vector<double> landmarks{365, 1095, 1825};
  std::vector<TwoGroupCurves> curves(n_features);
  for (auto _ : state) {
    two_group_curves(cohort().timeline, totals, cohort().lists, landmarks, {}, curves);
    benchmark::DoNotOptimize(curves.data());
  }
  const KmCurve arm = kaplan_meier(cohort().timeline, [] {
    std::vector<std::uint8_t> mask(cohort().time.size(), 0);
    for (const std::int32_t carrier : cohort().carriers[7]) mask[static_cast<std::size_t>(carrier)] = 1;
    return mask;
  }());
  if (curves[7].carriers.median.lower != km_median(arm).lower)
    state.SkipWithError("differs from the curve of the arm");
  report(state);
}

const bool registered = [] {
  for (const Level level : available_levels()) {
    for (const Ties ties : {Ties::efron, Ties::breslow}) {
      const std::string name = std::string("two_group/n=100000/ties=") +
                               (ties == Ties::efron ? "efron" : "breslow") +
                               "/level=" + std::string(name_of(level)) + "/threads=1";
      benchmark::RegisterBenchmark(name.c_str(), fit_all, level, ties)->Unit(benchmark::kMillisecond);
    }
  }
  benchmark::RegisterBenchmark("two_group_curves/n=100000/threads=1", curves_of_all)
      ->Unit(benchmark::kMillisecond);
  return true;
}();

}  // namespace
}  // namespace chorale::kernels
