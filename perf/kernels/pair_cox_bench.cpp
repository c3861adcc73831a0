// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
//
// Interactions of pairs of features beside two covariates, on one thread: full fits and the screen.
#include "kernels/pair_cox.hpp"

#include <benchmark/benchmark.h>
#include <omp.h>

#include <cmath>

#include "kernels/level.hpp"
#include "kernels/pair_cox_screen.hpp"
#include "perf/kernels/survival_cohort.hpp"

namespace chorale::kernels {
namespace {

constexpr Index n_features = 60, p = 2;

struct Given {
  Given() : cohort(100'000, n_features) {
    design = make_cox_design(cohort.timeline, {cohort.first_columns(p), p, {}});
    covariates = cox_fit(design);
    for (std::int32_t a = 0; a < n_features; ++a) {
      for (std::int32_t b = 0; b < a; ++b) all_pairs.push_back({a, b});
    }
    for (std::size_t k = 0; k < all_pairs.size(); k += 43) some_pairs.push_back(all_pairs[k]);
  }

  /// The same model with three dense columns, by another body.
  CoxFit dense(const FeaturePair& pair) const {
    const auto a = cohort.with_feature(p, static_cast<std::size_t>(pair.a));
    const auto b = cohort.with_feature(0, static_cast<std::size_t>(pair.b));
    std::vector<double> columns = a;
    columns.insert(columns.end(), b.begin(), b.end());
    const std::size_t n = b.size();
    for (std::size_t i = 0; i < n; ++i) columns.push_back(a[p * n + i] * b[i]);
    return cox_fit(make_cox_design(cohort.timeline, {columns, p + 3, {}}));
  }

  SurvivalCohort cohort;
  CoxDesign design;
  CoxFit covariates;
  std::vector<FeaturePair> all_pairs, some_pairs;
};

const Given& given() {
  static const Given made;
  return made;
}

void full(benchmark::State& state, Level level) {
  force_level(level);
  omp_set_num_threads(1);
  const std::vector<FeaturePair>& pairs = given().some_pairs;
  std::vector<PairCoxFit> fits(pairs.size());
  for (auto _ : state) {
    pair_cox_full(given().design, given().covariates, given().cohort.lists, pairs, Ties::efron, fits);
    benchmark::DoNotOptimize(fits.data());
  }
  for (const std::size_t k : {fits.size() / 2, fits.size() - 1}) {
    const CoxFit dense = given().dense(pairs[k]);
    if (!(std::abs(fits[k].ab - dense.beta.back()) < 1e-9 &&
          std::abs(fits[k].loglik / dense.loglik - 1) < 1e-12))
      state.SkipWithError("differs from a dense fit");
  }
  state.counters["pairs"] =
      benchmark::Counter(static_cast<double>(pairs.size()), benchmark::Counter::kIsIterationInvariantRate);
}

void screen(benchmark::State& state, Level level) {
  force_level(level);
  omp_set_num_threads(1);
  const std::vector<FeaturePair>& pairs = given().all_pairs;
  std::vector<PairScreen> screens(pairs.size());
  for (auto _ : state) {
    pair_cox_screen(given().design, given().covariates, given().cohort.lists, pairs, Ties::efron, screens);
    benchmark::DoNotOptimize(screens.data());
  }
  // covariates and features are drawn independently: the full fit says nearly the same
  std::vector<PairCoxFit> fits(given().some_pairs.size());
  pair_cox_full(given().design, given().covariates, given().cohort.lists, given().some_pairs, Ties::efron,
                fits);
  for (std::size_t k = 0; k < fits.size(); ++k) {
    const PairScreen& found = screens[43 * k];
    if (found.verdict != fits[k].verdict) state.SkipWithError("verdict differs from the full fit");
    if (std::abs(found.lrt_chi2 - fits[k].lrt_chi2) > 0.1 * (1 + fits[k].lrt_chi2))
      state.SkipWithError("differs from the full fit");
  }
  state.counters["pairs"] =
      benchmark::Counter(static_cast<double>(pairs.size()), benchmark::Counter::kIsIterationInvariantRate);
}

const bool registered = [] {
  for (const Level level : available_levels()) {
    const std::string rest = "/n=100000/p=2/level=" + std::string(name_of(level)) + "/threads=1";
    benchmark::RegisterBenchmark(("pair_cox_full" + rest).c_str(), full, level)
        ->Unit(benchmark::kMillisecond);
    benchmark::RegisterBenchmark(("pair_cox_screen" + rest).c_str(), screen, level)
        ->Unit(benchmark::kMillisecond);
  }
  return true;
}();

}  // namespace
}  // namespace chorale::kernels
