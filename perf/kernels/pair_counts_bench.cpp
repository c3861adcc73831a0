// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
//
// Carriers of both features, and the four cells, for all pairs of a cohort on one thread, beside a plain
// accumulator; the dense tile beside the machine's limit; both methods and their forecast by how frequent the
// features are.
#include "kernels/pair_counts.hpp"

#include <benchmark/benchmark.h>
#include <omp.h>

#include <algorithm>
#include <string>

#include "kernels/draw.hpp"
#include "kernels/level.hpp"
#include "kernels/pair_counts_tables.hpp"
#include "perf/kernels/gene_cohort.hpp"
#include "perf/kernels/popcount_limit.hpp"

namespace chorale::kernels {
namespace {

struct Lists {
  std::vector<std::vector<std::int32_t>> carriers;
  std::vector<std::span<const std::int32_t>> views;
  PairOrder order;
  PairLists packed;

  explicit Lists(std::vector<std::vector<std::int32_t>> lists, Index n_patients)
      : carriers(std::move(lists)), views(carriers.begin(), carriers.end()) {
    order = pair_order(views, n_patients);
    packed = make_pair_lists(order, views, n_patients);
  }
  Lists(const Lists&) = delete;
};

const Lists& cohort(Index n_genes) {
  static const Lists panel(GeneCohort(500, 6.5).carriers, 100'000),
      genome(GeneCohort(20'000, 77).carriers, 100'000);
  return n_genes == 500 ? panel : genome;
}

/// What tells two answers apart, whatever the order of pairs.
struct Fingerprint {
  Index sum = 0, squares = 0;
  void add(std::span<const std::int32_t> n11) {
    for (const Index n : n11) sum += n, squares += n * n;
  }
  bool operator==(const Fingerprint&) const = default;
};

std::vector<std::vector<std::int32_t>> genes_by_patient(const Lists& lists) {
  std::vector<std::vector<std::int32_t>> genes_of(100'000);
  for (std::size_t gene = 0; gene < lists.carriers.size(); ++gene) {
    for (const std::int32_t patient : lists.carriers[gene])
      genes_of[static_cast<std::size_t>(patient)].push_back(static_cast<std::int32_t>(gene));
  }
  return genes_of;
}

/// What one would write first: for each gene, count the other genes of its carriers.
Fingerprint plain(const Lists& lists, const std::vector<std::vector<std::int32_t>>& genes_of) {
  Fingerprint found;
  std::vector<std::int32_t> n_both(lists.carriers.size());
  for (std::size_t gene = 0; gene < lists.carriers.size(); ++gene) {
    std::fill(n_both.begin(), n_both.end(), 0);
    for (const std::int32_t patient : lists.carriers[gene]) {
      for (const std::int32_t other : genes_of[static_cast<std::size_t>(patient)])
        ++n_both[static_cast<std::size_t>(other)];
    }
    found.add(std::span(n_both).subspan(gene + 1));
  }
  return found;
}

void rate(benchmark::State& state, const char* what, double n) {
  state.counters[what] = benchmark::Counter(n, benchmark::Counter::kIsIterationInvariantRate);
}

double n_pairs(Index n_genes) {
  return static_cast<double>(n_genes) * static_cast<double>(n_genes - 1) / 2;
}

void pair_counts_plain(benchmark::State& state) {
  const Lists& lists = cohort(state.range(0));
  const auto genes_of = genes_by_patient(lists);
  for (auto _ : state) benchmark::DoNotOptimize(plain(lists, genes_of));
  rate(state, "pairs", n_pairs(state.range(0)));
}
BENCHMARK(pair_counts_plain)->ArgName("genes")->Arg(500)->Arg(20'000)->Unit(benchmark::kMillisecond);

void pair_counts_pack(benchmark::State& state) {
  const Lists& lists = cohort(state.range(0));
  for (auto _ : state) benchmark::DoNotOptimize(make_pair_lists(lists.order, lists.views, 100'000));
  rate(state, "entries", static_cast<double>(lists.packed.list.size()));
}
BENCHMARK(pair_counts_pack)->ArgName("genes")->Arg(500)->Arg(20'000)->Unit(benchmark::kMillisecond);

void pair_counts_all(benchmark::State& state) {
  omp_set_num_threads(1);
  const Lists& lists = cohort(state.range(0));
  const PairCounter counter(lists.packed);
  const auto tiles = pair_tiles(lists.order, Index{1} << state.range(1));
  const auto count_all = [&](auto&& use) {
    std::vector<std::int32_t> n11;
    for (const PairTile& tile : tiles) {
      n11.resize(static_cast<std::size_t>(tile.n_cells()));
      counter.count(tile, n11);
      use(n11);
    }
  };
  for (auto _ : state) count_all([](const auto& n11) { benchmark::DoNotOptimize(n11.data()); });
  Fingerprint found;
  count_all([&](const auto& n11) { found.add(n11); });
  if (found != plain(lists, genes_by_patient(lists)))
    state.SkipWithError("differs from the plain accumulator");
  rate(state, "pairs", n_pairs(state.range(0)));
}
BENCHMARK(pair_counts_all)
    ->ArgNames({"genes", "log2_cells"})
    ->Args({500, 16})
    ->Args({20'000, 14})
    ->Args({20'000, 16})
    ->Args({20'000, 20})
    ->Args({20'000, 24})
    ->Unit(benchmark::kMillisecond);

void pair_tables_all(benchmark::State& state) {
  omp_set_num_threads(1);
  const Lists& lists = cohort(state.range(0));
  const PairCounter counter(lists.packed);
  const PairTables pairs(lists.packed, {});
  const auto tiles = pair_tiles(lists.order, Index{1} << state.range(1));
  std::vector<std::int32_t> n11;
  std::vector<TwoByTwo> tables;
  for (auto _ : state) {
    for (const PairTile& tile : tiles) {
      n11.resize(static_cast<std::size_t>(tile.n_cells()));
      tables.resize(n11.size());
      counter.count(tile, n11);
      pairs.fill(tile, n11, tables);
      benchmark::DoNotOptimize(tables.data());
    }
  }
  const TwoByTwo& last = tables[static_cast<std::size_t>(tiles.back().n_cells() - tiles.back().n_columns())];
  if (last.total() != 100'000) state.SkipWithError("a patient was lost");
  rate(state, "pairs", n_pairs(state.range(0)));
}
BENCHMARK(pair_tables_all)
    ->ArgNames({"genes", "log2_cells"})
    ->Args({500, 16})
    ->Args({20'000, 12})
    ->Args({20'000, 14})
    ->Args({20'000, 16})
    ->Args({20'000, 18})
    ->Unit(benchmark::kMillisecond);

/// 200 features that all have one frequency.
Lists even_lists(double frequency, Index n_patients) {
  std::vector<std::vector<std::int32_t>> carriers(200);
  for (Index f = 0; f < 200; ++f) {
    Draws draws(2, 0, f);
    for (Index i = draws.skip(frequency); i < n_patients; i += 1 + draws.skip(frequency))
      carriers[static_cast<std::size_t>(f)].push_back(static_cast<std::int32_t>(i));
  }
  return Lists(std::move(carriers), n_patients);
}

void method(benchmark::State& state, Level at_level, double percent, PairMethod how) {
  force_level(at_level);
  omp_set_num_threads(1);
  const Lists lists = even_lists(percent / 100, 100'000);
  const PairCounter counter(lists.packed);
  const PairTile tile = pair_tiles(lists.order).front();
  std::vector<std::int32_t> n11(static_cast<std::size_t>(tile.n_cells())), other(n11.size());
  for (auto _ : state) {
    counter.count(tile, n11, how);
    benchmark::DoNotOptimize(n11.data());
  }
  counter.count(tile, other, how == PairMethod::dense ? PairMethod::sparse : PairMethod::dense);
  if (other != n11) state.SkipWithError("the two methods differ");
  const PairCost cost = counter.cost(tile);
  state.counters["forecast_us"] = (how == PairMethod::dense ? cost.dense_ns : cost.sparse_ns) / 1000;
  rate(state, "pairs", static_cast<double>(tile.n_pairs()));
  force_level(available_levels().back());
}

/// 64 features by 64, 4 KiB a row: half of a megabyte, so that all of it stays in L2.
void dense_tile(benchmark::State& state, Level at_level) {
  force_level(at_level);
  omp_set_num_threads(1);
  constexpr Index n_patients = 4096 * 8;
  const Lists rows = even_lists(0.5, n_patients);
  const PairCounter counter(rows.packed);
  const PairTile tile{64, 128, 0, 64};
  std::vector<std::int32_t> n11(64 * 64), other(n11.size());
  for (auto _ : state) {
    counter.count(tile, n11, PairMethod::dense);
    benchmark::DoNotOptimize(n11.data());
  }
  counter.count(tile, other, PairMethod::sparse);
  if (other != n11) state.SkipWithError("differs from the sparse method");
  rate(state, "words", static_cast<double>(tile.n_cells() * rows.packed.n_words));
  force_level(available_levels().back());
}

void vector_popcount_limit(benchmark::State& state) {
  constexpr Index n = 1 << 20;
  for (auto _ : state) benchmark::DoNotOptimize(and_popcount_in_registers(n));
  rate(state, "words", static_cast<double>(n));
}

const bool registered = [] {
  if (can_popcount_in_registers())
    benchmark::RegisterBenchmark("and_popcount_limit/registers", vector_popcount_limit);
  for (const Level at_level : available_levels()) {
    const std::string level = "/level=" + std::string(name_of(at_level));
    benchmark::RegisterBenchmark(("pair_counts_dense_tile" + level).c_str(), dense_tile, at_level);
    for (const int percent : {1, 2, 4, 8, 16, 32}) {
      const std::string name = "pair_counts_method/percent=" + std::to_string(percent) + level;
      for (const auto how : {PairMethod::sparse, PairMethod::dense}) {
        const char* which = how == PairMethod::sparse ? "/sparse" : "/dense";
        benchmark::RegisterBenchmark((name + which).c_str(), method, at_level, percent, how)
            ->Unit(benchmark::kMicrosecond);
      }
    }
  }
  return true;
}();

}  // namespace
}  // namespace chorale::kernels
