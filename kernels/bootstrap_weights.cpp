// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "kernels/bootstrap_weights.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <numeric>
#include <string>

#include "kernels/bootstrap_weights_body.hpp"
#include "kernels/draw_many.hpp"
#include "kernels/error.hpp"

namespace chorale::kernels {
namespace {

void check_codes(std::span<const std::int32_t> codes, Index n, const char* name) {
  if (!codes.empty() && static_cast<Index>(codes.size()) != n) {
    throw ShapeError({.what = std::string(name) + " does not have one code per patient",
                      .found = std::to_string(codes.size()),
                      .expected = std::to_string(n)});
  }
  for (const std::int32_t code : codes) {
    if (code >= -1) continue;
    throw ShapeError({.what = std::string(name) + " has a code below -1",
                      .found = std::to_string(code),
                      .expected = "-1 for left out, or 0 and more"});
  }
}

/// Numbers >= threshold[k] stand for counts above k: 2^32 P(Poisson(1) <= k).
std::array<std::uint32_t, most_copies> poisson_thresholds() {
  std::array<std::uint32_t, most_copies> threshold;
  double term = std::exp(-1.0), sum = 0;
  for (std::size_t k = 0; k < threshold.size(); ++k) {
    sum += term;
    term /= static_cast<double>(k + 1);
    threshold[k] = static_cast<std::uint32_t>(std::lround(sum * 0x1p32));
  }
  return threshold;
}

/// Items of a replicate's stream: the counts, then what mends each stratum; those of a pair of halves likewise.
constexpr Index item_of_counts = 0, item_of_first_stratum = 1;
constexpr Index item_of_halves = Index{1} << 40, item_of_first_mended_half = item_of_halves + 1;

/// Adds units or takes copies away until the counts of a stratum sum to their number.
void mend(std::uint64_t seed, std::uint32_t replicate, Index stratum, std::span<std::uint8_t> counts) {
  const auto n = static_cast<std::uint32_t>(counts.size());
  auto sum = std::accumulate(counts.begin(), counts.end(), std::uint32_t{0});
  IndexDraws draws(seed, replicate, item_of_first_stratum + stratum);
  for (; sum < n; ++sum) ++counts[draws.below(n)];
  while (sum > n) {
    // a unit and one of most_copies places, taken where the place holds a copy: every copy equally often
    std::uint8_t& count = counts[draws.below(n)];
    if (draws.below(most_copies) >= count) continue;
    --count;
    --sum;
  }
}

/// Room for whole blocks of draws behind the last unit.
constexpr std::size_t draws_at_once = 512;

void draw_counts(const BootstrapPlan& plan, std::uint64_t seed, std::uint32_t replicate,
                 const std::array<std::uint32_t, most_copies>& threshold, std::span<std::uint8_t> counts) {
  std::array<std::uint64_t, draws_at_once> draws;
  for (std::size_t begin = 0; begin < counts.size(); begin += 2 * draws_at_once) {
    draw_bits(seed, replicate, item_of_counts, static_cast<std::uint32_t>(begin / 2), draws);
    CHORALE_AT_LEVEL(poisson_counts, draws.data(), static_cast<Index>(draws_at_once), threshold.data(),
                     counts.data() + begin);
  }
  for (std::size_t h = 0; h + 1 < plan.stratum_begin.size(); ++h) {
    const auto begin = static_cast<std::size_t>(plan.stratum_begin[h]);
    const auto end = static_cast<std::size_t>(plan.stratum_begin[h + 1]);
    mend(seed, replicate, static_cast<Index>(h), counts.subspan(begin, end - begin));
  }
}

void check_size(std::size_t found, Index n_patients, Index n_samples) {
  if (static_cast<Index>(found) == n_patients * n_samples) return;
  throw ShapeError({.what = "copies do not fit patients and replicates",
                    .found = std::to_string(found),
                    .expected = std::to_string(n_patients) + " x " + std::to_string(n_samples)});
}

void check_range(const char* what, Index first, Index n) {
  if (first >= 0 && first + n <= Index{1} << 32) return;
  throw ShapeError({.what = what,
                    .found = std::to_string(first) + " and " + std::to_string(n) + " more",
                    .expected = "0 to 2^32 - 1"});
}

/// Which half of one pair each unit of a stratum stands in, given fair bits in `first`: 1 in one of the two or 0 in
/// both.
void mend_halves(std::uint64_t seed, std::uint32_t pair, Index stratum, std::span<std::uint8_t> first,
                 std::span<std::uint8_t> second) {
  const auto n = static_cast<std::uint32_t>(first.size());
  IndexDraws draws(seed, pair, item_of_first_mended_half + stratum);
  std::transform(first.begin(), first.end(), second.begin(),
                 [](std::uint8_t taken) { return static_cast<std::uint8_t>(1 - taken); });
  if (n % 2 == 1) {
    const std::uint32_t neither = draws.below(n);
    first[neither] = second[neither] = 0;
  }
  auto n_first = std::accumulate(first.begin(), first.end(), std::uint32_t{0});
  const bool too_many = n_first > n / 2;
  const std::span<std::uint8_t> from = too_many ? first : second, to = too_many ? second : first;
  for (std::uint32_t n_from = too_many ? n_first : n / 2 * 2 - n_first; n_from > n / 2;) {
    const std::uint32_t unit = draws.below(n);
    if (from[unit] == 0) continue;
    from[unit] = 0;
    to[unit] = 1;
    --n_from;
  }
}

void draw_halves(const BootstrapPlan& plan, std::uint64_t seed, std::uint32_t pair,
                 std::span<std::uint8_t> first, std::span<std::uint8_t> second) {
  constexpr std::size_t bits = 64;
  std::array<std::uint64_t, draws_at_once> draws;
  for (std::size_t begin = 0; begin < first.size(); begin += bits * draws_at_once) {
    const std::size_t n = std::min(draws_at_once, (first.size() - begin) / bits);
    draw_bits(seed, pair, item_of_halves, static_cast<std::uint32_t>(begin / bits),
              std::span(draws).first(n));
    for (std::size_t k = 0; k < n; ++k) {
      std::uint8_t* to = first.data() + begin + k * bits;
      for (std::size_t bit = 0; bit < bits; ++bit) to[bit] = static_cast<std::uint8_t>(draws[k] >> bit & 1);
    }
  }
  for (std::size_t h = 0; h + 1 < plan.stratum_begin.size(); ++h) {
    const auto begin = static_cast<std::size_t>(plan.stratum_begin[h]);
    const auto n = static_cast<std::size_t>(plan.stratum_begin[h + 1]) - begin;
    mend_halves(seed, pair, static_cast<Index>(h), first.subspan(begin, n), second.subspan(begin, n));
  }
}

/// Draws replicates_together rows of units at a time and puts each patient's numbers side by side.
template <class Draw>
void draw_replicates(const BootstrapPlan& plan, Index n_replicates, Draw draw, std::span<std::uint8_t> out) {
  constexpr auto room = static_cast<Index>(2 * draws_at_once);
  const Index stride = (plan.n_units + room - 1) / room * room;
  const Index n_groups = (n_replicates + replicates_together - 1) / replicates_together;
#pragma omp parallel if (n_groups > 1)
  {
    std::vector<std::uint8_t> counts(static_cast<std::size_t>(replicates_together * stride));
    std::vector<std::uint8_t> beside(static_cast<std::size_t>(replicates_together * plan.n_units));
#pragma omp for schedule(dynamic)
    for (Index g = 0; g < n_groups; ++g) {
      const Index first = g * replicates_together;
      const Index n = std::min(replicates_together, n_replicates - first);
      draw(first, n, stride, std::span(counts));
      CHORALE_AT_LEVEL(interleave_counts, counts.data(), stride, plan.n_units, beside.data());
      for (Index i = 0; i < plan.n_patients; ++i) {
        const Index unit = plan.unit[static_cast<std::size_t>(i)];
        std::uint8_t* to = out.data() + i * n_replicates + first;
        if (unit < 0) {
          std::fill_n(to, n, std::uint8_t{0});
        } else if (n == replicates_together) {
          std::memcpy(to, beside.data() + unit * replicates_together, replicates_together);
        } else {
          std::copy_n(beside.data() + unit * replicates_together, n, to);
        }
      }
    }
  }
}

}  // namespace

BootstrapPlan make_bootstrap_plan(const BootstrapScheme& scheme) {
  check_codes(scheme.stratum, scheme.n_patients, "stratum");
  check_codes(scheme.cluster, scheme.n_patients, "cluster");
  struct Unit {
    std::int32_t stratum, cluster;
    bool operator==(const Unit&) const = default;
    auto operator<=>(const Unit&) const = default;
  };
  const auto n = static_cast<std::size_t>(scheme.n_patients);
  const auto unit_of = [&](std::int32_t patient) {
    const auto i = static_cast<std::size_t>(patient);
    return Unit{scheme.stratum.empty() ? 0 : scheme.stratum[i],
                scheme.cluster.empty() ? patient : scheme.cluster[i]};
  };
  std::vector<std::int32_t> order;
  for (std::int32_t i = 0; i < static_cast<std::int32_t>(n); ++i) {
    if (unit_of(i).stratum >= 0 && unit_of(i).cluster >= 0) order.push_back(i);
  }
  std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return unit_of(a) < unit_of(b); });

  BootstrapPlan plan{.n_patients = scheme.n_patients, .n_units = 0, .unit = {}, .stratum_begin = {}};
  plan.unit.assign(n, -1);
  std::vector<std::int32_t> clusters;
  for (std::size_t k = 0; k < order.size(); ++k) {
    const Unit now = unit_of(order[k]);
    if (k == 0 || now != unit_of(order[k - 1])) {
      if (k == 0 || now.stratum != unit_of(order[k - 1]).stratum) plan.stratum_begin.push_back(plan.n_units);
      clusters.push_back(now.cluster);
      ++plan.n_units;
    }
    plan.unit[static_cast<std::size_t>(order[k])] = static_cast<std::int32_t>(plan.n_units - 1);
  }
  plan.stratum_begin.push_back(plan.n_units);
  std::sort(clusters.begin(), clusters.end());
  const auto twice = std::adjacent_find(clusters.begin(), clusters.end());
  if (twice != clusters.end()) {
    throw ShapeError({.what = "a cluster lies in two strata",
                      .found = "cluster " + std::to_string(*twice),
                      .expected = "all patients of a cluster in one stratum"});
  }
  return plan;
}

