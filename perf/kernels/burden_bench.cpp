// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
//
// The burden-aware test of all pairs of 500 features in 100,000 patients with burdens of their own: 6.5 features a
// patient, one in a hundred hypermutated.
#include "kernels/burden.hpp"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels/draw.hpp"
#include "kernels/level.hpp"

namespace chorale::kernels {
namespace {

struct Cohort {
  std::vector<std::int64_t> offset{0};
  std::vector<std::int32_t> feature, stratum;
  Index n_features;
  std::vector<Index> n_both;  // (n_features, n_features)

  SparseRowsView rows() const { return {offset, feature}; }
  Groups strata() const { return {stratum, 1}; }
};

Cohort simulated(Index n_patients, Index n_features, double mean_burden) {
  Cohort cohort;
  cohort.n_features = n_features;
  cohort.n_both.assign(static_cast<std::size_t>(n_features * n_features), 0);
  // frequencies fall as a power of the rank, and add up to the mean burden
  std::vector<double> rate(static_cast<std::size_t>(n_features));
  double total = 0;
  for (std::size_t g = 0; g < rate.size(); ++g) total += rate[g] = std::pow(static_cast<double>(g) + 5, -0.8);
  for (double& each : rate) each *= mean_burden / total;
  for (Index i = 0; i < n_patients; ++i) {
    Draws draws(7, 1, i);
    const double burden = draws.gamma(2) / 2 * (draws.bernoulli(0.01) ? 10 : 1);
    const auto begin = static_cast<std::ptrdiff_t>(cohort.feature.size());
    for (std::size_t g = 0; g < rate.size(); ++g) {
      if (draws.bernoulli(1 - std::exp(-rate[g] * burden)))
        cohort.feature.push_back(static_cast<std::int32_t>(g));
    }
    cohort.offset.push_back(static_cast<std::int64_t>(cohort.feature.size()));
    cohort.stratum.push_back(0);
    for (auto a = cohort.feature.begin() + begin; a != cohort.feature.end(); ++a) {
      for (auto b = a + 1; b != cohort.feature.end(); ++b) {
        ++cohort.n_both[static_cast<std::size_t>(*a * n_features + *b)];
      }
    }
  }
  return cohort;
}

std::vector<ObservedPair> pairs_of(const Cohort& cohort) {
  std::vector<ObservedPair> pairs;
  for (std::int32_t a = 0; a < cohort.n_features; ++a) {
    for (std::int32_t b = a + 1; b < cohort.n_features; ++b) {
      pairs.push_back({a, b, cohort.n_both[static_cast<std::size_t>(a * cohort.n_features + b)]});
    }
  }
  return pairs;
}

const Cohort& cohort_of(Index n_patients) {
  static const Cohort small = simulated(2'000, 500, 6.5), large = simulated(100'000, 500, 6.5);
  return n_patients == 2'000 ? small : large;
}

// a few pairs against plain convolution over the patients
bool agrees(const BurdenBackground& background, const BurdenMargins& margins,
            const std::vector<ObservedPair>& pairs, const std::vector<BurdenTest>& tests) {
  for (std::size_t i = 0; i < pairs.size(); i += pairs.size() / 5) {
    std::vector<double> n, both;
    for (std::size_t r = 0; r < margins.patients_with.size(); ++r) {
      if (margins.patients_with[r] == 0) continue;
      const auto p = [&](Index g) { return background.probability(0, static_cast<Index>(r), g); };
      double spread = 0;
      for (Index g = 0; g < background.n_features(); ++g) spread += p(g) * (1 - p(g));
      const double p_a = p(pairs[i].a), p_b = p(pairs[i].b), v_a = p_a * (1 - p_a), v_b = p_b * (1 - p_b);
      n.push_back(static_cast<double>(margins.patients_with[r]));
      both.push_back(r == 0 ? 0 : std::max(0.0, p_a * p_b - v_a * v_b / (spread - (v_a + v_b) / 2)));
    }
    const PoissonBinomialTails expected = reference::poisson_binomial({n, both}, pairs[i].n_both);
    if (!(std::abs(tests[i].log10_p_co_occurrence - expected.log10_greater) < 1e-6)) return false;
    if (!(std::abs(tests[i].log10_p_exclusivity - expected.log10_less) < 1e-6)) return false;
  }
  return true;
}

void burden_tests(benchmark::State& state) {
  const Cohort& cohort = cohort_of(state.range(0));
  const auto margins = burden_margins(cohort.rows(), cohort.strata(), cohort.n_features);
  const BurdenBackground background(margins);
  const auto pairs = pairs_of(cohort);
  std::vector<BurdenTest> tests(pairs.size());
  for (auto _ : state) {
    kernels::burden_tests(background, pairs, tests);
    benchmark::DoNotOptimize(tests.data());
  }
  if (!agrees(background, margins[0], pairs, tests)) state.SkipWithError("differs from the reference");
  const auto share = [&](TailMethod method) {
    const auto n =
        std::count_if(tests.begin(), tests.end(), [&](const BurdenTest& t) { return t.method == method; });
    return static_cast<double>(n) / static_cast<double>(tests.size());
  };
  state.counters["pairs"] =
      benchmark::Counter(static_cast<double>(pairs.size()), benchmark::Counter::kIsIterationInvariantRate);
  state.counters["recursion"] = share(TailMethod::recursion);
  state.counters["saddlepoint"] = share(TailMethod::saddlepoint);
  state.counters["contour"] = share(TailMethod::contour);
  state.counters["burdens"] = static_cast<double>(background.fits()[0].n_burdens);
  state.SetLabel(std::string(name_of(level())));
}
BENCHMARK(burden_tests)->ArgName("n")->Arg(2'000)->Arg(100'000)->Unit(benchmark::kMillisecond);

// margins, background and all pairs: what a screen pays
void burden_screen(benchmark::State& state) {
  const Cohort& cohort = cohort_of(state.range(0));
  const auto pairs = pairs_of(cohort);
  std::vector<BurdenTest> tests(pairs.size());
  for (auto _ : state) {
    const BurdenBackground background(burden_margins(cohort.rows(), cohort.strata(), cohort.n_features));
    kernels::burden_tests(background, pairs, tests);
    benchmark::DoNotOptimize(tests.data());
  }
  state.counters["pairs"] =
      benchmark::Counter(static_cast<double>(pairs.size()), benchmark::Counter::kIsIterationInvariantRate);
}
BENCHMARK(burden_screen)->ArgName("n")->Arg(100'000)->Unit(benchmark::kMillisecond);

void burden_background(benchmark::State& state) {
  const Cohort cohort = simulated(100'000, state.range(0), state.range(0) == 500 ? 6.5 : 77);
  const auto margins = burden_margins(cohort.rows(), cohort.strata(), cohort.n_features);
  for (auto _ : state) benchmark::DoNotOptimize(BurdenBackground(margins).fits().data());
  const BurdenBackground background(margins);
  const BackgroundFit fit = background.fits()[0];
  if (fit.verdict != BackgroundVerdict::fitted) state.SkipWithError("did not converge");
  state.counters["burdens"] = static_cast<double>(fit.n_burdens);
  state.counters["classes"] = static_cast<double>(fit.n_classes);
  state.counters["iterations"] = fit.iterations;
}
BENCHMARK(burden_background)->ArgName("features")->Arg(500)->Arg(4'000)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace chorale::kernels
