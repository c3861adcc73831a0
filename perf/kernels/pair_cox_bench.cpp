// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
//
// Interactions of pairs of features beside two covariates, on one thread: full fits, with and without the fit they
// are compared with, Firth's fits where no carrier of both dies, and the screen, with and without its bound.
#include "kernels/pair_cox.hpp"

#include <benchmark/benchmark.h>
#include <omp.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "kernels/level.hpp"
#include "kernels/pair_cox_firth.hpp"
#include "kernels/pair_cox_screen.hpp"
#include "kernels/reference/pair_cox.hpp"
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
    frame.emplace(design, covariates, Ties::efron);
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
  std::optional<PairCoxFrame> frame;
};

const Given& given() {
  static const Given made;
  return made;
}

void count_pairs(benchmark::State& state, std::size_t n) {
  state.counters["pairs"] =
      benchmark::Counter(static_cast<double>(n), benchmark::Counter::kIsIterationInvariantRate);
}

void frame(benchmark::State& state, Level level) {
  force_level(level);
  for (auto _ : state) {
    const PairCoxFrame made(given().design, given().covariates, Ties::efron);
    benchmark::DoNotOptimize(&*made);
  }
}

void full(benchmark::State& state, Level level, bool with_lrt) {
  force_level(level);
  omp_set_num_threads(1);
  const std::vector<FeaturePair>& pairs = given().some_pairs;
  std::vector<PairCoxFit> fits(pairs.size());
  for (auto _ : state) {
    pair_cox_full(*given().frame, given().cohort.lists, pairs, fits, {.with_lrt = with_lrt});
    benchmark::DoNotOptimize(fits.data());
  }
  for (const std::size_t k : {fits.size() / 2, fits.size() - 1}) {
    const CoxFit dense = given().dense(pairs[k]);
    if (!(std::abs(fits[k].ab - dense.beta.back()) < 1e-9 &&
          std::abs(fits[k].loglik / dense.loglik - 1) < 1e-12))
      state.SkipWithError("differs from a dense fit");
  }
  count_pairs(state, pairs.size());
}

/// Pairs of which no carrier of both dies: those who do carry only the first.
struct Separated {
  explicit Separated(Index n_columns)
      : design(make_cox_design(given().cohort.timeline,
                               {given().cohort.first_columns(n_columns), n_columns, {}})),
        covariates(cox_fit(design)),
        frame(design, covariates, Ties::efron) {
    const SurvivalCohort& cohort = given().cohort;
    for (std::size_t a = 10; a < static_cast<std::size_t>(n_features); a += 10) {
      const std::vector<std::int32_t>& with_a = cohort.carriers[a];
      std::vector<std::int32_t> with_b = cohort.carriers[a - 7];
      std::erase_if(with_b, [&](std::int32_t i) {
        return cohort.event[static_cast<std::size_t>(i)] == 1 &&
               std::binary_search(with_a.begin(), with_a.end(), i);
      });
      pairs.push_back({static_cast<std::int32_t>(lists.size()), static_cast<std::int32_t>(lists.size()) + 1});
      lists.push_back(with_a);
      lists.push_back(std::move(with_b));
    }
    carriers.assign(lists.begin(), lists.end());
  }

  CoxDesign design;
  CoxFit covariates;
  PairCoxFrame frame;
  std::vector<std::vector<std::int32_t>> lists;
  std::vector<std::span<const std::int32_t>> carriers;
  std::vector<FeaturePair> pairs;
};

void firth(benchmark::State& state, Level level, const Separated& (*made)()) {
  force_level(level);
  omp_set_num_threads(1);
  const Separated& of = made();
  std::vector<PairCoxFit> fits(of.pairs.size());
  for (auto _ : state) {
    pair_cox_firth(of.frame, of.carriers, of.pairs, fits);
    benchmark::DoNotOptimize(fits.data());
  }
  PairCoxFit plain;
  reference::pair_cox_firth(of.design, of.covariates, of.carriers, std::span(of.pairs).last(1), Ties::efron,
                            {&plain, 1});
  const PairCoxFit& found = fits.back();
  if (!(found.verdict == PairVerdict::penalised && std::abs(found.ab - plain.ab) < 1e-8 * plain.se_ab &&
        std::abs(found.lrt_chi2 - plain.lrt_chi2) < 1e-6))
    state.SkipWithError("differs from the plain body");
  count_pairs(state, of.pairs.size());
}

