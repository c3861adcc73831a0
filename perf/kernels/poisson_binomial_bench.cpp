// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
//
// Both tails of one distribution of 64 groups and 100,000 trials, by each method.
#include "kernels/poisson_binomial.hpp"

#include <benchmark/benchmark.h>

#include <cmath>
#include <string>
#include <vector>

#include "kernels/level.hpp"

namespace chorale::kernels {
namespace {

// groups that shrink as their probability grows, `mean` successes expected
struct Trials {
  std::vector<double> n, p;
};

Trials trials_of(double mean) {
  Trials trials;
  double total = 0;
  for (int g = 0; g < 64; ++g) {
    trials.n.push_back(std::ceil(8'000 * std::exp(-0.08 * g)));
    trials.p.push_back(std::exp(0.06 * g));
    total += trials.n.back() * trials.p.back();
  }
  for (double& p : trials.p) p *= mean / total;
  return trials;
}

void poisson_binomial(benchmark::State& state, TailChoice choice) {
  const auto mean = static_cast<double>(state.range(0));
  const Trials all = trials_of(mean);
  const auto observed = static_cast<Index>(mean + 2 * std::sqrt(mean));
  PoissonBinomial trials;
  PoissonBinomialTails found{};
  for (auto _ : state) {
    trials.clear();
    const std::span<double> p = trials.add(all.n);
    std::copy(all.p.begin(), all.p.end(), p.begin());
    found = trials.tails(observed, choice);
    benchmark::DoNotOptimize(&found);
  }
  const double expected =
      kernels::poisson_binomial({all.n, all.p}, observed, TailChoice::contour).log10_greater;
  // a saddlepoint that was asked for where few succeed is off by parts in a thousand
  const double tolerance = choice == TailChoice::saddlepoint ? 1e-2 : 1e-6;
  if (!(std::abs(found.log10_greater - expected) < tolerance))
    state.SkipWithError("differs from the contour");
  state.SetLabel(std::string(name_of(found.method)) + " " + std::string(name_of(level())));
}
BENCHMARK_CAPTURE(poisson_binomial, automatic, TailChoice::automatic)
    ->ArgName("mean")
    ->Arg(1)
    ->Arg(20)
    ->Arg(200)
    ->Arg(2'000);
BENCHMARK_CAPTURE(poisson_binomial, saddlepoint, TailChoice::saddlepoint)
    ->ArgName("mean")
    ->Arg(20)
    ->Arg(2'000);
BENCHMARK_CAPTURE(poisson_binomial, contour, TailChoice::contour)->ArgName("mean")->Arg(20)->Arg(2'000);

}  // namespace
}  // namespace chorale::kernels
