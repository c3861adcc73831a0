// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
//
// Carriers by feature and group over a cohort of 100,000 patients.
#include "kernels/carrier_counts.hpp"

#include <benchmark/benchmark.h>

#include <vector>

#include "kernels/draw.hpp"

namespace chorale::kernels {
namespace {

struct Cohort {
  std::vector<std::int64_t> offset = {0};
  std::vector<std::int32_t> feature = {}, group = {};
};

Cohort cohort_of(Index n_patients, Index n_features, double burden, Index n_groups) {
  Cohort cohort;
  const double p = burden / static_cast<double>(n_features);
  for (Index patient = 0; patient < n_patients; ++patient) {
    Draws draws(1, 1, patient);
    for (Index f = draws.skip(p); f < n_features; f += 1 + draws.skip(p))
      cohort.feature.push_back(static_cast<std::int32_t>(f));
    cohort.offset.push_back(static_cast<std::int64_t>(cohort.feature.size()));
    cohort.group.push_back(static_cast<std::int32_t>(draws.below(n_groups)));
  }
  return cohort;
}

void carrier_counts(benchmark::State& state) {
  const Index n_features = state.range(0), n_groups = 7;
  const Cohort cohort = cohort_of(100'000, n_features, n_features == 500 ? 6.5 : 77, n_groups);
  std::vector<std::int64_t> counts(static_cast<std::size_t>(n_groups * n_features));
  for (auto _ : state) {
    kernels::carrier_counts({cohort.offset, cohort.feature}, {cohort.group, n_groups}, n_features, counts);
    benchmark::DoNotOptimize(counts.data());
  }
  std::int64_t total = 0;
  for (const std::int64_t n : counts) total += n;
  if (total != static_cast<std::int64_t>(cohort.feature.size()))
    state.SkipWithError("an alteration was lost");
  state.counters["alterations"] = benchmark::Counter(static_cast<double>(cohort.feature.size()),
                                                     benchmark::Counter::kIsIterationInvariantRate);
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations()) *
                          static_cast<std::int64_t>(cohort.feature.size() * 4 + cohort.offset.size() * 8 +
                                                    cohort.group.size() * 4));
}
BENCHMARK(carrier_counts)->ArgName("genes")->Arg(500)->Arg(20'000)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace chorale::kernels
