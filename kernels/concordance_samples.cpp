// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include <algorithm>
#include <cmath>

#include "kernels/concordance.hpp"
#include "kernels/concordance_body.hpp"
#include "kernels/error.hpp"

namespace chorale::kernels {
namespace {

std::size_t size(Index n) {
  return static_cast<std::size_t>(n);
}

/// 1 / G(t−)² until tau; returns Σ_t of it times the weight of deaths and of those who outlive them.
double set_time_weights(const RiskOrder& order, const SampleRows& sample, double tau, double* time_weight) {
  double pairs = 0;
  for (std::size_t t = 0; t < size(order.n_slots); ++t) {
    const double known = sample.censored.before[t];
    time_weight[t] = known > 0 && order.time[t] <= tau ? 1 / (known * known) : 0;
    pairs += time_weight[t] * sample.deaths[t] * sample.censored.after_deaths[t];
  }
  return pairs;
}

double n_pairs(const SampleRows& sample) {
  double pairs = 0;
  for (std::size_t t = 0; t < sample.deaths.size(); ++t)
    pairs += sample.deaths[t] * sample.censored.after_deaths[t];
  return pairs;
}

/// Whole weights side by side in one number.
template <class Number>
void pack(std::span<const SampleRows* const> samples, int bits, std::vector<Number>& packed) {
  const auto& first = samples[0]->whole;
  packed.assign(first.begin(), first.end());
  for (std::size_t s = 1; s < samples.size(); ++s)
    for (std::size_t row = 0; row < packed.size(); ++row)
      packed[row] |= static_cast<Number>(samples[s]->whole[row]) << (static_cast<int>(s) * bits);
}

}  // namespace

template <class Number, class Tree>
void SampleConcordances::walk_strata(const RiskOrder& order, const PredictionRows& prediction,
                                     std::span<const Number* const> weight, int n_packed, int bits, bool uno,
                                     Tree& tree, PairSums* sums) {
  ConcordanceWalk<Number> walk{};
  walk.row_begin = order.row_begin.data();
  walk.rank = prediction.rank.data();
  walk.distinct = prediction.n_ranks == order.n_rows;
  walk.n_packs = static_cast<Index>(weight.size());
  walk.n_packed = n_packed;
  walk.bits = bits;
  for (std::size_t p = 0; p < weight.size(); ++p) {
    walk.weight[p] = weight[p];
    for (std::size_t s = 0; uno && s < static_cast<std::size_t>(n_packed); ++s)
      walk.time_weight[p][s] =
          time_weight_.data() + (p * static_cast<std::size_t>(n_packed) + s) * size(order.n_slots);
  }
  // bodies are made for up to six levels and for eight, of which one may have nothing to part
  Index n_numbers = 0;
  for (Index nodes = prediction.n_ranks / tree_fan + 1;; nodes = (nodes - 1) / tree_fan + 1) {
    walk.level_begin[walk.n_levels++] = n_numbers;
    n_numbers += nodes * tree_fan * walk.n_packs;
    if (nodes == 1 && walk.n_levels != 7) break;
  }
  for (Index s = 0; s < order.n_strata; ++s) {
    walk.first_slot = order.slot_begin[size(s)];
    walk.past_slot = order.slot_begin[size(s + 1)];
    if (order.row_begin[size(2 * walk.first_slot)] == order.row_begin[size(2 * walk.past_slot)]) continue;
    tree.assign(size(n_numbers), Number{0});
    walk.tree = tree.data();
    CHORALE_AT_LEVEL(concordance_walk, walk, sums);
  }
}

void SampleConcordances::count_together(const RiskOrder& order, const PredictionRows& prediction,
                                        std::span<const SampleRows* const> samples, double tau,
                                        std::span<SampleConcordance> found) {
  const bool uno = !std::isnan(tau);
  bool whole = true;
  double largest = 0;
  double uno_pairs[most_packs] = {};
  time_weight_.resize(uno ? samples.size() * size(order.n_slots) : 0);
  for (std::size_t s = 0; s < samples.size(); ++s) {
    whole &= !samples[s]->whole.empty();
    largest = std::max(largest, samples[s]->total);
    if (uno)
      uno_pairs[s] = set_time_weights(order, *samples[s], tau, time_weight_.data() + s * size(order.n_slots));
  }
  PairSums sums[most_packs * most_packed] = {};
  // twice a sample's total has to fit into its bits
  constexpr int half_bits = 16, third_bits = 21;
  const bool packed = whole && ((samples.size() == 2 && largest < (1 << (half_bits - 1))) ||
                                (samples.size() == 3 && largest < (1 << (third_bits - 1))));
  if (packed && samples.size() == 2) {
    pack(samples, half_bits, halves_);
    const std::uint32_t* const weight[] = {halves_.data()};
    walk_strata<std::uint32_t>(order, prediction, weight, 2, half_bits, uno, whole_tree_, sums);
  } else if (packed) {
    pack(samples, third_bits, thirds_);
    const std::uint64_t* const weight[] = {thirds_.data()};
    walk_strata<std::uint64_t>(order, prediction, weight, 3, third_bits, uno, packed_tree_, sums);
  } else if (whole) {
    const std::uint32_t* weight[most_packs];
    for (std::size_t s = 0; s < samples.size(); ++s) weight[s] = samples[s]->whole.data();
    walk_strata<std::uint32_t>(order, prediction, std::span(weight, samples.size()), 1, 0, uno, whole_tree_,
                               sums);
  } else {
    const double* weight[most_packs];
    for (std::size_t s = 0; s < samples.size(); ++s) weight[s] = samples[s]->weight.data();
    walk_strata<double>(order, prediction, std::span(weight, samples.size()), 1, 0, uno, tree_, sums);
  }
  for (std::size_t s = 0; s < samples.size(); ++s) {
    const PairSums& of = sums[packed ? s : s * most_packed];
    const double pairs = n_pairs(*samples[s]);
    found[s] = {};
    if (pairs > 0) found[s].harrell = of.harrell / (2 * pairs);
    if (uno_pairs[s] > 0) found[s].uno = of.uno / (2 * uno_pairs[s]);
  }
}

void SampleConcordances::count(const RiskOrder& order, const PredictionRows& prediction,
                               std::span<const SampleRows* const> samples, double tau,
                               std::span<SampleConcordance> found) {
  require_size("samples and their concordances differ in number", found.size(),
               static_cast<Index>(samples.size()));
  require_size("predictions and rows differ in number", prediction.rank.size(), order.n_rows);
  for (const SampleRows* sample : samples)
    require_size("weights and rows differ in number", sample->weight.size(), order.n_rows);
  for (std::size_t begin = 0; begin < samples.size(); begin += most_packs) {
    const std::size_t n = std::min<std::size_t>(most_packs, samples.size() - begin);
    count_together(order, prediction, samples.subspan(begin, n), tau, found.subspan(begin, n));
  }
}

}  // namespace chorale::kernels
