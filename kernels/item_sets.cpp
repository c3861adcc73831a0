// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/item_sets.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "kernels/error.hpp"
#include "kernels/item_sets_search.hpp"
#include "kernels/pair_counts_body.hpp"

namespace chorale::kernels {
namespace {

constexpr double words_per_ns_anywhere = 15;  ///< for cutting units alike on every machine

std::size_t at(Index i) {
  return static_cast<std::size_t>(i);
}

void check(const ItemSetOptions& options) {
  if (options.order >= 2 && options.order <= max_item_set_order && options.min_carriers >= 0) return;
  throw ShapeError({.what = "no such sets of features",
                    .found = fmt::format("order {}, {} carriers", options.order, options.min_carriers),
                    .expected = fmt::format("order 2 to {}, carriers from 0", max_item_set_order)});
}

}  // namespace

std::span<const std::int32_t> ItemSets::features_of(Index set) const {
  return std::span(feature).subspan(at(set * order), at(order));
}

std::span<const std::int32_t> ItemSets::cells_of(Index set) const {
  return std::span(cell).subspan(at(set * n_cells()), at(n_cells()));
}

ItemSetFinder::ItemSetFinder(const PairLists& carriers, const PanelMask& panels, const PairLists* untested,
                             const ItemSetOptions& options) {
  check(options);
  const auto data = std::make_shared<ItemSetData>();
  data->carriers = &carriers;
  data->options = options;
  data->tested = tested_rows(carriers, panels, untested);
  data->pairs = frequent_pairs(carriers, options.min_carriers);
  data->parts = parts_of(*data);
  data_ = data;
}

ItemSets ItemSetFinder::find(Index rank_begin, Index rank_end, ItemSetMethod method) const {
  if (rank_begin < 0 || rank_begin > rank_end || rank_end > data_->n_features()) {
    throw ShapeError({.what = "a range of ranks does not fit the features",
                      .found = fmt::format("{} to {}", rank_begin, rank_end),
                      .expected = fmt::format("within 0 to {}", data_->n_features())});
  }
  const double words_per_ns = dense_words_per_ns();
  std::vector<ItemSets> found(at(rank_end - rank_begin));
#pragma omp parallel if (rank_end - rank_begin > 1)
  {
    ItemSets here{.order = data_->options.order};
    ItemSetSearch search(*data_, here);
#pragma omp for schedule(dynamic, 1)
    for (Index rank = rank_begin; rank < rank_end; ++rank) {
      ItemSetMethod how = method;
      if (how == ItemSetMethod::cheapest) {
        const ItemSetCost cost = cost_of(*data_, rank, words_per_ns);
        const bool bits = cost.bits_ns < cost.lists_ns;
        how = bits ? ItemSetMethod::bits : ItemSetMethod::lists;
      }
      search.below(rank, how);
      found[at(rank - rank_begin)] = std::move(here);
      here = {.order = data_->options.order};
    }
  }
  if (found.size() == 1) return std::move(found.front());
  ItemSets all{.order = data_->options.order};
  std::size_t n_features = 0, n_cells = 0;
  for (const ItemSets& each : found) n_features += each.feature.size(), n_cells += each.cell.size();
  all.feature.reserve(n_features);
  all.cell.reserve(n_cells);
  for (ItemSets& each : found) {
    all.feature.insert(all.feature.end(), each.feature.begin(), each.feature.end());
    all.cell.insert(all.cell.end(), each.cell.begin(), each.cell.end());
    each = {};
  }
  return all;
}

std::vector<Index> ItemSetFinder::split(Index n_units) const {
  if (n_units < 1) {
    throw ShapeError({.what = "number of units is out of range",
                      .found = fmt::format("{}", n_units),
                      .expected = "1 or more"});
  }
  std::vector<double> until;  // cost up to and with each rank
  double sum = 0;
  for (Index rank = 0; rank < data_->n_features(); ++rank) {
    const ItemSetCost cost = cost_of(*data_, rank, words_per_ns_anywhere);
    sum += std::min(cost.lists_ns, cost.bits_ns);
    until.push_back(sum);
  }
  std::vector<Index> begin{0};
  for (Index unit = 1; unit < n_units; ++unit) {
    const double share = sum * static_cast<double>(unit) / static_cast<double>(n_units);
    begin.push_back(std::upper_bound(until.begin(), until.end(), share) - until.begin());
  }
  begin.push_back(data_->n_features());
  return begin;
}

}  // namespace chorale::kernels
