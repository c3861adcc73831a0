// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
//
// Permutations of all pairs of 500 features in 100,000 patients on one thread, beside one pass over the pairs as they
// are: cells, Fisher's p and q, without and with conditional odds ratios. The two take turns in one run, and their
// medians give the ratio.
#include "kernels/association_permutation.hpp"

#include <benchmark/benchmark.h>
#include <omp.h>

#include <algorithm>
#include <cmath>
#include <ctime>
#include <iterator>
#include <string>

#include "kernels/fisher.hpp"
#include "kernels/level.hpp"
#include "kernels/multiplicity.hpp"
#include "kernels/pair_counts_tables.hpp"
#include "perf/kernels/gene_cohort.hpp"

namespace chorale::kernels {
namespace {

const GeneCohort& cohort() {
  static const GeneCohort made(500, 6.5);
  return made;
}

Groups strata(bool by_disease) {
  static const std::vector<std::int32_t> one(static_cast<std::size_t>(GeneCohort::n_patients), 0);
  return by_disease ? Groups{cohort().disease, GeneCohort::n_diseases} : Groups{one, 1};
}

/// The four cells of all pairs.
std::vector<TwoByTwo> cells() {
  const PairOrder order = pair_order(cohort().lists, GeneCohort::n_patients);
  const PairLists lists = make_pair_lists(order, cohort().lists, GeneCohort::n_patients);
  const PairCounter counter(lists);
  const PairTables pairs(lists, {});
  std::vector<std::int32_t> n11;
  std::vector<TwoByTwo> tables, all;
  for (const PairTile& tile : pair_tiles(order)) {
    n11.resize(static_cast<std::size_t>(tile.n_cells()));
    tables.resize(n11.size());
    counter.count(tile, n11);
    pairs.fill(tile, n11, tables);
    std::copy_if(tables.begin(), tables.end(), std::back_inserter(all),
                 [](const TwoByTwo& table) { return table.total() > 0; });
  }
  return all;
}

/// Cells, Fisher's log10 p and q of all pairs.
void pass() {
  const std::vector<TwoByTwo> all = cells();
  std::vector<double> log10_p(all.size());
  fisher_log10_p(all, log10_p);
  benjamini_hochberg(log10_p, log10_p);
  benchmark::DoNotOptimize(log10_p.data());
}

void odds_ratios(const std::vector<TwoByTwo>& all) {
  for (const TwoByTwo& table : all) benchmark::DoNotOptimize(fisher_odds_ratio(table));
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
  const AssociationPermutation family(cohort().lists, strata(by_disease), {}, 0);
  std::vector<Extremes> extremes(100);
  std::vector<double> permuting, passing;
  Index first = 0;
  for (auto _ : state) {
    permuting.push_back(seconds([&] { family.extremes(1, first, extremes); }));
    state.PauseTiming();
    passing.push_back(seconds(pass));
    first += 100;
    state.ResumeTiming();
  }
  const double one = median(permuting) / 100;
  state.counters["ms_per_permutation"] = 1000 * one;
  state.counters["ms_per_pass"] = 1000 * median(passing);
  state.counters["passes_per_1000"] = 1000 * one / median(passing);
  const std::vector<TwoByTwo> all = cells();
  const double of_ratios = seconds([&] { odds_ratios(all); });
  state.counters["with_odds_ratios"] = 1000 * one / (median(passing) + of_ratios);

  // the pairs as they are, against the definition
  const std::vector<FeaturePair> pairs{{0, 1}, {2, 77}, {30, 400}};
  std::vector<Association> found(pairs.size());
  family.observed(pairs, found);
  for (std::size_t k = 0; k < pairs.size(); ++k) {
    const Association expected = reference::association(cohort().lists, strata(by_disease), {}, pairs[k], 0);
    if (found[k].verdict != expected.verdict || std::abs(found[k].z - expected.z) > 1e-9)
      state.SkipWithError("differs from the definition");
  }
  force_level(available_levels().back());
}

const bool registered = [] {
  for (const Level level : available_levels()) {
    for (const bool by_disease : {false, true}) {
      const std::string name = "association_permutation/strata=" + std::to_string(by_disease ? 7 : 1) +
                               "/level=" + std::string(name_of(level)) + "/threads=1";
      benchmark::RegisterBenchmark(name.c_str(), permutations, level, by_disease)
          ->Unit(benchmark::kMillisecond)
          ->Iterations(7);
    }
  }
  return true;
}();

}  // namespace
}  // namespace chorale::kernels
