// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/item_sets.hpp"

#include <fmt/format.h>

#include "kernels/error.hpp"
#include "kernels/item_sets_search.hpp"

namespace chorale::kernels {
namespace {

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

ItemSetFinder::ItemSetFinder(const PairLists& carriers, const ItemSetOptions& options) {
  check(options);
  data_ = std::make_shared<const ItemSetData>(carriers, options);
}

ItemSets ItemSetFinder::find(Index first, Index step, ItemSetMethod method) const {
  if (first < 0 || step < 1) {
    throw ShapeError({.what = "no such ranks of features",
                      .found = fmt::format("from {} in steps of {}", first, step),
                      .expected = "from 0 in steps of 1 or more"});
  }
  const Index n_ranks = first < data_->n_features() ? (data_->n_features() - first + step - 1) / step : 0;
  std::vector<ItemSets> found(at(n_ranks));
#pragma omp parallel if (n_ranks > 1)
  {
    ItemSets here{.order = data_->options.order};
    ItemSetSearch search(*data_, here);
#pragma omp for schedule(dynamic, 1)
    for (Index k = 0; k < n_ranks; ++k) {
      search.below(first + k * step, method);
      found[at(k)] = std::move(here);
      here = {.order = data_->options.order};
    }
  }
  if (found.size() == 1) return std::move(found.front());
  ItemSets all{.order = data_->options.order};
  std::size_t n_sets = 0;
  for (const ItemSets& each : found) n_sets += each.n_all.size();
  all.feature.reserve(n_sets * at(all.order));
  all.n_all.reserve(n_sets);
  for (ItemSets& each : found) {
    all.feature.insert(all.feature.end(), each.feature.begin(), each.feature.end());
    all.n_all.insert(all.n_all.end(), each.n_all.begin(), each.n_all.end());
    each = {};
  }
  return all;
}

}  // namespace chorale::kernels
