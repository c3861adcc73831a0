// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
//
// Bootstrap of a Cox model with 20 covariates, ten continuous and ten 0/1: weights, fits, linear predictors, on one
// thread. What users have is R's coxph.fit with weights and the full data's coefficients to start from.
#include "kernels/cox_bootstrap.hpp"

#include <benchmark/benchmark.h>
#include <omp.h>

#include <algorithm>
#include <cmath>

#include "kernels/bootstrap_weights.hpp"
#include "kernels/draw.hpp"
#include "kernels/level.hpp"
#include "kernels/linear_predictors.hpp"

namespace chorale::kernels {
namespace {

constexpr Index n_columns = 20, n_replicates = 128;

/// About 3,500 distinct event times at 100,000 patients, 70 % dying.
struct Cohort {
  explicit Cohort(Index n) : n_patients(n), columns(static_cast<std::size_t>(n * n_columns)) {
    std::vector<double> time;
    std::vector<std::int8_t> event;
    for (Index i = 0; i < n; ++i) {
      Draws draws(11, 1, i);
      double log_hazard = 0;
      for (Index j = 0; j < n_columns; ++j) {
        const double value =
            j % 2 == 0 ? draws.normal() : draws.bernoulli(0.02 + 0.02 * static_cast<double>(j));
        columns[static_cast<std::size_t>(j * n + i)] = value;
        log_hazard += 0.1 * value * static_cast<double>(j % 3 - 1);
      }
      const double death = 1400 * draws.exponential() * std::exp(-log_hazard);
      const double censoring = 200 + 3800 * draws.uniform();
      time.push_back(std::ceil(std::min(death, censoring)));
      event.push_back(death <= censoring);
    }
    timeline = make_timeline({.entry = {}, .time = time, .event = event, .weight = {}, .stratum = {}});
    design = make_cox_design(timeline, {columns, n_columns, {}});
    full = cox_fit(design);
    plan = make_bootstrap_plan({.n_patients = n, .stratum = {}, .cluster = {}});
    copies.resize(static_cast<std::size_t>(n * n_replicates));
    bootstrap_weights(plan, 1, 0, n_replicates, copies);
  }

  /// A replicate's fit on its rows written out.
  CoxFit on_rows(std::size_t replicate) const {
    std::vector<std::size_t> rows;
    for (std::size_t i = 0; i < timeline.exit.size(); ++i) {
      rows.insert(rows.end(), copies[i * n_replicates + replicate], i);
    }
    std::vector<double> time, x;
    std::vector<std::int8_t> event;
    for (const std::size_t i : rows) {
      time.push_back(timeline.exit[i]);
      event.push_back(static_cast<std::int8_t>(timeline.event[i]));
    }
    for (std::size_t j = 0; j < n_columns; ++j) {
      for (const std::size_t i : rows) x.push_back(columns[j * timeline.exit.size() + i]);
    }
    const Timeline of_rows =
        make_timeline({.entry = {}, .time = time, .event = event, .weight = {}, .stratum = {}});
    return cox_fit(make_cox_design(of_rows, {x, n_columns, {}}));
  }

  Index n_patients;
  std::vector<double> columns;
  Timeline timeline;
  CoxDesign design;
  CoxFit full;
  BootstrapPlan plan;
  std::vector<std::uint8_t> copies;
};

const Cohort& cohort(Index n) {
  static const Cohort large(100'000), small(5000);
  return n == large.n_patients ? large : small;
}

void count(benchmark::State& state) {
  state.counters["replicates"] =
      benchmark::Counter(n_replicates, benchmark::Counter::kIsIterationInvariantRate);
}

void weights(benchmark::State& state, Level level, Index n) {
  force_level(level);
  omp_set_num_threads(1);
  std::vector<std::uint8_t> copies(cohort(n).copies.size());
  for (auto _ : state) {
    bootstrap_weights(cohort(n).plan, 1, 0, n_replicates, copies);
    benchmark::DoNotOptimize(copies.data());
  }
  if (copies != cohort(n).copies) state.SkipWithError("differs from another level");
  count(state);
}

void fits(benchmark::State& state, Level level, Index n) {
  force_level(level);
  omp_set_num_threads(1);
  const Cohort& of = cohort(n);
  std::vector<CoxReplicate> found(n_replicates);
  std::vector<double> beta(n_replicates * n_columns);
  for (auto _ : state) {
    cox_bootstrap(of.design, of.full, of.copies, {}, found, beta);
    benchmark::DoNotOptimize(beta.data());
  }
  const CoxFit expected = of.on_rows(1);
  for (std::size_t j = 0; j < n_columns; ++j) {
    const double se = std::sqrt(expected.covariance[j * (n_columns + 1)]);
    if (!(std::abs(beta[n_columns + j] - expected.beta[j]) < 1e-9 * se))
      state.SkipWithError("differs from the fit of the rows");
  }
  int passes = 0;
  for (const CoxReplicate& fit : found) passes = std::max(passes, fit.iterations);
  state.counters["passes"] = passes;
  count(state);
}

void predictors(benchmark::State& state, Level level, Index n) {
  force_level(level);
  omp_set_num_threads(1);
  const Cohort& of = cohort(n);
  std::vector<double> beta(n_replicates * n_columns, 0.5);
  std::vector<double> eta(static_cast<std::size_t>(n * n_replicates));
  for (auto _ : state) {
    linear_predictors({of.columns, n_columns, {}}, n, beta, eta);
    benchmark::DoNotOptimize(eta.data());
  }
  double expected = 0;
  for (Index j = 0; j < n_columns; ++j) expected += 0.5 * of.columns[static_cast<std::size_t>(j * n)];
  if (!(std::abs(eta[0] - expected) < 1e-13)) state.SkipWithError("differs from the sum");
  count(state);
}

const bool registered = [] {
  for (const Level level : available_levels()) {
    for (const Index n : {5000, 100'000}) {
      const std::string rest =
          "/n=" + std::to_string(n) + "/p=20/level=" + std::string(name_of(level)) + "/threads=1";
      const auto add = [&](const std::string& name, auto body) {
        benchmark::RegisterBenchmark((name + rest).c_str(), body, level, n)->Unit(benchmark::kMillisecond);
      };
      add("bootstrap_weights", weights);
      add("cox_bootstrap", fits);
      add("linear_predictors", predictors);
    }
  }
  return true;
}();

}  // namespace
}  // namespace chorale::kernels
