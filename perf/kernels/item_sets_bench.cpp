// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
//
// All triples of 250 features with their eight cells, 100,000 patients, one thread: features as rare as
// mutated genes are, and features that a share of the patients carry; beside a plain count of the same.
#include "kernels/item_sets.hpp"

#include <benchmark/benchmark.h>
#include <omp.h>

#include <cmath>
#include <string>

#include "kernels/draw.hpp"

namespace chorale::kernels {
namespace {

constexpr Index n_patients = 100'000;
using Lists = std::vector<std::vector<std::int32_t>>;

struct Cohort {
  Lists carriers, missing;
  std::vector<std::span<const std::int32_t>> views, missing_views;
  std::vector<std::int16_t> panel;
  std::vector<std::uint8_t> holds;
  PairOrder order;
  PairLists packed, untested;

  explicit Cohort(Lists lists) : carriers(std::move(lists)), missing(carriers.size()) {
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

void check(benchmark::State& state, const Cohort& of, const ItemSets& sets) {
  for (Index set = 0; set < sets.n_sets(); set += 1 + sets.n_sets() / 50) {
    Index n_all = 0, n_patients_in = 0;
    const auto features = sets.features_of(set);
    const auto carries = [&](std::int32_t feature, std::int32_t i) {
      const auto& list = of.carriers[static_cast<std::size_t>(feature)];
      return std::binary_search(list.begin(), list.end(), i);
    };
    for (std::int32_t i = 0; i < n_patients; ++i)
      n_all += std::all_of(features.begin(), features.end(), [&](auto f) { return carries(f, i); });
    for (const std::int32_t n : sets.cells_of(set)) n_patients_in += n;
    if (sets.cells_of(set).back() != n_all || n_patients_in != n_patients)
      state.SkipWithError("differs from asking every patient");
  }
}

void item_sets_all_triples(benchmark::State& state) {
  omp_set_num_threads(1);
  const Cohort& of = cohort(state.range(0));
  const auto method = static_cast<ItemSetMethod>(state.range(2));
  ItemSets sets;
  Index n_found = 0;
  const auto all = [&] {
    const ItemSetFinder finder(of.packed, {}, nullptr, {.order = 3, .min_carriers = state.range(1)});
    n_found = 0;
    for (Index rank = 0; rank < 250; ++rank) {
      sets = finder.find(rank, rank + 1, method);
      n_found += sets.n_sets();
      benchmark::DoNotOptimize(sets.cell.data());
    }
  };
  for (auto _ : state) all();
  check(state, of, sets);
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
  const ItemSetOptions options{.order = static_cast<int>(state.range(0)), .min_carriers = state.range(1)};
  // half of the genes on one panel of two, the others on both
  std::vector<std::int16_t> panel;
  std::vector<std::uint8_t> holds(500, 1);
  const bool with_panels = state.range(2) != 0;
  Lists carriers = of.carriers;
  if (with_panels) {
    for (std::int32_t i = 0; i < n_patients; ++i) panel.push_back(static_cast<std::int16_t>(i % 3 == 0));
    for (std::size_t f = 0; f < 250; f += 2) {
      holds[250 + f] = 0;
      std::erase_if(carriers[f], [](std::int32_t i) { return i % 3 == 0; });
    }
  }
  const Cohort on_panels(std::move(carriers));
  const PanelMask panels = with_panels ? PanelMask{panel, holds, 2} : PanelMask{};
  Index n_found = 0;
  for (auto _ : state) {
    const ItemSetFinder finder(on_panels.packed, panels, nullptr, options);
    const ItemSets sets = finder.find(0, 250);
    benchmark::DoNotOptimize(sets.cell.data());
    n_found = sets.n_sets();
  }
  state.counters["found"] =
      benchmark::Counter(static_cast<double>(n_found), benchmark::Counter::kIsIterationInvariantRate);
  state.counters["sets"] = static_cast<double>(n_found);
}
BENCHMARK(item_sets_find)
    ->ArgNames({"order", "min_carriers", "panels"})
    ->ArgsProduct({{3, 4}, {1, 20}, {0, 1}})
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace chorale::kernels
