// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
//
// Permuted interactions with outcome of all pairs of 500 features in 100,000 patients on one thread, beside one pass
// of pair_cox_screen over the same pairs. The two take turns in one run, and their medians give the ratio.
#include "kernels/outcome_permutation.hpp"

#include <benchmark/benchmark.h>
#include <omp.h>

#include <algorithm>
#include <cmath>
#include <ctime>
#include <string>

#include "kernels/level.hpp"
#include "kernels/martingale.hpp"
#include "kernels/pair_cox_screen.hpp"
#include "perf/kernels/gene_cohort.hpp"
#include "perf/kernels/survival_cohort.hpp"

namespace chorale::kernels {
namespace {

constexpr Index n_columns = 2, min_both = 5;

/// Carriers as in GeneCohort, outcomes and covariates as in SurvivalCohort: they know nothing of each other.
struct Given {
  Given()
      : genes(500, 6.5), outcomes(GeneCohort::n_patients, 0), residuals(std::size_t{GeneCohort::n_patients}) {
    design = make_cox_design(outcomes.timeline, {outcomes.first_columns(n_columns), n_columns, {}});
    covariates = cox_fit(design);
    martingale_residuals(design, covariates, Ties::efron, residuals);
    for (std::int32_t a = 0; a < 500; ++a) {
      for (std::int32_t b = 0; b < a; ++b) pairs.push_back({a, b});
    }
  }

  GeneCohort genes;
  SurvivalCohort outcomes;
  CoxDesign design;
  CoxFit covariates;
  std::vector<double> residuals;
  std::vector<FeaturePair> pairs;
};

const Given& given() {
  static const Given made;
  return made;
}

/// Of the processor, whatever else runs on the machine.
double seconds(const auto& work) {
  const std::clock_t begin = std::clock();
  work();
  return static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

void permutations(benchmark::State& state, Level level, bool by_disease) {
  force_level(level);
  omp_set_num_threads(1);
  const std::vector<std::int32_t> one(std::size_t{GeneCohort::n_patients}, 0);
  const Groups strata = by_disease ? Groups{given().genes.disease, GeneCohort::n_diseases} : Groups{one, 1};
  std::vector<PairScreen> screens(given().pairs.size());
  std::vector<Extremes> extremes(1000);
  std::vector<double> permuting, passing;
  for (auto _ : state) {
    permuting.push_back(seconds([&] {
      const OutcomePermutation family(given().residuals, given().genes.lists, strata, {}, given().pairs,
                                      min_both);
      family.extremes(1, 0, extremes);
    }));
    state.PauseTiming();
    passing.push_back(seconds([&] {
      pair_cox_screen(given().design, given().covariates, given().genes.lists, given().pairs, Ties::efron,
                      screens);
    }));
    state.ResumeTiming();
  }
  state.counters["s_per_1000"] = median(permuting);
  state.counters["s_per_pass"] = median(passing);
  state.counters["passes_per_1000"] = median(permuting) / median(passing);

  for (const FeaturePair& pair : {FeaturePair{0, 1}, FeaturePair{2, 77}}) {
    const OutcomePermutation family(given().residuals, given().genes.lists, strata, {}, {&pair, 1}, min_both);
    const Interaction found = family.observed()[0];
    const Interaction expected =
        reference::interaction(given().residuals, given().genes.lists, strata, {}, pair, min_both);
    if (found.verdict != expected.verdict || std::abs(found.z - expected.z) > 1e-9)
      state.SkipWithError("differs from the definition");
  }
  force_level(available_levels().back());
}

const bool registered = [] {
  for (const Level level : available_levels()) {
    for (const bool by_disease : {false, true}) {
      const std::string name = "outcome_permutation/strata=" + std::to_string(by_disease ? 7 : 1) +
                               "/level=" + std::string(name_of(level)) + "/threads=1";
      benchmark::RegisterBenchmark(name.c_str(), permutations, level, by_disease)
          ->Unit(benchmark::kMillisecond)
          ->Iterations(3);
    }
  }
  return true;
}();

}  // namespace
}  // namespace chorale::kernels
