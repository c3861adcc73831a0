// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
//
// Fine-Gray regression and Aalen-Johansen incidence of 100,000 patients with two causes, on one thread.
#include "kernels/fine_gray.hpp"

#include <benchmark/benchmark.h>
#include <omp.h>

#include <cmath>
#include <string>

#include "kernels/competing_risks.hpp"
#include "kernels/level.hpp"
#include "perf/kernels/survival_cohort.hpp"

namespace chorale::kernels {
namespace {

constexpr Index n_patients = 100'000, n_columns = 20;

/// Two causes, three events in five of the first; twenty covariates, of which four matter for any event.
struct Causes {
  Causes() : cohort(n_patients, 0), columns(cohort.columns) {
    for (Index i = 0; i < n_patients; ++i) {
      const std::int8_t event = cohort.event[static_cast<std::size_t>(i)];
      cause.push_back(event == 0                       ? std::int8_t{0}
                      : Draws(12, 1, i).bernoulli(0.6) ? std::int8_t{1}
                                                       : std::int8_t{2});
    }
    for (Index j = SurvivalCohort::n_columns; j < n_columns; ++j) {
      for (Index i = 0; i < n_patients; ++i)
        columns.push_back(Draws(13, static_cast<std::uint32_t>(j), i).normal());
    }
    timeline = make_cause_timeline(
        {.entry = {}, .time = cohort.time, .cause = cause, .weight = {}, .stratum = {}}, 2);
  }
  SurvivalCohort cohort;
  std::vector<std::int8_t> cause;
  std::vector<double> columns;
  CauseTimeline timeline;
};

const Causes& causes() {
  static const Causes made;
  return made;
}

void fit(benchmark::State& state, Level level, bool robust) {
  force_level(level);
  omp_set_num_threads(1);
  const FineGrayDesign design =
      make_fine_gray_design(causes().timeline, {.columns = {causes().columns, n_columns, {}}});
  FineGrayFit found;
  for (auto _ : state) {
    found = fine_gray_fit(design, {.robust = robust});
    benchmark::DoNotOptimize(found.beta.data());
  }
  // at the top one more fit from there goes nowhere
  const FineGrayFit again = fine_gray_fit(design, {.robust = false, .start = found.beta});
  for (std::size_t j = 0; j < found.beta.size(); ++j) {
    if (!(std::abs(again.beta[j] - found.beta[j]) < 1e-12)) state.SkipWithError("not at the top");
  }
  state.counters["iterations"] = found.iterations;
  state.counters["patients"] = benchmark::Counter(n_patients, benchmark::Counter::kIsIterationInvariantRate);
}

void design(benchmark::State& state) {
  for (auto _ : state)
    benchmark::DoNotOptimize(
        make_fine_gray_design(causes().timeline, {.columns = {causes().columns, n_columns, {}}}));
}

void incidence(benchmark::State& state, IncidenceVariance variance) {
  CumulativeIncidence curve;
  for (auto _ : state) {
    curve = cumulative_incidence(causes().timeline, {}, {.variance = variance});
    benchmark::DoNotOptimize(curve.se.data());
  }
  const CumulativeIncidence other =
      cumulative_incidence(causes().timeline, {}, {.variance = IncidenceVariance::aalen});
  for (std::size_t k = 0; k < curve.se.size(); ++k) {
    if (!(std::abs(curve.se[k] - other.se[k]) < 1e-10)) state.SkipWithError("differs from the delta method");
  }
  state.counters["patients"] = benchmark::Counter(n_patients, benchmark::Counter::kIsIterationInvariantRate);
}

const bool registered = [] {
  for (const Level level : available_levels()) {
    for (const bool robust : {false, true}) {
      const std::string name = std::string("fine_gray/n=100000/p=20/") + (robust ? "robust" : "naive") +
                               "/level=" + std::string(name_of(level)) + "/threads=1";
      benchmark::RegisterBenchmark(name.c_str(), fit, level, robust)->Unit(benchmark::kMillisecond);
    }
  }
  benchmark::RegisterBenchmark("fine_gray_design/n=100000/p=20", design)->Unit(benchmark::kMillisecond);
  benchmark::RegisterBenchmark("competing_risks/n=100000/jackknife", incidence, IncidenceVariance::jackknife)
      ->Unit(benchmark::kMillisecond);
  benchmark::RegisterBenchmark("competing_risks/n=100000/aalen", incidence, IncidenceVariance::aalen)
      ->Unit(benchmark::kMillisecond);
  return true;
}();

}  // namespace
}  // namespace chorale::kernels
