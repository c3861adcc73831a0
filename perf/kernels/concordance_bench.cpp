// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
//
// Harrell's and Uno's C of a continuous risk on one thread, with and without standard error.
#include "kernels/concordance.hpp"

#include <benchmark/benchmark.h>

#include "perf/kernels/survival_cohort.hpp"

namespace chorale::kernels {
namespace {

void concordance(benchmark::State& state) {
  const SurvivalCohort cohort(state.range(0), 1);
  const RiskOrder order = make_risk_order(cohort.timeline);
  const ConcordanceOptions options{
      .pairs = state.range(1) != 0 ? PairWeight::inverse_censoring : PairWeight::equal,
      .with_error = state.range(2) != 0};
  ConcordanceCounter counter;
  Concordance found;
  for (auto _ : state) found = counter.count(order, cohort.first_columns(1), {}, options);
  // the covariate moves the log hazard by 0.2 per standard deviation
  if (!(found.c > 0.52 && found.c < 0.6)) state.SkipWithError("not the concordance that was planted");
  state.counters["patients"] =
      benchmark::Counter(static_cast<double>(state.range(0)), benchmark::Counter::kIsIterationInvariantRate);
}
BENCHMARK(concordance)
    ->ArgNames({"patients", "uno", "error"})
    ->ArgsProduct({{5'000, 100'000}, {0, 1}, {0, 1}})
    ->Unit(benchmark::kMillisecond);

void order_of_risk_sets(benchmark::State& state) {
  const SurvivalCohort cohort(state.range(0), 1);
  for (auto _ : state) benchmark::DoNotOptimize(make_risk_order(cohort.timeline));
}
BENCHMARK(order_of_risk_sets)->ArgName("patients")->Arg(100'000)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace chorale::kernels
