// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
//
// The exact conditional test over strata of pairs of genes, carried by 1 to 10 % of the patients of each stratum.
#include "kernels/exact_conditional.hpp"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels/draw.hpp"

namespace chorale::kernels {
namespace {

std::vector<std::vector<TwoByTwo>> pairs_of(Index n_strata, Index n_patients) {
  std::vector<std::vector<TwoByTwo>> pairs(100);
  const auto n = static_cast<double>(n_patients);
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    for (Index k = 0; k < n_strata; ++k) {
      Draws draws(1, static_cast<std::uint32_t>(k), static_cast<Index>(i));
      const auto carriers = [&] { return static_cast<Index>(n * 0.01 * std::pow(10, draws.uniform())); };
      const Index row1 = carriers(), col1 = carriers();
      const double expected = static_cast<double>(row1) * static_cast<double>(col1) / n;
      const Index n11 = std::min({draws.poisson(expected), row1, col1});
      pairs[i].push_back({n11, row1 - n11, col1 - n11, n_patients - row1 - col1 + n11});
    }
  }
  return pairs;
}

void exact_conditional(benchmark::State& state) {
  const auto pairs = pairs_of(state.range(0), state.range(1));
  std::size_t i = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(kernels::exact_conditional(pairs[i]));
    i = (i + 1) % pairs.size();
  }
  for (i = 0; i < 5; ++i) {
    const double found = kernels::exact_conditional(pairs[i]).log10_p;
    const double expected = reference::exact_conditional(pairs[i]).log10_p;
    if (!(std::abs(found - expected) <= 1e-11 * std::max(1.0, std::abs(expected)))) {
      state.SkipWithError("differs from the reference");
    }
  }
  state.counters["pairs"] = benchmark::Counter(1, benchmark::Counter::kIsIterationInvariantRate);
}
BENCHMARK(exact_conditional)
    ->ArgNames({"strata", "n"})
    ->Args({3, 200})
    ->Args({10, 1'000})
    ->Args({10, 10'000})
    ->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace chorale::kernels
