// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "jobs/simulate/background.hpp"

#include <cmath>

#include "jobs/simulate/streams.hpp"

namespace chorale::jobs {

BackgroundGenes::BackgroundGenes(const SimulateSpec& spec, Index n_genes)
    : n_genes_(spec.background_highest > 0 ? n_genes : 0), burden_shape_(spec.burden_shape) {
  const double spread = spec.background_entity_spread;
  for (std::size_t entity = 0; entity < spec.entities.size(); ++entity) {
    Table& table = tables_.emplace_back();
    for (Index g = 0; g < n_genes_; ++g) {
      const double place = (static_cast<double>(g) + 0.5) / static_cast<double>(n_genes_);
      const double f =
          spec.background_highest * std::pow(spec.background_lowest / spec.background_highest, place);
      double rate =
          burden_shape_ > 0 ? burden_shape_ * (std::pow(1 - f, -1 / burden_shape_) - 1) : -std::log1p(-f);
      if (spread > 0) {
        kernels::Draws draws(static_cast<std::uint64_t>(spec.seed),
                             Stream::entity_spread + static_cast<std::uint32_t>(entity), g);
        rate *= std::exp(spread * draws.normal() - spread * spread / 2);
      }
      table.rate.push_back(rate);
      table.total += rate;
    }
    // Walker's alias method (1974, Electron Lett 10:127): cells below the mean are topped up from one above it
    const auto n = static_cast<double>(n_genes_);
    table.keep.resize(table.rate.size());
    table.other.resize(table.rate.size());
    std::vector<std::int32_t> small;
    std::vector<std::int32_t> large;
    for (std::size_t g = 0; g < table.rate.size(); ++g) {
      table.keep[g] = table.rate[g] * n / table.total;
      table.other[g] = static_cast<std::int32_t>(g);
      (table.keep[g] < 1 ? small : large).push_back(static_cast<std::int32_t>(g));
    }
    while (!small.empty() && !large.empty()) {
      const auto low = static_cast<std::size_t>(small.back());
      const auto high = static_cast<std::size_t>(large.back());
      small.pop_back();
      table.other[low] = large.back();
      table.keep[high] -= 1 - table.keep[low];
      if (table.keep[high] < 1) {
        small.push_back(large.back());
        large.pop_back();
      }
    }
    // what is left is 1 up to rounding
    for (const auto* rest : {&small, &large})
      for (const std::int32_t g : *rest) table.keep[static_cast<std::size_t>(g)] = 1;
  }
}

double BackgroundGenes::frequency(Index entity, Index gene) const {
  const double rate = tables_[static_cast<std::size_t>(entity)].rate[static_cast<std::size_t>(gene)];
  return burden_shape_ > 0 ? 1 - std::pow(1 + rate / burden_shape_, -burden_shape_) : -std::expm1(-rate);
}

double BackgroundGenes::draw_burden(kernels::Draws& draws) const {
  return burden_shape_ > 0 ? draws.gamma(burden_shape_) / burden_shape_ : 1;
}

}  // namespace chorale::jobs
