// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
//
// Fisher's exact test over pairs of genes, as a screen meets them: most independent, one in ten associated.
#include "kernels/fisher.hpp"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels/draw.hpp"

namespace chorale::kernels {
namespace {

// genes carried by 0.1 % to 20 % of the patients, evenly in the logarithm
std::vector<TwoByTwo> pairs_of(Index n_patients) {
  std::vector<TwoByTwo> tables;
  const auto n = static_cast<double>(n_patients);
  for (Index i = 0; i < 10'000; ++i) {
    Draws draws(1, 1, i);
    const auto carriers = [&] {
      return std::max<Index>(1, static_cast<Index>(n * 0.001 * std::pow(200, draws.uniform())));
    };
    const Index row1 = carriers(), col1 = carriers();
    const double fold = draws.bernoulli(0.1) ? std::exp(draws.normal()) : 1;
    const Index n11 = std::min(
        {draws.poisson(fold * static_cast<double>(row1) * static_cast<double>(col1) / n), row1, col1});
    tables.push_back({n11, row1 - n11, col1 - n11, n_patients - row1 - col1 + n11});
  }
  return tables;
}

bool agrees(const std::vector<TwoByTwo>& tables, const std::vector<double>& log10_p) {
  for (std::size_t i = 0; i < tables.size(); i += 101) {
    const double expected = reference::fisher_log10_p(tables[i]);
    if (!(std::abs(log10_p[i] - expected) <= 1e-11 * std::max(1.0, std::abs(expected)))) return false;
  }
  return true;
}

void fisher_log10_p(benchmark::State& state) {
  const auto tables = pairs_of(state.range(0));
  std::vector<double> log10_p(tables.size());
  for (auto _ : state) {
    kernels::fisher_log10_p(tables, log10_p);
    benchmark::DoNotOptimize(log10_p.data());
  }
  if (!agrees(tables, log10_p)) state.SkipWithError("differs from the reference");
  state.counters["pairs"] =
      benchmark::Counter(static_cast<double>(tables.size()), benchmark::Counter::kIsIterationInvariantRate);
}
BENCHMARK(fisher_log10_p)
    ->ArgName("n")
    ->Arg(1'000)
    ->Arg(100'000)
    ->Arg(1'000'000)
    ->Unit(benchmark::kMillisecond);

void fisher_test(benchmark::State& state) {
  const auto tables = pairs_of(100'000);
  const auto test = static_cast<FisherTest>(state.range(0));
  std::vector<double> log10_p(tables.size());
  for (auto _ : state) {
    kernels::fisher_log10_p(tables, test, log10_p);
    benchmark::DoNotOptimize(log10_p.data());
  }
  state.counters["pairs"] =
      benchmark::Counter(static_cast<double>(tables.size()), benchmark::Counter::kIsIterationInvariantRate);
}
BENCHMARK(fisher_test)
    ->ArgName("test")
    ->Arg(static_cast<int>(FisherTest::mid))
    ->Arg(static_cast<int>(FisherTest::less))
    ->Arg(static_cast<int>(FisherTest::greater))
    ->Unit(benchmark::kMillisecond);

void fisher_of_one_table(benchmark::State& state) {
  const auto tables = pairs_of(state.range(0));
  std::size_t i = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(kernels::fisher_log10_p(tables[i]));
    i = (i + 1) % tables.size();
  }
}
BENCHMARK(fisher_of_one_table)->ArgName("n")->Arg(100'000)->Unit(benchmark::kNanosecond);

void fisher_reference(benchmark::State& state) {
  const auto tables = pairs_of(state.range(0));
  const std::size_t n_timed = 200;
  for (auto _ : state) {
    for (std::size_t i = 0; i < n_timed; ++i) benchmark::DoNotOptimize(reference::fisher_log10_p(tables[i]));
  }
  state.counters["pairs"] =
      benchmark::Counter(static_cast<double>(n_timed), benchmark::Counter::kIsIterationInvariantRate);
}
BENCHMARK(fisher_reference)->ArgName("n")->Arg(100'000)->Unit(benchmark::kMillisecond);

void fisher_odds_ratio(benchmark::State& state) {
  const auto tables = pairs_of(state.range(0));
  std::vector<Ratio> ratios(tables.size());
  for (auto _ : state) {
    kernels::fisher_odds_ratio(tables, 0.95, ratios);
    benchmark::DoNotOptimize(ratios.data());
  }
  for (std::size_t i = 0; i < 10; ++i) {
    const double expected = reference::fisher_odds_ratio(tables[i]).lower;
    if (!(std::abs(ratios[i].lower - expected) <= 1e-9 * expected))
      state.SkipWithError("differs from the reference");
  }
  state.counters["pairs"] =
      benchmark::Counter(static_cast<double>(tables.size()), benchmark::Counter::kIsIterationInvariantRate);
}
BENCHMARK(fisher_odds_ratio)->ArgName("n")->Arg(1'000)->Arg(100'000)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace chorale::kernels