template <Index n_columns>
const Separated& separated() {
  static const Separated made(n_columns);
  return made;
}

void firth_plain(benchmark::State& state) {
  const Separated& of = separated<p>();
  PairCoxFit fit;
  for (auto _ : state)
    reference::pair_cox_firth(of.design, of.covariates, of.carriers, std::span(of.pairs).last(1), Ties::efron,
                              {&fit, 1});
  count_pairs(state, 1);
}

/// Covariates and features are drawn independently: the full fit says nearly the same.
bool near_full_fits(const std::vector<PairScreen>& screens) {
  std::vector<PairCoxFit> fits(given().some_pairs.size());
  pair_cox_full(*given().frame, given().cohort.lists, given().some_pairs, fits);
  for (std::size_t k = 0; k < fits.size(); ++k) {
    const PairScreen& found = screens[43 * k];
    if (found.verdict != fits[k].verdict) return false;
    if (std::abs(found.lrt_chi2 - fits[k].lrt_chi2) > 0.1 * (1 + fits[k].lrt_chi2)) return false;
  }
  return true;
}

/// Where the bound says so the likelihood ratio is below; elsewhere it is the same.
bool bound_holds(const std::vector<PairScreen>& held, const std::vector<PairScreen>& fitted) {
  for (std::size_t k = 0; k < held.size(); ++k) {
    const bool below = held[k].verdict == PairVerdict::below_bound;
    if (below && !(fitted[k].lrt_chi2 < held[k].lrt_at_most + 1e-4)) return false;
    const bool has_ratio = std::isfinite(fitted[k].lrt_chi2);
    if (!below && has_ratio && held[k].lrt_chi2 != fitted[k].lrt_chi2) return false;
  }
  return true;
}

void screen(benchmark::State& state, Level level, double pass_below_p) {
  force_level(level);
  omp_set_num_threads(1);
  const std::vector<FeaturePair>& pairs = given().all_pairs;
  std::vector<PairScreen> screens(pairs.size()), fitted(pairs.size());
  for (auto _ : state) {
    pair_cox_screen(*given().frame, given().cohort.lists, pairs, screens, {.pass_below_p = pass_below_p});
    benchmark::DoNotOptimize(screens.data());
  }
  pair_cox_screen(*given().frame, given().cohort.lists, pairs, fitted);
  if (!near_full_fits(fitted)) state.SkipWithError("differs from the full fit");
  if (!bound_holds(screens, fitted)) state.SkipWithError("the bound does not hold");
  count_pairs(state, pairs.size());
}

const bool registered = [] {
  for (const Level level : available_levels()) {
    const std::string rest = "/n=100000/p=2/level=" + std::string(name_of(level)) + "/threads=1";
    const auto add = [&](const std::string& name, auto body, auto... more) {
      benchmark::RegisterBenchmark((name + rest).c_str(), body, level, more...)
          ->Unit(benchmark::kMillisecond);
    };
    add("pair_cox_frame", frame);
    add("pair_cox_full", full, true);
    add("pair_cox_full/with_lrt=0", full, false);
    add("pair_cox_firth", firth, separated<p>);
    benchmark::RegisterBenchmark(
        ("pair_cox_firth/n=100000/p=4/level=" + std::string(name_of(level)) + "/threads=1").c_str(), firth,
        level, separated<4>)
        ->Unit(benchmark::kMillisecond);
    add("pair_cox_screen", screen, 1.0);
    add("pair_cox_screen/pass_below_p=1e-4", screen, 1e-4);
  }
  benchmark::RegisterBenchmark("pair_cox_firth/n=100000/p=2/body=reference/threads=1", firth_plain)
      ->Unit(benchmark::kMillisecond);
  return true;
}();

}  // namespace
}  // namespace chorale::kernels
