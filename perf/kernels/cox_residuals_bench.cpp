// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
//
// Robust variance and the test of proportional hazards beside the fit itself, on one thread.
#include "kernels/cox_residuals.hpp"

#include <benchmark/benchmark.h>
#include <omp.h>

#include "kernels/cox_zph.hpp"
#include "perf/kernels/survival_cohort.hpp"

namespace chorale::kernels {
namespace {

constexpr Index n_patients = 100'000, n_columns = 20;

struct Model {
  Model() : cohort(n_patients, 1) {
    omp_set_num_threads(1);
    const auto first = cohort.first_columns(SurvivalCohort::n_columns);
    std::vector<double> columns(first.begin(), first.end());
    for (Index k = static_cast<Index>(columns.size()); k < n_patients * n_columns; ++k)
      columns.push_back(draw_uniform(17, 0, k, 0));
    design = make_cox_design(cohort.timeline, {columns, n_columns, {}});
    fit = cox_fit(design);
    for (std::int32_t i = 0; i < n_patients; ++i) site.push_back(i % 40);
  }
  static const Model& get() {
    static const Model model;
    return model;
  }

  SurvivalCohort cohort;
  CoxDesign design;
  CoxFit fit;
  std::vector<std::int32_t> site;
};

void fit_20(benchmark::State& state) {
  const Model& m = Model::get();
  for (auto _ : state) benchmark::DoNotOptimize(cox_fit(m.design));
}
void robust_20(benchmark::State& state) {
  const Model& m = Model::get();
  RobustVariance found;
  for (auto _ : state) found = robust_variance(m.design, m.fit, Ties::efron);
  // the model holds, so that both variances estimate the same
  const double ratio = found.covariance[0] / m.fit.covariance[0];
  if (!(ratio > 0.9 && ratio < 1.1)) state.SkipWithError("not the variance of the fit");
}
void cluster_20(benchmark::State& state) {
  const Model& m = Model::get();
  for (auto _ : state) benchmark::DoNotOptimize(robust_variance(m.design, m.fit, Ties::efron, m.site));
}
void proportional_20(benchmark::State& state) {
  const Model& m = Model::get();
  for (auto _ : state) benchmark::DoNotOptimize(cox_zph(m.cohort.timeline, m.design, m.fit, Ties::efron));
}
BENCHMARK(fit_20)->Unit(benchmark::kMillisecond);
BENCHMARK(robust_20)->Unit(benchmark::kMillisecond);
BENCHMARK(cluster_20)->Unit(benchmark::kMillisecond);
BENCHMARK(proportional_20)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace chorale::kernels
