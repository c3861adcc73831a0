// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
//
// The Cox model's terms, one fit, and fits of one feature after another beside covariates, on one thread.
#include "kernels/cox.hpp"

#include <benchmark/benchmark.h>
#include <omp.h>

#include <cmath>

#include "kernels/level.hpp"
#include "kernels/reference/cox.hpp"
#include "perf/kernels/survival_cohort.hpp"

namespace chorale::kernels {
namespace {

constexpr Index n_features = 20;

const SurvivalCohort& cohort() {
  static const SurvivalCohort made(100'000, n_features);
  return made;
}

CoxDesign design_of(const SurvivalCohort& of, Index p) {
  return make_cox_design(of.timeline, {of.first_columns(p), p, {}});
}

/// Against the reference body on 300 patients drawn the same way: its cost grows with patients times deaths.
bool terms_agree(Index p, Ties ties) {
  const SurvivalCohort small(300, 1);
  const std::vector<double> beta(static_cast<std::size_t>(p), 0.2);
  const CoxTerms found = cox_terms(design_of(small, p), beta, ties);
  const CoxTerms expected =
      reference::cox_terms(small.timeline, {small.first_columns(p), p, {}}, {}, beta, ties);
  return std::abs(found.loglik / expected.loglik - 1) < 1e-12 &&
         std::abs(found.information[0] / expected.information[0] - 1) < 1e-11;
}

void terms(benchmark::State& state, Level level, Index p) {
  force_level(level);
  omp_set_num_threads(1);
  const CoxDesign design = design_of(cohort(), p);
  const std::vector<double> beta(static_cast<std::size_t>(p), 0.2);
  for (auto _ : state) benchmark::DoNotOptimize(cox_terms(design, beta, Ties::efron));
  if (!terms_agree(p, Ties::efron)) state.SkipWithError("differs from the reference");
  const auto n = static_cast<double>(design.n_analysed);
  state.counters["patients"] = benchmark::Counter(n, benchmark::Counter::kIsIterationInvariantRate);
  // each column is read twice, the risks are written once and read twice
  state.counters["bytes"] = benchmark::Counter(n * static_cast<double>(2 * p + 3) * 8,
                                               benchmark::Counter::kIsIterationInvariantRate);
}

void adjusted(benchmark::State& state, Level level, Index p) {
  force_level(level);
  omp_set_num_threads(1);
  const CoxDesign design = design_of(cohort(), p);
  const CoxFit covariates = cox_fit(design);
  std::vector<AdjustedFit> fits(n_features);
  for (auto _ : state) {
    adjusted_fits(design, covariates, cohort().lists, Ties::efron, fits);
    benchmark::DoNotOptimize(fits.data());
  }
  const auto columns = cohort().with_feature(p, 3);
  const CoxFit dense = cox_fit(make_cox_design(cohort().timeline, {columns, p + 1, {}}));
  if (!(std::abs(fits[3].log_hazard - dense.beta.back()) < 1e-9))
    state.SkipWithError("differs from a dense fit");
  state.counters["features"] = benchmark::Counter(n_features, benchmark::Counter::kIsIterationInvariantRate);
}

const bool registered = [] {
  for (const Level level : available_levels()) {
    for (const Index p : {2, 4}) {
      const std::string rest =
          "/n=100000/p=" + std::to_string(p) + "/level=" + std::string(name_of(level)) + "/threads=1";
      benchmark::RegisterBenchmark(("cox_terms" + rest).c_str(), terms, level, p)
          ->Unit(benchmark::kMillisecond);
      benchmark::RegisterBenchmark(("adjusted_fits" + rest).c_str(), adjusted, level, p)
          ->Unit(benchmark::kMillisecond);
    }
  }
  return true;
}();

}  // namespace
}  // namespace chorale::kernels
