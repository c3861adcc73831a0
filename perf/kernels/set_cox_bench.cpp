// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
//
// Cox fits of triples with all their interactions, and without the highest, on one thread; and the log-linear
// model of their tables.
#include "kernels/set_cox.hpp"

#include <benchmark/benchmark.h>
#include <omp.h>

#include <cmath>

#include "kernels/log_linear.hpp"
#include "perf/kernels/survival_cohort.hpp"

namespace chorale::kernels {
namespace {

/// Two covariates' fit, and triples of the most frequent features: 7 % to 10 % of the patients.
void set_cox_triples(benchmark::State& state) {
  omp_set_num_threads(1);
  const Index n_patients = state.range(0), n_covariates = state.range(1);
  static const SurvivalCohort small(10'000, 40), large(100'000, 40);
  const SurvivalCohort& cohort = n_patients == 10'000 ? small : large;
  const CoxDesign design =
      make_cox_design(cohort.timeline, {cohort.first_columns(n_covariates), n_covariates, {}});
  const CoxFit covariates = cox_fit(design);
  const std::vector<std::int32_t> sets{39, 38, 37, 39, 36, 35, 38, 36, 34, 37, 35, 33};
  std::vector<SetCoxFit> fits(4);
  for (auto _ : state) set_cox(design, covariates, cohort.lists, sets, 3, Ties::efron, fits);
  for (const SetCoxFit& fit : fits) {
    if (n_patients == 100'000 && fit.verdict != SetVerdict::converged) state.SkipWithError("not converged");
  }
  state.counters["iterations"] = fits[0].iterations;
  state.counters["triples"] = benchmark::Counter(4, benchmark::Counter::kIsIterationInvariantRate);
}
BENCHMARK(set_cox_triples)
    ->ArgNames({"patients", "covariates"})
    ->ArgsProduct({{10'000, 100'000}, {0, 4}})
    ->Unit(benchmark::kMillisecond);

void log_linear_triples(benchmark::State& state) {
  std::vector<std::int32_t> cell;
  for (Index k = 0; k < 8 * 1024; ++k)
    cell.push_back(static_cast<std::int32_t>(std::pow(10, 5 * draw_uniform(12, 0, k, 0))));
  for (auto _ : state) {
    for (std::size_t k = 0; k < cell.size(); k += 8)
      benchmark::DoNotOptimize(log_linear(std::span(cell).subspan(k, 8)));
  }
  state.counters["tables"] = benchmark::Counter(1024, benchmark::Counter::kIsIterationInvariantRate);
}
BENCHMARK(log_linear_triples)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace chorale::kernels
