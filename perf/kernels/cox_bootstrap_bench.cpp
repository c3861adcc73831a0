// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
//
// Bootstrap of a Cox model with 20 covariates, ten continuous and ten 0/1: weights, half samples, fits, linear
// predictors, on one thread; "filled": two of the covariates miss one value in ten, which each replicate fills with its
// median. What users have is R's coxph.fit with weights and the full data's coefficients to start from.
#include "kernels/cox_bootstrap.hpp"

#include <benchmark/benchmark.h>
#include <omp.h>

#include <algorithm>
#include <cmath>

#include "kernels/bootstrap_fills.hpp"
#include "kernels/bootstrap_weights.hpp"
#include "kernels/draw.hpp"
#include "kernels/level.hpp"
#include "kernels/linear_predictors.hpp"
#include "perf/kernels/covariate_cohort.hpp"

namespace chorale::kernels {
namespace {

constexpr Index n_columns = 20, n_replicates = 128;

struct Cohort : CovariateCohort {
  explicit Cohort(Index n) : CovariateCohort(n, n_columns), n_patients(n) {
    design = make_cox_design(timeline, {columns, n_columns, {}});
    full = cox_fit(design);
    plan = make_bootstrap_plan({.n_patients = n, .stratum = {}, .cluster = {}});
    copies.resize(static_cast<std::size_t>(n * n_replicates));
    bootstrap_weights(plan, 1, 0, n_replicates, copies);
  }

  Timeline resampled(const std::vector<std::size_t>& rows) const {
    std::vector<double> days;
    std::vector<std::int8_t> died;
    for (const std::size_t i : rows) {
      days.push_back(time[i]);
      died.push_back(event[i]);
    }
    return make_timeline({.entry = {}, .time = days, .event = died, .weight = {}, .stratum = {}});
  }

  /// A replicate's fit of the given columns on its rows written out.
  CoxFit on_rows(std::span<const double> values, std::size_t replicate) const {
    std::vector<std::size_t> rows;
    for (std::size_t i = 0; i < timeline.exit.size(); ++i) {
      rows.insert(rows.end(), copies[i * n_replicates + replicate], i);
    }
    std::vector<double> x;
    for (std::size_t j = 0; j < n_columns; ++j) {
      for (const std::size_t i : rows) x.push_back(values[j * timeline.exit.size() + i]);
    }
    return cox_fit(make_cox_design(resampled(rows), {x, n_columns, {}}));
  }

  Index n_patients;
  CoxDesign design;
  CoxFit full;
  BootstrapPlan plan;
  std::vector<std::uint8_t> copies;
};

/// The same cohort with gaps in columns 0 and 2, whose gap columns stand behind the others.
struct Filled {
  explicit Filled(const Cohort& of) : known{of.columns}, columns(of.columns), full_columns(of.columns) {
    const auto n = static_cast<std::size_t>(of.n_patients);
    columns.resize((n_columns + 2) * n, 0);
    for (std::size_t k = 0; k < 2; ++k) {
      for (std::size_t i = 0; i < n; ++i) {
        if (!Draws(12, static_cast<std::uint32_t>(k), static_cast<Index>(i)).bernoulli(0.1)) continue;
        columns[2 * k * n + i] = 0;
        columns[(n_columns + k) * n + i] = 1;
        known[2 * k * n + i] = missing;
      }
      fill[k] = fill_order(std::span(known).subspan(2 * k * n, n));
      const std::vector<std::uint8_t> once(n, 1);
      weighted_fills(fill[k], once, std::span(full_fill).subspan(k, 1));
    }
    full_columns = filled(full_fill);
    design = make_cox_design(of.timeline, {columns, n_columns + 2, {}});
    full = cox_fit(make_cox_design(of.timeline, {full_columns, n_columns, {}}));
    learn(of, values);
  }

  /// Values of all replicates, replicate by replicate.
  void learn(const Cohort& of, std::vector<double>& learned) const {
    learned.resize(2 * n_replicates);
    std::vector<double> medians(n_replicates);
    for (std::size_t k = 0; k < 2; ++k) {
      weighted_fills(fill[k], of.copies, medians);
      for (std::size_t r = 0; r < n_replicates; ++r) learned[2 * r + k] = medians[r];
    }
  }

