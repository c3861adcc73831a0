// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include <benchmark/benchmark.h>
#include <omp.h>

#include <cmath>
#include <string>

#include "kernels/cox_path_guide.hpp"
#include "kernels/draw.hpp"
#include "kernels/level.hpp"
#include "kernels/reference/cox_path.hpp"
#include "perf/kernels/survival_cohort.hpp"

namespace chorale::kernels {
namespace {

/// The columns of the cohort and, after them, columns of noise; features as sparse columns.
struct PathCohort {
  SurvivalCohort cohort;
  std::vector<double> dense, weight;
  Index n_dense;

  PathCohort(Index n, Index n_features, Index n_noise)
      : cohort(n, n_features), dense(cohort.columns), n_dense(SurvivalCohort::n_columns + n_noise) {
    for (Index j = 0; j < n_noise; ++j) {
      for (Index i = 0; i < n; ++i) dense.push_back(Draws(5, static_cast<std::uint32_t>(j), i).normal());
    }
    std::vector<double> times(static_cast<std::size_t>(n), 0.0);
    for (Index i = 0; i < n; ++i) {
      Draws draws(6, 0, i);
      times[static_cast<std::size_t>(std::floor(draws.uniform() * static_cast<double>(n)))] += 1;
    }
    weight = times;
  }
  CoxPathColumns columns() const {
    return {.dense = dense, .n_dense = n_dense, .sparse = cohort.lists, .offset = {}};
  }
};

/// The reference walks all patients for each death, so a small cohort shows that both agree.
bool agrees() {
  const PathCohort small(150, 6, 4);
  const double penalties[] = {0.1, 0.03, 0.01};
  const CoxPathOptions options{.lambda = penalties, .weight = small.weight};
  const CoxPath found = cox_path(make_cox_path_design(small.cohort.timeline, small.columns()), options);
  const auto expected = reference::cox_path(small.cohort.timeline, small.columns(), options);
  bool close = found.beta.size() == expected.size();
  for (std::size_t k = 0; close && k < expected.size(); ++k)
    close = std::abs(found.beta[k] - expected[k]) < 1e-6;
  return close;
}

void path(benchmark::State& state, Level level, const PathCohort& data, bool weighted) {
  force_level(level);
  omp_set_num_threads(1);
  const CoxPathDesign design = make_cox_path_design(data.cohort.timeline, data.columns());
  CoxPathOptions options;
  if (weighted) options.weight = data.weight;
  CoxPath found;
  for (auto _ : state) {
    found = cox_path(design, options);
    benchmark::DoNotOptimize(found.beta.data());
  }
  if (!agrees()) state.SkipWithError("differs from the reference");
  state.counters["lambdas"] = static_cast<double>(found.n_lambda());
  state.counters["nonzero"] = static_cast<double>(found.n_nonzero.back());
  state.counters["walks"] = static_cast<double>(found.n_evaluations);
}

/// The path of one bootstrap replicate, by a guide that is not in the clock.
void replicate(benchmark::State& state, Level level, const PathCohort& data) {
  force_level(level);
  omp_set_num_threads(1);
  const CoxPathDesign design = make_cox_path_design(data.cohort.timeline, data.columns());
  const CoxPathGuide guide = make_cox_path_guide(design);
  CoxPathRoom room;
  CoxPath found = cox_path(guide, data.weight, room);
  for (auto _ : state) {
    found = cox_path(guide, data.weight, room);
    benchmark::DoNotOptimize(found.beta.data());
  }
  const CoxPath expected = cox_path(design, {.lambda = guide.full.lambda, .weight = data.weight});
  bool close = found.beta.size() == expected.beta.size();
  for (std::size_t k = 0; close && k < expected.beta.size(); ++k)
    close = std::abs(found.beta[k] - expected.beta[k]) < 1e-6;
  if (!close) state.SkipWithError("differs from cox_path");
  state.counters["lambdas"] = static_cast<double>(found.n_lambda());
  state.counters["walks"] = static_cast<double>(found.n_evaluations);
}

void dense_replicate(benchmark::State& state, Level level) {
  static const PathCohort data(100000, 0, 196);
  replicate(state, level, data);
}

void sparse_replicate(benchmark::State& state, Level level) {
  static const PathCohort data(100000, 500, 10);
  replicate(state, level, data);
}

void dense(benchmark::State& state, Level level) {
  static const PathCohort data(100000, 0, 196);
  path(state, level, data, true);
}

void sparse(benchmark::State& state, Level level) {
  static const PathCohort data(100000, 500, 10);
  path(state, level, data, false);
}

const bool registered = [] {
  for (const Level level : available_levels()) {
    const std::string rest = "/level=" + std::string(name_of(level)) + "/threads=1";
    benchmark::RegisterBenchmark(("cox_path/n=100000/dense=200/bootstrap" + rest).c_str(), dense, level)
        ->Unit(benchmark::kMillisecond);
    benchmark::RegisterBenchmark(("cox_path/n=100000/dense=14/sparse=500" + rest).c_str(), sparse, level)
        ->Unit(benchmark::kMillisecond);
    benchmark::RegisterBenchmark(("cox_path/replicate/n=100000/dense=200" + rest).c_str(), dense_replicate,
                                 level)
        ->Unit(benchmark::kMillisecond);
    benchmark::RegisterBenchmark(("cox_path/replicate/n=100000/dense=14/sparse=500" + rest).c_str(),
                                 sparse_replicate, level)
        ->Unit(benchmark::kMillisecond);
  }
  return true;
}();

}  // namespace
}  // namespace chorale::kernels
