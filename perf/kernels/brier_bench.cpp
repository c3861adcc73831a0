// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
//
// What a bootstrap replicate asks of a prediction, on one thread: baseline hazard, Brier scores, areas, calibration.
#include "kernels/brier.hpp"

#include <benchmark/benchmark.h>

#include "kernels/calibration.hpp"
#include "kernels/time_auc.hpp"
#include "perf/kernels/survival_cohort.hpp"

namespace chorale::kernels {
namespace {

struct Prediction {
  explicit Prediction(Index n_patients) : cohort(n_patients, 1), order(make_risk_order(cohort.timeline)) {
    for (const double x : cohort.first_columns(1)) predictor.push_back(0.2 * x);
    // as in a bootstrap sample: a third has weight 0
    for (Index i = 0; i < n_patients; ++i) {
      Draws draws(13, 1, i);
      const double u = draws.uniform();
      weight.push_back(u < 0.368 ? 0 : u < 0.736 ? 1 : u < 0.92 ? 2 : 3);
    }
    hazard = baseline_hazard(order, predictor, weight, Ties::efron);
    survival.resize(predictor.size());
    predicted_survival(order, hazard, predictor, horizon, survival);
  }

  static const Prediction& of(Index n_patients) {
    static const Prediction small(5'000), large(100'000);
    return n_patients == 5'000 ? small : large;
  }

  static constexpr double horizon = 1000;
  SurvivalCohort cohort;
  RiskOrder order;
  std::vector<double> predictor, weight, survival;
  BaselineHazard hazard;
};

void baseline(benchmark::State& state) {
  const Prediction& p = Prediction::of(state.range(0));
  for (auto _ : state) benchmark::DoNotOptimize(baseline_hazard(p.order, p.predictor, p.weight, Ties::efron));
}
void brier_one(benchmark::State& state) {
  const Prediction& p = Prediction::of(state.range(0));
  BrierScore found;
  for (auto _ : state) found = brier_score(p.order, p.survival, Prediction::horizon, p.weight);
  if (!(found.score < found.null_score)) state.SkipWithError("no better than Kaplan-Meier");
}
void brier_fifty(benchmark::State& state) {
  const Prediction& p = Prediction::of(state.range(0));
  std::vector<double> horizons;
  for (int k = 1; k <= 50; ++k) horizons.push_back(50 * k);
  BrierCurve found;
  for (auto _ : state) found = brier_curve(p.order, p.hazard, p.predictor, horizons, p.weight);
  if (!(found.integrated < found.integrated_null)) state.SkipWithError("no better than Kaplan-Meier");
}
void auc_three(benchmark::State& state) {
  const Prediction& p = Prediction::of(state.range(0));
  const std::vector<double> horizons{365, 1000, 1826};
  std::vector<TimeAuc> found;
  for (auto _ : state) found = time_auc(p.order, p.predictor, horizons, p.weight);
  if (!(found[1].auc > 0.52)) state.SkipWithError("not the area that was planted");
}
void slope(benchmark::State& state) {
  const Prediction& p = Prediction::of(state.range(0));
  CalibrationSlope found;
  for (auto _ : state) found = calibration_slope(p.order, p.predictor, p.weight, Ties::efron);
  if (!(found.slope > 0.7 && found.slope < 1.3)) state.SkipWithError("not the slope that was planted");
}
void groups(benchmark::State& state) {
  const Prediction& p = Prediction::of(state.range(0));
  for (auto _ : state)
    benchmark::DoNotOptimize(calibration_groups(p.order, p.survival, Prediction::horizon, p.weight, 10));
}

void sizes(benchmark::internal::Benchmark* bench) {
  bench->ArgName("patients")->Arg(5'000)->Arg(100'000)->Unit(benchmark::kMillisecond);
}
BENCHMARK(baseline)->Apply(sizes);
BENCHMARK(brier_one)->Apply(sizes);
BENCHMARK(brier_fifty)->Apply(sizes);
BENCHMARK(auc_three)->Apply(sizes);
BENCHMARK(slope)->Apply(sizes);
BENCHMARK(groups)->Apply(sizes);

}  // namespace
}  // namespace chorale::kernels