void bootstrap_weights(const BootstrapPlan& plan, std::uint64_t seed, Index first_replicate,
                       Index n_replicates, std::span<std::uint8_t> copies) {
  check_size(copies.size(), plan.n_patients, n_replicates);
  check_range("replicates out of range", first_replicate, n_replicates);
  static const auto threshold = poisson_thresholds();
  const auto draw = [&](Index first, Index n, Index stride, std::span<std::uint8_t> counts) {
    for (Index r = 0; r < n; ++r) {
      draw_counts(plan, seed, static_cast<std::uint32_t>(first_replicate + first + r), threshold,
                  counts.subspan(static_cast<std::size_t>(r * stride), static_cast<std::size_t>(stride)));
    }
  };
  draw_replicates(plan, n_replicates, draw, copies);
}

void half_samples(const BootstrapPlan& plan, std::uint64_t seed, Index first_pair, Index n_pairs,
                  std::span<std::uint8_t> taken) {
  check_size(taken.size(), plan.n_patients, 2 * n_pairs);
  check_range("pairs out of range", first_pair, n_pairs);
  const auto draw = [&](Index first, Index n, Index stride, std::span<std::uint8_t> halves) {
    const auto row = static_cast<std::size_t>(stride);
    for (Index r = 0; r < n; r += 2) {
      const auto at = static_cast<std::size_t>(r) * row;
      draw_halves(plan, seed, static_cast<std::uint32_t>(first_pair + (first + r) / 2),
                  halves.subspan(at, row), halves.subspan(at + row, row));
    }
  };
  draw_replicates(plan, 2 * n_pairs, draw, taken);
}

}  // namespace chorale::kernels