  std::vector<double> filled(std::span<const double> by) const {
    std::vector<double> result(known);
    const std::size_t n = known.size() / n_columns;
    for (std::size_t at = 0; at < result.size(); ++at) {
      if (std::isnan(result[at])) result[at] = by[at / n / 2];
    }
    return result;
  }

  std::vector<double> known, columns, full_columns, values, full_fill = std::vector<double>(2);
  FillOrder fill[2];
  CoxDesign design;
  CoxFit full;
};

const Cohort& cohort(Index n) {
  static const Cohort large(100'000), small(5000);
  return n == large.n_patients ? large : small;
}

const Filled& filled(Index n) {
  static const Filled large(cohort(100'000)), small(cohort(5000));
  return n == 100'000 ? large : small;
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

void half_samples_of(benchmark::State& state, Level level, Index n) {
  force_level(level);
  omp_set_num_threads(1);
  std::vector<std::uint8_t> taken(cohort(n).copies.size());
  for (auto _ : state) {
    half_samples(cohort(n).plan, 1, 0, n_replicates / 2, taken);
    benchmark::DoNotOptimize(taken.data());
  }
  for (std::size_t r = 0; r < n_replicates; ++r) {
    Index sum = 0;
    for (std::size_t at = r; at < taken.size(); at += n_replicates) sum += taken[at];
    if (sum != n / 2) state.SkipWithError("not half of the patients");
  }
  count(state);
}

/// Times `fit`, then compares replicate 1 with the fit of its rows and counts passes.
template <class Fit>
void measure(benchmark::State& state, const Cohort& of, std::span<const double> values_of_1, Index stride,
             Fit fit) {
  std::vector<CoxReplicate> found(n_replicates);
  std::vector<double> beta(static_cast<std::size_t>(n_replicates * stride));
  for (auto _ : state) {
    fit(found, beta);
    benchmark::DoNotOptimize(beta.data());
  }
  const CoxFit expected = of.on_rows(values_of_1, 1);
  for (std::size_t j = 0; j < n_columns; ++j) {
    const double se = std::sqrt(expected.covariance[j * (n_columns + 1)]);
    if (!(std::abs(beta[static_cast<std::size_t>(stride) + j] - expected.beta[j]) < 1e-9 * se))
      state.SkipWithError("differs from the fit of the rows");
  }
  int passes = 0;
  for (const CoxReplicate& each : found) passes = std::max(passes, each.iterations);
  state.counters["passes"] = passes;
  count(state);
}

void fits(benchmark::State& state, Level level, Index n) {
  force_level(level);
  omp_set_num_threads(1);
  const Cohort& of = cohort(n);
  measure(state, of, of.columns, n_columns,
          [&](auto& found, auto& beta) { cox_bootstrap(of.design, of.full, of.copies, {}, found, beta); });
}

void filled_fits(benchmark::State& state, Level level, Index n) {
  force_level(level);
  omp_set_num_threads(1);
  const Cohort& of = cohort(n);
  const Filled& gaps = filled(n);
  const std::vector<Index> column{0, 2}, gap{n_columns, n_columns + 1};
  measure(state, of, gaps.filled(std::span(gaps.values).subspan(2, 2)), n_columns + 2,
          [&](auto& found, auto& beta) {
            const CoxBootstrapOptions options{.fills = {column, gap, gaps.values, gaps.full_fill}};
            cox_bootstrap(gaps.design, gaps.full, of.copies, options, found, beta);
          });
}

void medians(benchmark::State& state, Level level, Index n) {
  force_level(level);
  omp_set_num_threads(1);
  const Filled& gaps = filled(n);
  std::vector<double> learned;
  for (auto _ : state) {
    gaps.learn(cohort(n), learned);
    benchmark::DoNotOptimize(learned.data());
  }
  if (learned != gaps.values) state.SkipWithError("differs from another level");
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
      add("half_samples", half_samples_of);
      add("weighted_fills/columns=2", medians);
      add("cox_bootstrap", fits);
      add("cox_bootstrap/filled=2", filled_fits);
      add("linear_predictors", predictors);
    }
  }
  return true;
}();

}  // namespace
}  // namespace chorale::kernels
