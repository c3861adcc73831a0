// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
//
// Random draws as the simulator takes them: one short sequence per patient.
#include "kernels/draw.hpp"

#include <benchmark/benchmark.h>

#include <cmath>

namespace chorale::kernels {
namespace {

constexpr Index n_per_patient = 64;

// times n_per_patient draws of each patient and compares their mean with what it must be
template <typename Take>
void draws_bench(benchmark::State& state, double mean, double standard_deviation, const Take& take) {
  Index patient = 0;
  double sum = 0;
  for (auto _ : state) {
    Draws draws(1, 1, patient++);
    for (Index k = 0; k < n_per_patient; ++k) sum += static_cast<double>(take(draws));
  }
  const double n = static_cast<double>(patient * n_per_patient);
  if (!(std::abs(sum / n - mean) <= 5 * standard_deviation / std::sqrt(n))) state.SkipWithError("wrong mean");
  state.counters["draws"] = benchmark::Counter(n, benchmark::Counter::kIsRate);
}

BENCHMARK_CAPTURE(draws_bench, uniform, 0.5, std::sqrt(1.0 / 12),
                  [](Draws& draws) { return draws.uniform(); });
BENCHMARK_CAPTURE(draws_bench, normal, 0.0, 1.0, [](Draws& draws) { return draws.normal(); });
BENCHMARK_CAPTURE(draws_bench, exponential, 1.0, 1.0, [](Draws& draws) { return draws.exponential(); });
BENCHMARK_CAPTURE(draws_bench, gamma_2_5, 2.5, std::sqrt(2.5), [](Draws& draws) { return draws.gamma(2.5); });
BENCHMARK_CAPTURE(draws_bench, poisson_6, 6.0, std::sqrt(6.0),
                  [](Draws& draws) { return draws.poisson(6.0); });
BENCHMARK_CAPTURE(draws_bench, poisson_60, 60.0, std::sqrt(60.0),
                  [](Draws& draws) { return draws.poisson(60.0); });
// mean (1-p)/p, variance (1-p)/p²
BENCHMARK_CAPTURE(draws_bench, skip_0_013, 0.987 / 0.013, std::sqrt(0.987) / 0.013,
                  [](Draws& draws) { return draws.skip(0.013); });

// a patient of 500 genes at rate 0.013: 6.5 hits
void gene_row(benchmark::State& state) {
  Index patient = 0, n_hits = 0;
  for (auto _ : state) {
    Draws draws(1, 2, patient++);
    for (Index gene = draws.skip(0.013); gene < 500; gene += 1 + draws.skip(0.013)) ++n_hits;
  }
  const auto n = static_cast<double>(patient);
  // variance of a row 500 · 0.013 · 0.987 = 6.4155
  if (!(std::abs(static_cast<double>(n_hits) / n - 6.5) <= 5 * std::sqrt(6.4155 / n)))
    state.SkipWithError("wrong mean");
  state.counters["patients"] = benchmark::Counter(n, benchmark::Counter::kIsRate);
}
BENCHMARK(gene_row);

}  // namespace
}  // namespace chorale::kernels
