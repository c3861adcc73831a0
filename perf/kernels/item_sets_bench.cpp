// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
//
// All triples of 250 features with their eight cells, 100,000 patients, one thread: features as rare as
// mutated genes are, and features that a share of the patients carry; beside a plain count of the same.
#include "kernels/item_sets.hpp"

#include <benchmark/benchmark.h>
#include <omp.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "kernels/draw.hpp"
#include "kernels/set_tables.hpp"

namespace chorale::kernels {
namespace {

constexpr Index n_patients = 100'000;
using Lists = std::vector<std::vector<std::int32_t>>;

struct Cohort {
  Lists carriers;
  std::vector<std::span<const std::int32_t>> views;
  PairOrder order;
  PairLists packed;

  explicit Cohort(Lists lists) : carriers(std::move(lists)) {
    views.assign(carriers.begin(), carriers.end());
    order = pair_order(views, n_patients);
    packed = make_pair_lists(order, views, n_patients);
  }
  Cohort(const Cohort&) = delete;
};

/// The first 250 of 500 genes whose frequencies fall evenly in their logarithm over a factor of 1,500;
/// patients have 6.5 of the 500 on average, by a burden of their own (gamma, shape 4).
Lists mutated_genes() {
  std::vector<double> cumulative;
  double sum = 0;
  for (Index gene = 0; gene < 500; ++gene)
    cumulative.push_back(sum += std::pow(1500, -static_cast<double>(gene) / 500));
  Lists carriers(250);
  for (std::int32_t i = 0; i < n_patients; ++i) {
    Draws draws(4, 0, i);
    for (Index left = draws.poisson(6.5 * draws.gamma(4) / 4); left > 0; --left) {
      const auto gene = static_cast<std::size_t>(draws.categorical(cumulative));
      if (gene >= carriers.size()) continue;
      if (carriers[gene].empty() || carriers[gene].back() != i) carriers[gene].push_back(i);
    }
  }
  return carriers;
}

Lists even_features(double frequency) {
  Lists carriers(250);
  for (Index f = 0; f < 250; ++f) {
    Draws draws(4, 1, f);
    for (Index i = draws.skip(frequency); i < n_patients; i += 1 + draws.skip(frequency))
      carriers[static_cast<std::size_t>(f)].push_back(static_cast<std::int32_t>(i));
  }
  return carriers;
}

/// percent 0: mutated genes.
const Cohort& cohort(Index percent) {
  static const Cohort genes(mutated_genes()), few(even_features(0.02)), some(even_features(0.1)),
      half(even_features(0.5));
  return percent == 0 ? genes : percent == 2 ? few : percent == 10 ? some : half;
}

/// Carriers of each feature (on the diagonal) and of each pair.
std::vector<std::int32_t> carriers_of_pairs(const Cohort& of) {
  std::vector<std::int32_t> n(250 * 250);
  for (std::size_t f = 0; f < 250; ++f) n[f * 251] = static_cast<std::int32_t>(of.carriers[f].size());
  const ItemSets pairs = ItemSetFinder(of.packed, {.order = 2, .min_carriers = 1}).find();
  for (Index k = 0; k < pairs.n_sets(); ++k) {
    const auto a = static_cast<std::size_t>(pairs.features_of(k)[0]),
               b = static_cast<std::size_t>(pairs.features_of(k)[1]);
    n[a * 250 + b] = n[b * 250 + a] = pairs.n_all[static_cast<std::size_t>(k)];
  }
  return n;
}

/// The eight cells of each triple where everyone is tested: inclusion and exclusion.
void fill_cells(const ItemSets& sets, const std::vector<std::int32_t>& n, std::vector<std::int32_t>& cells) {
  cells.resize(static_cast<std::size_t>(8 * sets.n_sets()));
  const std::int32_t* feature = sets.feature.data();
  std::int32_t* cell = cells.data();
  for (const std::int32_t all : sets.n_all) {
    const std::int32_t x = feature[0], y = feature[1], z = feature[2];
    const auto both = [&](std::int32_t a, std::int32_t b) {
      return n[static_cast<std::size_t>(a * 250 + b)];
    };
    const std::int32_t xy = both(x, y) - all, xz = both(x, z) - all, yz = both(y, z) - all;
    cell[7] = all;
    cell[3] = xy, cell[5] = xz, cell[6] = yz;
    cell[1] = both(x, x) - xy - xz - all, cell[2] = both(y, y) - xy - yz - all,
    cell[4] = both(z, z) - xz - yz - all;
    cell[0] = static_cast<std::int32_t>(n_patients) - cell[1] - cell[2] - cell[4] - xy - xz - yz - all;
    feature += 3;
    cell += 8;
  }
}

void check(benchmark::State& state, const Cohort& of, const ItemSets& sets,
           const std::vector<std::int32_t>& cells) {
  const SetTables tables(of.views, {}, {}, n_patients);
  for (Index set = 0; set < sets.n_sets(); set += 1 + sets.n_sets() / 50) {
    std::vector<std::int32_t> expected(8);
    tables.fill(sets.features_of(set), 3, expected);
    if (!std::equal(expected.begin(), expected.end(), cells.begin() + 8 * set))
      state.SkipWithError("differs from walking the lists");
  }
}

void item_sets_all_triples(benchmark::State& state) {
  omp_set_num_threads(1);
  const Cohort& of = cohort(state.range(0));
  const auto method = static_cast<ItemSetMethod>(state.range(2));
  ItemSets sets;
  std::vector<std::int32_t> cells;
  Index n_found = 0;
  const auto all = [&] {
    const ItemSetFinder finder(of.packed, {.order = 3, .min_carriers = state.range(1)});
    const std::vector<std::int32_t> n = carriers_of_pairs(of);
    n_found = 0;
    for (Index rank = 0; rank < 250; ++rank) {
      sets = finder.find(rank, 250, method);
      fill_cells(sets, n, cells);
      n_found += sets.n_sets();
      benchmark::DoNotOptimize(cells.data());
    }
  };
  for (auto _ : state) all();
  check(state, of, sets, cells);
  state.counters["found"] = static_cast<double>(n_found);
  state.counters["triples"] =
      benchmark::Counter(250.0 * 249 * 248 / 6, benchmark::Counter::kIsIterationInvariantRate);
}
BENCHMARK(item_sets_all_triples)
    ->ArgNames({"percent", "min_carriers", "method"})
    ->ArgsProduct({{0, 2, 10, 50}, {0, 1}, {0, 1, 2}})
    ->Unit(benchmark::kMillisecond);

void item_sets_find(benchmark::State& state) {
  omp_set_num_threads(1);
  const Cohort& of = cohort(0);
  Index n_found = 0;
  for (auto _ : state) {
    const ItemSetFinder finder(of.packed,
                               {.order = static_cast<int>(state.range(0)), .min_carriers = state.range(1)});
    const ItemSets sets = finder.find();
    benchmark::DoNotOptimize(sets.n_all.data());
    n_found = sets.n_sets();
  }
  state.counters["found"] =
      benchmark::Counter(static_cast<double>(n_found), benchmark::Counter::kIsIterationInvariantRate);
  state.counters["sets"] = static_cast<double>(n_found);
}
BENCHMARK(item_sets_find)
    ->ArgNames({"order", "min_carriers"})
    ->ArgsProduct({{3, 4}, {1, 20}})
    ->Unit(benchmark::kMillisecond);

void set_tables_of_triples(benchmark::State& state) {
  omp_set_num_threads(1);
  const Cohort& of = cohort(0);
  const SetTables tables(of.views, {}, {}, n_patients);
  const ItemSets sets = ItemSetFinder(of.packed, {.order = 3, .min_carriers = 20}).find();
  std::vector<std::int32_t> cells(static_cast<std::size_t>(8 * sets.n_sets()));
  for (auto _ : state) tables.fill(sets.feature, 3, cells);
  check(state, of, sets, cells);
  state.counters["tables"] =
      benchmark::Counter(static_cast<double>(sets.n_sets()), benchmark::Counter::kIsIterationInvariantRate);
}
BENCHMARK(set_tables_of_triples)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace chorale::kernels
