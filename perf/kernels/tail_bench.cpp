// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
//
// Tails, q-values and the stratified test: what a comparison of groups spends on each feature after counting.
#include "kernels/tail.hpp"

#include <benchmark/benchmark.h>

#include <cmath>
#include <vector>

#include "kernels/draw.hpp"
#include "kernels/mantel_haenszel.hpp"
#include "kernels/multiplicity.hpp"

namespace chorale::kernels {
namespace {

void chi_square_log10_upper(benchmark::State& state) {
  const auto df = static_cast<double>(state.range(0));
  double x = 0.1;
  for (auto _ : state) {
    benchmark::DoNotOptimize(kernels::chi_square_log10_upper(x, df));
    x = x < 2000 ? x * 1.37 : 0.1;
  }
  // Q(1, x/2) = exp(-x/2) and Q(2, x/2) = (1 + x/2) exp(-x/2), at x = 20
  const double found =
      df == 2 ? kernels::chi_square_log10_upper(20, 2) : kernels::chi_square_log10_upper(20, 4);
  const double expected = ((df == 2 ? 0 : std::log(11.0)) - 10) / std::log(10.0);
  if (!(std::abs(found - expected) < 1e-12)) state.SkipWithError("differs from the closed form");
}
BENCHMARK(chi_square_log10_upper)->ArgName("df")->Arg(1)->Arg(2)->Arg(4);

void benjamini_hochberg(benchmark::State& state) {
  std::vector<double> log10_p, log10_q(static_cast<std::size_t>(state.range(0)));
  Draws draws(1, 1, 1);
  for (std::size_t i = 0; i < log10_q.size(); ++i) log10_p.push_back(std::log10(draws.uniform()));
  for (auto _ : state) {
    kernels::benjamini_hochberg(log10_p, log10_q);
    benchmark::DoNotOptimize(log10_q.data());
  }
  for (std::size_t i = 0; i < log10_q.size(); ++i) {
    if (!(log10_q[i] >= log10_p[i] && log10_q[i] <= 0)) state.SkipWithError("q below p or above 1");
  }
  state.counters["tests"] =
      benchmark::Counter(static_cast<double>(log10_p.size()), benchmark::Counter::kIsIterationInvariantRate);
}
BENCHMARK(benjamini_hochberg)->ArgName("n")->Arg(500)->Arg(1'000'000)->Unit(benchmark::kMicrosecond);

void mantel_haenszel(benchmark::State& state) {
  std::vector<TwoByTwo> strata;
  for (Index k = 0; k < state.range(0); ++k) {
    Draws draws(1, 2, k);
    const auto cell = [&] { return 1 + draws.below(200); };
    strata.push_back({cell(), cell(), cell(), cell()});
  }
  for (auto _ : state) {
    benchmark::DoNotOptimize(kernels::mantel_haenszel(strata));
    benchmark::DoNotOptimize(breslow_day(strata));
  }
  if (kernels::mantel_haenszel(strata).n_informative != state.range(0))
    state.SkipWithError("a stratum was lost");
  state.counters["strata"] =
      benchmark::Counter(static_cast<double>(strata.size()), benchmark::Counter::kIsIterationInvariantRate);
}
BENCHMARK(mantel_haenszel)->ArgName("strata")->Arg(2)->Arg(60);

}  // namespace
}  // namespace chorale::kernels
