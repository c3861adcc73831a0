// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/cox_bootstrap_knowledge.hpp"

#include "kernels/cox_bootstrap_body.hpp"

namespace chorale::kernels {
namespace {

constexpr auto n_lanes = static_cast<std::size_t>(bootstrap_lanes);

/// Of each row of so many lanes the chosen ones.
template <class Values>
Values chosen(const Values& all, std::span<const std::size_t> lanes) {
  Values of_lanes(all.size() / n_lanes * lanes.size());
  auto to = of_lanes.begin();
  for (std::size_t row = 0; row < all.size(); row += n_lanes) {
    for (const std::size_t lane : lanes) *to++ = all[row + lane];
  }
  return of_lanes;
}

/// In each row, lanes `at` … become those of `few`, n a row.
template <class Values>
void put(const Values& few, std::size_t n, std::size_t at, Values& all) {
  auto from = few.begin();
  for (std::size_t row = at; row < all.size(); row += n_lanes) {
    for (std::size_t k = 0; k < n; ++k) all[row + k] = *from++;
  }
}

}  // namespace

BootstrapKnowledge chosen(const BootstrapKnowledge& all, std::span<const std::size_t> lanes) {
  return {.copies = chosen(all.copies, lanes),
          .deaths = chosen(all.deaths, lanes),
          .weight = chosen(all.weight, lanes),
          .of_columns = chosen(all.of_columns, lanes),
          .null = chosen(all.null, lanes),
          .offset_of_deaths = chosen(all.offset_of_deaths, lanes),
          .n_events = chosen(all.n_events, lanes)};
}

void put(const BootstrapKnowledge& few, std::size_t n, std::size_t at, BootstrapKnowledge& all) {
  put(few.copies, n, at, all.copies);
  put(few.deaths, n, at, all.deaths);
  put(few.weight, n, at, all.weight);
  put(few.of_columns, n, at, all.of_columns);
  put(few.null, n, at, all.null);
  put(few.offset_of_deaths, n, at, all.offset_of_deaths);
  put(few.n_events, n, at, all.n_events);
}

}  // namespace chorale::kernels
